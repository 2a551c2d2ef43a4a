"""A store that tells of its failures, whoever met them.

Reads are asked for by many: consensus, a peer, a client. What a client's request or a peer's
message brings about ends that request or that link and no more; but damage of the disk is nobody's
request's own matter. So the node hears of it here, and stops before it votes again.
"""

from collections.abc import Callable, Iterator, Sequence

from node.storage.errors import StorageError
from node.storage.store import Batch, KeyValueStore, ReadView


class WatchedStore:
    """Another store, with somebody who is told of each failure before it is raised."""

    def __init__(self, store: KeyValueStore, failed: Callable[[StorageError], None]) -> None:
        """Store what is given.

        Args:
            failed: called on the thread that met the failure.
        """
        self._store = store
        self._failed = failed

    @property
    def writes_synced(self) -> int:
        return self._store.writes_synced

    def get(self, key: bytes) -> bytes | None:
        try:
            return self._store.get(key)
        except StorageError as failure:
            self._failed(failure)
            raise

    def seek(self, key: bytes) -> bytes | None:
        try:
            return self._store.seek(key)
        except StorageError as failure:
            self._failed(failure)
            raise

    def seek_each(self, keys: Sequence[bytes]) -> list[bytes | None]:
        try:
            return self._store.seek_each(keys)
        except StorageError as failure:
            self._failed(failure)
            raise

    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        return _scan(self._store, self._failed, start, stop, reverse=reverse, limit=limit)

    def write(self, batch: Batch, *, sync: bool) -> None:
        try:
            self._store.write(batch, sync=sync)
        except StorageError as failure:
            self._failed(failure)
            raise

    def view(self) -> ReadView:
        try:
            return _WatchedView(self._store.view(), self._failed)
        except StorageError as failure:
            self._failed(failure)
            raise

    def close(self) -> None:
        self._store.close()


class _WatchedView:
    """What a watched store held at one moment."""

    def __init__(self, view: ReadView, failed: Callable[[StorageError], None]) -> None:
        self._view = view
        self._failed = failed

    def get(self, key: bytes) -> bytes | None:
        try:
            return self._view.get(key)
        except StorageError as failure:
            self._failed(failure)
            raise

    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        return _scan(self._view, self._failed, start, stop, reverse=reverse, limit=limit)

    def close(self) -> None:
        self._view.close()


def _scan(
    source: KeyValueStore | ReadView,
    failed: Callable[[StorageError], None],
    start: bytes,
    stop: bytes,
    *,
    reverse: bool,
    limit: int | None,
) -> Iterator[tuple[bytes, bytes]]:
    # The pairs are those at the moment of the call, not at that of the first step.
    try:
        pairs = source.scan(start, stop, reverse=reverse, limit=limit)
    except StorageError as failure:
        failed(failure)
        raise
    return _watched(pairs, failed)


def _watched(
    pairs: Iterator[tuple[bytes, bytes]], failed: Callable[[StorageError], None]
) -> Iterator[tuple[bytes, bytes]]:
    try:
        yield from pairs
    except StorageError as failure:
        failed(failure)
        raise
