"""Clients: random transfers through real admission, with lost answers, retries and doubled sends.

A client signs a transaction once and then asks until it knows: final, or expired for good. It
trusts no single answer about time: "expired" counts when the block time of a node has passed the
transaction's last moment and the node has no such transaction in its blocks.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.admission import AdmittedTransaction, Forgotten, Full, Known, Refusal
from node.app import Node
from node.codec import Record
from node.genesis import Genesis
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.acts.registry.register_participant import RegisterParticipant
from node.ledger.outcomes import Outcome
from node.ledger.tables import ParticipantKind
from node.ledger.transactions import TransactionBody, decode_signed, network_of, transaction_id
from tests.chain.town import BANK, CASH, address_of, define_cash, key, open_and_fund, sign
from tests.sim.checker import Checker
from tests.sim.loop import SimLoop
from tests.sim.machines import EPOCH_MS, Machine, Unreachable
from tests.sim.trace import Trace

ACCOUNTS: Final = 8
FUNDS: Final = 1_000
"""Of each account: little, so that transfers meet empty accounts."""
VALID_MS: Final = (4_000, 15_000, 60_000)
"""How long a transaction is valid, one of these."""


@dataclass(kw_only=True)
class Counts:
    """What clients met."""

    sent: int = 0
    final: int = 0
    expired: int = 0
    refused: int = 0
    retried: int = 0
    unresolved: int = 0


class Clients:
    """All clients of one simulation."""

    def __init__(
        self,
        machines: Sequence[Machine],
        *,
        genesis: Genesis,
        checker: Checker,
        trace: Trace,
        loop: SimLoop,
        seed: object,
        pause_s: float,
    ) -> None:
        """Begin with nothing sent.

        Args:
            machines: those that clients talk to.
            pause_s: between two transactions of one client, on average.
        """
        self._machines = machines
        self._genesis = genesis
        self._checker = checker
        self._trace = trace
        self._loop = loop
        self._seed = seed
        self._pause_s = pause_s
        self._salt = 0
        self._ready = asyncio.Event()
        self.counts = Counts()
        self.ending = False
        """Clients finish what they have under way, and begin nothing new."""

    async def run(self) -> None:
        """Found the money, then transfer it to and fro until `ending`; return when all is known."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._found())
            for number in range(ACCOUNTS):
                tasks.create_task(self._transfer_on_and_on(number))

    async def submit(
        self,
        operations: Sequence[Record],
        signers: Sequence[str],
        *,
        valid_ms: int,
        client: str,
        chance: random.Random,
        only: Machine | None = None,
    ) -> bool:
        """Bring one transaction to its end; return whether it became final.

        Args:
            only: the one machine to talk to; otherwise any.
        """
        raw, tx_id, until_ms = self._sign(operations, signers, valid_ms)
        self.counts.sent += 1
        attempt = 0
        while True:
            if attempt:
                self.counts.retried += 1
            attempt += 1
            machine = only or chance.choice(self._machines)
            if only is None and chance.random() < 0.1:
                # A client in a hurry tells two nodes the same.
                await self._ask(chance.choice(self._machines), raw, chance, within_s=0.05)
            answer = await self._ask(machine, raw, chance, within_s=3.0)
            if answer is not None and chance.random() < 0.05:
                answer = None  # The answer is lost on its way.
            if answer == "refused":
                self.counts.refused += 1
                self._trace.add(client, "refused", tx=tx_id)
                return False
            if answer == "final":
                self.counts.final += 1
                self._checker.told_final(client, tx_id)
                self._trace.add(client, "final", tx=tx_id, attempts=attempt)
                return True
            if await self._is_gone(machine, tx_id, until_ms):
                self.counts.expired += 1
                self._checker.told_gone(tx_id)
                self._trace.add(client, "expired", tx=tx_id, attempts=attempt)
                return False
            self._trace.add(
                client, "again", tx=tx_id, attempts=attempt, via=machine.name, answer=answer
            )
            await asyncio.sleep(0.1 + chance.random() * 0.9)

    # Private.

    async def _found(self) -> None:
        chance = random.Random(f"{self._seed}/founder")
        central = address_of("central-bank", "central-bank")
        ministry = address_of("finance-ministry", "finance-ministry")
        bank = RegisterParticipant(
            account=central,
            approvers=(),
            participant=BANK,
            kind=ParticipantKind.BANK,
            jurisdiction="PK",
            lei=None,
            file_commitment=bytes(32),
        )
        both = ("central-bank", "finance-ministry")
        names = [f"a{number}" for number in range(ACCOUNTS)]
        acts: list[tuple[Sequence[Record], Sequence[str]]] = [
            ([bank, define_cash(central, (ministry,))], both),
            (open_and_fund(central, names, FUNDS), both[:1]),
        ]
        for operations, signers in acts:
            done = False
            while not done:
                done = await self.submit(
                    operations, signers, valid_ms=60_000, client="founder", chance=chance
                )
        self._ready.set()

    async def _transfer_on_and_on(self, number: int) -> None:
        chance = random.Random(f"{self._seed}/client/{number}")
        await self._ready.wait()
        while not self.ending:
            await asyncio.sleep(chance.expovariate(1 / self._pause_s))
            if self.ending:
                return
            operations = [
                self._transfer(number, chance) for _ in range(chance.choice((1, 1, 1, 3)))
            ]
            await self.submit(
                operations,
                [f"a{number}"],
                valid_ms=chance.choice(VALID_MS),
                client=f"client-{number}",
                chance=chance,
            )

    def _transfer(self, number: int, chance: random.Random) -> Transfer:
        other = (number + chance.randrange(1, ACCOUNTS)) % ACCOUNTS
        return Transfer(
            account=address_of(BANK, f"a{number}"),
            to=address_of(BANK, f"a{other}"),
            asset=CASH,
            amount=chance.choice((1, 10, 100, FUNDS)),
        )

    def one_transfer(self, number: int) -> Transfer:
        """Return a transfer of the smallest amount, for whoever wants to see one become final."""
        return Transfer(
            account=address_of(BANK, f"a{number % ACCOUNTS}"),
            to=address_of(BANK, f"a{(number + 1) % ACCOUNTS}"),
            asset=CASH,
            amount=1,
        )

    def _sign(
        self, operations: Sequence[Record], signers: Sequence[str], valid_ms: int
    ) -> tuple[bytes, bytes, int]:
        self._salt += 1
        until_ms = EPOCH_MS + int(self._loop.time() * 1000) + valid_ms
        body = TransactionBody(
            version=1,
            network=network_of(self._genesis.hash),
            valid_until_ms=until_ms,
            salt=self._salt.to_bytes(8, "big"),
            signers=tuple(sorted(key(name).public_key for name in signers)),
            operations=tuple(operations),  # type: ignore[arg-type]
            memo="",
        )
        raw = sign(body, signers, self._genesis.hash)
        signed, _ = decode_signed(raw)
        return raw, transaction_id(self._genesis.hash, signed.body), until_ms

    async def _ask(
        self, machine: Machine, raw: bytes, chance: random.Random, *, within_s: float
    ) -> str | None:
        """Submit and wait; return "final", "refused", what else was said, or None for nothing."""

        async def work(node: Node) -> str:
            (answer,) = await node.intake.submit([raw])
            match answer:
                case AdmittedTransaction() | Known():
                    tx_id = node.admission.decode(raw).id
                    return "final" if await node.intake.wait(tx_id, within_s) else "waiting"
                case Refusal(outcome=Outcome.DUPLICATE):
                    return "final"
                case Refusal(outcome=Outcome.HOLDING_INSUFFICIENT):
                    # The dry run's word at this moment; another node, or a later moment, may take
                    # it. A client that gives up here must not assume that nobody has it.
                    return "refused"
                case Refusal(outcome=outcome):
                    return outcome.name.lower()
                case Full():
                    return "full"
                case Forgotten():
                    return "forgotten"

        await asyncio.sleep(chance.random() * 0.02)
        try:
            answer = await machine.call(work, within_s + 1.0)
        except Unreachable:
            answer = None
        await asyncio.sleep(chance.random() * 0.02)
        return answer

    async def _is_gone(self, machine: Machine, tx_id: bytes, until_ms: int) -> bool:
        async def work(node: Node) -> bool:
            return node.chain.head.time_ms > until_ms and node.chain.transaction(tx_id) is None

        if not machine.honest:
            return False
        try:
            return await machine.call(work, 1.0)
        except Unreachable:
            return False
