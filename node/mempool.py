"""Transactions that wait for a block: authenticated, each id once, first come first served.

The pool is bounded in count and in bytes. When it is full it says so, and after how long a slot is
likely to be free again; it never makes room by throwing out what it accepted. What leaves it: what
was committed, what a builder found no longer admissible, and what expired.

There is no order between the transactions of one sender, so none can hold up another. The whole
pool is always offered to the builder: a pool that is full while blocks are empty cannot occur
(adversarial 38).

The pool is not shared between threads: it belongs to the event loop.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from node.clock import Clock
from node.ledger.transactions import TransactionBody

COUNT_MAX: Final = 20_000
"""Default: at 2,000 transactions a second, ten seconds of load."""
SIZE_BYTES_MAX: Final = 16 << 20
"""Default, counting raw bytes: four full blocks. Decoded forms take about four times as much."""
RETRY_AFTER_MIN_MS: Final = 100
RETRY_AFTER_MAX_MS: Final = 10_000


class AdmittedTransaction(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A transaction whose form and signatures this node has verified, once.

    Not a dataclass: there are as many as transactions, and this form is made five times as fast.
    The garbage collector need not look at it, for it leads to nothing but values.
    """

    id: bytes
    raw: bytes
    """As received: the canonical bytes of body and signatures."""
    body: TransactionBody
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Added:
    """The transaction waits now."""


@dataclass(frozen=True, slots=True)
class Known:
    """A transaction of this id waits already; nothing changed."""

    id: bytes


@dataclass(frozen=True, slots=True)
class Full:
    """There is no room; nothing changed."""

    retry_after_ms: int
    """When a slot is likely to be free, judged by how fast the pool has been draining."""


AddResult: TypeAlias = Added | Known | Full

_ADDED: Final = Added()


class Mempool:
    """The transactions that wait, oldest first."""

    def __init__(
        self, clock: Clock, *, count_max: int = COUNT_MAX, size_bytes_max: int = SIZE_BYTES_MAX
    ) -> None:
        self._clock = clock
        self._count_max = count_max
        self._size_bytes_max = size_bytes_max
        self._waiting: dict[bytes, AdmittedTransaction] = {}
        self._size_bytes = 0
        self._earliest_expiry_ms: int | None = None
        self._drain = _DrainRate(clock)

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, transaction_id: bytes) -> bool:
        return transaction_id in self._waiting

    @property
    def size_bytes(self) -> int:
        """Raw bytes of everything that waits."""
        return self._size_bytes

    @property
    def count_max(self) -> int:
        """The most transactions that can wait."""
        return self._count_max

    def add(self, transaction: AdmittedTransaction) -> AddResult:
        """Let a transaction wait, behind all that wait already."""
        if transaction.id in self._waiting:
            return Known(transaction.id)
        if self.is_full_for(transaction.size_bytes):
            return Full(self.retry_after_ms())
        self._waiting[transaction.id] = transaction
        self._size_bytes += transaction.size_bytes
        expiry_ms = transaction.body.valid_until_ms
        if self._earliest_expiry_ms is None or expiry_ms < self._earliest_expiry_ms:
            self._earliest_expiry_ms = expiry_ms
        return _ADDED

    def is_full_for(self, size_bytes: int) -> bool:
        """Whether a transaction of this size would find no room: worth asking before verifying."""
        return (
            len(self._waiting) >= self._count_max
            or self._size_bytes + size_bytes > self._size_bytes_max
        )

    def retry_after_ms(self) -> int:
        """Return after how long a tenth of the pool should have drained, within fixed bounds."""
        return self._drain.time_for_ms(max(1, self._count_max // 10))

    def leaving_within(self, ms: int) -> int:
        """Return how many are likely to leave in this time, judged likewise."""
        return self._drain.count_in(ms)

    def get(self, transaction_id: bytes) -> AdmittedTransaction | None:
        """Return the waiting transaction of this id."""
        return self._waiting.get(transaction_id)

    def ids(self) -> tuple[bytes, ...]:
        """Return the ids of all that wait, oldest first."""
        return tuple(self._waiting)

    def waiting(self) -> Iterator[AdmittedTransaction]:
        """Yield all that wait, oldest first: what a builder chooses from.

        Nothing may be added or removed meanwhile.
        """
        return iter(self._waiting.values())

    def take(self, *, count_max: int, size_bytes_max: int) -> list[AdmittedTransaction]:
        """Return the oldest transactions that fit together; they go on waiting.

        A transaction that does not fit ends the list, so that no small one overtakes it for ever.
        """
        taken: list[AdmittedTransaction] = []
        left_bytes = size_bytes_max
        for transaction in itertools.islice(self._waiting.values(), count_max):
            left_bytes -= transaction.size_bytes
            if left_bytes < 0:
                break
            taken.append(transaction)
        return taken

    def remove(self, transaction_ids: Iterable[bytes]) -> int:
        """Forget these, where they wait; return how many did."""
        removed = 0
        for transaction_id in transaction_ids:
            transaction = self._waiting.pop(transaction_id, None)
            if transaction is not None:
                self._size_bytes -= transaction.size_bytes
                removed += 1
        if removed:
            self._drain.drained(removed)
        return removed

    def expire(self, now_ms: int) -> tuple[bytes, ...]:
        """Forget what no block later than `now_ms` can hold; return the ids, oldest first."""
        if self._earliest_expiry_ms is None or self._earliest_expiry_ms > now_ms:
            return ()
        expired = tuple(
            transaction_id
            for transaction_id, transaction in self._waiting.items()
            if transaction.body.valid_until_ms <= now_ms
        )
        self.remove(expired)
        self._earliest_expiry_ms = min(
            (transaction.body.valid_until_ms for transaction in self._waiting.values()),
            default=None,
        )
        return expired


class _DrainRate:
    """How fast the pool empties: an average over about the last five removals.

    A time in which nothing waited says nothing of it: after a pause the count begins with the
    second removal, and what was known before holds until then.
    """

    _WEIGHT: Final = 0.2
    _PAUSE_MS: Final = 2_000.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: float | None = None
        self._paused = True
        self._per_ms = 0.0

    def drained(self, count: int) -> None:
        now = self._clock.monotonic()
        if self._last is not None:
            elapsed_ms = max((now - self._last) * 1000, 1.0)
            paused = elapsed_ms >= self._PAUSE_MS
            if not paused or self._per_ms == 0:
                weight = 1.0 if self._paused else self._WEIGHT
                self._per_ms += weight * (count / elapsed_ms - self._per_ms)
            self._paused = paused
        self._last = now

    def count_in(self, ms: int) -> int:
        return int(self._per_ms * ms)

    def time_for_ms(self, count: int) -> int:
        if self._per_ms <= 0:
            return RETRY_AFTER_MAX_MS // 10
        return min(max(int(count / self._per_ms), RETRY_AFTER_MIN_MS), RETRY_AFTER_MAX_MS)
