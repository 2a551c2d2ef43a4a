"""Kill the validators of a real network under load, again and again.

    python -m tests.e2e.campaign --kills 200 --seed 7

Four processes, eight payers. Each step is drawn from the seed: one validator dies at a random
moment, or two, or all four at once; or one dies again while it starts; or one or two are stopped
(SIGSTOP) for longer than every timeout and go on. Dead ones are started again, and the network has
to acknowledge more payments before the next step. What must hold at the end stands in
`networks.check_nothing_lost`, and no log may show two signatures in one place.
"""

import argparse
import asyncio
import secrets
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from node.provision.local import LocalNetwork
from node.provision.reference import INSTITUTIONS
from tests.e2e.networks import (
    CLOCK,
    Payers,
    check_nothing_lost,
    client_of,
    running_network,
    seconds,
    until_height,
)
from tests.e2e.signatures import Signatures

STOPPED_S = 11.0
"""Longer than a silent link lives (9.75 s) and than three rounds."""
STOPPED_LONG_S = 35.0
"""Longer than everything: the longest round (30 s), a frame's way out (20 s), a client's wait."""
PAUSE_S = 0.3
PROGRESS = 4
"""Payments that must be acknowledged between two steps."""

ONE, TWO, ALL, AGAIN, STOPPED = "one", "two", "all", "again", "stopped"
WEIGHTS = {ONE: 50, TWO: 8, ALL: 8, AGAIN: 26, STOPPED: 8}


class Campaign:
    """A running network, its payers, and what is done to it."""

    def __init__(
        self,
        network: LocalNetwork,
        payers: Payers,
        *,
        seed: int,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.kills: Counter[str] = Counter()
        """By validator."""
        self.steps: Counter[str] = Counter()
        self.ready_s: list[float] = []
        """From the start of a killed node to its being ready."""
        self.paying_s: list[float] = []
        """From the start of all four to the next payment acknowledged."""
        self.signatures = Signatures()
        self._network = network
        self._payers = payers
        self._random = Random(f"{seed} campaign")
        self._say = say
        self._began_s = CLOCK.monotonic()

    async def run(self, kills: int) -> None:
        """Go on until so many processes were killed."""
        while self.kills.total() < kills:
            (step,) = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))
            await self.step(step)

    async def step(self, step: str) -> None:
        """Do one thing to the network, and wait until it goes on."""
        random = self._random
        # A random moment: nothing is waited for.
        await asyncio.sleep(random.uniform(0, 0.5))
        match step:
            case "one":
                await self.kill(random.choice(INSTITUTIONS))
            case "two":
                await self.kill(*random.sample(INSTITUTIONS, 2))
            case "all":
                await self.kill(*INSTITUTIONS)
            case "again":
                await self.kill(random.choice(INSTITUTIONS), again_after_s=random.uniform(0.1, 1.5))
            case _:
                for_s = STOPPED_LONG_S if random.random() < 0.2 else STOPPED_S
                await self.stop(*random.sample(INSTITUTIONS, random.choice((1, 2))), for_s=for_s)
        self.steps[step] += 1

    async def kill(self, *names: str, again_after_s: float | None = None) -> None:
        """Kill these at once, start them, and wait until they are ready and the network goes on.

        Args:
            again_after_s: kill them once more so long after they were started.
        """
        await self._end(names)
        if len(names) == 1:
            await self._payers.more(PROGRESS)
        if again_after_s is not None:
            self._network.start(*names, leashed=True)
            await asyncio.sleep(again_after_s)
            await self._end(names)
        # As long as each takes, wherever its turn is in the list.
        async with asyncio.TaskGroup() as tasks:
            began_s = CLOCK.monotonic()
            self._network.start(*names, leashed=True)
            for name in names:
                tasks.create_task(self._ready(name, began_s), name=f"ready-{name}")
            await self._payers.more(1)
            if len(names) == len(INSTITUTIONS):
                self.paying_s.append(CLOCK.monotonic() - began_s)
        await self._payers.more(PROGRESS)
        self._tell(f"killed {', '.join(names)}", f"ready again after {self.ready_s[-1]:.2f} s")

    async def stop(self, *names: str, for_s: float) -> None:
        """Stop these for so long, let them go on, and wait until they have caught up."""
        processes = [self._network.process(name) for name in names]
        for process in processes:
            assert process is not None
            assert process.signal(signal.SIGSTOP)
        try:
            if len(names) == 1:
                await self._payers.more(PROGRESS)
            await asyncio.sleep(for_s)
        finally:
            for process in processes:
                assert process is not None
                process.signal(signal.SIGCONT)
        began_s = CLOCK.monotonic()
        await self._payers.more(PROGRESS)
        head = max(receipt.height for receipt in self._payers.receipts.values())
        for name in names:
            async with client_of(self._network, name) as client:
                await until_height(client, head)
        caught_up_s = CLOCK.monotonic() - began_s
        self._tell(
            f"stopped {', '.join(names)} for {for_s:.0f} s", f"caught up in {caught_up_s:.2f} s"
        )

    async def _end(self, names: Sequence[str]) -> None:
        ran = await asyncio.gather(*(self._network.kill(name) for name in names))
        assert all(ran), f"one of {names} had ended by itself"
        self.kills.update(names)
        for name in names:
            self.signatures.read(self._network.nodes[name])

    async def _ready(self, name: str, began_s: float) -> None:
        await self._network.wait_ready(name)
        self.ready_s.append(CLOCK.monotonic() - began_s)

    def _tell(self, event: str, result: str) -> None:
        self._say(
            f"{CLOCK.monotonic() - self._began_s:7.1f} s  {self.kills.total():3} kills "
            f" {len(self._payers.receipts):6} paid  {event}: {result}"
        )

    async def check(self) -> None:
        """Assert what must hold after all of it; the payers have stopped."""
        await check_nothing_lost(self._network, self._payers.receipts)
        assert set((await self._network.stop()).values()) == {True}
        for node in self._network.nodes.values():
            self.signatures.read(node)
        assert self.signatures.contradictions() == []


async def _run(root: Path, *, kills: int, seed: int) -> None:
    async with running_network(root) as network:
        payers = Payers(network, seed=seed, pause_s=PAUSE_S)
        campaign = Campaign(network, payers, seed=seed, say=lambda text: print(text, flush=True))
        async with payers.paying():
            await campaign.run(kills)
        await campaign.check()
    signed = sum(len(campaign.signatures.of(name)) for name in INSTITUTIONS)
    print(f"killed            {dict(campaign.kills)}, {campaign.kills.total()} in all")
    print(f"steps             {dict(campaign.steps)}")
    print(
        f"acknowledged      {len(payers.receipts)}, of which {payers.answers_lost} handed in again"
    )
    print(f"ready again       {seconds(campaign.ready_s)}")
    print(f"paid after all 4  {seconds(campaign.paying_s)}")
    print(f"signatures read   {signed} places, no two messages in one")
    print(
        "every node has every acknowledged payment once; equal roots; sums conserved; no evidence"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.campaign", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="processes to kill (200)")
    parser.add_argument("--seed", type=int, help="of the choices; a fresh one if not given")
    options = parser.parse_args()
    seed = secrets.randbits(32) if options.seed is None else options.seed
    print(f"python -m tests.e2e.campaign --kills {options.kills} --seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="khazana-campaign-") as root:
        try:
            asyncio.run(_run(Path(root) / "network", kills=options.kills, seed=seed))
        except KeyboardInterrupt:
            sys.exit(130)


if __name__ == "__main__":
    main()
