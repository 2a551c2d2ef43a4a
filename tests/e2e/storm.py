"""Four validators on four machines, in bad weather: `python -m tests.e2e.storm --minutes 10`.

Every validator runs in a network namespace of its own; the wires between them lose 30 % of all
packets, delay each by up to 500 ms so that they overtake each other, and double some. Then the
weather is calm, but the wires are cut: in one direction between two, in one direction between two
and two, and altogether; and after each the time to the next block is taken. Clients are spared.
"""

import argparse
import asyncio
import math
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from node.provision.local import LocalNetwork, create_network
from node.provision.reference import INSTITUTIONS
from tests.e2e.namespaces import Machine, make_machine
from tests.e2e.networks import (
    BANK,
    CLOCK,
    COUNCIL,
    MINISTRY,
    REGULATOR,
    Payers,
    check_nothing_lost,
    client_of,
    describe,
    endow,
    signatures_agree,
    until_height,
)
from tests.e2e.wires import CALM, STORM, Wires

CLIENTS = "clients"
PAUSE_S = 1.0
CUTS = {
    "one does not hear another": frozenset({(BANK, MINISTRY)}),
    "two do not hear the others": frozenset(
        (source, target) for source in (BANK, MINISTRY) for target in (COUNCIL, REGULATOR)
    ),
    "two and two apart": frozenset(
        pair
        for source in (BANK, MINISTRY)
        for target in (COUNCIL, REGULATOR)
        for pair in ((source, target), (target, source))
    ),
}
GOES_ON = frozenset({"one does not hear another"})
"""Cuts in spite of which blocks come."""
SOME_BLOCKS = 2


@contextmanager
def machines() -> Iterator[Sequence[Machine]]:
    """Give a machine to each validator and one to the clients.

    Raises:
        OSError: this is not permitted here.
    """
    made: list[Machine] = []
    try:
        for number, name in enumerate((*INSTITUTIONS, CLIENTS), start=1):
            made.append(make_machine(name, f"10.77.0.{number}"))
        yield made
    finally:
        for machine in made:
            machine.close()


class Storm:
    """A running network, its wires and its payers."""

    def __init__(
        self,
        network: LocalNetwork,
        wires: Wires,
        payers: Payers,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.wires = wires
        self.payers = payers
        self.network = network
        self._say = say

    async def height(self) -> int:
        """Return the greatest height of all nodes."""
        heights = []
        for name in self.network.nodes:
            async with client_of(self.network, name) as client:
                heights.append((await client.status()).height)
        return max(heights)

    async def blow(self, *, for_s: float) -> tuple[int, int]:
        """Let it storm for so long; return the blocks and the payments of that time."""
        height, paid = await self.height(), len(self.payers.receipts)
        self.wires.weather = STORM
        try:
            await asyncio.sleep(for_s)
            return await self.height() - height, len(self.payers.receipts) - paid
        finally:
            self.wires.weather = CALM

    async def cut(self, name: str, *, for_s: float) -> tuple[int, float]:
        """Cut wires for so long; return the blocks of that time, and the seconds from mending them
        to the next payment acknowledged. Where a quorum hears each other, it lasts until they have
        made some blocks.
        """
        self.wires.cut = CUTS[name]
        try:
            # Once they are cut: between the first node's answer and the last one's blocks may come.
            height = await self.height()
            await asyncio.sleep(for_s)
            if name in GOES_ON:
                async with client_of(self.network, COUNCIL) as client:
                    await until_height(client, height + SOME_BLOCKS)
            blocks = await self.height() - height
        finally:
            self.wires.cut = frozenset()
        mended_s = CLOCK.monotonic()
        await self.payers.more(1)
        return blocks, CLOCK.monotonic() - mended_s

    async def settle(self) -> float:
        """Wait, in calm weather, until every node has a block made by now; return the seconds."""
        began_s = CLOCK.monotonic()
        await self.payers.more(1)
        height = await self.height()
        for name in self.network.nodes:
            async with client_of(self.network, name) as client:
                await until_height(client, height)
        return CLOCK.monotonic() - began_s


@asynccontextmanager
async def storm_network(root: Path, *, seed: int) -> AsyncIterator[Storm]:
    """Give a funded network in calm weather; this thread is on the clients' machine meanwhile.

    Raises:
        OSError: machines cannot be made here.
    """
    with machines() as made:
        by_name = {machine.name: machine for machine in made}
        addresses = {name: by_name[name].address for name in INSTITUTIONS}
        network = create_network(root, describe(addresses), now_ms=CLOCK.now_ms())
        wires = Wires(made, seed=seed, calm=[CLIENTS])
        with by_name[CLIENTS].entered(), wires.carried():
            try:
                for name in INSTITUTIONS:
                    with by_name[name].entered():
                        network.start(name, leashed=True)
                await network.wait_ready()
                await endow(network)
                yield Storm(network, wires, Payers(network, seed=seed, pause_s=PAUSE_S))
            finally:
                await network.stop()


async def _run(root: Path, *, minutes: float, cuts_s: Sequence[float], seed: int) -> None:
    async with storm_network(root, seed=seed) as storm:
        async with storm.payers.paying():
            await storm.payers.more(5)
            for minute in range(math.ceil(minutes)):
                blocks, paid = await storm.blow(for_s=60 * min(1.0, minutes - minute))
                print(f"storm, minute {minute + 1}: {blocks} blocks, {paid} paid", flush=True)
            print(f"all four level {await storm.settle():.2f} s after the storm", flush=True)
            for name in CUTS:
                for for_s in cuts_s:
                    blocks, seconds = await storm.cut(name, for_s=for_s)
                    told = f"{blocks} blocks, {seconds:.2f} s to the next payment"
                    print(f"{name}, {for_s:g} s: {told}", flush=True)
                    await storm.settle()
        await check_nothing_lost(storm.network, storm.payers.receipts)
        signatures_agree(storm.network)
        print(f"packets  {dict(storm.wires.packets)}")
        print(f"{len(storm.payers.receipts)} acknowledged, each once at every node; equal roots")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.storm", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of storm (10)")
    parser.add_argument(
        "--cuts", type=float, nargs="+", default=[15, 45], help="seconds of each cut (15 45)"
    )
    parser.add_argument("--seed", type=int, help="of the wires; a fresh one if not given")
    options = parser.parse_args()
    seed = secrets.randbits(32) if options.seed is None else options.seed
    cuts = " ".join(f"{each:g}" for each in options.cuts)
    words = f"--minutes {options.minutes:g} --cuts {cuts} --seed {seed}"
    print(f"python -m tests.e2e.storm {words}", flush=True)
    with tempfile.TemporaryDirectory(prefix="khazana-storm-") as root:
        try:
            asyncio.run(
                _run(
                    Path(root) / "network",
                    minutes=options.minutes,
                    cuts_s=options.cuts,
                    seed=seed,
                )
            )
        except KeyboardInterrupt:
            sys.exit(130)


if __name__ == "__main__":
    main()
