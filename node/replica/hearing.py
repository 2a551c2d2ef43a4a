"""What peers say: each message becomes an input of the engine, something to keep, an answer, or a
fault that is held against its sender.
"""

from typing import Final

from consensus.engine import Engine
from consensus.inputs import (
    CertificateReceived,
    Input,
    ProposalReceived,
    RoundCalled,
    VoteReceived,
)
from consensus.types import Round, ValidatorId
from node.chain import Chain
from node.clock import Clock
from node.log import Logger
from node.metrics import Metrics
from node.network import (
    BlockTransactions,
    CertificateMessage,
    Forgot,
    Memory,
    ProposalMessage,
    ProposedBlock,
    VoteMessage,
    WireMessage,
)
from node.replica.bodies import Bodies, body_of
from node.replica.contents import Contents
from node.replica.deciding import Deciding
from node.replica.early import Early
from node.replica.entering import Entering
from node.replica.events import Heard
from node.replica.gate import BadMessage, Fault, Gate
from node.replica.obtaining import Obtaining
from node.replica.patience import Patience
from node.replica.returning import Calls
from node.replica.seat import Seat
from node.replica.service import Service
from node.replica.skew import Skew
from node.replica.turn import Turn
from node.replica.wire import Wire

HELP_AFTER_S: Final = 0.1
"""Votes that arrive this soon after the decision were under way: their senders need no help."""


class Hearing:
    """The messages of peers, one after the other."""

    def __init__(
        self,
        *,
        chain: Chain,
        engine: Engine,
        wire: Wire,
        seat: Seat | None,
        gate: Gate,
        bodies: Bodies,
        obtaining: Obtaining,
        contents: Contents,
        deciding: Deciding,
        entering: Entering,
        early: Early,
        service: Service,
        patience: Patience,
        turn: Turn,
        skew: Skew,
        clock: Clock,
        metrics: Metrics,
        log: Logger,
    ) -> None:
        self._chain = chain
        self._engine = engine
        self._wire = wire
        self._seat = seat
        self._gate = gate
        self._bodies = bodies
        self._obtaining = obtaining
        self._contents = contents
        self._deciding = deciding
        self._entering = entering
        self._early = early
        self._service = service
        self._patience = patience
        self._turn = turn
        self._skew = skew
        self._clock = clock
        self._metrics = metrics
        self._log = log
        self._calls = Calls()
        self._committed_s = 0.0

    async def hear(self, peer: str, message: WireMessage) -> None:
        """Take a peer's message; one that breaks a rule is counted and held against the peer."""
        try:
            match message:
                case VoteMessage() | ProposalMessage() | CertificateMessage():
                    await self._hear_of_height(peer, message)
                case ProposedBlock():
                    await self._hear_block(peer, message)
                case Forgot():
                    await self._hear_forgot(peer, message)
                case Memory():
                    await self._hear_memory(peer, message)
                case BlockTransactions():
                    await self._hear_transactions(peer, message)
                case _:
                    raise BadMessage(Fault.UNASKED, type(message).__name__)
        except BadMessage as error:
            self._metrics.messages_refused.labels(reason=error.fault.value).inc()
            self._log.info("message refused", peer=peer, fault=error.fault, detail=error.detail)
            self._wire.punish(peer, str(error))

    def end_height(self, now_s: float) -> None:
        """Leave a height behind: its block has just been committed."""
        self._calls.clear()
        self._committed_s = now_s

    # Of the height at hand.

    async def _hear_of_height(
        self, peer: str, message: VoteMessage | ProposalMessage | CertificateMessage
    ) -> None:
        entering, height = self._entering, self._entering.height
        # What it says of the last height too: whose votes come late is there.
        if message.height >= height - 1 and self._patience.heard(peer):
            self._turn.reconsider(peer)
        if message.height < height:
            self._help(peer, message.height)
        elif message.height == height + 1 or (message.height == height and entering.is_hearing):
            self._early.hold(Heard(peer, message))
        elif message.height == height and entering.may_vote:
            event = self._admit(message)
            if event is not None:
                await entering.begin_if_due(called=True)
                await self._deciding.drive(event)

    def _admit(self, message: VoteMessage | ProposalMessage | CertificateMessage) -> Input | None:
        """Return the engine's input, verified; None for what is known already."""
        match message:
            case VoteMessage():
                vote = self._gate.admit_vote(message)
                if vote is None:
                    return None
                self._metrics.votes.labels(kind=vote.vote.kind.name.lower()).inc()
                return VoteReceived(signed=vote)
            case ProposalMessage():
                if not self._gate.expects_proposal(message):
                    return None
                body = body_of(message)
                proposal = self._gate.admit_proposal(message)
                self._bodies.add(body)
                self._note_clock(message, body.header.time_ms)
                return ProposalReceived(signed=proposal)
            case CertificateMessage():
                certificate = self._gate.admit_certificate(message)
                return CertificateReceived(certificate=certificate)

    def _note_clock(self, message: ProposalMessage, time_ms: int) -> None:
        # One that is proposed again is old, and one right behind its parent may be pushed ahead.
        if message.valid_round is None and time_ms > self._chain.head.time_ms + 1:
            ahead_ms = self._skew.heard(
                message.proposer,
                time_ms=time_ms,
                now_ms=self._clock.now_ms(),
                now_s=self._clock.monotonic(),
            )
            self._metrics.clock_offset_seconds.labels(validator=message.proposer).set(
                ahead_ms / 1000
            )

    def _help(self, peer: str, height: int) -> None:
        now_s = self._clock.monotonic()
        if height < self._chain.head.height or now_s - self._committed_s > HELP_AFTER_S:
            self._service.help(peer, height, now_s)

    # Of blocks that were asked for.

    async def _hear_block(self, peer: str, message: ProposedBlock) -> None:
        if self._obtaining.get(message.block_id) is None:
            return
        self._obtaining.answered(message.block_id, peer)
        if self._bodies.get(message.block_id) is None:
            self._bodies.add(body_of(message))
        await self._deciding.pursue(message.block_id)

    async def _hear_transactions(self, peer: str, message: BlockTransactions) -> None:
        body = self._bodies.get(message.block_id)
        if body is None or self._obtaining.get(message.block_id) is None:
            return
        self._obtaining.answered(message.block_id, peer)
        try:
            await self._contents.fill(body, message.raws)
        finally:
            await self._deciding.pursue(message.block_id)

    # Of what was forgotten.

    async def _hear_forgot(self, peer: str, message: Forgot) -> None:
        """Tell a validator that has forgotten where this one stands, and take note of its return.

        One that has not recalled its log yet says nothing: it does not know its round, and is asked
        again.
        """
        seat, entering, height = self._seat, self._entering, self._entering.height
        if seat is None:
            return
        if message.round > 0 and message.height + 1 == height and entering.may_vote:
            await entering.begin_if_due(called=True)
            await self._take_call(peer, Round(message.round))
        if height == entering.height and not seat.holds(height):
            round_ = 0
            if self._deciding.is_open:
                round_ = max(self._engine.round, self._engine.called_round or 0)
            if message.begins:
                await seat.note_begun(peer, head=height - 1, validators=self._chain.validators)
            self._service.send_memory(
                peer,
                remembers=entering.is_witness,
                round_=round_,
                begun=seat.has_begun(peer, head=height - 1),
            )

    async def _take_call(self, peer: str, called: Round) -> None:
        """Let a validator that has forgotten the height come back in this round, within bounds."""
        if self._deciding.is_open and self._calls.take(peer, called, standing=self._engine.round):
            await self._deciding.drive(
                RoundCalled(height=self._entering.height, round=called, validator=ValidatorId(peer))
            )

    async def _hear_memory(self, peer: str, memory: Memory) -> None:
        if self._seat is not None:
            self._seat.heard(peer, memory, self._chain.validators)
            await self._entering.begin_if_due(called=False)
