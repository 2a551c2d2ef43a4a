"""The replica: the one writer of this node, which turns what happens into the engine's inputs and
carries out its effects.

Theory of operation. One loop reads one queue. For each event it steps the engine, and executes the
effects strictly in the order returned; `Persist` is durable before the next effect starts, so no
signature leaves before what it rests on would survive a crash. Answers to effects become inputs
once the list of effects they came from is done. Only this loop touches the engine, and only it
commits, so nothing here needs a lock: a block from a peer's store (`commit_synced`) waits in the
same queue.

What the loop adds to the engine is the world: which messages are admitted (`gate`), where a block's
transactions come from (`obtaining`), when a height begins (`pace`), what is signed (`guard`), and
from which height on this key may sign at all (`join`). And it knows who is away, and is not waited
for as long as a proposer who is there (`patience`).

A node that is not in the validator set, or may not sign yet, begins no height: it lives on the
blocks of its peers' stores. A node that computes another result than a quorum certified raises
`InvariantViolation` out of `run`, before anything of that block is written, and stops.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from consensus.certificates import QuorumCertificate
from consensus.effects import (
    Broadcast,
    BuildBlock,
    Decide,
    Effect,
    Persist,
    ReportEvidence,
    ScheduleTimeout,
    SignProposal,
    SignVote,
    ValidateBlock,
)
from consensus.engine import Engine
from consensus.errors import DecidedBlockInvalid
from consensus.inputs import (
    BlockBuilt,
    BlockValidated,
    CertificateReceived,
    Input,
    ProposalReceived,
    ProposalSigned,
    RoundCalled,
    StartHeight,
    TimeoutElapsed,
    VoteReceived,
    VoteSigned,
)
from consensus.messages import Proposal, SignedMessage, SignedProposal, SignedVote, Vote
from consensus.types import (
    BlockId,
    Height,
    Round,
    Signature,
    Step,
    Timeout,
    ValidatorId,
    VoteType,
)
from node.admission import Admission, AdmissionError
from node.blocks import decode_block
from node.chain import Candidate, Chain, InvalidBlock
from node.clock import Clock
from node.log import Logger
from node.mempool import AdmittedTransaction, Mempool
from node.metrics import Metrics
from node.network import (
    BlockTransactions,
    CertificateMessage,
    Forgot,
    GetProposedBlock,
    GetTransactions,
    Memory,
    ProposalMessage,
    ProposedBlock,
    Role,
    Status,
    VoteMessage,
    WireMessage,
)
from node.replica.bodies import Bodies, body_of
from node.replica.errors import Divergence, SigningRefused
from node.replica.events import (
    BuildDue,
    Certified,
    Connected,
    Disconnected,
    Elapsed,
    Event,
    Fetched,
    Heard,
    ResendDue,
    RetryDue,
    Woken,
)
from node.replica.gate import BadMessage, Fault, Gate, Verify
from node.replica.inbox import Inbox
from node.replica.obtaining import Obtaining
from node.replica.pace import Pace
from node.replica.patience import Patience
from node.replica.position import Position, Totals
from node.replica.report import Reporter
from node.replica.seat import Seat
from node.replica.service import Service
from node.replica.skew import Offset, Skew
from node.replica.wire import Wire, proposal_message, vote_message
from node.replica.workshop import Workshop

EVENTS_IN_A_ROW: Final = 16
"""After so many events the other tasks get their turn, even if more are waiting."""
HELD_MAX: Final = 16
"""Messages of one peer for the height after the next that wait until it is the next. A validator
says a proposal and two votes in a round; what does not fit is repeated by its sender."""
ASK_S: Final = 1.0
"""So often a validator that does not know what it has signed asks the others where they stand."""
CALLED_AHEAD_MAX: Final = 8
"""Rounds by which a validator that comes back may draw the others on at one time."""
CALLS_MAX: Final = 4
"""Times that one validator may do so in a height: it can have been wiped again meanwhile."""
HELP_AFTER_S: Final = 0.1
"""Votes that arrive this soon after the decision were under way: their senders need no help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaLimits:
    """What one node may set for itself; see `node.config.ReplicaConfig`."""

    queue_max: int = 4_096
    resend_ms: int = 750
    resend_ms_max: int = 8_000
    fetch_timeout_ms: int = 300
    patience_ms: int = 30
    """How long a transaction may be behind the proposal that names it before it is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    """The proposal that is being waited for."""

    timeout: Timeout
    proposer: ValidatorId
    began_s: float
    duration_ms: int
    """The whole timeout, from the beginning of the round."""


class Replica:
    """The loop of one node. `run` is its only task."""

    def __init__(
        self,
        *,
        chain: Chain,
        mempool: Mempool,
        admission: Admission,
        engine: Engine,
        wire: Wire,
        seat: Seat | None,
        claims: Callable[[], Mapping[str, int]],
        verify: Verify,
        clock: Clock,
        metrics: Metrics,
        log: Logger,
        limits: ReplicaLimits | None = None,
    ) -> None:
        """Store what is given; nothing happens before `run`.

        Args:
            seat: this node's key and log; None: it observes.
            claims: the height that each connected validator says it has committed.
            verify: the one rule for signatures, `node.keys.verify`.
        """
        self._chain = chain
        self._mempool = mempool
        self._admission = admission
        self._engine = engine
        self._wire = wire
        self._seat = seat
        self._claims = claims
        self._clock = clock
        self._metrics = metrics
        self._log = log.bind(part="replica")
        self._limits = limits or ReplicaLimits()
        genesis = chain.genesis
        self._model = genesis.fault_model
        self._gate = Gate(domain=genesis.domain, model=self._model, verify=verify, metrics=metrics)
        self._inbox: Inbox[Event] = Inbox(self._limits.queue_max)
        self._bodies = Bodies()
        self._obtaining = Obtaining(
            wire=wire,
            mempool=mempool,
            bodies=self._bodies,
            retry=lambda block_id: self._inbox.push(RetryDue(block_id)),
            timeout_s=self._limits.fetch_timeout_ms / 1000,
            patience_s=self._limits.patience_ms / 1000,
            size_bytes_max=genesis.blocks.size_bytes_max,
            metrics=metrics,
        )
        self._report = Reporter(metrics=metrics, log=self._log, mempool=mempool)
        self._workshop = Workshop(
            chain=chain,
            mempool=mempool,
            bodies=self._bodies,
            clock=clock,
            metrics=metrics,
            log=self._log,
        )
        self._service = Service(wire=wire, bodies=self._bodies, chain=chain)
        self._pace: Pace | None = None
        self._patience = Patience(None if seat is None else seat.name)
        self._skew = Skew()
        self._wait: _Wait | None = None
        self._deciding = False
        """The engine has been started at the height after the head."""
        self._timers: dict[object, asyncio.TimerHandle] = {}
        self._resend_ms = self._limits.resend_ms
        self._woken = False
        self._held: dict[str, list[Heard]] = {}
        self._ask_timer: asyncio.TimerHandle | None = None
        """Until it fires, the others have been asked what they remember."""
        self._calls: dict[str, list[Round]] = {}
        """Rounds of the next height in which a validator comes back, by its name."""
        self._committed_s = 0.0

    # The door: called by the network, sync, intake and the node, on the same event loop.

    def connected(self, peer: str) -> None:
        """Take note of a new link: say again what was said before it."""
        self._patience.linked(peer)
        self._inbox.push(Connected(peer))

    def disconnected(self, peer: str) -> None:
        """Forget what was held of a peer, and wait for it no longer than one has to."""
        self._patience.lost(peer)
        self._inbox.push(Disconnected(peer))
        self._held.pop(peer, None)
        if self._seat is not None:
            self._seat.forget(peer)
        self._service.forget(peer)

    async def received(self, peer: str, message: WireMessage) -> None:
        """Take a peer's message; wait while the queue is full."""
        match message:
            case GetTransactions():
                self._service.send_transactions(peer, message)
            case GetProposedBlock():
                self._service.send_block(peer, message)
            case _:
                await self._inbox.put(Heard(peer, message))

    def wake(self) -> None:
        """Look again: the pool has new transactions, or a peer makes a new claim."""
        if not self._woken:
            self._woken = True
            self._inbox.push(Woken())

    def beat(self) -> None:
        """Begin the next height as if the heartbeat were due: the clock has been set ahead."""
        if self._pace is not None:
            self._pace.beat(self._clock.monotonic())
        self.wake()

    def claims_changed(self) -> None:
        """Look again at what peers claim, if this node still has to know it before it signs."""
        if self._seat is not None and not (self.is_witness and self._seat.is_compared):
            self.wake()

    async def commit_synced(self, run: Sequence[Certified]) -> int:
        """Check and commit blocks from peers' stores, from the next height on by now.

        The caller has verified every signature of the certificates. What was committed when this
        returns or raises is durable.

        Returns:
            How many this call committed; those that are committed already, and a run that begins
            too far ahead, do not count.

        Raises:
            InvalidBlock: the contents of the block after the head are not those of its header.
            BadMessage: a transaction in it is unreadable or not signed.
        """
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._inbox.push(Fetched(run, done))
        return await done

    @property
    def is_voting(self) -> bool:
        """Whether this node may sign at the next height."""
        return self._may_vote()

    @property
    def is_witness(self) -> bool:
        """Whether this validator knows all that its key has signed above its head."""
        return self._seat is not None and self._seat.remembers(self._chain.head.height)

    @property
    def why_silent(self) -> str | None:
        """Why this validator signs nothing at the next height; None if it does, or is none."""
        if self._seat is None:
            return None
        return self._seat.why_silent(self._next_height, self._chain.validators)

    @property
    def position(self) -> Position:
        """The height to be decided, and how far it is."""
        engine, height = self._engine, self._next_height
        round_ = engine.round if self._deciding else None
        return Position(
            height=height,
            deciding=self._deciding,
            round=round_,
            step=engine.round_step if self._deciding else None,
            proposer=self._chain.validators.proposer(height, round_ or Round(0)).id,
            prevotes=engine.votes(VoteType.PREVOTE) if self._deciding else {},
            precommits=engine.votes(VoteType.PRECOMMIT) if self._deciding else {},
        )

    @property
    def totals(self) -> Totals:
        """What has been committed since the start, added up; changes as it goes on."""
        return self._report.totals

    @property
    def clock_offsets(self) -> Mapping[str, Offset]:
        """How far the clocks of validators are from this node's, of those whose proposals came."""
        return self._skew.offsets()

    @property
    def queue_length(self) -> int:
        """How many events wait for the loop."""
        return len(self._inbox)

    @property
    def is_busy(self) -> bool:
        """Whether something waits for the loop: other work of this node gives way to it."""
        return len(self._inbox) > 0

    # The loop.

    async def run(self) -> None:
        """Work until cancelled.

        Raises:
            AmendmentError: the chain has come to an amendment that it cannot go on by.
            Divergence: a quorum decided what this node finds invalid.
            InvariantViolation: the ledger or agreement contradicts itself.
            StorageError: the disk's reasons.
            UpgradeRequired: the next block is of a version of the protocol not known here.
        """
        self._begin()
        handled = 0
        try:
            while True:
                await self._handle(await self._inbox.get())
                handled += 1
                if handled % EVENTS_IN_A_ROW == 0:
                    await asyncio.sleep(0)
        except DecidedBlockInvalid as error:
            reason = self._workshop.why_refused(error.block_id)
            raise Divergence(error.height, error.block_id, reason) from error
        finally:
            self._obtaining.clear()
            self._stop_waiting_to_ask()
            for timer in self._timers.values():
                timer.cancel()

    def _begin(self) -> None:
        head = self._chain.head
        blocks = self._chain.genesis.blocks
        # The first block of all is not overdue: it comes with the first transaction, or when the
        # validators have had the time to find each other.
        idle_ms = max(0, self._clock.now_ms() - head.time_ms) if head.height > 0 else 0
        self._pace = Pace(
            gather_ms=blocks.gather_ms,
            heartbeat_ms=blocks.heartbeat_ms,
            timeout_ms=self._chain.genesis.params.timeout_propose_ms,
            transactions_max=blocks.transactions_max,
            now_s=self._clock.monotonic(),
            idle_ms=idle_ms,
        )
        self._gate.open_height(self._next_height, self._chain.validators)
        self._metrics.height.set(head.height)
        self._metrics.earliest_height.set(self._chain.history.earliest)
        self.wake()

    async def _handle(self, event: Event) -> None:
        match event:
            case Heard(peer, message):
                await self._hear(peer, message)
            case Elapsed(timeout):
                self._note_missed(timeout)
                await self._drive(TimeoutElapsed(timeout=timeout))
            case Woken():
                self._woken = False
                for block_id in self._obtaining.wanted:
                    await self._pursue(block_id)
                await self._begin_height_if_due(called=False)
            case BuildDue(effect):
                built = self._build(effect)
                if built is not None:
                    await self._drive(built)
            case RetryDue(block_id):
                self._obtaining.elapsed(block_id)
                await self._pursue(block_id)
            case ResendDue():
                self._resend()
            case Connected(peer):
                self._greet(peer)
                await self._begin_height_if_due(called=False)
            case Disconnected(peer):
                self._reconsider(peer)
            case Fetched():
                await self._take_fetched(event)

    # Peers.

    async def _hear(self, peer: str, message: WireMessage) -> None:
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

    async def _hear_of_height(
        self, peer: str, message: VoteMessage | ProposalMessage | CertificateMessage
    ) -> None:
        height = self._next_height
        # What it says of the last height too: whose votes come late is there.
        if message.height >= height - 1 and self._patience.heard(peer):
            self._reconsider(peer)
        if message.height < height:
            self._help(peer, message.height)
        elif message.height == height + 1 or self._is_early(message.height):
            self._hold(peer, message)
        elif message.height == height and self._may_vote():
            event = self._admit(message)
            if event is not None:
                await self._begin_height_if_due(called=True)
                await self._drive(event)

    def _is_early(self, height: int) -> bool:
        """Whether this is the height to be decided, and the others are still to be heard before it
        is begun: what they say first is what is being heard."""
        seat = self._seat
        return height == self._next_height and seat is not None and seat.is_hearing

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

    async def _hear_block(self, peer: str, message: ProposedBlock) -> None:
        if self._obtaining.get(message.block_id) is None:
            return
        self._obtaining.answered(message.block_id, peer)
        if self._bodies.get(message.block_id) is None:
            self._bodies.add(body_of(message))
        await self._pursue(message.block_id)

    async def _hear_transactions(self, peer: str, message: BlockTransactions) -> None:
        body = self._bodies.get(message.block_id)
        if body is None or self._obtaining.get(message.block_id) is None:
            return
        self._obtaining.answered(message.block_id, peer)
        named, missing = set(body.transaction_ids), set(body.missing())
        try:
            for transaction in await self._authenticate(message.raws):
                if transaction.id not in named:
                    raise BadMessage(Fault.UNASKED, f"transaction {transaction.id.hex()}")
                if transaction.id in missing:
                    body.found[transaction.id] = transaction
                    if self._admission.may_wait(transaction):
                        self._mempool.add(transaction)
        finally:
            await self._pursue(message.block_id)

    async def _authenticate(self, raws: Sequence[bytes]) -> list[AdmittedTransaction]:
        """Return transactions from outside, each signature verified once in this node's life.

        Raises:
            BadMessage: one is unreadable or not truly signed.
        """
        try:
            return await self._metrics.stages.admission.of(self._admission.verify_block, raws)
        except AdmissionError as error:
            raise BadMessage(Fault.BAD_TRANSACTION, str(error)) from None

    def _release_held(self) -> None:
        held, self._held = self._held, {}
        for messages in held.values():
            for heard in messages:
                self._inbox.push(heard)

    def _hold(self, peer: str, message: WireMessage) -> None:
        """Keep what a peer says of the height after the next, until it is the next.

        Only then is the set known whose keys it is signed with.
        """
        held = self._held.setdefault(peer, [])
        if len(held) < HELD_MAX:
            held.append(Heard(peer, message))

    def _help(self, peer: str, height: int) -> None:
        now_s = self._clock.monotonic()
        if height < self._chain.head.height or now_s - self._committed_s > HELP_AFTER_S:
            self._service.help(peer, height, now_s)

    async def _hear_forgot(self, peer: str, message: Forgot) -> None:
        """Tell a validator that has forgotten where this one stands, and take note of its return.

        One that has not recalled its log yet says nothing: it does not know its round, and is asked
        again.
        """
        seat, height = self._seat, self._next_height
        if seat is None:
            return
        if message.round > 0 and message.height + 1 == height and self._may_vote():
            await self._begin_height_if_due(called=True)
            await self._take_call(peer, Round(message.round))
        if height == self._next_height and not seat.holds(height):
            round_ = 0
            if self._deciding:
                round_ = max(self._engine.round, self._engine.called_round or 0)
            if message.begins:
                await seat.note_begun(peer, head=height - 1, validators=self._chain.validators)
            self._service.send_memory(
                peer,
                remembers=self.is_witness,
                round_=round_,
                begun=seat.has_begun(peer, head=height - 1),
            )

    async def _take_call(self, peer: str, round_: Round) -> None:
        """Let a validator that has forgotten the height come back in this round, within bounds."""
        if not self._deciding or round_ > self._engine.round + CALLED_AHEAD_MAX:
            return
        before = self._calls.get(peer, [])
        if round_ not in before and len(before) < CALLS_MAX:
            self._calls[peer] = [*before, round_]
            await self._drive(
                RoundCalled(height=self._next_height, round=round_, validator=ValidatorId(peer))
            )

    async def _hear_memory(self, peer: str, memory: Memory) -> None:
        if self._seat is not None:
            self._seat.heard(peer, memory, self._chain.validators)
            await self._begin_height_if_due(called=False)

    def _ask_memories(self, seat: Seat) -> None:
        """Ask the others where they stand, now and then until this node remembers again."""
        if self._ask_timer is None:
            self._wire.broadcast(self._question(seat))
            # Not one of the height's timers: a node that catches up passes many in a second.
            self._ask_timer = asyncio.get_running_loop().call_later(ASK_S, self._ask_again)

    def _ask_again(self) -> None:
        self._ask_timer = None
        self.wake()

    def _stop_waiting_to_ask(self) -> None:
        if self._ask_timer is not None:
            self._ask_timer.cancel()
            self._ask_timer = None

    def _question(self, seat: Seat) -> Forgot:
        head = self._chain.head.height
        return Forgot(height=head, round=seat.calls_to(head + 1), begins=seat.begins(head))

    def _greet(self, peer: str) -> None:
        self._service.send_status(peer)
        seat, head = self._seat, self._chain.head.height
        if seat is not None and (seat.asks(head) or seat.begins(head)):
            self._wire.send(peer, self._question(seat))
        roles = {view.name: view.role for view in self._wire.peers()}
        if self._deciding and roles.get(peer) is Role.VALIDATOR:
            for signed in self._engine.resend():
                message = self._message(signed)
                if message is not None:
                    self._wire.send(peer, message)

    def _resend(self) -> None:
        if not self._deciding:
            return
        self._metrics.resends.inc()
        for signed in self._engine.resend():
            message = self._message(signed)
            if message is not None:
                self._wire.broadcast(message)
        self._resend_ms = min(2 * self._resend_ms, self._limits.resend_ms_max)
        self._set_timer("resend", self._resend_ms / 1000, ResendDue())

    def _message(self, signed: SignedMessage) -> WireMessage | None:
        if isinstance(signed, SignedVote):
            return vote_message(signed)
        body = self._bodies.get(signed.proposal.block_id)
        return None if body is None else proposal_message(signed, body)

    # The engine.

    @property
    def _next_height(self) -> Height:
        return Height(self._chain.head.height + 1)

    def _may_vote(self) -> bool:
        seat = self._seat
        return seat is not None and seat.may_vote(self._next_height, self._chain.validators)

    async def _begin_height_if_due(self, *, called: bool) -> None:
        seat = self._seat
        if seat is None:
            return
        height, validators = self._next_height, self._chain.validators
        if not self._deciding and not (self.is_witness and seat.is_compared):
            was_hearing, question = seat.is_hearing, self._question(seat)
            await seat.settle(
                head=height - 1, validators=validators, claims=self._claims(), model=self._model
            )
            if self._question(seat) != question:
                self._stop_waiting_to_ask()
            if was_hearing and not seat.is_hearing:
                self._release_held()
        if seat.asks(height - 1):
            self._ask_memories(seat)
        if self._deciding:
            return
        if not seat.may_vote(height, validators):
            return
        assert self._pace is not None
        entrance = await seat.enter(height, validators)
        delay_s = self._pace.start_delay_s(
            self._clock.monotonic(),
            waiting=len(self._mempool) > 0,
            called=called or seat.holds(height) or bool(entrance.witnesses),
        )
        if delay_s > 0:
            self._set_timer("begin", delay_s, Woken())
            return
        self._deciding = True
        inputs, blocks = seat.recall(height)
        effects = self._engine.step(
            StartHeight(
                height=height,
                validators=validators,
                round=entrance.round,
                witnesses=entrance.witnesses,
            )
        )
        if inputs:
            self._log.info("height resumed from the log", height=height, inputs=len(inputs))
            await self._restore(blocks)
            effects = self._engine.replay(inputs)
        await self._carry_out(effects)

    async def _restore(self, blocks: Sequence[bytes]) -> None:
        """Have the bodies again that the log holds."""
        for data in blocks:
            block = decode_block(data)
            transactions = await self._authenticate(block.transactions)
            self._workshop.keep_whole(block, transactions, logged=True)

    async def _drive(self, event: Input) -> None:
        if self._deciding:
            await self._carry_out(self._engine.step(event))

    async def _carry_out(self, effects: Sequence[Effect]) -> None:
        """Execute effects in their order; then step with their answers, until there are none."""
        answers: deque[Input] = deque()
        while True:
            for place, effect in enumerate(effects):
                following = effects[place + 1] if place + 1 < len(effects) else None
                answer = await self._execute(effect, following)
                if answer is not None:
                    answers.append(answer)
            if not answers or not self._deciding:
                break
            effects = self._engine.step(answers.popleft())
        self._note_progress()

    async def _execute(self, effect: Effect, following: Effect | None) -> Input | None:
        """Carry out one effect; return its answer, if it has one now."""
        match effect:
            case Persist():
                await self._persist(effect, following)
            case SignProposal(proposal=proposal, polka=polka):
                signature = await self._signature(proposal)
                if signature is not None:
                    return ProposalSigned(
                        signed=SignedProposal(proposal=proposal, signature=signature, polka=polka)
                    )
            case SignVote(vote=vote):
                signature = await self._signature(vote)
                if signature is not None:
                    return VoteSigned(signed=SignedVote(vote=vote, signature=signature))
            case Broadcast(message=signed):
                message = self._message(signed)
                assert message is not None  # Our own proposal's block is pinned.
                self._wire.broadcast(message)
            case ScheduleTimeout(timeout=timeout, duration_ms=duration_ms):
                if timeout.step is Step.PROPOSE:
                    self._await_proposal(timeout, duration_ms)
                else:
                    self._set_timer(timeout, duration_ms / 1000, Elapsed(timeout))
            case BuildBlock():
                return self._build_when_gathered(effect)
            case ValidateBlock():
                proposer = self._chain.validators.proposer(effect.height, effect.round).id
                self._obtaining.want(
                    effect.block_id,
                    height=effect.height,
                    proposer=proposer,
                    ignore_clock=effect.ignore_clock,
                )
                return self._judged(effect.block_id)
            case Decide(block_id=block_id, certificate=certificate):
                candidate = self._workshop.decided(block_id)
                assert self._seat is not None
                await self._seat.reach(candidate.height)
                body = self._bodies.get(block_id)
                assert body is not None  # The engine decides what was judged, and that is pinned.
                await self._commit(candidate, certificate, body.transactions(), synced=False)
            case ReportEvidence(equivocation=equivocation):
                self._workshop.keep_evidence(equivocation)
        return None

    async def _persist(self, effect: Persist, following: Effect | None) -> None:
        assert self._seat is not None
        blocks = []
        for event in effect.entries:
            if isinstance(event, BlockBuilt) or (isinstance(event, BlockValidated) and event.valid):
                body = self._bodies.get(event.block_id)
                if body is not None and not body.logged:
                    body.logged = True
                    blocks.append((body.block_id, body.encode()))
        next_signed: Vote | Proposal | None = None
        match following:
            case SignVote(vote=vote):
                next_signed = vote
            case SignProposal(proposal=proposal):
                next_signed = proposal
            case _:
                pass
        await self._seat.persist(
            self._engine.height, inputs=effect.entries, blocks=blocks, next_signed=next_signed
        )

    async def _signature(self, message: Vote | Proposal) -> Signature | None:
        assert self._seat is not None
        try:
            signature = await self._seat.sign(message)
        except SigningRefused as error:
            self._metrics.signatures_refused.inc()
            self._log.warning("signature refused", message=error.what, reason=error.reason)
            return None
        kind = message.kind.name.lower() if isinstance(message, Vote) else "proposal"
        self._metrics.signatures.labels(kind=kind).inc()
        return signature

    # Blocks.

    def _build_when_gathered(self, effect: BuildBlock) -> Input | None:
        assert self._pace is not None
        # A later round has lost time enough.
        delay_s = 0.0
        if effect.round == 0:
            delay_s = self._pace.build_delay_s(self._clock.monotonic(), waiting=len(self._mempool))
        if delay_s > 0:
            self._set_timer("build", delay_s, BuildDue(effect))
            return None
        return self._build(effect)

    def _build(self, effect: BuildBlock) -> Input | None:
        engine = self._engine
        place = (engine.height, engine.round, engine.round_step)
        if not self._deciding or place != (effect.height, effect.round, Step.PROPOSE):
            return None
        return BlockBuilt(
            height=effect.height,
            round=effect.round,
            block_id=self._workshop.build(effect.round),
        )

    async def _pursue(self, block_id: bytes) -> None:
        """Judge a wanted block if it is complete by now."""
        judged = self._judged(block_id)
        if judged is not None:
            await self._drive(judged)

    def _judged(self, block_id: bytes) -> BlockValidated | None:
        wanted = self._obtaining.get(block_id)
        body = None if wanted is None else self._obtaining.obtain(block_id)
        if wanted is None or body is None:
            return None
        self._obtaining.done(block_id)
        return BlockValidated(
            height=self._next_height,
            block_id=BlockId(block_id),
            valid=self._workshop.is_valid(body, ignore_clock=wanted.ignore_clock),
            ignore_clock=wanted.ignore_clock,
        )

    async def _take_fetched(self, event: Fetched) -> None:
        done = event.done
        if done.cancelled():
            return
        run = [each for each in event.run if each.block.header.height >= self._next_height]
        if not run or run[0].block.header.height != self._next_height:
            done.set_result(0)
            return
        contents, fault = await self._read_run(run)
        if contents:
            try:
                await self._commit_run(run[: len(contents)], contents)
            except InvalidBlock as error:
                fault = error
        if done.cancelled():
            return
        if fault is not None:
            done.set_exception(fault)
        else:
            done.set_result(len(run))

    async def _read_run(
        self, run: Sequence[Certified]
    ) -> tuple[list[list[AdmittedTransaction]], InvalidBlock | BadMessage | None]:
        """Return the transactions of each block up to the first whose contents are not its own, and
        why they are not.

        Before this node gives up a height for decided it must hold what was decided: a peer that
        shows a certificate, and not the block, would silence it where its vote is needed.
        """
        contents: list[list[AdmittedTransaction]] = []
        for block, _ in run:
            try:
                transactions = await self._authenticate(block.transactions)
                self._chain.check_contents(block.header, transactions, block.evidence)
            except (InvalidBlock, BadMessage) as error:
                return contents, error
            contents.append(transactions)
        return contents, None

    async def _commit_run(
        self, run: Sequence[Certified], contents: Sequence[Sequence[AdmittedTransaction]]
    ) -> None:
        """Commit blocks that are decided and whole; only the last write waits for the disk."""
        top = run[-1].block.header.height
        self._deciding = False
        if self._seat is not None:
            await self._seat.pass_over(top)
        try:
            for (block, certificate), transactions in zip(run, contents, strict=True):
                candidate = self._chain.check(
                    block.header, transactions, block.evidence, now_ms=None, certified=True
                )
                durable = candidate.height == top
                await self._commit(
                    candidate, certificate, transactions, synced=True, durable=durable
                )
        except InvalidBlock:
            await self._chain.make_durable()
            self._send_status()
            raise

    async def _commit(
        self,
        candidate: Candidate,
        certificate: QuorumCertificate,
        transactions: Sequence[AdmittedTransaction],
        *,
        synced: bool,
        durable: bool = True,
    ) -> None:
        started = self._clock.monotonic()
        await self._chain.commit(candidate, certificate, durable=durable)
        self._metrics.commit_seconds.observe(self._clock.monotonic() - started)
        self._end_height(candidate, certificate, transactions, synced=synced)
        if self._chain.version not in self._chain.versions:
            await self._chain.make_durable()
            # Consensus was kept up to here; nothing of the next height may be signed.
            self._chain.check_supported()

    def _end_height(
        self,
        candidate: Candidate,
        certificate: QuorumCertificate,
        transactions: Sequence[AdmittedTransaction],
        *,
        synced: bool,
    ) -> None:
        """Leave the height behind."""
        head, now_s = self._chain.head, self._clock.monotonic()
        self._deciding = False
        self._obtaining.clear()
        self._bodies.clear()
        self._calls.clear()
        self._wait = None
        self._patience.keep(self._chain.validators)
        self._skew.keep(self._chain.validators)
        self._workshop.end_height(candidate)
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._gate.open_height(self._next_height, self._chain.validators)
        if self._seat is not None:
            self._seat.guard.end_height(head.height)
        assert self._pace is not None
        self._pace.committed(now_s, synced=synced, count=len(candidate.transaction_ids))
        self._metrics.earliest_height.set(self._chain.history.earliest)
        if self._chain.is_durable:
            self._send_status()
        self._report.committed(candidate, certificate, transactions, synced=synced, now_s=now_s)
        self._report.keep(self._chain.validators)
        self._committed_s = now_s
        self._release_held()
        self.wake()

    def _send_status(self) -> None:
        head, earliest = self._chain.head, self._chain.history.earliest
        status = Status(height=head.height, block_id=head.block_id, earliest=earliest)
        self._wire.broadcast(status, observers=True)

    # Bookkeeping.

    def _note_progress(self) -> None:
        engine = self._engine
        if self._deciding and self._report.moved(engine.height, engine.round, engine.round_step):
            self._resend_ms = self._limits.resend_ms
            self._set_timer("resend", self._resend_ms / 1000, ResendDue())

    def _await_proposal(self, timeout: Timeout, duration_ms: int) -> None:
        validators = self._chain.validators
        proposer = validators.proposer(timeout.height, timeout.round).id
        self._wait = _Wait(
            timeout=timeout,
            proposer=proposer,
            began_s=self._clock.monotonic(),
            duration_ms=duration_ms,
        )
        self._reconsider(proposer)

    def _reconsider(self, peer: str) -> None:
        """Set how long the proposal of this round is waited for, if it is this peer's turn."""
        wait, engine = self._wait, self._engine
        if wait is None or wait.proposer != peer or engine.round_step is not Step.PROPOSE:
            return
        wait_ms = wait.duration_ms
        # A proposal that has come and is not judged yet is no absence.
        if engine.awaits_proposal:
            wait_ms = self._patience.wait_ms(
                wait.proposer,
                wait.timeout.round,
                validators=len(self._chain.validators),
                timeout_ms=wait.duration_ms,
            )
        waited_s = self._clock.monotonic() - wait.began_s
        delay_s = max(0.0, wait_ms / 1000 - waited_s)
        self._set_timer(wait.timeout, delay_s, Elapsed(wait.timeout))

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

    def _note_missed(self, timeout: Timeout) -> None:
        engine = self._engine
        if (
            self._deciding
            and timeout.step is Step.PROPOSE
            and (engine.height, engine.round) == (timeout.height, timeout.round)
            and engine.round_step is Step.PROPOSE
        ):
            proposer = self._chain.validators.proposer(timeout.height, timeout.round).id
            self._report.missed(proposer)
            if engine.awaits_proposal:
                self._patience.missed(proposer)

    def _set_timer(self, name: object, delay_s: float, event: Event) -> None:
        """Push an event after a while; a timer of the same name is replaced."""
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._timers[name] = loop.call_later(delay_s, self._fire, name, event)

    def _fire(self, name: object, event: Event) -> None:
        self._timers.pop(name, None)
        self._inbox.push(event)
