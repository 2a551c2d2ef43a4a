"""An index made anew: whatever ends it, what is there is whole or is no index."""

import asyncio
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from node.index import filling as filling_module
from node.index import gathering
from node.index import runs as runs_module
from node.index.database import Database
from node.index.errors import IndexUnreachable, IndexUnusable
from node.index.filling import Filling
from node.index.rebuilding import rebuild
from node.index.writing import Checkpoint, put_checkpoint
from tests.chain.town import Town
from tests.index.chains import follower_of, grow, random_town, rows_of
from tests.index.conftest import Databases
from tests.index.dying import Dying


@pytest.fixture(autouse=True)
def in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "BLOCKS_AT_ONCE", 3)
    monkeypatch.setattr(gathering, "HOLDINGS_AT_ONCE", 2)
    monkeypatch.setattr(filling_module, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(runs_module, "GATHERED_MAX", 10)
    monkeypatch.setattr(runs_module, "RUNS_MAX", 2)
    monkeypatch.setattr(runs_module, "BUFFERED", 3)


async def rows_followed(databases: Databases, town: Town) -> dict[str, Any]:
    """Return the rows of an index that a node keeps."""
    return await rows_after_following(databases.new(), town)


async def rows_after_following(database: Database, town: Town) -> dict[str, Any]:
    follower = follower_of(database, town)
    try:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(follower.run(), name="index")
            await follower.reached(town.chain.head.height)
            rows = await rows_of(database)
            running.cancel()
    finally:
        await follower.close()
    return rows


async def make_anew(database: Database, town: Town, scratch: Path) -> Checkpoint:
    return await rebuild(
        database, town.store, town.genesis, scratch=scratch, progress=lambda _, __: None
    )


@pytest.mark.parametrize("keep_blocks", [0, 6])
async def test_made_anew_in_small_pieces_it_is_equal_to_the_last_row(
    databases: Databases, tmp_path: Path, keep_blocks: int
) -> None:
    town = await random_town(keep_blocks=keep_blocks)
    await grow(town, Random(11), blocks=50)
    database = databases.new()
    told: list[tuple[str, int]] = []

    checkpoint = await rebuild(
        database,
        town.store,
        town.genesis,
        scratch=tmp_path,
        progress=lambda what, done: told.append((what, done)),
    )

    rows = await rows_of(database)
    await database.close()
    assert rows == await rows_followed(databases, town)
    assert checkpoint.height == town.chain.head.height
    assert (checkpoint.from_height == 1) is (keep_blocks == 0)
    assert dict(told) == {
        "blocks": checkpoint.height,
        "rows of history": len(rows["history"]),
        "holders": len(rows["holders"]),
    }


@pytest.mark.parametrize("after", [False, True])
async def test_cut_off_at_any_moment_it_is_no_index_and_begins_anew(
    databases: Databases, tmp_path: Path, after: bool
) -> None:
    town = await random_town()
    await grow(town, Random(12), blocks=5)
    counting = Dying(databases.new(), dies_at=1 << 30, after=after)
    await make_anew(counting, town, tmp_path)
    expected = await rows_of(counting)
    await counting.close()
    transactions = (1 << 30) - counting.left
    assert transactions > 8
    whole = 0

    for dies_at in (transactions // 2, transactions):
        place = databases.place()
        dying = Dying(databases.at(place), dies_at=dies_at, after=after)
        with pytest.raises(IndexUnreachable, match="cut off"):
            await make_anew(dying, town, tmp_path)
        left_behind = await rows_of(dying)
        await dying.close()
        # Either all of it is there, or nothing says that anything is.
        if left_behind["checkpoint"]:
            whole += 1
            assert left_behind == expected
        assert await rows_after_following(databases.at(place), town) == expected

    assert whole == (1 if after else 0)


async def test_who_writes_into_an_index_that_is_filled_is_found_out(
    databases: Databases, tmp_path: Path
) -> None:
    town = await random_town()
    await grow(town, Random(13), blocks=12)
    place = databases.place()
    database, other = databases.at(place), databases.at(place)
    theirs = Checkpoint(
        network=town.genesis.hash,
        from_height=1,
        holders_from=0,
        height=0,
        block_id=b"",
        time_ms=0,
    )

    class Intruded(Dying):
        async def clear(self) -> None:
            await self._inner.clear()
            await other.open()
            await other.write(partial(put_checkpoint, checkpoint=theirs))

    with pytest.raises(IndexUnusable, match="while it is filled: another process writes"):
        await make_anew(Intruded(database, dies_at=0, after=False), town, tmp_path)

    await database.close()
    await other.close()


async def test_a_disk_that_does_not_take_what_is_sorted_is_said(
    databases: Databases, tmp_path: Path
) -> None:
    town = await random_town()
    database = databases.new()

    with pytest.raises(IndexUnreachable, match="sorted for the index: No such file"):
        await make_anew(database, town, tmp_path / "gone")

    await database.close()


def test_less_than_nothing_is_refused_and_what_is_even_is_nobodys(tmp_path: Path) -> None:
    filling = Filling(tmp_path, lambda _: "bank")
    rich, even, poor = (bytes([first]) * 20 for first in (1, 2, 3))
    largest = (1 << 64) - 1
    for change in (largest, largest, -1):
        filling.hold({("GOLD", rich): change})
    filling.hold({("GOLD", even): 5, ("A", poor): 3})
    filling.hold({("GOLD", even): -5})

    rows = [row for piece in filling.holders() for row in piece]

    assert rows == [("A", poor, "bank", "3"), ("GOLD", rich, "bank", str(2 * largest - 1))]
    assert filling.classes() == [("A", "bank", 1, "3"), ("GOLD", "bank", 1, str(2 * largest - 1))]
    filling.close()
    lacking = Filling(tmp_path, lambda _: "bank")
    lacking.hold({("GOLD", poor): -1})
    with pytest.raises(IndexUnusable, match="would have -1 of GOLD"):
        list(lacking.holders())
    lacking.close()
