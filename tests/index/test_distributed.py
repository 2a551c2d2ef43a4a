"""What a distributed PostgreSQL asks of tables and statements, and what the page says of it."""

import ast
import asyncio
import re
from pathlib import Path
from random import Random
from typing import Any, Final

import asyncpg
import pytest
from sqlalchemy import Select, Table

from node.index import answers, writing
from node.index.answers import Answers
from node.index.arrays import (
    LOOK_UPS,
    spelled_drops,
    spelled_look_up,
    spelled_pick,
    spelled_puts,
)
from node.index.postgres import PostgresDatabase
from node.index.projection import BLOCK_ITEM
from node.index.rebuilding import rebuild
from node.index.schema import (
    CHECKPOINT,
    CLASSES,
    EVENTS,
    HISTORY,
    HOLDERS,
    METADATA,
    RECENT,
    TOTALS,
)
from node.index.starts import AMONG, MAKE_STARTS, RANGE, TEXTS_AT, WALK
from node.index.statements import (
    POSTGRESQL,
    spelled_select,
    spelled_tables,
    spelled_take,
    values_of,
)
from tests.chain.town import CASH
from tests.index.chains import follower_of, grow, random_town, rows_of
from tests.index.conftest import Databases
from tests.index.servers import PostgresServer

ROOM: Final = Path(answers.__file__).parent
PAGE: Final = (ROOM / "README.md").read_text(encoding="utf-8")
DISTRIBUTED: Final = dict(
    re.findall(r"create_distributed_table\('(\w+)', '(\w+)'\)", PAGE),
)
REFERENCES: Final = set(re.findall(r"create_reference_table\('(\w+)'\)", PAGE))
PREVENTS: Final = (
    "SERIAL", "IDENTITY", "SEQUENCE", "NEXTVAL", "REFERENCES", "FOREIGN KEY", "TRIGGER",
    "LISTEN", "NOTIFY", "DEFERRABLE", "ADVISORY",
)  # fmt: skip


def selects() -> dict[str, Select[Any]]:
    """Return the statements that the answers and the writer ask with."""
    return {
        name: each
        for module in (answers, writing)
        for name, each in vars(module).items()
        if isinstance(each, Select)
    }


def test_the_page_places_every_table_once() -> None:
    made = {table.name for table in METADATA.sorted_tables} | {"starts"}
    assert set(DISTRIBUTED) | REFERENCES == made
    assert f"PRIMARY KEY ({DISTRIBUTED['starts']}," in MAKE_STARTS
    assert not set(DISTRIBUTED) & REFERENCES


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda table: str(table.name))
def test_a_key_begins_with_the_column_that_places_its_row(table: Table) -> None:
    if table.name in REFERENCES:
        return  # it is whole on every machine
    first, *_ = table.primary_key.columns
    assert first.name == DISTRIBUTED[table.name]
    # Uniqueness across machines cannot be had without it, in any other index either.
    assert not table.indexes
    assert len(table.constraints) == 1


def test_nothing_is_asked_for_that_machines_cannot_have_together() -> None:
    spelled = [
        *spelled_tables(POSTGRESQL),
        *(spelled_puts(table) for table in (HOLDERS, CLASSES, TOTALS, CHECKPOINT)),
        spelled_drops(HOLDERS),
        *(str(spelled_select(statement, POSTGRESQL)) for statement in selects().values()),
    ]
    for source in ROOM.glob("*.py"):
        spelled += [
            each.value
            for each in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
            if isinstance(each, ast.Constant) and isinstance(each.value, str)
            if re.match(r"(CREATE|SELECT|INSERT|UPDATE|DELETE|ALTER|LISTEN|NOTIFY) ", each.value)
        ]

    for statement in spelled:
        for word in PREVENTS:
            assert not re.search(rf"\b{word}\b", statement.upper()), (word, statement)


def test_no_statement_needs_two_tables() -> None:
    found = selects()
    assert {"_HISTORY", "_HOLDERS", "_CLASSES", "_TOTALS"} <= set(found)
    for name, statement in found.items():
        assert len(statement.get_final_froms()) == 1, name
        (table,) = statement.get_final_froms()
        assert isinstance(table, Table), name
        if table.name in DISTRIBUTED:
            # Whose rows are on one machine, which is asked alone.
            assert f"{table.name}.{DISTRIBUTED[table.name]} = " in str(statement), name
    names = {table.name for table in METADATA.sorted_tables} | {"starts"}
    written = [each(HOLDERS) for each in (spelled_puts, spelled_drops, spelled_pick)]
    for sql in (WALK, RANGE, AMONG, TEXTS_AT, spelled_look_up(EVENTS), *written):
        named = names & set(sql.split())
        assert len(named) == 1, sql


PARTS: Final = 4
ANYTHING: Final[dict[str, Any]] = {
    "account": bytes(20), "after": bytes(20), "asset": CASH, "bucket": 0, "count": 25, "day": 1,
    "first": 1, "height": 9, "item": 9, "last": 9,
}  # fmt: skip
"""Values for whatever place a statement has."""


async def place(url: str) -> None:
    """Make the tables before the node does, each in parts, by the columns that the page names.

    Parts of one server ask of keys and statements what machines do: a key holds the column, and
    who asks for one value of it asks one part.
    """
    connection = await asyncpg.connect(url)
    for statement in (*spelled_tables(POSTGRESQL), MAKE_STARTS):
        name = re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", statement)[0]
        if name in REFERENCES:
            await connection.execute(statement)
            continue
        whole = re.sub(r"\sWITH \([^()]*\)", "", statement)  # what each part would have
        await connection.execute(f"{whole} PARTITION BY HASH ({DISTRIBUTED[name]})")
        for part in range(PARTS):
            await connection.execute(
                f"CREATE TABLE {name}_{part} PARTITION OF {name}"
                f" FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part})"
            )
    await connection.close()


async def test_tables_that_are_placed_stay_so_and_hold_the_same(
    server: PostgresServer, tmp_path: Path
) -> None:
    placed = server.new_database()
    await place(placed)
    town = await random_town()
    await grow(town, Random(16), blocks=15)
    database = PostgresDatabase(placed)
    follower = follower_of(database, town)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(follower.run(), name="index")
        await follower.reached(town.chain.head.height)
        found = [await rows_of(database)]
        running.cancel()
    await follower.close()
    lists = []
    for url in (placed, placed, server.new_database()):
        database = PostgresDatabase(url)
        await rebuild(
            database, town.store, town.genesis, scratch=tmp_path, progress=lambda _, __: None
        )
        found.append(await rows_of(database))
        await database.close()
        connection = await asyncpg.connect(url)
        lists.append(await connection.fetch("SELECT * FROM starts ORDER BY 1, 2, 3, 4"))
        await connection.close()

    assert found[1:] == found[:1] * 3
    assert lists[0]
    assert lists[1:] == lists[:1] * 2
    connection = await asyncpg.connect(placed)
    kept = await connection.fetch(
        "SELECT relname, count(*) FROM pg_class JOIN pg_inherits ON inhparent = pg_class.oid"
        " WHERE relkind = 'p' GROUP BY relname"
    )
    await connection.close()
    assert dict(kept) == dict.fromkeys(DISTRIBUTED, PARTS)


async def test_whoever_asks_asks_one_part(server: PostgresServer) -> None:
    url = server.new_database()
    await place(url)
    connection = await asyncpg.connect(url, server_settings=LOOK_UPS)
    asked: dict[str, tuple[str, tuple[Any, ...]]] = {
        "WALK": (WALK, ("da", 9, 0, 0, 25)),
        "RANGE": (RANGE, ("da", 9, 0, 0, 1, 0, 0, 25)),
        "AMONG": (AMONG, ([9], [0], [0], "da")),
        "pick": (spelled_pick(HOLDERS), (CASH, [bytes(20)])),
        "take": (spelled_take(RECENT, POSTGRESQL), (0,)),
    }
    for name, statement in selects().items():
        compiled = spelled_select(statement, POSTGRESQL)
        given = {each: ANYTHING[each] for each in compiled.params}
        asked[name] = (str(compiled), values_of(compiled, given))
    for name, (sql, values) in asked.items():
        plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *values)
        (relation, *others) = set(re.findall(r'"Relation Name": "(\w+)"', plan)) - set(DISTRIBUTED)
        assert others == [], name
        assert relation in REFERENCES or relation[-1].isdigit(), name
    await connection.close()


async def test_a_table_of_another_form_is_made_anew(server: PostgresServer) -> None:
    url = server.new_database()
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE totals (asset text PRIMARY KEY, day bigint)")
    await connection.execute("CREATE TABLE starts (start text, height bigint)")
    database = PostgresDatabase(url)

    await database.clear()
    await database.write(lambda session: session.put(TOTALS, [("", 1, "applied", 1, "0")]))

    assert await database.read(TOTALS.select(), {}) == [("", 1, "applied", 1, "0")]
    assert len(await connection.fetch("SELECT start, height, item, part FROM starts")) == 0
    await connection.close()
    await database.close()


async def test_history_comes_in_pages_of_any_size_newest_first(databases: Databases) -> None:
    town = await random_town()
    await grow(town, Random(15), blocks=25)
    database = databases.new()
    await rebuild(
        database,
        town.store,
        town.genesis,
        scratch=databases.folder,
        progress=lambda _, __: None,
    )
    written = await database.read(HISTORY.select(), {})
    asked = Answers(database)
    accounts = sorted({account for account, _, item in written if item != BLOCK_ITEM})
    blocks = {height: key for key, height, item in written if item == BLOCK_ITEM}

    for account in accounts[:4]:
        expected = sorted(((row[1], row[2]) for row in written if row[0] == account), reverse=True)
        for limit in (1, 7, 200):
            found: list[tuple[int, int]] = []
            before = None
            while True:
                page, before = await asked.history(account, before, limit)
                found += [(each.height, each.item) for each in page]
                if before is None:
                    break
            assert found == expected
    assert await asked.history(bytes(20), None, 5) == ([], None)
    # A block stands there as well, under where its id begins; nothing happened to it.
    assert sorted(blocks) == list(range(1, town.chain.head.height + 1))
    assert await asked.history(blocks[3], None, 5) == ([], None)
    assert await asked.height_of(town.chain.head.block_id) == town.chain.head.height
    assert await asked.height_of(accounts[0] + bytes(12)) is None
    await database.close()
