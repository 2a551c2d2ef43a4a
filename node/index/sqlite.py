"""The index in SQLite: one file in the node's home. The default.

The standard library's driver in threads of our own, one that writes and one that reads, and not
aiosqlite: a transaction is one hop to its thread and back, where that would hop for every
statement. SQLite lets go of the interpreter once for every step, and each time may wait for the
node to give it back; so many rows are inserted by one step.

Commits are not synced one by one: a power cut may take the last ones, whole, and they are made
again from the blocks.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Select, Table

from node.index.database import ResultT, Row, Session, TextPlace, Values
from node.index.errors import IndexOverrun, IndexUnreachable, IndexUnusable, RebuildNeeded
from node.index.schema import TEXTS
from node.index.statements import (
    SQLITE,
    STATEMENTS_MAX,
    spelled_drop,
    spelled_insert,
    spelled_put,
    spelled_select,
    spelled_tables,
    spelled_take,
    values_of,
)
from node.index.turns import Turns
from node.index.words import LISTED_MAX

ROWS_AT_ONCE: Final = 200
"""Rows of one statement that inserts: beyond it the time of a row does not fall any more."""
CACHE_KIB: Final = 64 << 10
"""Of pages in memory, for the connection that writes."""
READER_CACHE_KIB: Final = 16 << 10
READ_SECONDS_MAX: Final = 5.0
"""How long a question may take."""
STEPS_AT_ONCE: Final = 20_000
"""Of SQLite's machine between two looks whether a question is to end: a millisecond or two."""
BUSY_SECONDS: Final = 10.0
"""How long to wait for another writer, such as a rebuild that was started beside the node."""
LOG_PAGES: Final = 16_000
"""Pages of the log that are written back at once: 64 MiB. A page of the holders is in it several
times, and is written back once."""

_WORDS: Final = "texts_words"
_MAKE_WORDS: Final = (
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {_WORDS} USING fts5(words, content='texts',"
    " content_rowid='rowid', tokenize=\"unicode61 remove_diacritics 0 categories 'L* M* N*'\","
    f" prefix='{' '.join(map(str, range(1, LISTED_MAX + 1)))}')"
)
_ADD_WORDS: Final = (
    f"INSERT INTO {_WORDS}(rowid, words) SELECT rowid, words FROM texts WHERE rowid > ?"
)
# Texts come in the order of their keys, and so do their row ids: full text goes by these from the
# newest on, and looks at none above the last text that may be found.
_FIND: Final = (
    "SELECT t.* FROM texts_words w JOIN texts t ON t.rowid = w.rowid WHERE texts_words MATCH ?"
    " AND w.rowid <= (SELECT rowid FROM texts WHERE (height, item, part) < (?, ?, ?)"
    " ORDER BY height DESC, item DESC, part DESC LIMIT 1){more} ORDER BY w.rowid DESC LIMIT ?"
)
_HAS_WORD: Final = " AND instr(' ' || t.words, ' ' || ?)"

WorkT = TypeVar("WorkT")


class SqliteDatabase:
    """One file. `open` first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = ThreadPoolExecutor(1, "index-write")
        self._reading = ThreadPoolExecutor(1, "index-read")
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._turns = Turns()
        self._under_way: asyncio.Event | None = None
        """Of the question that is asked now: that it is to end."""

    @property
    def place(self) -> str:
        return str(self._path)

    async def open(self, *, write: bool = True) -> None:
        if write:
            await self._in(self._writing, self._open)
        elif not self._path.is_file():
            raise IndexUnreachable(f"{self._path} does not exist: no index was ever written there")

    async def write(self, work: Callable[[Session], Awaitable[ResultT]]) -> ResultT:
        return await self._in(self._writing, lambda: self._write(work))

    async def read(self, statement: Select[Any], values: Values) -> Sequence[Row]:
        compiled = spelled_select(statement, SQLITE)
        with self._turns.one():
            return await self._read(str(compiled), values_of(compiled, values))

    async def look_up(self, table: Table, keys: Sequence[Row]) -> Sequence[Row]:
        sql = _spelled_pick(table)
        with self._turns.one():
            return await self._ask(
                lambda reader: [row for key in keys for row in reader.execute(sql, key)]
            )

    async def find(
        self, words: Sequence[str], before: TextPlace, limit: int
    ) -> tuple[Sequence[Row], TextPlace | None]:
        # In quotes nothing is an operator, and in a word there is no quote.
        wanted = " ".join(f'"{word[:LISTED_MAX]}"*' for word in words)
        long = [word for word in words if len(word) > LISTED_MAX]
        sql = _FIND.format(more=_HAS_WORD * len(long))
        with self._turns.one():
            return await self._read(sql, (wanted, *before, *long, limit)), None

    async def clear(self) -> None:
        await self._in(self._writing, self._clear)
        await self._in(self._reading, self._forget)

    async def finish(self) -> None:
        await self._in(self._writing, self._finish)

    async def close(self) -> None:
        await self._in(self._reading, lambda: self._let_go(self._reader))
        await self._in(self._writing, lambda: self._let_go(self._writer))
        self._reading.shutdown()
        self._writing.shutdown()

    # On the thread that writes.

    def _open(self) -> None:
        self._let_go(self._writer)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._writer = connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        connection.execute("PRAGMA temp_store = MEMORY")
        self._make()

    def _make(self) -> None:
        connection = self._connection
        try:
            for statement in (*spelled_tables(SQLITE), _MAKE_WORDS):
                connection.execute(statement)
        except sqlite3.OperationalError as error:
            if "fts5" in str(error):
                raise IndexUnusable(
                    f"this SQLite ({sqlite3.sqlite_version}) has no full-text search, FTS5: install"
                    " one that has, or set index.database to a PostgreSQL server"
                ) from None
            raise

    def _write(self, work: Callable[[Session], Awaitable[WorkT]]) -> WorkT:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = _driven(work(_SqliteSession(connection)))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _clear(self) -> None:
        self._let_go(self._writer)
        self._writer = None
        for end in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + end).unlink(missing_ok=True)
        self._open()

    def _finish(self) -> None:
        connection = self._connection
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._writer is None:
            raise IndexUnreachable(f"{self._path} is not open")
        return self._writer

    # On the thread that reads.

    async def _read(self, sql: str, values: Row) -> Sequence[Row]:
        return await self._ask(lambda reader: reader.execute(sql, values).fetchall())

    async def _ask(self, question: Callable[[sqlite3.Connection], Sequence[Row]]) -> Sequence[Row]:
        loop = asyncio.get_running_loop()
        overran = asyncio.Event()

        def ask() -> Sequence[Row]:
            if overran.is_set():
                raise IndexOverrun(_OVERRUN)
            self._under_way = overran
            try:
                return question(self._open_reader())
            finally:
                self._under_way = None

        timer = loop.call_later(READ_SECONDS_MAX, overran.set)
        try:
            return await self._in(self._reading, ask)
        except IndexUnreachable:
            if overran.is_set():
                raise IndexOverrun(_OVERRUN) from None
            raise
        except asyncio.CancelledError:
            # Nobody waits for it any more, and others do.
            overran.set()
            raise
        finally:
            timer.cancel()

    def _open_reader(self) -> sqlite3.Connection:
        if self._reader is None:
            self._reader = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro",
                uri=True,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            self._reader.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB}")
            self._reader.set_progress_handler(self._is_overrun, STEPS_AT_ONCE)
        return self._reader

    def _is_overrun(self) -> bool:
        """Whether the question under way is to end: asked by SQLite itself, so none is missed."""
        overran = self._under_way
        return overran is not None and overran.is_set()

    def _forget(self) -> None:
        """Let go of a file that is no longer there under its name."""
        self._let_go(self._reader)
        self._reader = None

    # On either.

    async def _in(self, thread: ThreadPoolExecutor, work: Callable[[], WorkT]) -> WorkT:
        future = asyncio.get_running_loop().run_in_executor(thread, work)
        # Of what nobody waits for any more, nobody looks at the error either.
        future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        try:
            # Whoever no longer waits must not stop a transaction half-way.
            return await asyncio.shield(future)
        except sqlite3.Error as error:
            raise self._explained(error) from error
        except OSError as error:
            raise IndexUnreachable(f"{self._path}: {error.strerror}") from error

    def _explained(self, error: sqlite3.Error) -> Exception:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return RebuildNeeded(f"{self._path} is damaged: {error}")
        if isinstance(error, sqlite3.IntegrityError):
            return IndexUnusable(
                f"{self._path}: {error}: another process writes into it. One index has one node"
            )
        return IndexUnreachable(f"{self._path}: {error}")

    @staticmethod
    def _let_go(connection: sqlite3.Connection | None) -> None:
        if connection is not None:
            connection.close()


_OVERRUN: Final = f"the index took longer than {READ_SECONDS_MAX:g} s; ask for less"


class _SqliteSession:
    """A transaction, on the thread that writes. Its methods never wait."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        last = self._last_text() if table is TEXTS and rows else None
        self._many(spelled_insert(table, SQLITE), rows)
        if last is not None:
            self._connection.execute(_ADD_WORDS, (last,))

    async def put(self, table: Table, rows: Sequence[Row]) -> None:
        self._many(spelled_put(table, SQLITE), rows)

    async def drop(self, table: Table, keys: Sequence[Row]) -> None:
        self._connection.executemany(spelled_drop(table, SQLITE), keys)

    async def take(self, table: Table, first: Any) -> Sequence[Row]:
        return self._connection.execute(spelled_take(table, SQLITE), (first,)).fetchall()

    async def pick(self, table: Table, first: Any, seconds: Sequence[Any]) -> Sequence[Row]:
        found: list[Row] = []
        for start in range(0, len(seconds), ROWS_AT_ONCE):
            some = seconds[start : start + ROWS_AT_ONCE]
            sql = _spelled_picks(table, len(some))
            found += self._connection.execute(sql, (first, *some)).fetchall()
        return found

    async def select(self, statement: Select[Any], values: Values) -> Sequence[Row]:
        compiled = spelled_select(statement, SQLITE)
        return self._connection.execute(str(compiled), values_of(compiled, values)).fetchall()

    def _last_text(self) -> int:
        ((last,),) = self._connection.execute("SELECT coalesce(max(rowid), 0) FROM texts")
        return int(last)

    def _many(self, sql: str, rows: Sequence[Row]) -> None:
        """Insert rows, or replace them, many by one statement."""
        execute = self._connection.execute
        whole = len(rows) - len(rows) % ROWS_AT_ONCE
        if whole:
            many = _spelled_many(sql)
            for start in range(0, whole, ROWS_AT_ONCE):
                flat: list[Any] = []
                for row in rows[start : start + ROWS_AT_ONCE]:
                    flat += row
                execute(many, flat)
        self._connection.executemany(sql, rows[whole:])


@lru_cache(STATEMENTS_MAX)
def _spelled_many(sql: str) -> str:
    """Return what does so with `ROWS_AT_ONCE` rows as a statement does with one."""
    head, _, rest = sql.partition(" VALUES ")
    places, on, conflict = rest.partition(" ON CONFLICT ")
    return f"{head} VALUES {', '.join([places] * ROWS_AT_ONCE)}{on}{conflict}"


def _spelled_pick(table: Table) -> str:
    first, second = (column.name for column in table.primary_key.columns)
    return f'SELECT * FROM {table.name} WHERE "{first}" = ? AND "{second}" = ?'


@lru_cache(STATEMENTS_MAX)
def _spelled_picks(table: Table, count: int) -> str:
    first, second = (column.name for column in table.primary_key.columns)
    places = ", ".join("?" * count)
    return f'SELECT * FROM {table.name} WHERE "{first}" = ? AND "{second}" IN ({places})'


def _driven(work: Awaitable[WorkT]) -> WorkT:
    """Return what a coroutine returns that never waits for anything."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: WorkT = end.value
        return result
    raise AssertionError("the work of a SQLite transaction waits for something else")
