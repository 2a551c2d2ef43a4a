"""Many rows by one statement of PostgreSQL: each of their columns is an array.

A statement for each row costs the server more to take and to answer than to do. One with arrays is
taken and planned once, whatever there is to do, and no plan of it may depend on how many rows the
tables had when it was made (`WRITE_SETTINGS`): all of them look keys up.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table

from node.index.database import Row
from node.index.statements import STATEMENTS_MAX

LOOK_UPS: Final = {
    # A few thousand keys of a million rows look to the planner like a reason to read the whole
    # table, and with more than one processor; and like one to compile what takes a millisecond.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
}
"""Settings of a connection that looks up keys and walks ranges of them, and nothing else."""
WRITE_SETTINGS: Final = {**LOOK_UPS, "plan_cache_mode": "force_generic_plan"}


@lru_cache(STATEMENTS_MAX)
def spelled_puts(table: Table) -> str:
    """Return what inserts rows or replaces them. Their keys differ."""
    keys = ", ".join(map(_named, table.primary_key.columns))
    others = ", ".join(
        f"{_named(column)} = excluded.{_named(column)}"
        for column in table.columns
        if not column.primary_key
    )
    return (
        f"INSERT INTO {table.name} SELECT * FROM {_unnested(list(table.columns))}"
        f" ON CONFLICT ({keys}) DO UPDATE SET {others}"
    )


@lru_cache(STATEMENTS_MAX)
def spelled_drops(table: Table) -> str:
    """Return what deletes the rows of some keys."""
    keys = list(table.primary_key.columns)
    same = " AND ".join(f"{table.name}.{_named(key)} = gone.{_named(key)}" for key in keys)
    gone = f"{_unnested(keys)} AS gone ({_names(keys)})"
    return f"DELETE FROM {table.name} USING {gone} WHERE {same}"


@lru_cache(STATEMENTS_MAX)
def spelled_look_up(table: Table) -> str:
    """Return what finds the rows of some whole keys."""
    keys = list(table.primary_key.columns)
    return (
        f"SELECT {table.name}.* FROM {table.name}"
        f" JOIN {_unnested(keys)} AS wanted ({_names(keys)}) USING ({_names(keys)})"
    )


@lru_cache(STATEMENTS_MAX)
def spelled_pick(table: Table) -> str:
    """Return what finds the rows whose keys begin with one value, and go on with one of some."""
    first, second = table.primary_key.columns
    return (
        f"SELECT * FROM {table.name} WHERE {_named(first)} = $1"
        f" AND {_named(second)} = ANY($2::{_kind(second)}[])"
    )


def columns_of(rows: Sequence[Row]) -> list[list[Any]]:
    """Return the columns of rows, of which there are some."""
    return [list(column) for column in zip(*rows, strict=True)]


def _unnested(columns: Sequence[Column[Any]]) -> str:
    arrays = (f"${place}::{_kind(column)}[]" for place, column in enumerate(columns, 1))
    return f"unnest({', '.join(arrays)})"


def _kind(column: Column[Any]) -> str:
    match column.type:
        case BigInteger():
            return "bigint"
        case Integer():
            return "integer"
        case LargeBinary():
            return "bytea"
        case _:
            return "text"  # without a length: by a cast to one a text would be cut, and not refused


def _names(columns: Sequence[Column[Any]]) -> str:
    return ", ".join(map(_named, columns))


def _named(column: Column[Any]) -> str:
    return f'"{column.name}"'
