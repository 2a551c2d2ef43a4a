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
from consensus.inputs import BlockBuilt, Input, StartHeight, TimeoutElapsed
from consensus.types import BlockId, Step, Timeout
from node.chain import Candidate
from node.replica.cadence import Cadence
from node.replica.events import BuildDue, Elapsed
from node.replica.proposed import ProposedBlocks
from node.replica.report import Reporter
from node.replica.sealing import Sealing
from node.replica.timers import Timers
from node.replica.turn import Turn
from node.replica.voice import Voice


class Deciding:
    """The engine at work on the height after the head, or at rest between two heights."""

    def __init__(
        self,
        *,
        engine: Engine,
        blocks: ProposedBlocks,
        sealing: Sealing,
        cadence: Cadence,
        turn: Turn,
        voice: Voice,
        timers: Timers,
        report: Reporter,
        commit: Callable[[Candidate, QuorumCertificate], Awaitable[None]],
    ) -> None:
        """Store what is given; `open` comes first.

        Args:
            commit: commits a decided block, and ends the height.
        """
        self._engine = engine
        self._blocks = blocks
        self._sealing = sealing
        self._cadence = cadence
        self._turn = turn
        self._voice = voice
        self._timers = timers
        self._report = report
        self._commit = commit
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
        judged = self._blocks.judged(block_id)
        if judged is not None:
            await self.drive(judged)

    def repeat(self) -> None:
        """Say again what was said: nothing has changed for a while. Nor has a block let the pool
        forget anything.
        """
        if self._is_open:
            self._blocks.workshop.expire()
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
        self._blocks.clear()
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
            self._blocks.keep(engine.blocks)

    async def _execute(self, effect: Effect, following: Effect | None) -> Input | None:
        """Carry out one effect; return its answer, if it has one now."""
        match effect:
            case Persist():
                await self._sealing.persist(effect, following)
            case SignProposal():
                return await self._sealing.sign_proposal(effect)
            case SignVote():
                return await self._sealing.sign_vote(effect)
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
                self._cadence.at_hand()
                return self._blocks.want(effect)
            case Decide(block_id=block_id, certificate=certificate):
                await self._decided(block_id, certificate)
            case ReportEvidence(equivocation=equivocation):
                self._blocks.workshop.keep_evidence(equivocation)
        return None

    def _build_when_gathered(self, effect: BuildBlock) -> BlockBuilt | None:
        # A later round has lost time enough.
        delay_s = self._cadence.build_delay_s() if effect.round == 0 else 0.0
        if delay_s > 0:
            self._timers.set("build", delay_s, BuildDue(effect))
            return None
        return self._build(effect)

    def _build(self, effect: BuildBlock) -> BlockBuilt | None:
        engine = self._engine
        place = (engine.height, engine.round, engine.round_step)
        if not self._is_open or place != (effect.height, effect.round, Step.PROPOSE):
            return None
        self._cadence.at_hand()
        return BlockBuilt(
            height=effect.height,
            round=effect.round,
            block_id=self._blocks.workshop.build(effect.round),
        )

    async def _decided(self, block_id: BlockId, certificate: QuorumCertificate) -> None:
        candidate = self._blocks.workshop.decided(block_id)
        await self._sealing.reach(candidate.height)
        await self._commit(candidate, certificate)
