"""Where transactions come in, from clients and from peers; and who waits for what becomes of them.

What a client brings is verified, tried out against the committed state, put into the pool, and
pushed once to each validator; an observer does the same and never proposes. What a peer pushes is
verified and pooled, and goes no further: the first receiver has told everyone. The same bytes are
taken any number of times: an id that waits is `Known`, one that is in a block is refused as a
duplicate, whose receipt the caller looks up.

Transactions that were taken here and do not come into a block in a few seconds are pushed again, a
few at a time, and to each validator when its link comes up: a push can be lost with a link.

Limits: the pool's; `waiters_max` futures; `PUSHED_AGAIN_MAX` transactions a block.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from node.admission import Admission, AdmissionResult, Refusal
from node.chain import Chain, Committed
from node.clock import Clock
from node.ledger.outcomes import Outcome
from node.mempool import Added, AdmittedTransaction, Full, Known, Mempool
from node.metrics import Metrics
from node.network import BATCH_SIZE_BYTES, PeerView, Role, Transactions, WireMessage

CHUNK_MAX: Final = 24
"""Transactions verified in one turn of the loop: about 2 ms."""
WAITERS_MAX: Final = 100_000
PUSH_AGAIN_S: Final = 5.0
PUSHED_AGAIN_MAX: Final = 200
"""In one block's time; at a block every 50 ms more than a validator can verify."""

EXPIRY_SCAN_S: Final = 1.0
"""How often those who wait are looked through for what has expired."""

_PEERS_FAULT: Final = frozenset(
    {
        Outcome.TOO_LARGE,
        Outcome.MALFORMED,
        Outcome.WRONG_VERSION,
        Outcome.WRONG_NETWORK,
        Outcome.WRONG_SIGNATURE_COUNT,
        Outcome.BAD_SIGNATURE,
    }
)
"""What no honest peer passes on. The others depend on the moment: a clock, a block more or less."""


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


@dataclass(slots=True, kw_only=True)
class _Waiter:
    """All who wait for one transaction."""

    future: asyncio.Future[bool]
    valid_until_ms: int | None
    """None where the transaction is not here: it may be on its way."""
    callers: int = 0


class Intake:
    """The door for transactions, of one node."""

    def __init__(
        self,
        *,
        chain: Chain,
        mempool: Mempool,
        admission: Admission,
        gossip: Gossip,
        wake: Callable[[], None],
        clock: Clock,
        metrics: Metrics,
        waiters_max: int = WAITERS_MAX,
    ) -> None:
        """Store what is given, and listen to the chain.

        Args:
            wake: told when the pool has something new.
            waiters_max: ids that callers may wait for at one time.
        """
        self._chain = chain
        self._mempool = mempool
        self._admission = admission
        self._gossip = gossip
        self._wake = wake
        self._clock = clock
        self._metrics = metrics
        self._waiters_max = waiters_max
        self._turn = asyncio.Lock()
        self._waiting: dict[bytes, _Waiter] = {}
        self._scanned_s = 0.0
        self._mine: dict[bytes, tuple[float, float]] = {}
        """Taken here and not final: when it was taken, when it was pushed last; oldest push first.
        A part of the pool, so as bounded."""
        chain.listeners.append(self._committed)

    async def submit(self, raws: Sequence[bytes]) -> Sequence[AdmissionResult]:
        """Take what a client brings; one answer for each, in order.

        An `AdmittedTransaction` waits for a block now, as does a `Known`; a `Refusal` was not
        taken, and says `DUPLICATE` for what is in a block already; a `Full` says when to try again.
        """
        answers: list[AdmissionResult] = []
        for chunk in _chunks(raws):
            results, added = await self._admit(chunk, dry_run=True)
            now_s = self._clock.monotonic()
            for transaction in added:
                self._mine[transaction.id] = (now_s, now_s)
            if added:
                self._gossip.gossip([transaction.raw for transaction in added])
            answers += results
        for label, count in Counter(map(_label, answers)).items():
            self._metrics.submissions.labels(answer=label).inc(count)
        return answers

    async def relay(self, peer: str, raws: Sequence[bytes]) -> None:
        """Take what a peer pushes. Awaited before the peer's next message."""
        for chunk in _chunks(raws):
            results, _ = await self._admit(chunk, dry_run=False)
            for result in results:
                if isinstance(result, Refusal) and result.outcome in _PEERS_FAULT:
                    self._gossip.punish(peer, f"it pushed a transaction: {result.outcome.name}")
                    return

    async def wait(self, transaction_id: bytes, timeout_s: float) -> bool:
        """Return whether the transaction is in a committed block, after at most this long.

        False also at once when it has expired, or when too many are waited for already.
        """
        if self._chain.seen(transaction_id):
            return True
        waiter = self._waiting.get(transaction_id)
        if waiter is None:
            if len(self._waiting) >= self._waiters_max:
                return False
            pending = self._mempool.get(transaction_id)
            waiter = self._waiting[transaction_id] = _Waiter(
                future=asyncio.get_running_loop().create_future(),
                valid_until_ms=None if pending is None else pending.body.valid_until_ms,
            )
            self._metrics.waiters.set(len(self._waiting))
        waiter.callers += 1
        try:
            async with asyncio.timeout(timeout_s):
                # Shielded: others may wait for the same, with more patience.
                return await asyncio.shield(waiter.future)
        except TimeoutError:
            return False
        finally:
            waiter.callers -= 1
            if waiter.callers == 0 and not waiter.future.done():
                del self._waiting[transaction_id]
                self._metrics.waiters.set(len(self._waiting))

    def connected(self, peer: str) -> None:
        """Push what was taken here to a validator whose link has come up."""
        roles = {view.name: view.role for view in self._gossip.peers()}
        if roles.get(peer) is not Role.VALIDATOR:
            return
        for batch in _batches(self._pending()):
            if not self._gossip.send(peer, Transactions(raws=tuple(batch))):
                return  # Its lane is full; the rest is pushed again with time.

    # Private.

    async def _admit(
        self, raws: Sequence[bytes], *, dry_run: bool
    ) -> tuple[list[AdmissionResult], list[AdmittedTransaction]]:
        """Verify a chunk and pool it; return the answers, and what is new in the pool.

        One chunk in one turn of the loop, whoever it is for: were every link and every request to
        verify its own in each turn, votes would wait behind all of them at each of their steps.
        """
        async with self._turn:
            results, added = self._pool(self._admission.verify_batch(raws, dry_run=dry_run))
            if added:
                self._wake()
            await asyncio.sleep(0)
            return results, added

    def _pool(
        self, results: Sequence[AdmissionResult]
    ) -> tuple[list[AdmissionResult], list[AdmittedTransaction]]:
        """Put what was admitted into the pool; the loop has not been given up since."""
        answers: list[AdmissionResult] = []
        added: list[AdmittedTransaction] = []
        for result in results:
            answer: AdmissionResult = result
            if isinstance(result, AdmittedTransaction):
                outcome = self._mempool.add(result)
                if isinstance(outcome, Added):
                    added.append(result)
                else:
                    answer = outcome
            answers.append(answer)
        self._metrics.mempool_transactions.set(len(self._mempool))
        self._metrics.mempool_bytes.set(self._mempool.size_bytes)
        return answers, added

    def _committed(self, committed: Committed) -> None:
        now_s = self._clock.monotonic()
        for transaction_id in committed.candidate.transaction_ids:
            taken = self._mine.pop(transaction_id, None)
            if taken is not None:
                self._metrics.finality_seconds.observe(now_s - taken[0])
            self._resolve(transaction_id, final=True)
        if now_s - self._scanned_s >= EXPIRY_SCAN_S:
            self._scanned_s = now_s
            time_ms = committed.candidate.header.time_ms
            expired = [
                transaction_id
                for transaction_id, waiter in self._waiting.items()
                if waiter.valid_until_ms is not None and waiter.valid_until_ms <= time_ms
            ]
            for transaction_id in expired:
                self._resolve(transaction_id, final=False)
        self._metrics.waiters.set(len(self._waiting))
        self._push_again(now_s)

    def _resolve(self, transaction_id: bytes, *, final: bool) -> None:
        waiter = self._waiting.pop(transaction_id, None)
        if waiter is not None and not waiter.future.done():
            waiter.future.set_result(final)

    def _pending(self) -> Iterator[AdmittedTransaction]:
        """Yield what was taken here and waits still."""
        for transaction_id in self._mine:
            transaction = self._mempool.get(transaction_id)
            if transaction is not None:
                yield transaction

    def _push_again(self, now_s: float) -> None:
        """Push what has waited long since its last push; forget what the pool has let go."""
        due: list[bytes] = []
        for transaction_id, (_, pushed_s) in self._mine.items():
            if now_s - pushed_s < PUSH_AGAIN_S or len(due) == PUSHED_AGAIN_MAX:
                break
            due.append(transaction_id)
        raws = []
        for transaction_id in due:
            taken_s, _ = self._mine.pop(transaction_id)
            transaction = self._mempool.get(transaction_id)
            if transaction is not None:
                self._mine[transaction_id] = (taken_s, now_s)
                raws.append(transaction.raw)
        if raws:
            self._gossip.gossip(raws)


def _chunks(raws: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(raws), CHUNK_MAX):
        yield raws[start : start + CHUNK_MAX]


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


def _label(answer: AdmissionResult) -> str:
    match answer:
        case AdmittedTransaction():
            return "taken"
        case Known():
            return "known"
        case Full():
            return "full"
        case Refusal():
            return answer.outcome.name.lower()
