"""A network of real processes with many funded accounts, and a stock of signed transfers."""

import asyncio
import contextlib
import random
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

from node.client import ClientNetwork, transaction
from node.clock import SystemClock
from node.keys import LocalSigner
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.acts.registry.open_account import OpenAccount
from node.ledger.policies import single_signer
from node.ledger.tables import ParticipantKind
from node.provision.acts import RUPEE, SALT, address_of_key, define_rupee, issue
from node.provision.description import Account, Blocks, Participant
from node.provision.local import LocalNetwork, create_network
from node.provision.ports import free_ports
from node.provision.reference import INSTITUTIONS, reference_network
from tests.bench.clients import Poster

CLOCK = SystemClock()
OWNER = "savers"
FUNDS_PAISA = 1_000_000_00
OPERATIONS_MAX = 100
SETUP_AT_ONCE = 20
"""Transactions of the set-up that wait at one time."""
VALID_S = 590.0
CALLS_PER_SECOND = 400
"""Of one caller at one node; it refuses more than 500."""
GENESIS_ACCOUNTS_MAX = 5_000
"""More are opened by transactions: a genesis is no place for a population."""


class Town:
    """Four validators, their clients, and accounts that one company owns."""

    def __init__(self, network: LocalNetwork, signers: Sequence[LocalSigner]) -> None:
        self.network = network
        self.signers = signers
        self.posters = [Poster(node.url) for node in network.validators]
        self.client = ClientNetwork.of(network.genesis)
        self.addresses = [address_of_key(OWNER, signer.public_key) for signer in signers]
        names = INSTITUTIONS
        self.office_keys = {name: office_key(name) for name in names}
        self.offices = {
            name: address_of_key(name, key.public_key) for name, key in self.office_keys.items()
        }

    def sign(self, signers: Sequence[LocalSigner], *operations: Any, valid_s: float) -> bytes:
        """Return a signed transaction, valid for so many seconds from now."""
        valid_until_ms = CLOCK.now_ms() + int(valid_s * 1000)
        builder = transaction(self.client, valid_until_ms=valid_until_ms)
        return builder.add(*operations).sign(*signers).raw()

    def transfers(self, count: int, *, valid_s: float, seed: int) -> Iterator[tuple[bytes, bytes]]:
        """Yield id and bytes of so many signed transfers of one paisa between random accounts."""
        chance = random.Random(seed)
        valid_until_ms = CLOCK.now_ms() + int(valid_s * 1000)
        for _ in range(count):
            payer, payee = chance.sample(range(len(self.signers)), 2)
            draft = (
                transaction(self.client, valid_until_ms=valid_until_ms, salt=chance.randbytes(8))
                .add(
                    Transfer(
                        account=self.addresses[payer],
                        to=self.addresses[payee],
                        asset=RUPEE,
                        amount=1,
                    )
                )
                .sign(self.signers[payer])
            )
            yield draft.id, draft.raw()

    async def apply(self, raws: Sequence[bytes]) -> None:
        """Submit set-up transactions and wait until all are applied.

        Raises:
            RuntimeError: one of them was refused.
        """
        waiting = list(raws)
        for raw in waiting[:-1]:
            await self.posters[0].call("khz_submit", transaction=raw.hex())
        # The pool is first in, first out: when the last is final, so are all before it.
        for raw in waiting[-1:]:
            found = await self.posters[0].call(
                "khz_submit", transaction=raw.hex(), wait="final", timeout_ms=60_000
            )
            outcome = found["receipt"]["outcome"]
            if outcome["code"] != 0:
                raise RuntimeError(outcome["sentence"])

    async def settle(self) -> None:
        """Open the accounts that are not in the genesis, make the rupee, give everyone some."""
        bank, key = self.offices["central-bank"], self.office_keys["central-bank"]
        regulator, regulator_key = (
            self.offices["virtual-asset-regulator"],
            self.office_keys["virtual-asset-regulator"],
        )
        ministry = self.offices["finance-ministry"]
        raws = []
        for chunk in _chunks(self.signers[GENESIS_ACCOUNTS_MAX:], OPERATIONS_MAX):
            operations = [
                OpenAccount(
                    account=regulator,
                    approvers=(),
                    owner=OWNER,
                    policy=single_signer(signer.public_key),
                    salt=SALT,
                )
                for signer in chunk
            ]
            raws.append(self.sign([regulator_key], *operations, valid_s=VALID_S))
        await self._apply_all(raws)
        define = define_rupee(central_bank=bank, approvers=(ministry,))
        await self.apply(
            [self.sign([key, self.office_keys["finance-ministry"]], define, valid_s=VALID_S)]
        )
        raws = []
        for chunk in _chunks(self.addresses, OPERATIONS_MAX):
            issues = [
                issue(account=bank, asset=RUPEE, amount=FUNDS_PAISA, to=address)
                for address in chunk
            ]
            raws.append(self.sign([key], *issues, valid_s=VALID_S))
        await self._apply_all(raws)

    async def _apply_all(self, raws: Sequence[bytes]) -> None:
        for chunk in _chunks(raws, SETUP_AT_ONCE):
            await self.apply(chunk)

    async def supply(self) -> tuple[int, int]:
        """Return the rupee's supply and the sum of all holdings, in paisa."""
        found = await self.posters[0].call("khz_asset", asset=RUPEE)
        supply = _paisa(found["asset"]["supply"])
        lanes = len(self.posters)
        async with asyncio.TaskGroup() as tasks:
            sums = [
                tasks.create_task(self._held(poster, self.addresses[n::lanes]), name=f"sum-{n}")
                for n, poster in enumerate(self.posters)
            ]
        return supply, sum(task.result() for task in sums)

    async def _held(self, poster: Poster, addresses: Sequence[bytes]) -> int:
        began, total = CLOCK.monotonic(), 0
        for number, address in enumerate(addresses):
            due = began + number / CALLS_PER_SECOND
            await asyncio.sleep(max(0.0, due - CLOCK.monotonic()))
            found = await poster.call("khz_holdings", address=self.client.render_address(address))
            total += sum(_paisa(holding["total"]) for holding in found["holdings"])
        return total

    def memory_mb(self) -> dict[str, float]:
        """Return the resident memory of each validator."""
        found = {}
        for node in self.network.validators:
            process = self.network.process(node.name)
            if process is not None:
                found[node.name] = resident_mb(process.pid)
        return found

    def cpu_s(self) -> float:
        """Return the processor time that the validators have used."""
        pids = [process.pid for _, process in self.network.running()]
        return sum(cpu_seconds(pid) for pid in pids)


def office_key(name: str) -> LocalSigner:
    """Return the key of an institution's account: made of its name, for this benchmark only."""
    return LocalSigner(f"bench {name}".encode().ljust(32, b".")[:32])


@contextlib.asynccontextmanager
async def running_town(
    *, accounts: int, blocks: Blocks | None = None, root: Path | None = None
) -> AsyncIterator[Town]:
    """Start a network, fund its accounts, and take it all away at the end."""
    signers = [LocalSigner(number.to_bytes(32)) for number in range(1, accounts + 1)]
    free = free_ports(2 * len(INSTITUTIONS))
    ports = {name: (free[2 * n], free[2 * n + 1]) for n, name in enumerate(INSTITUTIONS)}
    description = reference_network(
        "bench",
        ports=ports,
        development=False,
        participants=[Participant(id=OWNER, kind=ParticipantKind.COMPANY)],
        accounts=[
            *(
                Account(owner=name, public_key=office_key(name).public_key.hex())
                for name in INSTITUTIONS
            ),
            *(
                Account(owner=OWNER, public_key=signer.public_key.hex())
                for signer in signers[:GENESIS_ACCOUNTS_MAX]
            ),
        ],
        blocks=blocks,
    )
    with tempfile.TemporaryDirectory(prefix="khazana-bench-", dir=root) as folder:
        network = create_network(Path(folder), description, now_ms=CLOCK.now_ms())
        town = Town(network, signers)
        try:
            network.start(leashed=True)
            await network.wait_ready()
            await town.settle()
            yield town
        finally:
            for poster in town.posters:
                poster.close()
            await network.stop()


def _chunks(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _paisa(amount: str) -> int:
    return int(amount.replace(".", ""))


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
