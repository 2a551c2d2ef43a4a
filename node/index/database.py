"""The seam to the database: what the writer and the readers of the index need of one.

`SqliteDatabase` and `PostgresDatabase` have it. The writer is one coroutine for both: SQLite's
session never suspends, so that its thread can drive the coroutine to its end.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

from sqlalchemy import Select, Table

Row: TypeAlias = tuple[Any, ...]
ResultT = TypeVar("ResultT")
Values: TypeAlias = Mapping[str, Any]
TextPlace: TypeAlias = tuple[int, int, int]
"""The key of a text: height, item and part."""


class Session(Protocol):
    """A transaction that writes."""

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows whose keys are new; columns in the order of the table."""
        ...

    async def put(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows, or replace those of the same key."""
        ...

    async def drop(self, table: Table, keys: Sequence[Row]) -> None:
        """Delete the rows of these keys; one that is not there is none too many."""
        ...

    async def take(self, table: Table, first: Any) -> Sequence[Row]:
        """Delete the rows whose key begins with `first`, and return them, in any order."""
        ...

    async def pick(self, table: Table, first: Any, seconds: Sequence[Any]) -> Sequence[Row]:
        """Return the rows whose key begins with `first` and one of `seconds`."""
        ...

    async def select(self, statement: Select[Any], values: Values) -> Sequence[Row]:
        """Return the rows that a statement finds."""
        ...


class Database(Protocol):
    """One index, in one database."""

    @property
    def place(self) -> str:
        """Where it is, for people; without a password."""
        ...

    async def open(self, *, write: bool = True) -> None:
        """Open it, once or anew, and make the tables where there are none.

        Args:
            write: False for who only reads what is there; nothing is made then.

        Raises:
            IndexUnreachable: there is nothing that answers, or it may not be written.
            IndexUnusable: what is there cannot be an index.
        """
        ...

    async def write(self, work: Callable[[Session], Awaitable[ResultT]]) -> ResultT:
        """Return what the work returns, done in one transaction: whole or not at all.

        Raises:
            IndexUnreachable: it is not known whether it was done.
        """
        ...

    async def read(self, statement: Select[Any], values: Values) -> Sequence[Row]:
        """Return the rows that a statement finds, as of the last transaction.

        Raises:
            IndexUnreachable, IndexOverrun: why there are none.
        """
        ...

    async def look_up(self, table: Table, keys: Sequence[Row]) -> Sequence[Row]:
        """Return the rows of these keys of two numbers, in any order.

        Raises:
            IndexUnreachable, IndexOverrun: why there are none.
        """
        ...

    async def find(
        self, words: Sequence[str], before: TextPlace, limit: int
    ) -> tuple[Sequence[Row], TextPlace | None]:
        """Return rows of `texts` in which each of the words begins a word, newest first.

        With them, where fewer are found than the limit and not all of the past was looked through,
        the key before which to go on.

        Args:
            before: only those whose key lies below this.

        Raises:
            IndexUnreachable, IndexOverrun: why there are none.
        """
        ...

    async def clear(self) -> None:
        """Drop everything, also what cannot be read; it is open afterwards, with empty tables."""
        ...

    async def finish(self) -> None:
        """Bring into order what was filled since `clear`, for whoever reads."""
        ...

    async def close(self) -> None:
        """Let go of it; what is under way ends first."""
        ...
