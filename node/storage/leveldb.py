"""The one door to LevelDB: a database of one process, opened so that damage is never passed over.

`paranoid_checks` is what makes it safe: LevelDB's default recovery drops records from the middle of
a damaged log and says nothing. With it the database refuses to open, or a read refuses, and the
node says so instead of answering from a state with holes.

Memory is bounded: two write buffers at most, and the tables that are open. A command keeps few
open; they are mapped. A node that stays keeps all it can open, and once there are many, `maps`
sees to it that no more are mapped. Blocks of tables are not kept: above this stand caches that know
what a record is. Values are not compressed: most of what is stored are hashes and signatures. The
figures stand in this room's README.
"""

import errno
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, ParamSpec, Protocol, TypeVar

import plyvel

from node.storage.calls import Calls
from node.storage.errors import (
    BY_NUMBER,
    StorageClosed,
    StorageDamaged,
    StorageError,
    StorageFailed,
    StorageLocked,
    StorageMissing,
    storage_error,
)
from node.storage.lock import DirectoryLock
from node.storage.maps import maps
from node.storage.store import Batch, ReadView

CACHE_SIZE_BYTES: Final = 8 << 20
WRITE_BUFFER_SIZE_BYTES: Final = 4 << 20
TABLE_SIZE_BYTES: Final = 2 << 20
# The fewest LevelDB allows: 64 open tables, each mapped into memory while it is open.
OPEN_FILES_MAX: Final = 74
# Of a node: 50 kB of index and filter for each that is not mapped, and a descriptor.
NODE_OPEN_FILES_MAX: Final = 4_000
# A node with more tables than this spends the maps; so many may be mapped then.
TABLES_MAPPED_MAX: Final = 64
# Pairs that are read at once, by a cursor that is kept: making one for few costs more than they do.
PAGE_MAX: Final = 256
_LOOK_EVERY: Final = 64  # writes: between two looks, a few tables come to be
SPENDING_THREAD: Final = "maps"
BLOOM_BITS: Final = 10  # one absent key in a hundred costs a read

ParamsT = ParamSpec("ParamsT")
ResultT = TypeVar("ResultT")

_TABLE_OR_LOG: Final = re.compile(r"\d+\.(ldb|sst|log)|MANIFEST-\d+")


def open_leveldb(path: Path, *, create: bool, node: bool = False) -> "LevelDBStore":
    """Open the database in this directory for this process alone.

    Args:
        create: make a new database where there is none; an existing one is opened as it is.
        node: for a process that stays and reads everywhere: keep all tables open.

    Raises:
        StorageMissing: there is none, and none was to be made.
        StorageLocked: another process, or another part of this one, has it open.
        StorageDamaged: something that was written is missing or altered.
        StorageError: the others of its tree, for the disk's reasons.
    """
    _check_files(path, create=create)
    with _translated(path):
        if create:
            path.mkdir(parents=True, exist_ok=True)
        # LevelDB's own lock does not hold: a refused second opening in one process closes the lock
        # file, and with that POSIX releases the first one's lock too.
        lock = DirectoryLock(path)
    if node and _has_many_tables(path):
        maps.spend()
    try:
        open_files_max = NODE_OPEN_FILES_MAX if node else OPEN_FILES_MAX
        database = _open(path, create=create, open_files_max=open_files_max)
    except StorageError:
        lock.close()
        raise
    return LevelDBStore(path, database, lock, spends_maps=node)


def salvage_leveldb(path: Path) -> None:
    """Make a database that does not open one that does, with whatever its tables hold.

    Not for the only copy: what cannot be read is moved into `lost/` or left out, and records that
    were deleted may come back.

    Raises:
        StorageError: not even that can be done.
    """
    with _translated(path):
        plyvel.repair_db(
            str(path),
            paranoid_checks=False,
            write_buffer_size=WRITE_BUFFER_SIZE_BYTES,
            max_file_size=TABLE_SIZE_BYTES,
            max_open_files=OPEN_FILES_MAX,
            bloom_filter_bits=BLOOM_BITS,
            compression=None,
        )


def _has_many_tables(path: Path) -> bool:
    """Whether there are so many tables that the maps of this process are to be spent."""
    return not maps.is_tried and sum(1 for _ in path.glob("*.ldb")) > TABLES_MAPPED_MAX


def _open(path: Path, *, create: bool, open_files_max: int) -> plyvel.DB:
    with _translated(path):
        return plyvel.DB(
            str(path),
            create_if_missing=create,
            paranoid_checks=True,
            lru_cache_size=CACHE_SIZE_BYTES,
            write_buffer_size=WRITE_BUFFER_SIZE_BYTES,
            max_file_size=TABLE_SIZE_BYTES,
            max_open_files=open_files_max,
            bloom_filter_bits=BLOOM_BITS,
            compression=None,
        )


class _Readable(Protocol):
    """What the library's database and its snapshot have in common."""

    def get(self, key: bytes, *, verify_checksums: bool, fill_cache: bool) -> bytes | None: ...

    def iterator(
        self,
        *,
        start: bytes | None,
        stop: bytes | None,
        reverse: bool,
        verify_checksums: bool,
        fill_cache: bool,
    ) -> Iterator[tuple[bytes, bytes]]: ...

    def raw_iterator(self, *, verify_checksums: bool, fill_cache: bool) -> "_Cursor": ...

    def close(self) -> None: ...


class _Cursor(Protocol):
    """The library's iterator: what the database held when it was made."""

    def seek(self, target: bytes) -> None: ...

    def seek_to_first(self) -> None: ...

    def seek_to_last(self) -> None: ...

    def next(self) -> None: ...

    def valid(self) -> bool: ...

    def key(self) -> bytes: ...

    def value(self) -> bytes: ...


class LevelDBStore:
    """An open database; made by `open_leveldb`."""

    def __init__(
        self, path: Path, database: plyvel.DB, lock: DirectoryLock, *, spends_maps: bool
    ) -> None:
        self._path = path
        self._calls = Calls(path)
        self._database = database
        self._lock = lock
        self._spends_maps = spends_maps
        self._writes = 0
        self._writes_synced = 0
        self._failure: StorageError | None = None
        self._cursor: _Cursor | None = None
        self._cursor_writes = -1
        """As many batches were written when the cursor was made, or more."""
        self._seeking = threading.Lock()
        self._views: set[_View] = set()
        """Those that are open. One that is dropped would release its snapshot by itself, in no
        call that is counted."""

    @property
    def writes_synced(self) -> int:
        return self._writes_synced

    def get(self, key: bytes) -> bytes | None:
        return _get(self._calls, self._database, key)

    def seek(self, key: bytes) -> bytes | None:
        # A cursor is one thread's at a time.
        if not self._seeking.acquire(blocking=False):
            return self.get(key)
        calls = self._calls
        try:
            calls.under_way.append(None)
            cursor = self._fresh_cursor()
            cursor.seek(key)
            return cursor.value() if cursor.valid() and cursor.key() == key else None
        except (plyvel.Error, RuntimeError) as error:
            self._cursor = None  # It repeats what it has met, wherever it looks.
            raise _translate(self._path, error) from error
        finally:
            calls.under_way.pop()
            if calls.are_refused:
                calls.note_end()
            self._seeking.release()

    def seek_each(self, keys: Sequence[bytes]) -> list[bytes | None]:
        if not self._seeking.acquire(blocking=False):
            return list(map(self.get, keys))
        calls = self._calls
        try:
            calls.under_way.append(None)
            cursor = self._fresh_cursor()
            seek, valid, found, value = cursor.seek, cursor.valid, cursor.key, cursor.value
            values = []
            for key in keys:
                seek(key)
                values.append(value() if valid() and found() == key else None)
            return values
        except (plyvel.Error, RuntimeError) as error:
            self._cursor = None
            raise _translate(self._path, error) from error
        finally:
            calls.under_way.pop()
            if calls.are_refused:
                calls.note_end()
            self._seeking.release()

    def _fresh_cursor(self) -> _Cursor:
        """Return one that knows all that is written. For a call of whoever holds `_seeking`."""
        if self._calls.are_refused:
            raise StorageClosed(self._path)
        cursor = self._cursor
        if cursor is None or self._cursor_writes != self._writes:
            # In this order: a batch that is written meanwhile may be missing in the cursor. And
            # both together: no old cursor counts as a new one because none could be made.
            writes = self._writes
            cursor = self._database.raw_iterator(verify_checksums=True, fill_cache=False)
            self._cursor, self._cursor_writes = cursor, writes
        return cursor

    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        if limit is not None and limit <= PAGE_MAX and not reverse:
            pairs = self._page(start, stop, limit)
            if pairs is not None:
                return iter(pairs)
        return _scan(self._calls, self._database, start, stop, reverse=reverse, limit=limit)

    def _page(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]] | None:
        """Return some pairs at once, by the cursor that is there; None: another thread has it."""
        if not self._seeking.acquire(blocking=False):
            return None
        calls = self._calls
        try:
            calls.under_way.append(None)
            cursor = self._fresh_cursor()
            cursor.seek(start)
            pairs: list[tuple[bytes, bytes]] = []
            while len(pairs) < limit and cursor.valid():
                key = cursor.key()
                if key >= stop:
                    break
                pairs.append((key, cursor.value()))
                cursor.next()
            return pairs
        except (plyvel.Error, RuntimeError) as error:
            self._cursor = None
            raise _translate(self._path, error) from error
        finally:
            calls.under_way.pop()
            if calls.are_refused:
                calls.note_end()
            self._seeking.release()

    def write(self, batch: Batch, *, sync: bool) -> None:
        # After a failed write a part of it may stand in the log's last block. A later write that
        # succeeded behind it would make the log unreadable from there on.
        if self._failure is not None:
            raise StorageFailed(self._path, f"an earlier write failed: {self._failure.detail}")
        try:
            _called(self._calls, _write, self._database, batch, sync=sync)
        except StorageClosed:
            raise  # Nothing of it was tried.
        except StorageError as failure:
            self._failure = failure
            raise
        self._writes_synced += sync
        self._writes += 1
        if self._spends_maps and self._writes % _LOOK_EVERY == 0 and _has_many_tables(self._path):
            # A third of a second: by itself, not in the middle of a block's write. What is opened
            # meanwhile is mapped, a few tables.
            threading.Thread(target=maps.spend, name=SPENDING_THREAD).start()

    def view(self) -> ReadView:
        return _called(self._calls, self._open_view)

    def _open_view(self) -> "_View":
        view = _View(self._calls, self._database.snapshot(), self._views)
        self._views.add(view)
        return view

    def close(self) -> None:
        # The library waits for nobody: it would free the memory that other threads are at.
        self._calls.refuse()
        for view in list(self._views):
            view.release()
        self._database.close()
        self._lock.close()


class _View:
    """A snapshot of the database, as LevelDB calls it: a number below which nothing is dropped."""

    def __init__(self, calls: Calls, snapshot: _Readable, views: set["_View"]) -> None:
        self._calls = calls
        self._snapshot = snapshot
        self._views = views

    def get(self, key: bytes) -> bytes | None:
        return _get(self._calls, self._snapshot, key)

    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        return _scan(self._calls, self._snapshot, start, stop, reverse=reverse, limit=limit)

    def close(self) -> None:
        with suppress(StorageClosed):  # Whoever closes the store releases it.
            _called(self._calls, self.release)

    def release(self) -> None:
        """Let go of the snapshot: in a call, or when there are none any more."""
        self._snapshot.close()
        self._views.discard(self)


def _called(
    calls: Calls, work: Callable[ParamsT, ResultT], *args: ParamsT.args, **kwargs: ParamsT.kwargs
) -> ResultT:
    """Return what a call of the database returns.

    Raises:
        StorageClosed: it is closed.
        StorageError: the disk's reasons.
    """
    try:
        calls.under_way.append(None)
        if calls.are_refused:
            raise StorageClosed(calls.path)
        return work(*args, **kwargs)
    except (plyvel.Error, OSError, RuntimeError) as error:
        raise _translate(calls.path, error) from error
    finally:
        calls.under_way.pop()
        if calls.are_refused:
            calls.note_end()


def _get(calls: Calls, source: _Readable, key: bytes) -> bytes | None:
    # Not by `_called`, no context manager: this is the hot path of every block.
    try:
        calls.under_way.append(None)
        if calls.are_refused:
            raise StorageClosed(calls.path)
        return source.get(key, verify_checksums=True, fill_cache=False)
    except (plyvel.Error, RuntimeError) as error:
        raise _translate(calls.path, error) from error
    finally:
        calls.under_way.pop()
        if calls.are_refused:
            calls.note_end()


def _write(database: plyvel.DB, batch: Batch, *, sync: bool) -> None:
    writes = database.write_batch(sync=sync)
    put, delete = writes.put, writes.delete
    for key, value in batch:
        if value is None:
            delete(key)
        else:
            put(key, value)
    writes.write()


def _scan(
    calls: Calls,
    source: _Readable,
    start: bytes,
    stop: bytes,
    *,
    reverse: bool,
    limit: int | None,
) -> Iterator[tuple[bytes, bytes]]:
    # LevelDB steps over a block that it cannot read, and the library asks whether it did so only
    # when it hands out a pair. With a bound at the far side it would end there without asking.
    pairs = _called(
        calls,
        source.iterator,
        start=None if reverse else start,
        stop=stop if reverse else None,
        reverse=reverse,
        verify_checksums=True,
        fill_cache=False,
    )
    bound = start if reverse else stop
    return _pairs(calls, source, pairs, bound, reverse=reverse, limit=limit)


def _pairs(
    calls: Calls,
    source: _Readable,
    pairs: Iterator[tuple[bytes, bytes]],
    bound: bytes,
    *,
    reverse: bool,
    limit: int | None,
) -> Iterator[tuple[bytes, bytes]]:
    count = 0
    while limit is None or count < limit:
        # A call each; between two of them whoever asked has the turn.
        try:
            calls.under_way.append(None)
            if calls.are_refused:
                raise StorageClosed(calls.path)
            pair = next(pairs, None)
        except (plyvel.Error, RuntimeError) as error:
            raise _translate(calls.path, error) from error
        finally:
            calls.under_way.pop()
            if calls.are_refused:
                calls.note_end()
        if pair is None:
            _called(calls, _read_end, source, first=reverse)
            return
        if pair[0] < bound if reverse else pair[0] >= bound:
            return
        count += 1
        yield pair


def _read_end(source: _Readable, *, first: bool) -> None:
    """Ask whether the database ends where no more pairs came: is its outermost block sound?"""
    cursor = source.raw_iterator(verify_checksums=True, fill_cache=False)
    if first:
        cursor.seek_to_first()
    else:
        cursor.seek_to_last()


def _check_files(path: Path, *, create: bool) -> None:
    """Refuse a directory whose `CURRENT` is gone: LevelDB would begin anew and delete the rest."""
    with _translated(path):
        names = os.listdir(path) if path.is_dir() else []
    if "CURRENT" in names:
        return
    if any(_TABLE_OR_LOG.fullmatch(name) for name in names):
        raise StorageDamaged(path, "the file CURRENT is missing")
    if not create:
        raise StorageMissing(path, "no database in it")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (plyvel.Error, OSError, RuntimeError) as error:
        raise _translate(path, error) from error


# LevelDB gives only sentences: a file's name, then the system's own words for the error.
_WORDS: Final[tuple[tuple[str, type[StorageError]], ...]] = (
    ("/LOCK: " + os.strerror(errno.EAGAIN), StorageLocked),
    # A database that is there has all its files: `_check_files` was content with the directory.
    ("does not exist", StorageDamaged),
    (os.strerror(errno.ENOENT), StorageDamaged),
    # Reading behind the end of a mapped table that is shorter than it was.
    (": " + os.strerror(errno.EINVAL), StorageDamaged),
    *((os.strerror(number), kind) for number, kind in BY_NUMBER.items()),
)


def _translate(path: Path, error: Exception) -> StorageError:
    if isinstance(error, OSError) and error.errno is not None:
        return storage_error(path, error)
    words = error.args[0] if error.args else type(error).__name__
    detail = words.decode(errors="replace") if isinstance(words, bytes) else str(error)
    if isinstance(error, plyvel.CorruptionError):
        return StorageDamaged(path, detail)
    for phrase, kind in _WORDS:
        if phrase in detail:
            return kind(path, detail)
    return StorageFailed(path, detail)
