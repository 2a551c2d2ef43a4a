"""The index in PostgreSQL: by one setting, for whoever has more readers than one file serves.

One connection writes, a few read, and all of them live on an event loop aside: rows are made and
read there, and the node's own loop waits for nothing but what comes of it. A transaction that the
server took back because of another one is done again; one of which it is not known whether it was
done is found out by its checkpoint.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import urlsplit

import asyncpg
from sqlalchemy import Select, Table

from node.index.arrays import (
    LOOK_UPS,
    WRITE_SETTINGS,
    columns_of,
    spelled_drops,
    spelled_look_up,
    spelled_pick,
    spelled_puts,
)
from node.index.aside import Aside
from node.index.database import ResultT, Row, Session, TextPlace, Values
from node.index.errors import IndexOverrun, IndexUnreachable, IndexUnusable
from node.index.schema import METADATA, TEXTS
from node.index.starts import (
    COLUMNS as STARTS,
)
from node.index.starts import (
    FILL_STARTS,
    MAKE_STARTS,
    find,
    starts_of,
)
from node.index.statements import (
    POSTGRESQL,
    columns_of_table,
    spelled_select,
    spelled_tables,
    spelled_take,
    values_of,
)
from node.index.turns import Turns

READERS_MAX: Final = 4
"""Connections that read."""
READ_SECONDS_MAX: Final = 5.0
"""How long a question may take, also that for a free connection."""
CONNECT_SECONDS: Final = 10.0
WRITE_SECONDS: Final = 60.0
"""How long one statement that writes may take."""
ATTEMPTS_MAX: Final = 8
"""Of one transaction, where the server takes it back."""
ROWS_AT_ONCE: Final = 10_000
"""Of one statement with arrays."""
_LONG_S: Final = 24 * 3600.0
_TABLES: Final = {
    **{table.name: columns_of_table(table) for table in METADATA.sorted_tables},
    "starts": list(STARTS.items()),
}
"""All of an index, with their columns."""
_COLUMNS_THERE: Final = (
    "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
    " WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)

ItemT = TypeVar("ItemT")
_Question: TypeAlias = Callable[[asyncpg.Connection], Awaitable[ResultT]]


class PostgresDatabase:
    """One database on a server. `open` first."""

    def __init__(self, url: str, password: str | None = None) -> None:
        self._url = url
        self._password = password
        self._writer: asyncpg.Connection | None = None
        self._readers: asyncpg.Pool | None = None
        self._aside = Aside("index-postgres")
        self._turns = Turns()

    @property
    def place(self) -> str:
        parts = urlsplit(self._url)
        return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"

    async def open(self, *, write: bool = True) -> None:
        await self._aside.run(self._open(write=write))

    async def write(self, work: Callable[[Session], Awaitable[ResultT]]) -> ResultT:
        return await self._aside.run(self._write(work))

    async def read(self, statement: Select[Any], values: Values) -> Sequence[Row]:
        compiled = spelled_select(statement, POSTGRESQL)
        return await self._ask(str(compiled), values_of(compiled, values))

    async def look_up(self, table: Table, keys: Sequence[Row]) -> Sequence[Row]:
        return await self._ask(spelled_look_up(table), tuple(columns_of(keys))) if keys else []

    async def find(
        self, words: Sequence[str], before: TextPlace, limit: int
    ) -> tuple[Sequence[Row], TextPlace | None]:
        return await self._asked(lambda connection: find(connection, words, before, limit))

    async def clear(self) -> None:
        await self._aside.run(self._clear())

    async def finish(self) -> None:
        await self._aside.run(self._finish())

    async def close(self) -> None:
        await self._aside.run(self._let_go())
        await self._aside.close()

    async def _ask(self, sql: str, values: Row) -> Sequence[Row]:
        async def question(connection: asyncpg.Connection) -> Sequence[Row]:
            return [tuple(row) for row in await connection.fetch(sql, *values)]

        return await self._asked(question)

    async def _asked(self, question: _Question[ResultT]) -> ResultT:
        with self._turns.one():
            return await self._aside.run(self._read(question))

    # On the loop aside.

    async def _open(self, *, write: bool) -> None:
        await self._let_go()
        with self._explained():
            if write:
                await self._open_writer()
            self._readers = await asyncpg.create_pool(
                self._url,
                password=self._password,
                min_size=1,
                max_size=READERS_MAX,
                timeout=CONNECT_SECONDS,
                command_timeout=READ_SECONDS_MAX,
                server_settings={"default_transaction_read_only": "on", **LOOK_UPS},
            )

    async def _open_writer(self) -> None:
        self._writer = await asyncpg.connect(
            self._url,
            password=self._password,
            timeout=CONNECT_SECONDS,
            command_timeout=WRITE_SECONDS,
            server_settings=WRITE_SETTINGS,
        )
        await self._make()

    async def _write(self, work: Callable[[Session], Awaitable[ResultT]]) -> ResultT:
        connection = self._connection
        with self._explained():
            for attempt in range(1, ATTEMPTS_MAX + 1):
                try:
                    async with connection.transaction(isolation="repeatable_read"):
                        return await work(_PostgresSession(connection))
                except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
                    if attempt == ATTEMPTS_MAX:
                        raise
        raise AssertionError("the last attempt returns or raises")

    async def _clear(self) -> None:
        if self._writer is None:
            await self._open(write=True)
        with self._explained():
            async with self._connection.transaction():
                for name, columns in _TABLES.items():
                    found = await self._connection.fetch(_COLUMNS_THERE, name)
                    # Whoever has placed a table on several machines, cut it into parts or let
                    # others read it keeps that: of the same form it is emptied, which takes
                    # nothing of what was in its files.
                    is_same = [tuple(row) for row in found] == list(columns)
                    empty = f"TRUNCATE {name}" if is_same else f"DROP TABLE IF EXISTS {name}"
                    await self._connection.execute(empty)
                await self._make()

    async def _finish(self) -> None:
        with self._explained():
            for name in _TABLES:
                # What is seen by everybody is read from an index alone, without its rows.
                await self._connection.execute(f"VACUUM (ANALYZE) {name}", timeout=None)

    async def _make(self) -> None:
        connection = self._connection
        async with connection.transaction():
            for statement in spelled_tables(POSTGRESQL):
                await connection.execute(statement)
            if await connection.fetchval("SELECT to_regclass('starts') IS NULL"):
                # One that was made before has texts already, whose lists may take minutes.
                for statement in (MAKE_STARTS, FILL_STARTS, "DROP INDEX IF EXISTS texts_words"):
                    await connection.execute(statement, timeout=_LONG_S)

    async def _read(self, question: _Question[ResultT]) -> ResultT:
        readers = self._readers
        if readers is None:
            raise IndexUnreachable(f"{self.place} is not open")
        with self._explained():
            try:
                async with asyncio.timeout(READ_SECONDS_MAX), readers.acquire() as connection:
                    return await question(connection)
            except (TimeoutError, asyncpg.QueryCanceledError):
                raise IndexOverrun(
                    f"the index took longer than {READ_SECONDS_MAX:g} s; ask for less"
                ) from None

    @property
    def _connection(self) -> asyncpg.Connection:
        if self._writer is None:
            raise IndexUnreachable(f"{self.place} is not open")
        return self._writer

    async def _let_go(self) -> None:
        writer, self._writer = self._writer, None
        readers, self._readers = self._readers, None
        if readers is not None:
            readers.terminate()
        if writer is not None:
            writer.terminate()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except asyncpg.UniqueViolationError as error:
            raise IndexUnusable(
                f"{self.place}: {error}: another process writes into it. One index has one node"
            ) from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            raise IndexUnreachable(f"{self.place}: {error or type(error).__name__}") from error
        except asyncpg.InternalClientError as error:
            # How the driver tells that the server has ended a connection between two statements.
            raise IndexUnreachable(f"{self.place}: the connection was ended ({error})") from error


class _PostgresSession:
    """A transaction."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        if rows:
            names = [column.name for column in table.columns]
            await self._connection.copy_records_to_table(table.name, records=rows, columns=names)
        if table is TEXTS and rows:
            await self._connection.copy_records_to_table(
                "starts", records=starts_of(rows), columns=list(STARTS)
            )

    async def put(self, table: Table, rows: Sequence[Row]) -> None:
        for some in _pieces(rows):
            await self._connection.execute(spelled_puts(table), *columns_of(some))

    async def drop(self, table: Table, keys: Sequence[Row]) -> None:
        for some in _pieces(keys):
            await self._connection.execute(spelled_drops(table), *columns_of(some))

    async def take(self, table: Table, first: Any) -> Sequence[Row]:
        rows = await self._connection.fetch(spelled_take(table, POSTGRESQL), first)
        return [tuple(row) for row in rows]

    async def pick(self, table: Table, first: Any, seconds: Sequence[Any]) -> Sequence[Row]:
        found: list[Row] = []
        for some in _pieces(seconds):
            rows = await self._connection.fetch(spelled_pick(table), first, list(some))
            found += map(tuple, rows)
        return found

    async def select(self, statement: Select[Any], values: Values) -> Sequence[Row]:
        compiled = spelled_select(statement, POSTGRESQL)
        rows = await self._connection.fetch(str(compiled), *values_of(compiled, values))
        return [tuple(row) for row in rows]


def _pieces(rows: Sequence[ItemT]) -> Iterator[Sequence[ItemT]]:
    """Yield as many at once as one statement has."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[start : start + ROWS_AT_ONCE]
