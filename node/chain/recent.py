"""Which ids were applied lately: exact where it says no, so that what is new costs no look-up.

Every transaction is looked up before it is admitted and before it is applied, and nearly all are
new. An id is a hash: one bit at a place taken from the id itself says that some id of that place
was applied. A bit that is not set is proof; one that is set is not, and the store is asked.

It knows the blocks committed since it was made, not those before, and it forgets. Of a transaction
it can speak where all blocks that may hold it are known: an id is applied only in a block whose
time is at most a window before the end of its validity, so the bits of two windows are kept, in two
generations, and nothing is read back at a start. Made before the first block it knows them all.
"""

import mmap
from collections.abc import Iterable, Sequence
from sys import byteorder
from typing import Final

from node.hashing import HASH_SIZE
from node.mempool import AdmittedTransaction

PLACES: Final = 1 << 26
"""Bits of a generation: 8 MiB, touched as it fills. At 5,000 transactions a second for ten minutes
one new id in twenty meets a bit that is set."""


class RecentIds:
    """The ids of the blocks since a moment, as far as they matter."""

    def __init__(self, *, window_ms: int, time_ms: int | None, places: int = PLACES) -> None:
        """Know nothing up to a block of this time.

        Args:
            window_ms: how long before the end of its validity a transaction can be applied.
            time_ms: None: no block was ever committed.
            places: a power of two, at least 8.
        """
        assert places & (places - 1) == 0
        self._window_ms = window_ms
        self._mask = places - 1
        # A generation this full ends early, and the time that is known is shorter for it.
        self._noted_max = places // 8
        self._young = _no_bits(places // 8)
        self._old = _no_bits(places // 8)
        self._noted = 0
        self._has_old = False
        """Whether the older generation has any bit set: if not, none of its memory is looked at."""
        # No transaction's validity ends before 0.
        after_ms = -window_ms - 1 if time_ms is None else time_ms
        self._young_after_ms = after_ms
        self._known_after_ms = after_ms
        """All blocks later than this are known."""
        self._time_ms = after_ms

    def note(self, transaction_ids: Iterable[bytes], time_ms: int) -> None:
        """Take over the ids of the next block, of this time."""
        if (
            self._time_ms - self._young_after_ms >= self._window_ms
            or self._noted >= self._noted_max
        ):
            self._old, self._young = self._young, _no_bits(len(self._young))
            self._has_old = self._noted > 0
            self._known_after_ms, self._young_after_ms = self._young_after_ms, self._time_ms
            self._noted = 0
        bits, mask = self._young, self._mask
        numbers = _numbers_of(transaction_ids)
        for number in numbers:
            place = number & mask
            bits[place >> 3] |= 1 << (place & 7)
        self._noted += len(numbers)
        self._time_ms = time_ms

    def rules_out(self, transaction_id: bytes, valid_until_ms: int) -> bool:
        """Whether the transaction of this id and end of validity was certainly never applied."""
        if valid_until_ms - self._window_ms <= self._known_after_ms:
            return False
        place = int.from_bytes(transaction_id[:8], byteorder) & self._mask
        index = place >> 3
        bits = self._young[index] | self._old[index] if self._has_old else self._young[index]
        return not bits >> (place & 7) & 1

    def doubted(self, transactions: Sequence[AdmittedTransaction]) -> set[bytes]:
        """Return the ids of those that are not ruled out: in one pass over the many of a block."""
        if not transactions:
            return set()
        ids = [transaction.id for transaction in transactions]
        known_after_ms, mask = self._known_after_ms + self._window_ms, self._mask
        young, old, has_old = self._young, self._old, self._has_old
        doubted = {
            transaction.id
            for transaction in transactions
            if transaction.body.valid_until_ms <= known_after_ms
        }
        for transaction_id, number in zip(ids, _numbers_of(ids), strict=True):
            place = number & mask
            index = place >> 3
            bits = young[index] | old[index] if has_old else young[index]
            if bits >> (place & 7) & 1:
                doubted.add(transaction_id)
        return doubted


def _numbers_of(transaction_ids: Iterable[bytes]) -> list[int]:
    """Return the first eight bytes of each id as a number, in this machine's order of bytes."""
    return memoryview(b"".join(transaction_ids)).cast("Q")[:: HASH_SIZE // 8].tolist()


def _no_bits(size_bytes: int) -> mmap.mmap:
    """Return so many zeros, of which each page is there once it is written; a bytearray writes all
    of them at once."""
    return mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
