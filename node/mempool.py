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
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
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

_ID_OF: Final[Callable[[AdmittedTransaction], bytes]] = attrgetter("id")
_SIZE_OF: Final[Callable[[AdmittedTransaction], int]] = attrgetter("size_bytes")
_EXPIRY_OF: Final[Callable[[AdmittedTransaction], int]] = attrgetter("body.valid_until_ms")


class Mempool:
    """The transactions that wait, oldest first."""

    def __init__(
        self, clock: Clock, *, count_max: int = COUNT_MAX, size_bytes_max: int = SIZE_BYTES_MAX
    ) -> None:
        self._clock = clock
        self._count_max = count_max
        self._size_bytes_max = size_bytes_max
        self._waiting: dict[bytes, AdmittedTransaction] = {}
        self.by_id: Mapping[bytes, AdmittedTransaction] = self._waiting
        """What waits, oldest first, as it changes: for whoever asks for thousands, to read."""
        self._size_bytes = 0
        self._earliest_expiry_ms: int | None = None
        self._drain = _DrainRate(clock)
        self._ours: set[bytes] = set()
        """Those of them that this node has taken from clients."""
        self._ours_drain = _DrainRate(clock)

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

    @property
    def ours(self) -> int:
        """How many that wait were taken from clients here."""
        return len(self._ours)

    def add(self, transaction: AdmittedTransaction, *, ours: bool = False) -> AddResult:
        """Let a transaction wait, behind all that wait already.

        Args:
            ours: a client brought it here.
        """
        if transaction.id in self._waiting:
            return Known(transaction.id)
        if self.is_full_for(transaction.size_bytes):
            return Full(self.retry_after_ms())
        if not self._waiting:
            self._drain.begin()
        self._waiting[transaction.id] = transaction
        if ours:
            if not self._ours:
                self._ours_drain.begin()
            self._ours.add(transaction.id)
        self._size_bytes += transaction.size_bytes
        expiry_ms = transaction.body.valid_until_ms
        if self._earliest_expiry_ms is None or expiry_ms < self._earliest_expiry_ms:
            self._earliest_expiry_ms = expiry_ms
        return _ADDED

    def add_each(
        self, transactions: Sequence[AdmittedTransaction], *, ours: bool = False
    ) -> list[AddResult]:
        """Do what `add` does for each, in order: faster where all are new and find room."""
        waiting = self._waiting
        fresh = dict(zip(map(_ID_OF, transactions), transactions, strict=True))
        size_bytes = sum(map(_SIZE_OF, transactions))
        if (
            not fresh
            or len(fresh) < len(transactions)
            or not waiting.keys().isdisjoint(fresh)
            or not self.has_room_for(len(fresh), size_bytes)
        ):
            return [self.add(transaction, ours=ours) for transaction in transactions]
        if not waiting:
            self._drain.begin()
        waiting.update(fresh)
        if ours:
            if not self._ours:
                self._ours_drain.begin()
            self._ours.update(fresh)
        self._size_bytes += size_bytes
        expiry_ms = min(map(_EXPIRY_OF, transactions))
        if self._earliest_expiry_ms is None or expiry_ms < self._earliest_expiry_ms:
            self._earliest_expiry_ms = expiry_ms
        return [_ADDED] * len(fresh)

    def has_room_for(self, count: int, size_bytes: int) -> bool:
        """Whether so many transactions of this size together would find room."""
        return (
            len(self._waiting) + count <= self._count_max
            and self._size_bytes + size_bytes <= self._size_bytes_max
        )

    def is_full_for(self, size_bytes: int) -> bool:
        """Whether a transaction of this size would find no room: worth asking before verifying."""
        return (
            len(self._waiting) >= self._count_max
            or self._size_bytes + size_bytes > self._size_bytes_max
        )

    def retry_after_ms(self) -> int:
        """Return after how long a tenth of the pool should have drained, within fixed bounds."""
        return self._drain.time_for_ms(max(1, self._count_max // 10))

    @property
    def waiting_since_s(self) -> float | None:
        """The moment since which something has waited all the time; None while nothing does."""
        return self._drain.begun_s if self._waiting else None

    def leaving_within(self, ms: int) -> int:
        """Return how many are likely to leave in this time, judged likewise."""
        return self._drain.count_in(ms)

    def ours_leaving_within(self, ms: int) -> int:
        """Return the same of those that were taken from clients here."""
        return self._ours_drain.count_in(ms)

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
        ours = len(self._ours)
        removed = self._forget(transaction_ids)
        if removed:
            self._drain.drained(removed, is_empty=not self._waiting)
        if ours > len(self._ours):
            self._ours_drain.drained(ours - len(self._ours), is_empty=not self._ours)
        return removed

    def _forget(self, transaction_ids: Iterable[bytes]) -> int:
        removed, ours = 0, self._ours
        for transaction_id in transaction_ids:
            transaction = self._waiting.pop(transaction_id, None)
            if transaction is not None:
                self._size_bytes -= transaction.size_bytes
                removed += 1
                ours.discard(transaction_id)
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
        # That these are gone says nothing of how fast blocks take others.
        self._forget(expired)
        if not self._waiting:
            self._drain.drained(0, is_empty=True)
        if not self._ours:
            self._ours_drain.drained(0, is_empty=True)
        self._earliest_expiry_ms = min(
            (transaction.body.valid_until_ms for transaction in self._waiting.values()),
            default=None,
        )
        return expired


class _DrainRate:
    """How fast the pool empties: what left it, over the time in which anything waited.

    Both fade, so that the last seconds of waiting count. A sum over a sum, not a mean of rates: two
    blocks of a thousand, a millisecond apart, are two thousand in the time since the block before
    them, not a million a second. Time in which nothing waited says nothing; time in which something
    waits and nothing leaves does.
    """

    _MEMORY_MS = 4_000.0
    """After so much waiting, what was before counts for a third."""
    _SHOWN_MIN_MS = 250.0
    """What left in less waiting than this is judged as if it had been this: one block after a pause
    does not show what many would."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.begun_s = 0.0
        """When something began to wait after nothing had."""
        self._counted_to: float | None = None
        """Moment up to which waiting has been counted; None while nothing waits."""
        self._left = 0.0
        self._waited_ms = 0.0

    def begin(self) -> None:
        """Something waits, from now on."""
        self._counted_to = self.begun_s = self._clock.monotonic()

    def drained(self, count: int, *, is_empty: bool) -> None:
        """So many have left, and the pool is empty now or not."""
        self._count_waiting()
        self._left += count
        if is_empty:
            self._counted_to = None

    def count_in(self, ms: int) -> int:
        """Return how many are likely to leave in this time."""
        return int(self._per_ms() * ms)

    def time_for_ms(self, count: int) -> int:
        """Return in what time so many are likely to leave, within bounds."""
        per_ms = self._per_ms()
        if per_ms <= 0:
            return RETRY_AFTER_MAX_MS // 10
        return min(max(int(count / per_ms), RETRY_AFTER_MIN_MS), RETRY_AFTER_MAX_MS)

    def _per_ms(self) -> float:
        self._count_waiting()
        return self._left / max(self._waited_ms, self._SHOWN_MIN_MS)

    def _count_waiting(self) -> None:
        if self._counted_to is None:
            return
        now = self._clock.monotonic()
        waited_ms = (now - self._counted_to) * 1000
        self._counted_to = now
        kept = math.exp(-waited_ms / self._MEMORY_MS)
        self._left *= kept
        self._waited_ms = self._waited_ms * kept + self._MEMORY_MS * (1 - kept)
