"""The door for transactions of one node.

What a client brings is verified, tried out against the committed state, put into the pool, and
pushed once to each validator; an observer does the same and never proposes. What a peer pushes is
verified and pooled, and goes no further: the first receiver has told everyone. The same bytes are
taken any number of times: an id that waits is `Known`, one that is in a block is refused as a
duplicate, whose receipt the caller looks up.

Transactions that were taken here and do not come into a block in a few seconds are pushed again, a
few at a time and ever more rarely, and to each validator when its link comes up: a push can be lost
with a link. Not those that merely wait behind many others of ours: what a network that is behind
needs least is the same again.

What the ledger refuses as it stands here is no answer while this node is behind: the block that it
has not applied yet may be the one that opens the account or makes the proposal. Such a transaction
is told to come back, as long as more validators than can lie say that they are further. So is one
whose time is over by the clock, until it is over in a block too: the block that holds it may be
decided and not be here yet, and whoever asks again after a lost answer must not sign another.

Whoever brings more than the network takes is turned away at once, unread: undecoded and unverified,
as long as more waits than may (`crowding.py`). So refusing costs next to nothing, and what was
admitted is not made to wait by what follows it. The pool's own bound, further out, is for what
peers push, which is never refused here.

Limits: the pool's, the verifier's, what may wait, and `waiters_max` transactions waited for.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias, TypeGuard

import msgspec

from consensus.quorum import skip
from node.admission import Admission, AdmissionResult, Forgotten, Refusal
from node.chain import Chain, Committed
from node.clock import Clock
from node.intake.crowding import Crowding
from node.intake.verifier import CHUNK_MAX, CrowdedOut, Verifier
from node.intake.waiters import WAITERS_MAX, Waiters
from node.ledger.outcomes import Outcome
from node.mempool import Added, AdmittedTransaction, Full, Known, Mempool
from node.metrics import Metrics
from node.network import BATCH_SIZE_BYTES, PeerView, Role, Transactions, WireMessage
from node.replica.pace import gathered_ms_max
from node.signatures import Signatures

PUSH_AGAIN_S: Final = (5.0, 15.0, 45.0)
"""After the push before it; the last again and again."""
PUSHED_AGAIN_MAX: Final = 200
"""In one block's time; at a block every 50 ms more than a validator can verify."""

LET_GO_MAX: Final = 4_096
"""Transactions taken here that the pool has let go and that are still remembered, beside as many as
it holds: while a height goes through its rounds, what expires makes room, and no block comes."""

BEHIND_RETRY_MS: Final = 200
"""When to come back to a node that is behind: mostly it is so by one block."""
PUSHED_SHARE: Final = 0.5
"""Of what may wait, for pushes that nobody has looked at yet. They are not refused, and may be the
same transactions for ever, which is no peer's fault: they must not shut the door to clients."""

_PEERS_FAULT: Final = frozenset(
    {
        Outcome.TOO_LARGE,
        Outcome.MALFORMED,
        Outcome.WRONG_VERSION,
        Outcome.WRONG_NETWORK,
        Outcome.WRONG_SIGNATURE_COUNT,
        Outcome.BAD_SIGNATURE,
        Outcome.DEVELOPMENT_KEY,
    }
)
"""What no honest peer passes on. The others depend on the moment: a clock, a block more or less."""


@dataclass(frozen=True, slots=True)
class Behind:
    """This node refuses it, and what it has not heard of yet may have decided otherwise. Nothing
    changed."""

    retry_after_ms: int


SubmitResult: TypeAlias = AdmissionResult | Behind


def _no_claims() -> Mapping[str, int]:
    return {}


class Gossip(Protocol):
    """The part of `node.network.Network` that the intake uses."""

    def gossip(self, raws: Sequence[bytes]) -> int:
        """Queue raw transactions for every connected validator."""
        ...

    def send(self, peer: str, message: WireMessage) -> bool:
        """Queue a message for one peer; return whether it will be sent if the link lives."""
        ...

    def peers(self) -> tuple[PeerView, ...]:
        """Return the connected peers, by name."""
        ...

    def punish(self, peer: str, reason: str) -> None:
        """Hold something against a peer."""
        ...


class Intake:
    """Takes transactions in; `run` is its only task."""

    def __init__(
        self,
        *,
        chain: Chain,
        mempool: Mempool,
        admission: Admission,
        gossip: Gossip,
        wake: Callable[[], None],
        gives_way_to: Callable[[], bool],
        clock: Clock,
        metrics: Metrics,
        signatures: Signatures | None = None,
        claims: Callable[[], Mapping[str, int]] = _no_claims,
        waiters_max: int = WAITERS_MAX,
    ) -> None:
        """Store what is given, and listen to the chain.

        Args:
            wake: told when the pool has something new.
            gives_way_to: whether consensus has something at hand, which goes first.
            signatures: where they can be verified besides the loop.
            claims: the height that each connected validator says it has committed.
            waiters_max: transactions that callers may wait for at one time.
        """
        self._chain = chain
        self._mempool = mempool
        self._gossip = gossip
        self._wake = wake
        self._clock = clock
        self._claims = claims
        self._metrics = metrics
        genesis = chain.genesis
        self._crowding = Crowding(
            mempool,
            clock,
            doors=lambda: len(chain.validators.validators),
            gathered_ms_max=gathered_ms_max(
                gather_ms=genesis.blocks.gather_ms, timeout_ms=genesis.params.timeout_propose_ms
            ),
        )
        self._verifier = Verifier(
            admission, take=self._take, gives_way_to=gives_way_to, signatures=signatures
        )
        self._waiters = Waiters(
            monotonic=clock.monotonic, metrics=metrics, transactions_max=waiters_max
        )
        self._mine: dict[bytes, _Mine] = {}
        """Taken here and not final: what the pool has of it, and not much that it has let go."""
        self._pushed: tuple[dict[bytes, float], ...] = tuple({} for _ in PUSH_AGAIN_S)
        """When each of them was pushed last, the oldest push first; by how often it was before."""
        self._final_to_s = 0.0
        """When the latest of those that became final was taken."""
        chain.listeners.append(self._committed)

    async def run(self) -> None:
        """Verify what comes in, until cancelled.

        Raises:
            StorageError: the committed state cannot be read.
        """
        await self._verifier.run()

    async def submit(self, raws: Sequence[bytes]) -> Sequence[SubmitResult]:
        """Take what a client brings; one answer for each, in order.

        An `AdmittedTransaction` waits for a block now, as does a `Known`; a `Refusal` was not
        taken, and says `DUPLICATE` for what is in a block already; a `Full` or `Behind` says when
        to try again.
        """
        answers: list[SubmitResult] = []
        try:
            for start in range(0, len(raws), CHUNK_MAX):
                if self.turn_away() is not None:
                    break
                if start == 0:
                    self._crowding.let_in()  # a list, as whoever is turned away brings one
                answers += await self._verifier.bring(raws[start : start + CHUNK_MAX])
        except CrowdedOut:
            pass  # What was taken of this piece is `Known` when it is brought again.
        if len(answers) < len(raws):
            answers += [Full(self._mempool.retry_after_ms())] * (len(raws) - len(answers))
        if any(map(_is_of_moment, answers)):
            behind, is_behind = Behind(BEHIND_RETRY_MS), self._is_behind()
            answers = [
                behind if _is_of_moment(each) and (each.of_clock or is_behind) else each
                for each in answers
            ]
        for label, count in Counter(map(_label, answers)).items():
            self._metrics.submissions.labels(answer=label).inc(count)
        return answers

    @property
    def waiting(self) -> tuple[int, int]:
        """How many transactions of clients, and of peers, wait to be verified."""
        return self._verifier.brought_count, self._verifier.pushed_count

    @property
    def is_crowded(self) -> bool:
        """Whether more waits than may."""
        brought = self._verifier.brought_count
        if self._mempool.ours + brought >= self._crowding.ours_max():
            return True
        waiting_max = self._crowding.waiting_max()
        pushed = min(self._verifier.pushed_count, int(PUSHED_SHARE * waiting_max))
        return len(self._mempool) + brought + pushed >= waiting_max

    def turn_away(self) -> int | None:
        """Return after how many milliseconds a client is told to come back, without a look at what
        it brings; None where it may bring something now.
        """
        if not self.is_crowded:
            return None
        self._crowding.turned_away()
        return self._mempool.retry_after_ms()

    def push(self, peer: str, raws: Sequence[bytes]) -> None:
        """Take what a peer pushes; never waits, so that its votes do not wait behind it."""
        dropped = self._verifier.push(peer, raws)
        if dropped:
            self._metrics.pushes_dropped.inc(dropped)

    async def wait(self, transaction_id: bytes, timeout_s: float) -> bool:
        """Return whether the transaction is in a committed block, after at most this long.

        False also at once when it has expired, or when too many are waited for already.
        """
        if self._chain.seen(transaction_id):
            return True
        pending = self._mempool.get(transaction_id)
        return await self._waiters.wait(
            transaction_id,
            timeout_s,
            valid_until_ms=None if pending is None else pending.body.valid_until_ms,
        )

    def connected(self, peer: str) -> None:
        """Push what was taken here to a validator whose link has come up."""
        roles = {view.name: view.role for view in self._gossip.peers()}
        if roles.get(peer) is not Role.VALIDATOR:
            return
        for batch in _batches(self._pending()):
            if not self._gossip.send(peer, Transactions(raws=tuple(batch))):
                return  # Its lane is full; the rest is pushed again with time.

    # Private.

    def _is_behind(self) -> bool:
        """Whether more validators than can lie are further than this node."""
        head, names = self._chain.head.height, {v.id for v in self._chain.validators.validators}
        further = [name for name, height in self._claims().items() if height > head]
        return len(names.intersection(further)) >= skip(self._chain.genesis.fault_model, len(names))

    def _take(self, peer: str | None, results: Sequence[AdmissionResult]) -> list[AdmissionResult]:
        """Pool what was admitted, in the turn of the loop in which it was verified."""
        admitted = [each for each in results if isinstance(each, AdmittedTransaction)]
        outcomes = self._mempool.add_each(admitted, ours=peer is None)
        added = [
            transaction
            for transaction, outcome in zip(admitted, outcomes, strict=True)
            if isinstance(outcome, Added)
        ]
        answers = list(results)
        if len(added) < len(admitted):
            pooled = iter(outcomes)
            for place, result in enumerate(results):
                if isinstance(result, AdmittedTransaction):
                    outcome = next(pooled)
                    answers[place] = result if isinstance(outcome, Added) else outcome
        self._metrics.mempool_transactions.set(len(self._mempool))
        self._metrics.mempool_bytes.set(self._mempool.size_bytes)
        if peer is None:
            now_s = self._clock.monotonic()
            for transaction in added:
                self._forget(transaction.id)  # The pool may have let it go once before.
                self._mine[transaction.id] = _Mine(now_s)
                self._pushed[0][transaction.id] = now_s
            if len(self._mine) > 2 * self._mempool.ours + LET_GO_MAX:
                self._forget_let_go()
        elif len(admitted) < len(results):
            self._judge(peer, results)
        if added:
            self._wake()
            if peer is None:
                self._gossip.gossip([transaction.raw for transaction in added])
        return answers

    def _judge(self, peer: str, results: Sequence[AdmissionResult]) -> None:
        for result in results:
            if isinstance(result, Refusal) and result.outcome in _PEERS_FAULT:
                self._gossip.punish(peer, f"it pushed a transaction: {result.outcome.name}")
                return

    def _committed(self, committed: Committed) -> None:
        candidate, now_s = committed.candidate, self._clock.monotonic()
        taken = self._mine  # Most are of others.
        ours = [each for each in candidate.transaction_ids if each in taken]
        # The pool would let go of them when all have heard of the block: a block too late to count.
        self._mempool.remove(candidate.transaction_ids)
        self._crowding.committed(taken=len(candidate.transaction_ids), ours=len(ours))
        for transaction_id in ours:
            mine = self._forget(transaction_id)
            if mine is not None:
                self._metrics.finality_seconds.observe(now_s - mine.taken_s)
                self._final_to_s = max(self._final_to_s, mine.taken_s)
        self._waiters.committed(candidate.transaction_ids, candidate.header.time_ms)
        self._push_again(now_s)

    def _pending(self) -> Iterator[AdmittedTransaction]:
        """Yield what was taken here and waits still."""
        for transaction_id in self._mine:
            transaction = self._mempool.get(transaction_id)
            if transaction is not None:
                yield transaction

    def _forget(self, transaction_id: bytes) -> "_Mine | None":
        mine = self._mine.pop(transaction_id, None)
        if mine is not None:
            del self._pushed[mine.pushed][transaction_id]
        return mine

    def _forget_let_go(self) -> None:
        """Forget what the pool has let go; blocks do it in time, where there are any."""
        for transaction_id in [each for each in self._mine if each not in self._mempool]:
            self._forget(transaction_id)

    def _push_again(self, now_s: float) -> None:
        """Push what has waited long since its last push; forget what the pool has let go."""
        due: list[bytes] = []
        for pushed, after_s in zip(self._pushed, PUSH_AGAIN_S, strict=True):
            for transaction_id, pushed_s in pushed.items():
                if now_s - pushed_s < after_s or len(due) == PUSHED_AGAIN_MAX:
                    break
                due.append(transaction_id)
        # Blocks take what came first. Where many of ours wait and none that was taken later is in
        # a block, this one was not lost: the blocks have not come so far.
        is_behind = len(self._mine) > PUSHED_AGAIN_MAX
        raws = []
        for transaction_id in due:
            mine = self._mine[transaction_id]
            transaction = self._mempool.get(transaction_id)
            if transaction is None:
                self._forget(transaction_id)
                continue
            was_passed = mine.taken_s < self._final_to_s
            if was_passed or not is_behind or mine.pushed:
                raws.append(transaction.raw)
            del self._pushed[mine.pushed][transaction_id]
            mine.pushed = min(mine.pushed + 1, len(PUSH_AGAIN_S) - 1)
            self._pushed[mine.pushed][transaction_id] = now_s
        if raws:
            self._gossip.gossip(raws)


class _Mine(msgspec.Struct, gc=False):
    """A transaction that was taken here."""

    taken_s: float
    pushed: int = 0
    """How often it has been pushed again, or was due to be, up to the last of `PUSH_AGAIN_S`."""


def _batches(transactions: Iterator[AdmittedTransaction]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for transaction in transactions:
        batch.append(transaction.raw)
        size += transaction.size_bytes
        if size >= BATCH_SIZE_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _is_of_moment(answer: SubmitResult) -> TypeGuard[Refusal]:
    return isinstance(answer, Refusal) and (answer.of_state or answer.of_clock)


def _label(answer: SubmitResult) -> str:
    match answer:
        case Behind():
            return "behind"
        case AdmittedTransaction():
            return "taken"
        case Known():
            return "known"
        case Full():
            return "full"
        case Refusal():
            return answer.outcome.name.lower()
        case Forgotten():
            return "forgotten"
