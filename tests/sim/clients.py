"""Clients: drafts through real admission and reads, with lost answers, retries and doubled sends.

A client signs a transaction once and then asks until it knows: final, or expired for good. It
trusts no single answer about time: "expired" counts when the block time of a node has passed the
transaction's last moment and the node has no such transaction in its blocks. A refusal at a node's
door is that node's word at that moment: most clients then give up, and assume nothing.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from node.admission import AdmittedTransaction, Forgotten, Full, Known, Refusal
from node.app import Node
from node.genesis import Genesis
from node.intake import Behind
from node.ledger.acts.registry.register_participant import RegisterParticipant
from node.ledger.outcomes import ENVELOPE_OUTCOMES, Outcome
from node.ledger.tables import (
    ACCOUNTS,
    ASSETS,
    HOLDINGS,
    HoldingRecord,
    ParticipantKind,
    holding_key,
)
from node.ledger.transactions import TransactionBody, decode_signed, network_of, transaction_id
from node.ledger.transition import Receipt
from tests.chain.town import BANK, CASH, address_of, define_cash, key, open_and_fund, sign
from tests.sim.checker import Checker
from tests.sim.load import FUNDS, Draft, Load
from tests.sim.loop import SimLoop
from tests.sim.machines import Machine, Unreachable
from tests.sim.standing import ACCOUNTS_COUNT
from tests.sim.trace import Trace

VALID_MS: Final = (4_000, 15_000, 60_000)
"""How long a transaction is valid, one of these."""
READS: Final = 0.3
"""How many of a client's acts are reads."""
WAIT_S: Final = 3.0
"""A client asks again after so long without an answer."""


@dataclass(kw_only=True)
class Counts:
    """What clients met."""

    sent: int = 0
    final: int = 0
    expired: int = 0
    refused: int = 0
    retried: int = 0
    read: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    """What was said at the door, by outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Final:
    place: tuple[int, int]
    receipt: Receipt


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
        auctions: bool = False,
        days: bool = False,
        bad: bool = False,
    ) -> None:
        """Begin with nothing sent.

        Args:
            machines: those that clients talk to.
            pause_s: between two acts of one client, on average.
            auctions: they want little else.
            days: they pass.
            bad: much of what they want is bad.
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
        self.load = Load(checker.model, loop.true_ms, auctions=auctions, days=days, bad=bad)
        self.counts = Counts()
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Let clients finish what they have under way, and begin nothing new."""
        self._ending.set()

    async def run(self) -> None:
        """Found the money, then do this and that until `end`; return when all is known."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._found())
            for number in range(ACCOUNTS_COUNT):
                tasks.create_task(self._act_on_and_on(number))

    async def submit(
        self,
        draft: Draft,
        *,
        valid_ms: int,
        client: str,
        chance: random.Random,
        only: Machine | None = None,
    ) -> Outcome | None:
        """Bring one transaction to its end; return its outcome, None if its time ran out.

        An outcome other than `APPLIED` may be that of a receipt, or the word of a node.

        Args:
            only: the one machine to talk to; otherwise any.
        """
        raw, tx_id, until_ms = self._sign(draft, valid_ms)
        self.counts.sent += 1
        attempt = 0
        while True:
            self.counts.retried += attempt > 0
            attempt += 1
            machine = only or chance.choice(self._machines)
            if only is None and chance.random() < 0.1:
                # A client in a hurry tells two nodes the same.
                await self._ask(chance.choice(self._machines), raw, tx_id, chance, within_s=0.05)
            since = self._checker.history.asking(machine.name)
            answer = await self._ask(machine, raw, tx_id, chance, within_s=WAIT_S)
            if answer is not None and chance.random() < 0.05:
                answer = None  # The answer is lost on its way.
            if isinstance(answer, _Final):
                outcome = answer.receipt.outcome
                self.counts.final += 1
                self._checker.told_final(
                    client,
                    tx_id,
                    node=machine.name,
                    since=since,
                    place=answer.place,
                    receipt=answer.receipt,
                )
                self._trace.add(client, "final", tx=tx_id, attempts=attempt, outcome=outcome.name)
                return outcome
            if isinstance(answer, Outcome) and answer not in ENVELOPE_OUTCOMES:
                self.counts.refused += 1
                self.counts.refusals[answer.name] += 1
                self._trace.add(client, "refused", tx=tx_id, outcome=answer.name)
                return answer
            if await self._is_gone(machine, tx_id, until_ms):
                self.counts.expired += 1
                self._checker.told_gone(tx_id)
                self._trace.add(client, "expired", tx=tx_id, attempts=attempt)
                return None
            said = answer.name if isinstance(answer, Outcome) else answer
            self._trace.add(
                client, "again", tx=tx_id, attempts=attempt, via=machine.name, answer=said
            )
            await asyncio.sleep(0.1 + chance.random() * 0.9)

    async def insist(
        self,
        draw: Callable[[], Draft],
        *,
        client: str,
        chance: random.Random,
        only: Machine | None = None,
        valid_ms: int = 60_000,
        until: Callable[[], bool] = lambda: False,
    ) -> None:
        """Sign and send until it is applied; every other answer is followed by a new draft.

        Args:
            until: it has been done, by this or otherwise.
        """
        while not until():
            outcome = await self.submit(
                draw(), valid_ms=valid_ms, client=client, chance=chance, only=only
            )
            if outcome is Outcome.APPLIED:
                return
            await asyncio.sleep(0.5)

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
        names = [f"a{number}" for number in range(ACCOUNTS_COUNT)]
        cash = Draft(operations=(bank, define_cash(central, (ministry,))), signers=both)
        funds = Draft(
            operations=tuple(open_and_fund(central, names, FUNDS)), signers=("central-bank",)
        )
        model = self._checker.model
        # A refusal may be the word of a node that has applied the same already.
        while CASH.encode() not in model.rows(ASSETS):
            await self.submit(cash, valid_ms=15_000, client="founder", chance=chance)
        while address_of(BANK, names[-1]) not in model.rows(ACCOUNTS):
            await self.submit(funds, valid_ms=15_000, client="founder", chance=chance)
        self._ready.set()

    async def _act_on_and_on(self, number: int) -> None:
        chance = random.Random(f"{self._seed}/client/{number}")
        await self._ready.wait()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(chance.expovariate(1 / self._pause_s)):
                    await self._ending.wait()
            if self._ending.is_set():
                return
            if chance.random() < READS:
                await self._read(f"client-{number}", chance)
                continue
            await self.submit(
                self.load.draw(chance, number),
                valid_ms=chance.choice(VALID_MS),
                client=f"client-{number}",
                chance=chance,
            )

    async def _read(self, client: str, chance: random.Random) -> None:
        """Ask a node for a holding, as the interface does: what is read is all of one height."""
        machine = chance.choice(self._machines)
        if not machine.honest:
            return
        holdings = list(self._checker.model.rows(HOLDINGS))
        wanted = chance.choice(holdings) if holdings else holding_key(bytes(20), CASH)

        async def work(node: Node) -> tuple[int, HoldingRecord | None]:
            await node.chain.settled()
            return node.chain.head.height, node.chain.record(HOLDINGS, wanted)

        since = self._checker.history.asking(machine.name)
        await asyncio.sleep(chance.random() * 0.02)
        try:
            height, found = await machine.call(work, 1.0)
        except Unreachable:
            return
        await asyncio.sleep(chance.random() * 0.02)
        self.counts.read += 1
        self._checker.history.read(machine.name, since, height, wanted, found)
        self._trace.add(client, "read", via=machine.name, height=height)

    def _sign(self, draft: Draft, valid_ms: int) -> tuple[bytes, bytes, int]:
        self._salt += 1
        # An honest clock may be behind by more than a second, and then see it end too far ahead.
        valid_ms = min(valid_ms, self._genesis.transactions.window_ms - 2_000)
        until_ms = self._loop.true_ms() + valid_ms
        body = TransactionBody(
            version=1,
            network=network_of(self._genesis.hash),
            valid_until_ms=until_ms,
            salt=self._salt.to_bytes(8, "big"),
            signers=tuple(sorted({key(name).public_key for name in draft.signers})),
            operations=draft.operations,  # type: ignore[arg-type]
            memo="",
        )
        raw = sign(body, draft.signers, self._genesis.hash)
        signed, _ = decode_signed(raw)
        return raw, transaction_id(self._genesis.hash, signed.body), until_ms

    async def _ask(
        self, machine: Machine, raw: bytes, tx_id: bytes, chance: random.Random, *, within_s: float
    ) -> _Final | Outcome | str | None:
        """Submit and wait; return what became of it, why not, what else was said, or nothing."""

        async def work(node: Node) -> _Final | Outcome | str:
            (answer,) = await node.intake.submit([raw])
            match answer:
                case AdmittedTransaction() | Known():
                    if not await node.intake.wait(tx_id, within_s):
                        return "waiting"
                    return await _final_at(node, tx_id)
                case Refusal(outcome=Outcome.DUPLICATE):
                    return await _final_at(node, tx_id)
                case Refusal(outcome=outcome):
                    return outcome
                case Full():
                    return "full"
                case Behind():
                    return "behind"
                case Forgotten():
                    return "forgotten"

        self._checker.history.sending(tx_id)
        await asyncio.sleep(chance.random() * 0.02)
        try:
            answer = await machine.call(work, within_s + 1.0)
        except Unreachable:
            answer = None
        await asyncio.sleep(chance.random() * 0.02)
        return answer

    async def _is_gone(self, machine: Machine, tx_id: bytes, until_ms: int) -> bool:
        async def work(node: Node) -> bool:
            chain, forgotten_ms = node.chain, node.chain.forgotten_until_ms
            knows = forgotten_ms is None or forgotten_ms < until_ms
            return chain.head.time_ms > until_ms and knows and chain.transaction(tx_id) is None

        if not machine.honest:
            return False
        try:
            return await machine.call(work, 1.0)
        except Unreachable:
            return False


async def _final_at(node: Node, tx_id: bytes) -> _Final | str:
    """Return where it is and what became of it, as the interface reads it: all of one height."""
    await node.chain.settled()
    place = node.chain.transaction(tx_id)
    receipts = None if place is None else node.chain.receipts(place[0])
    if place is None or receipts is None:
        return "final, and nowhere"
    return _Final(place=place, receipt=receipts.receipt(place[1]))
