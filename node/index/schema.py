"""The tables of the index, for both databases. This page is the schema.

Every key begins with the column by which a distributed PostgreSQL would place the row; nothing has
a sequence, a foreign key or a trigger. In SQLite a table is stored in its key (`WITHOUT ROWID`): a
row is in one place, not in two. Amounts are decimal text: SQLite has no integer of 64 bits without
a sign, and a sum of a day may be larger than any.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

FORMAT: Final = 4
"""Of the tables and of what is in them; another one is another index, which is rebuilt."""

METADATA: Final = MetaData()

CHECKPOINT: Final = Table(
    "checkpoint",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 0: there is one row
    Column("format", Integer, nullable=False),
    Column("network", LargeBinary, nullable=False),  # hash of the genesis
    Column("from_height", BigInteger, nullable=False),  # the first block that is in it
    Column("holders_from", BigInteger, nullable=False),  # its holders began as they were after this
    Column("height", BigInteger, nullable=False),  # the last block that is in it
    Column("block_id", LargeBinary, nullable=False),  # of that; empty before the first
    Column("time_ms", BigInteger, nullable=False),  # of that
    sqlite_with_rowid=False,
)

EVENTS: Final = Table(
    "events",
    METADATA,
    Column("height", BigInteger, primary_key=True, autoincrement=False),
    Column("item", Integer, primary_key=True, autoincrement=False),
    Column("time_ms", BigInteger, nullable=False),  # of the block
    Column("transaction", LargeBinary),  # its id; none where something fell due
    Column("kind", String(64), nullable=False),  # the event's name, or `refused`
    Column("content", LargeBinary, nullable=False),  # the event, or the receipt of a refusal
    sqlite_with_rowid=False,
)

HISTORY: Final = Table(
    "history",
    METADATA,
    Column("account", LargeBinary, primary_key=True),  # or what another subject stands under
    Column("height", BigInteger, primary_key=True, autoincrement=False),
    Column("item", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

RECENT: Final = Table(
    "recent",
    METADATA,
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("height", BigInteger, primary_key=True, autoincrement=False),
    Column("item", Integer, primary_key=True, autoincrement=False),
    Column("account", LargeBinary, primary_key=True),  # as in `history`
    sqlite_with_rowid=False,
)
"""Rows of `history` that wait to be put there (`recent`)."""

BUCKETS: Final = Table(
    "buckets",
    METADATA,
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),  # of its rows that wait
    sqlite_with_rowid=False,
)

HOLDERS: Final = Table(
    "holders",
    METADATA,
    Column("asset", String(32), primary_key=True),
    Column("account", LargeBinary, primary_key=True),
    Column("class", String(16), nullable=False),  # kind of the owner; `ledger` where there is none
    Column("total", Text, nullable=False),  # available and held
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": 90},
)
"""With room in each page of PostgreSQL for what changes: what has none goes to another page, and
into the index of the key once more."""

CLASSES: Final = Table(
    "holder_classes",
    METADATA,
    Column("asset", String(32), primary_key=True),
    Column("class", String(16), primary_key=True),
    Column("holders", BigInteger, nullable=False),
    Column("total", Text, nullable=False),
    sqlite_with_rowid=False,
)

TOTALS: Final = Table(
    "totals",
    METADATA,
    Column("asset", String(32), primary_key=True),  # empty: of the network
    Column("day", Integer, primary_key=True, autoincrement=False),  # since 1970-01-01, UTC
    Column("kind", String(64), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("amount", Text, nullable=False),
    sqlite_with_rowid=False,
)

TEXTS: Final = Table(
    "texts",
    METADATA,
    Column("height", BigInteger, primary_key=True, autoincrement=False),
    Column("item", Integer, primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),  # asset, participant, transaction
    Column("subject", String(64), nullable=False),  # its code or id
    Column("body", Text, nullable=False),
    Column("words", Text, nullable=False),  # of the body, as they are looked for, each once
)
"""With a row id in SQLite, because its full-text index names rows by it."""
