"""The replica: the one writer of this node, which turns what happens into the engine's inputs and
carries out its effects.

Theory of operation. One loop reads one queue. For each event it steps the engine, and executes the
effects strictly in the order returned (`deciding`). Only this loop touches the engine, and only it
commits, so nothing here needs a lock: a block from a peer's store (`commit_synced`) waits in the
same queue.

What the loop adds to the engine is the world: which messages are admitted (`gate`), where blocks
come from (`proposed`), when a height begins (`entering`, `cadence`), what is signed (`sealing`,
`guard`), and from which height on this key may sign at all (`join`). And it knows who is away, and
is not waited for as long as a proposer who is there (`patience`, `turn`).

A node that is not in the validator set, or may not sign yet, begins no height: it lives on the
blocks of its peers' stores. A node that computes another result than a quorum certified raises
`InvariantViolation` out of `run`, before anything of that block is written, and stops.
"""

import asyncio
import functools
from collections.abc import Mapping, Sequence
from typing import Final

from consensus.certificates import QuorumCertificate
from consensus.errors import DecidedBlockInvalid
from consensus.types import Round, VoteType
from node.blocks import Block
from node.chain import Candidate, InvalidBlock
from node.log import Logger
from node.mempool import AdmittedTransaction
from node.network import GetProposedBlock, GetTransactions, Role, WireMessage
from node.replica.answers import Answers
from node.replica.cadence import Cadence
from node.replica.deciding import Deciding
from node.replica.early import Early
from node.replica.entering import Entering
from node.replica.errors import Divergence
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
from node.replica.gate import Gate
from node.replica.hearing import Hearing
from node.replica.heights import HeightMessages
from node.replica.inbox import Inbox
from node.replica.memories import Memories
from node.replica.parts import ReplicaLimits, ReplicaParts
from node.replica.patience import Patience
from node.replica.position import Position, Totals
from node.replica.proposed import ProposedBlocks
from node.replica.reading import Reading
from node.replica.report import Reporter
from node.replica.returning import Asking
from node.replica.sealing import Sealing
from node.replica.service import Service
from node.replica.skew import Offset, Skew
from node.replica.timers import Timers
from node.replica.turn import Turn
from node.replica.voice import Voice

EVENTS_IN_A_ROW: Final = 16
"""After so many events the other tasks get their turn, even if more are waiting."""


class Replica:
    """The loop of one node. `run` is its only task."""

    def __init__(self, parts: ReplicaParts) -> None:
        """Store what is given; nothing happens before `run`."""
        chain, clock, metrics, limits = parts.chain, parts.clock, parts.metrics, parts.limits
        log = parts.log.bind(part="replica")
        self._chain = chain
        self._engine = parts.engine
        self._wire = parts.wire
        self._seat = parts.seat
        self._clock = clock
        self._metrics = metrics
        self._inbox: Inbox[Event] = Inbox(limits.queue_max)
        self._woken = False
        self._timers = Timers(self._inbox.push)
        genesis = chain.genesis
        self._gate = Gate(
            domain=genesis.domain, model=genesis.fault_model, verify=parts.verify, metrics=metrics
        )
        self._blocks = ProposedBlocks.of(
            parts, retry=lambda block_id: self._inbox.push(RetryDue(block_id)), log=log
        )
        self._report = Reporter(metrics=metrics, log=log, mempool=parts.mempool)
        self._service = Service(
            wire=parts.wire, bodies=self._blocks.bodies, chain=chain, clock=clock
        )
        self._patience = Patience(None if parts.seat is None else parts.seat.name)
        self._skew = Skew()
        self._early = Early()
        self._asking = Asking(
            chain=chain,
            wire=parts.wire,
            claims=parts.claims,
            wake=self.wake,
            heard=self._release_early,
        )
        self._turn = Turn(
            chain=chain,
            engine=parts.engine,
            patience=self._patience,
            timers=self._timers,
            report=self._report,
            clock=clock,
        )
        self._cadence = Cadence(chain=chain, mempool=parts.mempool, clock=clock)
        self._deciding = self._make_deciding(limits, log)
        self._entering = Entering(
            chain=chain,
            seat=parts.seat,
            asking=self._asking,
            cadence=self._cadence,
            deciding=self._deciding,
            blocks=self._blocks,
            timers=self._timers,
            log=log,
        )
        self._memories = Memories(
            chain=chain,
            engine=parts.engine,
            seat=parts.seat,
            deciding=self._deciding,
            entering=self._entering,
            service=self._service,
        )
        self._hearing = self._make_hearing(log)

    def _make_deciding(self, limits: ReplicaLimits, log: Logger) -> Deciding:
        bodies = self._blocks.bodies
        return Deciding(
            engine=self._engine,
            blocks=self._blocks,
            sealing=Sealing(
                self._seat, engine=self._engine, bodies=bodies, metrics=self._metrics, log=log
            ),
            cadence=self._cadence,
            turn=self._turn,
            voice=Voice(
                engine=self._engine,
                wire=self._wire,
                bodies=bodies,
                timers=self._timers,
                metrics=self._metrics,
                resend_ms=limits.resend_ms,
                resend_ms_max=limits.resend_ms_max,
            ),
            timers=self._timers,
            report=self._report,
            commit=functools.partial(self._commit, synced=False),
        )

    def _make_hearing(self, log: Logger) -> Hearing:
        return Hearing(
            heights=HeightMessages(
                reading=Reading(
                    chain=self._chain,
                    gate=self._gate,
                    bodies=self._blocks.bodies,
                    skew=self._skew,
                    clock=self._clock,
                    metrics=self._metrics,
                ),
                entering=self._entering,
                deciding=self._deciding,
                early=self._early,
                turn=self._turn,
                service=self._service,
            ),
            answers=Answers(blocks=self._blocks, deciding=self._deciding),
            memories=self._memories,
            wire=self._wire,
            metrics=self._metrics,
            log=log,
        )

    # The door: called by the network, sync, intake and the node, on the same event loop.

    def connected(self, peer: str) -> None:
        """Take note of a new link: say again what was said before it."""
        self._patience.linked(peer)
        self._inbox.push(Connected(peer))

    def disconnected(self, peer: str) -> None:
        """Forget what was held of a peer, and wait for it no longer than one has to."""
        self._patience.lost(peer)
        self._inbox.push(Disconnected(peer))
        self._early.forget(peer)
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
        self._cadence.beat()
        self.wake()

    def claims_changed(self) -> None:
        """Look again at what peers claim, if this node still has to know it before it signs."""
        if self._entering.needs_claims:
            self.wake()

    def commit_synced(self, run: Sequence[Certified]) -> asyncio.Future[int]:
        """Check and commit blocks from peers' stores, from the next height on by now.

        The caller has verified every signature of the certificates. What was committed when the
        result is there, or the exception, is durable; meanwhile the caller may do something else.

        Returns:
            How many this call committed; those that are committed already, and a run that begins
            too far ahead, do not count.

        Raises:
            InvalidBlock: the contents of the block after the head are not those of its header.
            BadMessage: a transaction in it is unreadable or not signed.
        """
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._inbox.push(Fetched(run, done))
        return done

    async def look_ahead(self, blocks: Sequence[Block]) -> None:
        """Verify what the transactions of these blocks are signed with, which are likely to be the
        next run: whoever then commits it need not. Says nothing of those that are not good.
        """
        await self._blocks.contents.look_ahead(blocks)

    @property
    def is_voting(self) -> bool:
        """Whether this node may sign at the next height."""
        return self._entering.may_vote

    @property
    def is_witness(self) -> bool:
        """Whether this validator knows all that its key has signed above its head."""
        return self._entering.is_witness

    @property
    def why_silent(self) -> str | None:
        """Why this validator signs nothing at the next height; None if it does, or is none."""
        if self._seat is None:
            return None
        return self._seat.why_silent(self._entering.height, self._chain.validators)

    @property
    def position(self) -> Position:
        """The height to be decided, and how far it is."""
        engine, height, deciding = self._engine, self._entering.height, self._deciding.is_open
        round_ = engine.round if deciding else None
        return Position(
            height=height,
            deciding=deciding,
            round=round_,
            step=engine.round_step if deciding else None,
            proposer=self._chain.validators.proposer(height, round_ or Round(0)).id,
            prevotes=engine.votes(VoteType.PREVOTE) if deciding else {},
            precommits=engine.votes(VoteType.PRECOMMIT) if deciding else {},
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
            reason = self._blocks.workshop.why_refused(error.block_id)
            raise Divergence(error.height, error.block_id, reason) from error
        finally:
            self._blocks.obtaining.clear()
            self._asking.stop_waiting()
            self._timers.clear()

    def _begin(self) -> None:
        self._cadence.start()
        self._gate.open_height(self._entering.height, self._chain.validators)
        self._metrics.height.set(self._chain.head.height)
        self._metrics.earliest_height.set(self._chain.history.earliest)
        self._report.begin(self._chain.validators, self._chain.head.height, self._chain.certificate)
        self.wake()

    async def _handle(self, event: Event) -> None:
        match event:
            case Heard(peer, message):
                await self._hearing.hear(peer, message)
            case Elapsed(timeout):
                await self._deciding.elapse(timeout)
            case Woken():
                self._woken = False
                for block_id in self._blocks.obtaining.wanted:
                    await self._deciding.pursue(block_id)
                await self._entering.begin_if_due(called=False)
            case BuildDue(effect):
                await self._deciding.build(effect)
            case RetryDue(block_id):
                self._blocks.obtaining.elapsed(block_id)
                await self._deciding.pursue(block_id)
            case ResendDue():
                self._deciding.repeat()
            case Connected(peer):
                self._greet(peer)
                await self._entering.begin_if_due(called=False)
            case Disconnected(peer):
                self._turn.reconsider(peer)
            case Fetched():
                await self._take_fetched(event)

    def _release_early(self) -> None:
        for heard in self._early.release():
            self._inbox.push(heard)

    def _greet(self, peer: str) -> None:
        self._service.send_status(peer)
        seat, head = self._seat, self._chain.head.height
        if seat is not None and (seat.asks(head) or seat.begins(head)):
            self._wire.send(peer, self._asking.question(seat))
        roles = {view.name: view.role for view in self._wire.peers()}
        if roles.get(peer) is Role.VALIDATOR:
            self._deciding.repeat_to(peer)

    # Blocks.

    async def _take_fetched(self, event: Fetched) -> None:
        done = event.done
        if done.cancelled():
            return
        following = self._entering.height
        run = [each for each in event.run if each.block.header.height >= following]
        if not run or run[0].block.header.height != following:
            done.set_result(0)
            return
        contents, fault = await self._blocks.contents.of_run(run)
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

    async def _commit_run(
        self, run: Sequence[Certified], contents: Sequence[Sequence[AdmittedTransaction]]
    ) -> None:
        """Commit blocks that are decided and whole; only the last write waits for the disk."""
        top = run[-1].block.header.height
        self._deciding.give_up()
        if self._seat is not None:
            await self._seat.pass_over(top)
        try:
            for (block, certificate), transactions in zip(run, contents, strict=True):
                candidate = self._chain.check(
                    block.header, transactions, block.evidence, now_ms=None, certified=True
                )
                durable = candidate.height == top
                await self._commit(candidate, certificate, synced=True, durable=durable)
        except InvalidBlock:
            await self._chain.make_durable()
            self._service.tell_status()
            raise

    async def _commit(
        self,
        candidate: Candidate,
        certificate: QuorumCertificate,
        *,
        synced: bool,
        durable: bool = True,
    ) -> None:
        started = self._clock.monotonic()
        await self._chain.commit(candidate, certificate, durable=durable)
        self._metrics.commit_seconds.observe(self._clock.monotonic() - started)
        self._end_height(candidate, certificate, synced=synced)
        if self._chain.version not in self._chain.versions:
            await self._chain.make_durable()
            # Consensus was kept up to here; nothing of the next height may be signed.
            self._chain.check_supported()

    def _end_height(
        self,
        candidate: Candidate,
        certificate: QuorumCertificate,
        *,
        synced: bool,
    ) -> None:
        """Leave the height behind."""
        head, now_s = self._chain.head, self._clock.monotonic()
        self._deciding.end()
        self._patience.keep(self._chain.validators)
        self._skew.keep(self._chain.validators)
        self._blocks.workshop.end_height(candidate)
        self._gate.open_height(self._entering.height, self._chain.validators)
        if self._seat is not None:
            self._seat.guard.end_height(head.height)
        self._cadence.committed(now_s, synced=synced, count=len(candidate.transaction_ids))
        self._entering.committed(synced=synced)
        self._metrics.earliest_height.set(self._chain.history.earliest)
        if self._chain.is_durable:
            self._service.tell_status()
        self._report.committed(candidate, certificate, synced=synced, now_s=now_s)
        self._report.keep(self._chain.validators, head.height)
        self._service.end_height(now_s)
        self._memories.end_height()
        self._release_early()
        self.wake()
