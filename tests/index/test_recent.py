"""What of the history waits: how much may, which goes first, and that all of it is found."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from sqlalchemy import Select, select

from node.index import RebuildNeeded, recent
from node.index.answers import Answers
from node.index.database import Database, Row, Values
from node.index.projection import BLOCK_ITEM, HistoryRow
from node.index.rebuilding import rebuild
from node.index.recent import add_history
from node.index.schema import BUCKETS, HISTORY, RECENT
from node.index.writing import checkpoint_of
from tests.index.chains import grow, random_town, rows_of
from tests.index.conftest import Databases
from tests.index.test_rebuilding import rows_after_following


def some_rows(first_byte: int, heights: range) -> list[HistoryRow]:
    return [(bytes([first_byte]) + bytes(19), height, 2) for height in heights]


async def waiting_of(database: Database) -> Counter[int]:
    """Return how many rows wait, by bucket."""
    rows = await database.read(select(RECENT), {})
    return Counter(bucket for bucket, *_ in rows)


async def test_the_fullest_bucket_goes_where_more_wait_than_may(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "RECENT_MAX", 10)
    monkeypatch.setattr(recent, "BUCKET_ROWS_MAX", 7)
    await database.open()

    async def add(*rows: HistoryRow) -> None:
        await database.write(lambda session: add_history(session, rows))

    await add(*some_rows(1, range(1, 4)), *some_rows(2, range(1, 6)), *some_rows(255, range(1, 3)))
    assert await waiting_of(database) == {1: 3, 2: 5, 255: 2}

    await add(*some_rows(1, range(4, 5)))  # 11 wait, and the 5 of one bucket are the most
    assert await waiting_of(database) == {1: 4, 255: 2}
    assert len(await database.read(select(HISTORY), {})) == 5

    await add(*some_rows(1, range(5, 9)))  # 8 of one bucket, of 10 that wait
    assert await waiting_of(database) == {255: 2}
    history = await database.read(select(HISTORY), {})
    assert sorted(history) == [*some_rows(1, range(1, 9)), *some_rows(2, range(1, 6))]
    assert dict(await database.read(select(BUCKETS), {})) == {1: 0, 2: 0, 255: 2}


async def test_with_few_that_may_wait_it_is_equal_to_one_made_anew(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "RECENT_MAX", 15)
    monkeypatch.setattr(recent, "BUCKET_ROWS_MAX", 6)
    town = await random_town()
    await grow(town, Random(21), blocks=18)
    place = databases.place()
    await rows_after_following(databases.at(place), town)  # in one write
    await grow(town, Random(22), blocks=5)
    rows = await rows_after_following(databases.at(place), town)
    followed, anew = databases.at(place), databases.new()
    await rebuild(
        anew, town.store, town.genesis, scratch=databases.folder, progress=lambda _, __: None
    )

    assert rows == await rows_of(anew)
    await followed.open()
    waiting = await waiting_of(followed)
    assert 0 < waiting.total() <= 15
    assert max(waiting.values()) <= 6

    # What waits and what does not are one list to whoever asks.
    ours, theirs = Answers(followed), Answers(anew)
    accounts = sorted({account for account, _, item in rows["history"] if item != BLOCK_ITEM})
    for account in accounts:
        for limit in (1, 4, 200):
            before = None
            while True:
                page, following = await ours.history(account, before, limit)
                assert (page, following) == await theirs.history(account, before, limit)
                if following is None:
                    break
                before = following
    blocks = {height: key for key, height, item in rows["history"] if item == BLOCK_ITEM}
    assert len(blocks) == town.chain.head.height
    for height, key in blocks.items():
        assert await ours.height_of(key + bytes(12)) == height
    await followed.close()
    await anew.close()


class _Interrupted:
    """A database of which all that waits is put away between two questions."""

    def __init__(self, inner: Database) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def read(self, statement: Select[Any], values: Values) -> list[Row]:
        rows = await self._inner.read(statement, values)
        await self._inner.write(lambda session: add_history(session, []))
        return list(rows)


async def test_what_is_put_away_while_it_is_asked_for_is_found_once(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = await random_town()
    await grow(town, Random(23), blocks=10)
    place = databases.place()
    rows = await rows_after_following(databases.at(place), town)
    database = databases.at(place)
    await database.open()
    account, count = Counter(account for account, *_ in rows["history"]).most_common(1)[0]
    expected = sorted((row[1], row[2]) for row in rows["history"] if row[0] == account)[::-1]
    assert await waiting_of(database)

    monkeypatch.setattr(recent, "RECENT_MAX", 0)
    page, following = await Answers(_Interrupted(database)).history(account, None, count + 1)

    assert [(each.height, each.item) for each in page] == expected
    assert following is None
    assert not await waiting_of(database)
    await database.close()


def test_an_index_of_another_form_is_refused_with_what_to_do() -> None:
    """What it lacks would be missing without a word: taxpayers' changes, of the form before."""
    with pytest.raises(RebuildNeeded, match="form 3, this release writes 4"):
        checkpoint_of([(0, 3, bytes(32), 1, 0, 5, bytes(32), 0)])
