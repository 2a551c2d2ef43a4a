"""The statements of both databases, spelled once for each of them from the tables.

SQLAlchemy writes the SQL; nothing else of it is used: no engine, no pool, no objects for rows.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Select, Table, and_, bindparam, delete, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.schema import CreateTable

from node.index.database import Row, Values
from node.index.schema import METADATA

STATEMENTS_MAX: Final = 256
"""Spelled statements that are remembered; there are some forty."""

SQLITE: Final[Dialect] = sqlite.dialect()
POSTGRESQL: Final[Dialect] = asyncpg.dialect()  # type: ignore[no-untyped-call]  # theirs


@lru_cache(STATEMENTS_MAX)
def spelled_select(statement: Select[Any], dialect: Dialect) -> Any:
    """Return a compiled statement."""
    return statement.compile(dialect=dialect)


def values_of(compiled: Any, values: Values) -> Row:
    """Return the values of a compiled statement in the order of its places."""
    known = compiled.construct_params(dict(values))
    return tuple(known[name] for name in compiled.positiontup)


@lru_cache(STATEMENTS_MAX)
def spelled_insert(table: Table, dialect: Dialect) -> str:
    """Return what inserts one row, columns in the order of the table."""
    return str(insert(table).compile(dialect=dialect))


@lru_cache(STATEMENTS_MAX)
def spelled_put(table: Table, dialect: Dialect) -> str:
    """Return what inserts one row or replaces it, columns in the order of the table."""
    make = postgresql.insert if dialect is POSTGRESQL else sqlite.insert
    statement = make(table)
    others = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if not column.primary_key
    }
    keys = [column.name for column in table.primary_key.columns]
    put = statement.on_conflict_do_update(index_elements=keys, set_=others)
    return str(put.compile(dialect=dialect))


@lru_cache(STATEMENTS_MAX)
def spelled_drop(table: Table, dialect: Dialect) -> str:
    """Return what deletes one row by its key."""
    keyed = [column == bindparam(column.name) for column in table.primary_key.columns]
    return str(delete(table).where(and_(*keyed)).compile(dialect=dialect))


@lru_cache(STATEMENTS_MAX)
def spelled_take(table: Table, dialect: Dialect) -> str:
    """Return what deletes the rows whose key begins with a value, and returns them."""
    first = next(iter(table.primary_key.columns))
    statement = delete(table).where(first == bindparam(first.name)).returning(*table.columns)
    return str(statement.compile(dialect=dialect))


def spelled_tables(dialect: Dialect) -> Sequence[str]:
    """Return what makes the tables that are not there."""
    return [
        str(CreateTable(table, if_not_exists=True).compile(dialect=dialect))
        for table in METADATA.sorted_tables
    ]


def columns_of_table(table: Table) -> Sequence[tuple[str, str]]:
    """Return names and types of the columns as PostgreSQL tells them of a table that is there."""
    return [
        (
            column.name,
            column.type.compile(POSTGRESQL).lower().replace("varchar", "character varying"),
        )
        for column in table.columns
    ]
