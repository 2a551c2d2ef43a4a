"""On which threads the index works, and that nothing piles up before them: on both databases."""

import asyncio
import threading
from functools import partial
from random import Random
from typing import Any

import pytest
from sqlalchemy import Integer, column, func, literal, select

from node.index import turns as turns_module
from node.index.aside import Aside
from node.index.database import Database, Session
from node.index.errors import IndexOverrun
from node.index.writing import READ_CHECKPOINT
from tests.index.chains import follower_of, grow, random_town
from tests.index.conftest import Databases

_NUMBERS = select(literal(1).label("n")).cte("numbers", recursive=True)
LONG = select(func.count()).select_from(
    _NUMBERS.union_all(
        select(column("n", Integer) + 1).select_from(_NUMBERS).where(column("n", Integer) < 10**9)
    )
)
"""A question that takes longer than any test."""
HELD_UP_S = 30.0
"""After which a write goes on that waits for a loop which it holds up."""


async def test_no_row_is_made_on_the_loop_of_the_node(databases: Databases) -> None:
    ours = threading.get_ident()
    town = await random_town()
    await grow(town, Random(14), blocks=5)
    threads: set[int] = set()

    class Watched:
        """A database that notes on which thread it is written to."""

        def __init__(self, inner: Database) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        async def write(self, work: Any) -> Any:
            async def watched(session: Session) -> Any:
                threads.add(threading.get_ident())
                return await work(session)

            return await self._inner.write(watched)

    follower = follower_of(Watched(databases.new()), town)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(follower.run(), name="index")
        await follower.reached(town.chain.head.height)
        running.cancel()
    await follower.close()

    assert len(threads) == 1
    assert ours not in threads


async def test_a_long_write_does_not_hold_up_the_loop(database: Database) -> None:
    await database.open()
    began, turned = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    async def long(_: Session) -> bool:
        loop.call_soon_threadsafe(began.set)
        return turned.wait(HELD_UP_S)  # as making rows would take until the loop has turned

    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(database.write(long), name="write")
        await began.wait()
        for _ in range(100):
            await asyncio.sleep(0)
        turned.set()

    assert writing.result()


async def test_no_more_questions_wait_than_may(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database.open()
    monkeypatch.setattr(turns_module, "QUESTIONS_MAX", 3)
    async with asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(database.read(LONG, {}), name="ask") for _ in range(3)]
        await asyncio.sleep(0)
        for ask in (partial(database.read, READ_CHECKPOINT, {}), partial(_find, database)):
            with pytest.raises(IndexOverrun, match="3 questions wait for the index already"):
                await ask()
        for each in asking:
            each.cancel()

    # Whoever no longer waits has no turn any more.
    assert await database.read(READ_CHECKPOINT, {}) == []


async def _find(database: Database) -> Any:
    return await database.find(["rent"], (1 << 62, 0, 0), 5)


async def test_a_loop_aside_ends_with_what_is_under_way_on_it() -> None:
    ended = threading.Event()
    began = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def endless() -> None:
        loop.call_soon_threadsafe(began.set)
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    aside = Aside("aside")
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(_let_down(aside.run(endless())), name="wait")
        await began.wait()

        await aside.close()

        assert ended.is_set()
        assert await waiting
    assert "aside" not in {thread.name for thread in threading.enumerate()}
    await Aside("never").close()  # of which nothing ever ran


async def _let_down(waiting: Any) -> bool:
    try:
        await waiting
    except asyncio.CancelledError:
        return True
    return False
