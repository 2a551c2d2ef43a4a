"""The seam to the database: ordered keys, atomic batches, and the twin that lives in memory."""

import threading
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from typing import Protocol, TypeAlias

Batch: TypeAlias = Sequence[tuple[bytes, bytes | None]]
"""Keys with their new values, None to delete; for a key named twice the last entry counts."""


class ReadView(Protocol):
    """What a store held at one moment, whatever is written afterwards.

    Costs the disk what is overwritten or deleted while it is open. Close it before the store, and
    while nobody reads from it.
    """

    def get(self, key: bytes) -> bytes | None:
        """Return the value, or None when the key was absent."""
        ...

    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield pairs as a store does."""
        ...

    def close(self) -> None:
        """Let go of the moment; a second call does nothing."""
        ...


class KeyValueStore(Protocol):
    """An ordered map from bytes to bytes on disk.

    All methods block. One thread may write while others read. Every method raises `StorageError`,
    for reasons of its own, and lets nothing else out.
    """

    @property
    def writes_synced(self) -> int:
        """How many batches were written with `sync` since opening."""
        ...

    def get(self, key: bytes) -> bytes | None:
        """Return the value, or None when the key is absent."""
        ...

    def seek(self, key: bytes) -> bytes | None:
        """Return the same as `get`, for whoever reads much, of keys that are there most times.

        What is read so makes no work for the database; a key that was deleted, among many others
        that were, may cost the way past all of them.
        """
        ...

    def seek_each(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return what `seek` returns of each of these keys, ascending: many at a fraction of it."""
        ...

    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield pairs with start <= key < stop by ascending key, descending when `reverse`.

        The pairs are those at the moment of the call, whatever is written meanwhile. Exhaust the
        iterator, or drop it, before closing the store.
        """
        ...

    def write(self, batch: Batch, *, sync: bool) -> None:
        """Apply the whole batch or none of it; with `sync` it is durable on return.

        An unsynced batch can be lost by a power cut, but never a part of it, and never without the
        batches after it.
        """
        ...

    def view(self) -> ReadView:
        """Return what the store holds now. Takes no longer for a large store than for a small."""
        ...

    def close(self) -> None:
        """Release the directory; a second call does nothing."""
        ...


class MemoryStore:
    """The twin of the database without a disk: for tests and simulation."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []  # sorted, without those of `_fresh`
        self._fresh: list[bytes] = []
        self._writes_synced = 0
        # As with the database, one thread may write while another reads.
        self._lock = threading.Lock()

    @property
    def writes_synced(self) -> int:
        return self._writes_synced

    def get(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def seek(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def seek_each(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return list(map(self._values.get, keys))

    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        with self._lock:
            self._sort()
            return _scan(self._values, self._keys, start, stop, reverse=reverse, limit=limit)

    def write(self, batch: Batch, *, sync: bool) -> None:
        with self._lock:
            for key, value in batch:
                if value is not None:
                    if key not in self._values:
                        self._fresh.append(key)
                    self._values[key] = value
                elif self._values.pop(key, None) is not None:
                    self._sort()
                    del self._keys[bisect_left(self._keys, key)]
            self._writes_synced += sync

    def view(self) -> ReadView:
        with self._lock:
            self._sort()
            return MemoryView(dict(self._values), list(self._keys))

    def close(self) -> None:
        """Keep the values: a test opens the same store again as a restarted node would."""

    def _sort(self) -> None:
        if len(self._fresh) > 64:
            self._keys += self._fresh
            self._keys.sort()
        else:
            for key in self._fresh:
                insort(self._keys, key)
        self._fresh.clear()


class MemoryView:
    """A copy of what a `MemoryStore` held."""

    def __init__(self, values: dict[bytes, bytes], keys: list[bytes]) -> None:
        """Take the values, and their keys in order; nobody else changes them."""
        self._values = values
        self._keys = keys

    def get(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        return _scan(self._values, self._keys, start, stop, reverse=reverse, limit=limit)

    def close(self) -> None:
        self._values, self._keys = {}, []


def _scan(
    values: dict[bytes, bytes],
    keys: list[bytes],
    start: bytes,
    stop: bytes,
    *,
    reverse: bool,
    limit: int | None,
) -> Iterator[tuple[bytes, bytes]]:
    first, last = bisect_left(keys, start), bisect_left(keys, stop)
    if limit is not None and reverse:
        first = max(first, last - limit)
    elif limit is not None:
        last = min(last, first + limit)
    pairs = [(key, values[key]) for key in keys[first:last]]
    return reversed(pairs) if reverse else iter(pairs)
