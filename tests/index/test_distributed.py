"""What a distributed PostgreSQL asks of tables and statements, and what the page says of it."""

import ast
import re
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from sqlalchemy import Select, Table

from node.index import answers, writing
from node.index.answers import Answers
from node.index.arrays import spelled_drops, spelled_look_up, spelled_pick, spelled_puts
from node.index.projection import BLOCK_ITEM
from node.index.rebuilding import rebuild
from node.index.schema import CHECKPOINT, CLASSES, EVENTS, HISTORY, HOLDERS, METADATA, TOTALS
from node.index.starts import AMONG, MAKE_STARTS, RANGE, TEXTS_AT, WALK
from node.index.statements import (
    POSTGRESQL,
    spelled_select,
    spelled_tables,
)
from tests.index.chains import grow, random_town
from tests.index.conftest import Databases

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
