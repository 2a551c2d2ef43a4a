"""One height being decided: inputs go into the engine, and its effects are carried out in order.

`Persist` is durable before the next effect starts, so no signature leaves before what it rests on
would survive a crash. Answers to effects become inputs once the list of effects they came from is
done. Only the replica's loop calls, one event at a time; that is why nothing here needs a lock.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence, Set

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
from consensus.inputs import (
    BlockBuilt,
    BlockValidated,
    Input,
    ProposalSigned,
    StartHeight,
    TimeoutElapsed,
    VoteSigned,
)
from consensus.messages import Proposal, SignedProposal, SignedVote, Vote
from consensus.types import BlockId, Height, Signature, Step, Timeout
from node.chain import Candidate, Chain
from node.log import Logger
from node.metrics import Metrics
from node.replica.bodies import Bodies
from node.replica.errors import SigningRefused
from node.replica.events import BuildDue, Elapsed
from node.replica.obtaining import Obtaining
from node.replica.report import Reporter
from node.replica.seat import Seat
from node.replica.timers import Timers
from node.replica.turn import Turn
from node.replica.voice import Voice
from node.replica.workshop import Workshop


class Deciding:
    """The engine at work on the height after the head, or at rest between two heights."""

    def __init__(
        self,
        *,
        chain: Chain,
        engine: Engine,
        seat: Seat | None,
        bodies: Bodies,
        obtaining: Obtaining,
        workshop: Workshop,
        turn: Turn,
        voice: Voice,
        timers: Timers,
        build_delay_s: Callable[[], float],
        at_hand: Callable[[], None],
        commit: Callable[[Candidate, QuorumCertificate], Awaitable[None]],
        report: Reporter,
        metrics: Metrics,
        log: Logger,
    ) -> None:
        """Store what is given; `open` comes first.

        Args:
            seat: this node's key and log; without one no height is opened.
            build_delay_s: how long the proposer still gathers transactions.
            at_hand: told when there is a block to agree on: built here, or proposed by another.
            commit: commits a decided block, and ends the height.
        """
        self._chain = chain
        self._engine = engine
        self._seat = seat
        self._bodies = bodies
        self._obtaining = obtaining
        self._workshop = workshop
        self._turn = turn
        self._voice = voice
        self._timers = timers
        self._build_delay_s = build_delay_s
        self._at_hand = at_hand
        self._commit = commit
        self._report = report
        self._metrics = metrics
        self._log = log
        self._is_open = False

    @property
    def is_open(self) -> bool:
        """Whether the engine has been started at the height after the head."""
        return self._is_open

    def awaits_proposal(self, round_: int) -> bool:
        """Whether the proposal of this round is still in time: its first one, of a height that has
        not begun here.
        """
        if not self.is_open:
            return round_ == 0
        return self._engine.round == round_ and self._engine.awaits_proposal

    async def open(
        self,
        start: StartHeight,
        recalled: Sequence[Input],
        restore: Callable[[Set[bytes]], Awaitable[None]],
    ) -> None:
        """Start the engine at a height.

        Args:
            recalled: what the log holds of it; may be empty.
            restore: has those of these blocks that the log holds among the bodies. A height can
                have had thousands, of which all but the latest few count no more.
        """
        self._is_open = True
        effects = self._engine.step(start)
        if recalled:
            effects = self._engine.replay(recalled)
            await restore(self._engine.blocks)
        await self._carry_out(effects)

    async def drive(self, event: Input) -> None:
        """Step the engine, if a height is open."""
        if self._is_open:
            await self._carry_out(self._engine.step(event))

    async def elapse(self, timeout: Timeout) -> None:
        """Let a timeout elapse that the engine has scheduled."""
        if self._is_open:
            self._turn.elapsed(timeout)
        await self.drive(TimeoutElapsed(timeout=timeout))

    async def build(self, effect: BuildBlock) -> None:
        """Build the block that was gathered for, if its round still waits for it."""
        built = self._build(effect)
        if built is not None:
            await self.drive(built)

    async def pursue(self, block_id: bytes) -> None:
        """Judge a wanted block if it is complete by now."""
        judged = self._judged(block_id)
        if judged is not None:
            await self.drive(judged)

    def repeat(self) -> None:
        """Say again what was said: nothing has changed for a while. Nor has a block let the pool
        forget anything.
        """
        if self._is_open:
            self._workshop.expire()
            self._voice.repeat()

    def repeat_to(self, peer: str) -> None:
        """Say it again to a validator that has just come."""
        if self._is_open:
            self._voice.repeat_to(peer)

    def give_up(self) -> None:
        """Step the engine no further: the height is decided elsewhere."""
        self._is_open = False

    def end(self) -> None:
        """Leave the height behind, with all that was pending of it."""
        self._is_open = False
        self._obtaining.clear()
        self._bodies.clear()
        self._turn.end()
        self._timers.clear()

    # Effects.

    async def _carry_out(self, effects: Sequence[Effect]) -> None:
        """Execute effects in their order; then step with their answers, until there are none."""
        answers: deque[Input] = deque()
        while True:
            for place, effect in enumerate(effects):
                following = effects[place + 1] if place + 1 < len(effects) else None
                answer = await self._execute(effect, following)
                if answer is not None:
                    answers.append(answer)
            if not answers or not self._is_open:
                break
            effects = self._engine.step(answers.popleft())
        engine = self._engine
        if self._is_open and self._report.moved(engine.height, engine.round, engine.round_step):
            self._voice.moved()
            self._keep(engine.blocks)

    def _keep(self, block_ids: Set[bytes]) -> None:
        """Forget all blocks but these: their rounds are long past, and a height may take days."""
        self._obtaining.keep(block_ids)
        self._bodies.keep(block_ids)
        self._workshop.keep(block_ids)

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
                self._voice.say(signed)
            case ScheduleTimeout(timeout=timeout, duration_ms=duration_ms):
                if timeout.step is Step.PROPOSE:
                    self._turn.begin(timeout, duration_ms)
                else:
                    self._timers.set(timeout, duration_ms / 1000, Elapsed(timeout))
            case BuildBlock():
                return self._build_when_gathered(effect)
            case ValidateBlock():
                return self._want(effect)
            case Decide(block_id=block_id, certificate=certificate):
                await self._decided(block_id, certificate)
            case ReportEvidence(equivocation=equivocation):
                self._workshop.keep_evidence(equivocation)
        return None

    async def _persist(self, effect: Persist, following: Effect | None) -> None:
        assert self._seat is not None
        blocks = []
        for event in effect.entries:
            if isinstance(event, BlockBuilt) or (isinstance(event, BlockValidated) and event.valid):
                body = self._bodies.get(event.block_id)
                if body is not None and not self._seat.has_body(body.block_id):
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
        # Now, when all that the engine has taken is in the log: a replay knows the same blocks.
        await self._seat.keep_bodies(self._engine.blocks)

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

    def _build_when_gathered(self, effect: BuildBlock) -> BlockBuilt | None:
        # A later round has lost time enough.
        delay_s = self._build_delay_s() if effect.round == 0 else 0.0
        if delay_s > 0:
            self._timers.set("build", delay_s, BuildDue(effect))
            return None
        return self._build(effect)

    def _build(self, effect: BuildBlock) -> BlockBuilt | None:
        engine = self._engine
        place = (engine.height, engine.round, engine.round_step)
        if not self._is_open or place != (effect.height, effect.round, Step.PROPOSE):
            return None
        self._at_hand()
        return BlockBuilt(
            height=effect.height,
            round=effect.round,
            block_id=self._workshop.build(effect.round),
        )

    def _want(self, effect: ValidateBlock) -> BlockValidated | None:
        self._at_hand()
        proposer = self._chain.validators.proposer(effect.height, effect.round).id
        self._obtaining.want(
            effect.block_id,
            height=effect.height,
            proposer=proposer,
            ignore_clock=effect.ignore_clock,
        )
        return self._judged(effect.block_id)

    def _judged(self, block_id: bytes) -> BlockValidated | None:
        wanted = self._obtaining.get(block_id)
        body = None if wanted is None else self._obtaining.obtain(block_id)
        if wanted is None or body is None:
            return None
        self._obtaining.done(block_id)
        return BlockValidated(
            height=Height(self._chain.head.height + 1),
            block_id=BlockId(block_id),
            valid=self._workshop.is_valid(body, ignore_clock=wanted.ignore_clock),
            ignore_clock=wanted.ignore_clock,
        )

    async def _decided(self, block_id: BlockId, certificate: QuorumCertificate) -> None:
        candidate = self._workshop.decided(block_id)
        assert self._seat is not None
        await self._seat.reach(candidate.height)
        await self._commit(candidate, certificate)
