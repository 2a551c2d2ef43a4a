"""What is of SQLite alone: one thread answers, and a question may not have it for long."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Integer, column, func, literal, select

from node.index import sqlite as sqlite_module
from node.index.errors import IndexOverrun
from node.index.schema import TEXTS
from node.index.sqlite import SqliteDatabase
from node.index.writing import READ_CHECKPOINT

_NUMBERS = select(literal(1).label("n")).cte("numbers", recursive=True)
ENDLESS = select(func.count()).select_from(
    _NUMBERS.union_all(select(column("n", Integer) + 1).select_from(_NUMBERS))
)
"""A question whose answer never comes."""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    made = SqliteDatabase(tmp_path / "index.sqlite")
    await made.open()
    yield made
    await made.close()


async def test_a_question_that_takes_too_long_ends(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_module, "READ_SECONDS_MAX", 0.2)
        with pytest.raises(IndexOverrun):
            await database.read(ENDLESS, {})

    assert await database.read(READ_CHECKPOINT, {}) == []


async def test_a_question_that_nobody_waits_for_any_more_ends(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_module, "READ_SECONDS_MAX", 600)
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(database.read(ENDLESS, {}), name="ask")
        await asyncio.sleep(0.1)
        asking.cancel()

    async with asyncio.timeout(60):
        assert await database.read(READ_CHECKPOINT, {}) == []


async def test_a_question_whose_time_ends_while_it_waits_stops_no_other(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_module, "READ_SECONDS_MAX", 600)
    async with asyncio.TaskGroup() as tasks:
        patient = tasks.create_task(database.read(ENDLESS, {}), name="ask")
        await asyncio.sleep(0.1)
        monkeypatch.setattr(sqlite_module, "READ_SECONDS_MAX", 0.1)
        waiting = tasks.create_task(_refused(database), name="wait")
        await asyncio.sleep(0.3)

        assert not patient.done()
        patient.cancel()
        assert await waiting


async def _refused(database: SqliteDatabase) -> bool:
    try:
        await database.read(READ_CHECKPOINT, {})
    except IndexOverrun:
        return True
    return False


async def test_a_page_of_what_is_common_costs_the_same_wherever_it_is(
    database: SqliteDatabase,
) -> None:
    """Counted in steps of SQLite's machine, which no other load changes."""
    texts = [f"disbursements{number % 500:03}" for number in range(20_000)]
    rows = [
        (1 + place // 20, 2 + place % 20, 0, "transaction", f"{place}", text, text)
        for place, text in enumerate(texts)
    ]
    await database.write(lambda session: session.add(TEXTS, rows))
    reader = database._open_reader()
    looks = 0

    def look() -> bool:
        nonlocal looks
        looks += 1
        return False

    reader.set_progress_handler(look, 10)
    costs = []
    for word in ("d", "disb", "disburse", "disbursement", "disbursements"):
        for height in (1 << 62, 500, 20):
            looks = 0
            found, _ = await database.find([word], (height, 0, 0), 25)
            assert len(found) == 25
            costs.append(looks)

    assert max(costs) < 200  # 20,000 texts would be some ten thousand
