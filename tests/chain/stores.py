"""Stores that fail on purpose, around the twin in memory."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from typing_extensions import override

from node.storage import Batch, KeyValueStore, MemoryStore, ReadView, StorageFailed


class FailingStore:
    """A store whose n-th write fails: before anything is written, or after all of it is.

    An atomic batch leaves no third possibility; the process dies at either.
    """

    def __init__(self, inner: MemoryStore, *, fails_at: int, after: bool) -> None:
        self.inner = inner
        self.writes = 0
        self._fails_at = fails_at
        self._after = after

    @property
    def writes_synced(self) -> int:
        return self.inner.writes_synced

    def get(self, key: bytes) -> bytes | None:
        return self.inner.get(key)

    def seek(self, key: bytes) -> bytes | None:
        return self.inner.seek(key)

    def seek_each(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return self.inner.seek_each(keys)

    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        return self.inner.scan(start, stop, reverse=reverse, limit=limit)

    def write(self, batch: Batch, *, sync: bool) -> None:
        fails = self.writes == self._fails_at
        self.writes += 1
        if fails and not self._after:
            raise StorageFailed(Path("memory"), "power cut before the write")
        self.inner.write(batch, sync=sync)
        if fails:
            raise StorageFailed(Path("memory"), "power cut after the write")

    def view(self) -> ReadView:
        return self.inner.view()

    def close(self) -> None:
        self.inner.close()


class CountingStore(MemoryStore):
    """A store that counts the pairs that scans have brought up."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs_scanned = 0

    @override
    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        for pair in super().scan(start, stop, reverse=reverse, limit=limit):
            self.pairs_scanned += 1
            yield pair


class LossyStore(MemoryStore):
    """A store that remembers which batches a power cut could still take: the last, not synced."""

    def __init__(self) -> None:
        super().__init__()
        self._durable = MemoryStore()
        self._at_risk: list[Batch] = []

    @override
    def write(self, batch: Batch, *, sync: bool) -> None:
        super().write(batch, sync=sync)
        self._at_risk.append(batch)
        if sync:
            for each in self._at_risk:
                self._durable.write(each, sync=False)
            self._at_risk.clear()

    def after_power_cut(self, kept: int) -> MemoryStore:
        """Return what is there when so many of the batches at risk had reached the disk."""
        found = MemoryStore()
        found.write(list(contents(self._durable).items()), sync=True)
        for batch in self._at_risk[:kept]:
            found.write(batch, sync=False)
        return found


def contents(store: KeyValueStore) -> dict[bytes, bytes]:
    """Everything in a store."""
    return dict(store.scan(b"", b"\xff"))
