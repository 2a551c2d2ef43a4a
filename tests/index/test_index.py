"""The index on both databases: followed, rebuilt and interrupted it is the same, row by row."""

import asyncio
import contextlib
import dataclasses
import io
import sqlite3
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from node.chain import Committed
from node.codec import encode
from node.index import follower as follower_module
from node.index import gathering
from node.index import sqlite as sqlite_module
from node.index.database import Database
from node.index.errors import IndexFailure, IndexUnreachable, IndexUnusable
from node.index.follower import Follower
from node.index.projection import Rows
from node.index.rebuilding import rebuild
from node.index.sqlite import SqliteDatabase
from node.index.writing import Checkpoint, put_checkpoint, write_rows
from node.ledger.operations import HoldAccount, Propose
from node.ledger.tables import HOLDINGS
from node.log import open_log
from tests.chain.town import BANK, Town, address_of
from tests.index.chains import CENTRAL, REBUILD, follower_of, following, grow, random_town, rows_of
from tests.index.conftest import Databases
from tests.index.dying import Dying


def _ignore(_: str, __: int) -> None: ...


async def rows_at(databases: Databases, place: str) -> dict[str, Any]:
    database = databases.at(place)
    try:
        await database.open(write=False)
        return await rows_of(database)
    finally:
        await database.close()


async def rebuilt(databases: Databases, town: Town) -> dict[str, Any]:
    """Return the rows of an index that is made anew of what the store holds."""
    place = databases.place()
    database = databases.at(place)
    try:
        await rebuild(
            database, town.store, town.genesis, scratch=databases.folder, progress=_ignore
        )
    finally:
        await database.close()
    return await rows_at(databases, place)


def held(town: Town) -> dict[tuple[str, bytes], int]:
    """Return what the state says that everybody has."""
    rows = town.chain.scan(HOLDINGS, b"", 10_000)
    return {(key[20:].decode(), key[:20]): record.available + record.held for key, record in rows}


def check_holders(rows: dict[str, Any], town: Town) -> None:
    found = {(asset, account): int(total) for asset, account, _, total in rows["holders"]}
    assert found == held(town)
    assert sum(int(total) for *_, total in rows["holder_classes"]) == sum(found.values())
    assert sum(count for _, _, count, _ in rows["holder_classes"]) == len(found)


@pytest.mark.parametrize("seed", [1, 3])
async def test_what_is_followed_and_what_is_rebuilt_is_equal_to_the_last_row(
    databases: Databases, seed: int
) -> None:
    chance = Random(seed)
    town = await random_town()
    place = databases.place()
    for _ in range(4):
        # A node starts, is told of most blocks and reads the others, and stops; meanwhile blocks
        # come that it hears nothing of.
        follower = follower_of(databases.at(place), town)

        def told(committed: Committed, follower: Follower = follower) -> None:
            if chance.random() < 0.8:
                follower.note(committed)

        town.chain.listeners.append(told)
        async with following(follower):
            for _ in range(6):
                await grow(town, chance, blocks=1)
                await asyncio.sleep(chance.choice((0, 0, 0.01)))
            town.chain.listeners[:] = [follower.note]
            await grow(town, chance, blocks=1)
            await follower.reached(town.chain.head.height)
        town.chain.listeners.clear()
        await grow(town, chance, blocks=chance.randrange(5))
    follower = follower_of(databases.at(place), town)
    async with following(follower):
        await follower.reached(town.chain.head.height)

    rows = await rows_at(databases, place)
    assert rows == await rebuilt(databases, town)
    check_holders(rows, town)


@pytest.mark.parametrize("after", [False, True])
async def test_a_transaction_cut_off_at_any_moment_loses_and_doubles_nothing(
    databases: Databases, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "BLOCKS_AT_ONCE", 5)
    monkeypatch.setattr(follower_module, "RETRY_S", 0.001)
    town = await random_town()
    await grow(town, Random(9), blocks=12)
    expected = await rebuilt(databases, town)

    for dies_at in (1, 2, 4):
        place = databases.place()
        dying = Dying(databases.at(place), dies_at=dies_at, after=after)
        follower = follower_of(dying, town)
        async with following(follower):
            await reached_in_the_end(follower, town)
        assert await rows_at(databases, place) == expected


async def reached_in_the_end(follower: Follower, town: Town) -> None:
    while True:
        try:
            await follower.reached(town.chain.head.height)
        except IndexFailure:
            await asyncio.sleep(0.002)  # it tries again by itself
        else:
            return


async def test_pruned_blocks_are_said_to_be_missing_and_holders_are_whole_all_the_same(
    databases: Databases,
) -> None:
    chance = Random(4)
    town = await random_town(keep_blocks=5)
    await grow(town, chance, blocks=60)
    earliest = town.chain.history.earliest
    assert earliest > 1
    place = databases.place()
    follower = follower_of(databases.at(place), town)
    town.chain.listeners.append(follower.note)
    async with following(follower):
        await follower.reached(town.chain.head.height)
        await grow(town, chance, blocks=6)
        await follower.reached(town.chain.head.height)

    rows = await rows_at(databases, place)

    check_holders(rows, town)
    assert min(height for height, *_ in rows["events"]) >= earliest
    ((_, _, _, from_height, holders_from, height, *_),) = rows["checkpoint"]
    assert from_height == earliest
    assert holders_from == height - 6


async def test_an_index_that_missed_blocks_which_are_gone_begins_anew(
    databases: Databases,
) -> None:
    chance = Random(5)
    town = await random_town(keep_blocks=5)
    place = databases.place()
    follower = follower_of(databases.at(place), town)
    async with following(follower):
        await follower.reached(town.chain.head.height)
    while town.chain.history.earliest <= 20:
        await grow(town, chance, blocks=10)

    follower = follower_of(databases.at(place), town)
    async with following(follower):
        await follower.reached(town.chain.head.height)

    rows = await rows_at(databases, place)
    check_holders(rows, town)
    assert rows == await rebuilt(databases, town)


async def test_what_is_not_the_index_of_this_chain_is_refused_and_left_alone(
    databases: Databases,
) -> None:
    town = await random_town()
    await grow(town, Random(6), blocks=5)
    place = databases.place()
    follower = follower_of(databases.at(place), town)
    async with following(follower):
        good = await follower.reached(town.chain.head.height)
    cases = {
        "of the network": replace_checkpoint(good, network=bytes(32)),
        "on the chain$": replace_checkpoint(good, block_id=bytes(32)),
    }

    for sentence, spoiled in cases.items():
        database = databases.at(place)
        await database.open()
        await database.write(partial(put_checkpoint, checkpoint=spoiled))
        await database.close()
        before = await rows_at(databases, place)
        said = io.StringIO()
        follower = follower_of(databases.at(place), town, log=open_log(said, now_ms=lambda: 0))
        async with following(follower):
            with pytest.raises(IndexFailure, match=sentence):
                await follower.reached(town.chain.head.height)
        assert await rows_at(databases, place) == before
        # Another network's index is somebody's: making ours of it is not what is wanted.
        told = f"stop this node, run `{REBUILD}`, and start it" in said.getvalue()
        assert told == (sentence == "on the chain$")


async def test_two_nodes_on_one_index_are_found_out(databases: Databases) -> None:
    town = await random_town()
    place = databases.place()
    first, second = (follower_of(databases.at(place), town) for _ in range(2))
    town.chain.listeners += [first.note, second.note]
    async with following(first):
        await first.reached(town.chain.head.height)
    first = follower_of(databases.at(place), town)
    town.chain.listeners[0] = first.note
    async with following(first), following(second):
        for each in (first, second):
            await each.reached(town.chain.head.height)
        for _ in range(3):
            await grow(town, Random(7), blocks=1)
        with pytest.raises(IndexFailure, match=r"another process writes|One index has one node"):
            await asyncio.gather(*(each.reached(1_000) for each in (first, second)))

    rows = await rows_at(databases, place)
    items = [(height, item) for height, item, *_ in rows["events"]]
    assert len(items) == len(set(items))


async def test_a_database_that_is_away_delays_no_block_and_is_made_up_for(
    tmp_path: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "RETRY_S", 0.01)
    monkeypatch.setattr(follower_module, "BLOCKS_WAITING_MAX", 4)
    databases = Databases("postgres", tmp_path, server)
    town = await random_town()
    place = databases.place()
    follower = follower_of(databases.at(place), town)
    town.chain.listeners.append(follower.note)
    async with following(follower):
        await follower.reached(town.chain.head.height)
        server.stop()
        await grow(town, Random(8), blocks=20)
        with pytest.raises(IndexFailure):
            await follower.reached(town.chain.head.height)
        with pytest.raises(IndexUnreachable):
            await follower.answers.classes("PKR-CB")
        assert follower.blocks_waiting <= 4
        server.start()
        await reached_in_the_end(follower, town)

    assert await rows_at(databases, place) == await rebuilt(databases, town)


async def test_a_database_that_takes_nothing_is_tried_ever_more_seldom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as on a full disk: it can be opened and read, which is no sign of being mended."""
    monkeypatch.setattr(sqlite_module, "BUSY_SECONDS", 0.0)
    place = tmp_path / "index.sqlite"
    town = await random_town()
    follower = follower_of(SqliteDatabase(place), town)
    town.chain.listeners.append(follower.note)
    sleep, pauses = asyncio.sleep, list[float]()

    async def noted(delay: float) -> None:
        if delay >= follower_module.RETRY_S:
            pauses.append(delay)
        await sleep(0)

    async with following(follower):
        await follower.reached(town.chain.head.height)
        monkeypatch.setattr(asyncio, "sleep", noted)
        for _ in range(2):
            pauses.clear()
            with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                await grow(town, Random(8), blocks=1)
                async with asyncio.timeout(90):
                    while len(pauses) < 4:
                        await sleep(0)
                assert follower.failure is not None
                assert "locked" in follower.failure
                assert pauses[:4] == [1.0, 2.0, 4.0, 8.0]
            async with asyncio.timeout(90):
                while follower.failure is not None:
                    await sleep(0)
            assert (await follower.reached(town.chain.head.height)).height


async def test_a_text_that_a_database_cannot_hold_ends_no_index(databases: Databases) -> None:
    town = await random_town()
    proposed = HoldAccount(
        account=CENTRAL,
        approvers=(),
        target=address_of(BANK, "a1"),
        reason="locust\0swarm",
        legal_reference="F-9",
    )
    await town.decide(
        town.transaction(
            [
                Propose(
                    account=CENTRAL,
                    operations=encode((proposed,)),
                    expires_ms=town.clock.now_ms() + 5_000,
                )
            ],
            ["central-bank"],
        )
    )
    follower = follower_of(databases.new(), town)

    async with following(follower):
        await follower.reached(town.chain.head.height)

        found, _ = await follower.answers.find("swarm", None, 10)
        assert [each.text for each in found] == ["locust\N{REPLACEMENT CHARACTER}swarm F-9"]


async def test_sums_may_be_larger_than_any_integer_of_a_database(database: Database) -> None:
    town = await random_town()
    await database.open()
    largest = (1 << 64) - 1
    checkpoint = Checkpoint(
        network=town.genesis.hash,
        from_height=1,
        holders_from=0,
        height=0,
        block_id=b"",
        time_ms=0,
    )
    await database.write(partial(put_checkpoint, checkpoint=checkpoint))
    for height in (1, 2, 3):
        rows = Rows(first=height, height=height, block_id=bytes(32))
        rows.moves["GOLD", bytes([height]) * 20] = largest
        rows.totals["GOLD", 7, "issued"] = [1, largest]
        await database.write(partial(write_rows, rows=rows, class_of=lambda _: "bank"))

    found = await rows_of(database)

    assert found["holder_classes"] == [("GOLD", "bank", 3, str(3 * largest))]
    assert found["totals"] == [("GOLD", 7, "issued", 3, str(3 * largest))]
    taken = Rows(first=4, height=4, block_id=bytes(32))
    taken.moves["GOLD", bytes([1]) * 20] = -largest - 1
    with pytest.raises(IndexUnusable, match="would have -1 of GOLD"):
        await database.write(partial(write_rows, rows=taken, class_of=lambda _: "bank"))
    assert await rows_of(database) == found


def replace_checkpoint(checkpoint: Checkpoint, **changes: Any) -> Checkpoint:
    return dataclasses.replace(checkpoint, **changes)
