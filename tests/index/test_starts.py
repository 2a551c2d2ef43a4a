"""The full text in PostgreSQL: what a page of it walks, wherever it is in the past."""

import json
from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any

import asyncpg
import pytest

from node.index import starts as starts_module
from node.index.arrays import LOOK_UPS
from node.index.postgres import PostgresDatabase
from node.index.schema import TEXTS
from node.index.starts import WALK, find, starts_of
from tests.index.servers import PostgresServer

TOP = (1 << 62, 0, 0)


def some_texts(count: int) -> list[tuple[Any, ...]]:
    """Return texts of which all have a long word's beginning, one in 500 the whole of a word."""
    texts = [
        f"disbursements{place % 500:03} {'odd' if place % 2 else 'even'}" for place in range(count)
    ]
    return [
        (1 + place // 20, 2 + place % 20, 0, "transaction", f"{place}", text, text)
        for place, text in enumerate(texts)
    ]


@pytest.fixture
async def url(server: PostgresServer) -> str:
    made: str = server.new_database()
    return made


@pytest.fixture
async def connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    made = await asyncpg.connect(url, server_settings=LOOK_UPS)
    yield made
    await made.close()


class _Counted:
    """A connection that counts what it is asked."""

    def __init__(self, inner: asyncpg.Connection) -> None:
        self._inner = inner
        self.asked = 0

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        self.asked += 1
        found: list[Any] = await self._inner.fetch(query, *values)
        return found


async def fill(url: str, rows: Sequence[tuple[Any, ...]]) -> None:
    database = PostgresDatabase(url)
    await database.open()
    await database.write(lambda session: session.add(TEXTS, rows))
    await database.close()


def blocks_of(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


async def test_a_page_of_what_is_common_reads_the_same_wherever_it_is(
    url: str, connection: asyncpg.Connection
) -> None:
    """Counted in blocks of the server, which no other load changes."""
    await fill(url, some_texts(10_000))
    walked = 0
    counted = _Counted(connection)

    for word in ("d", "disb", "disbursement", "disbursements"):
        for height in (1 << 62, 500, 20):
            explained = await connection.fetchval(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {WALK}", word[:12], height, 0, 0, 26
            )
            walked = max(walked, blocks_of(json.loads(explained)[0]["Plan"]))
            rows, further = await find(counted, [word], (height, 0, 0), 26)
            assert (len(rows), further) == (26, None)
    assert walked < 15, walked  # blocks, of some 60 that the list of a beginning has
    assert counted.asked == 2 * 12  # a list, and the texts

    counted.asked = 0
    found, _ = await find(counted, ["disb", "even", "disbursements002"], TOP, 5)
    assert [row[6] for row in found] == ["disbursements002 even"] * 5
    # Of three lists, none rare: what they have in common is walked on in larger and larger pieces.
    assert counted.asked < 3 + 4 * 8


@pytest.mark.parametrize("read", [1, 3])
async def test_what_several_words_have_in_common_is_found_however_it_is_looked_for(
    url: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, read: int
) -> None:
    monkeypatch.setattr(starts_module, "WALKED_FIRST", 8)
    monkeypatch.setattr(starts_module, "WALKED_AT_ONCE_MAX", 64)
    monkeypatch.setattr(starts_module, "LOOKED_UP_MAX", 4)
    monkeypatch.setattr(starts_module, "READ_FOR_EACH_MAX", read)
    chance = Random(41)
    shares = {"bank": 0.7, "barley": 0.4, "cotton": 0.3, "dates": 0.05, "eggs": 0.3}
    rows = []
    for place in range(1_500):
        # Some are common in the newer half alone, so that stretches of lists differ in length.
        words = [
            word
            for word, share in shares.items()
            if chance.random() < (share if word != "eggs" or place > 750 else 0.01)
        ]
        body = " ".join(words or ["nothing"])
        rows.append((1 + place // 20, 2 + place % 20, 0, "transaction", f"{place}", body, body))
    await fill(url, rows)

    for asked in (
        ["bank", "cotton"],
        ["ba", "cotton"],
        ["bank", "barley", "cotton", "eggs"],
        ["eggs", "bank"],
        ["dates", "bank", "barley"],
        ["cotton", "absent"],
    ):
        expected = [
            row
            for row in sorted(rows, reverse=True)
            if all(any(word.startswith(each) for word in row[6].split()) for each in asked)
        ]
        for before, limit in ((TOP, 2_000), (TOP, 7), ((40, 0, 0), 7)):
            newest = [row for row in expected if row[:3] < before][:limit]
            assert await find(connection, asked, before, limit) == (newest, None), asked
    await check_goes_on(connection, rows, monkeypatch)


async def check_goes_on(
    connection: asyncpg.Connection,
    rows: Sequence[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Hold that a question ends after some of a long way, and the next one goes on from there."""
    monkeypatch.setattr(starts_module, "WALKED_MAX", 20)
    for asked, questions in ((["dates", "bank", "barley"], 3), (["eggs", "absent"], 1)):
        expected = [row for row in sorted(rows, reverse=True) if set(asked) <= set(row[6].split())]
        found: list[tuple[Any, ...]] = []
        before: tuple[int, int, int] | None = TOP
        counted = _Counted(connection)
        while before is not None:
            page, before = await find(counted, asked, before, 30)
            found += page
            assert counted.asked <= 8  # three lists, a stretch and look-ups of two, the texts
            counted.asked = 0
            questions -= 1
        assert found == expected
        assert questions == 0


async def test_an_index_that_was_made_before_gets_its_lists(
    url: str, connection: asyncpg.Connection
) -> None:
    rows = some_texts(700)
    await fill(url, rows)
    expected = await connection.fetch("SELECT * FROM starts ORDER BY 1, 2, 3, 4")
    assert [tuple(row) for row in expected] == starts_of(rows)
    await connection.execute("DROP TABLE starts")

    await fill(url, [])

    assert await connection.fetch("SELECT * FROM starts ORDER BY 1, 2, 3, 4") == expected
    found, _ = await find(connection, ["odd"], TOP, 1_000)
    assert len(found) == 350
