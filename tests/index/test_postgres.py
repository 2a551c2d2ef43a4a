"""The index on a real PostgreSQL: what it takes back, what breaks off, and how it looks up."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from node.index import follower as follower_module
from node.index import gathering
from node.index.arrays import WRITE_SETTINGS, spelled_drops, spelled_look_up, spelled_pick
from node.index.database import Database, ResultT, Session
from node.index.errors import IndexUnreachable
from node.index.postgres import ATTEMPTS_MAX, PostgresDatabase
from node.index.projection import Rows
from node.index.rebuilding import rebuild
from node.index.schema import CLASSES, HOLDERS, TOTALS
from node.index.writing import Checkpoint, put_checkpoint, read_checkpoint, write_rows
from tests.index.chains import follower_of, following, grow, random_town, rows_of
from tests.index.conftest import Databases
from tests.index.servers import PostgresServer
from tests.index.test_index import reached_in_the_end, rebuilt, rows_at

ACCOUNT = bytes(range(20))
CUT = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def url(server: PostgresServer) -> str:
    return server.new_database()


def some_rows(first: int) -> Rows:
    """Return what a block says in which somebody is given one rupee."""
    rows = Rows(first=first, height=first, block_id=bytes(32))
    rows.moves["PKR-CB", ACCOUNT] = 1
    rows.totals["PKR-CB", 7, "issued"] = [1, 1]
    return rows


async def begun(url: str) -> PostgresDatabase:
    """Return an index with one block."""
    database = PostgresDatabase(url)
    await database.open()
    checkpoint = Checkpoint(
        network=bytes(32), from_height=1, holders_from=0, height=0, block_id=b"", time_ms=0
    )
    await database.write(partial(put_checkpoint, checkpoint=checkpoint))
    await database.write(partial(write_rows, rows=some_rows(1), class_of=lambda _: "bank"))
    return database


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://index@[::1]:6543/khazana", "postgresql://[::1]:6543/khazana"),
        ("postgresql://host/khazana", "postgresql://host/khazana"),
        ("postgresql:///khazana?host=/run", "postgresql:///khazana"),
    ],
)
async def test_place_names_the_server_with_its_port_and_no_user(url: str, place: str) -> None:
    database = PostgresDatabase(url, "secret")
    try:
        assert database.place == place
    finally:
        await database.close()


async def test_a_transaction_that_is_not_serializable_is_done_again(url: str) -> None:
    database = await begun(url)
    attempts = 0

    async def work(session: Session) -> None:
        nonlocal attempts
        attempts += 1
        await read_checkpoint(session)
        if attempts < ATTEMPTS_MAX:
            other = await asyncpg.connect(url)
            await other.execute("UPDATE totals SET count = count")
            await other.close()
        await write_rows(session, some_rows(2), lambda _: "bank")

    await database.write(work)

    assert attempts == ATTEMPTS_MAX
    found = await rows_of(database)
    assert found["totals"] == [("PKR-CB", 7, "issued", 2, "2")]
    assert found["holders"] == [("PKR-CB", ACCOUNT, "bank", "2")]
    await database.close()


async def test_one_that_is_never_serializable_changes_nothing_and_says_so(url: str) -> None:
    database = await begun(url)
    before = await rows_of(database)

    attempts = 0

    async def work(session: Session) -> None:
        nonlocal attempts
        attempts += 1
        await read_checkpoint(session)
        other = await asyncpg.connect(url)
        await other.execute("UPDATE totals SET count = count")
        await other.close()
        await write_rows(session, some_rows(2), lambda _: "bank")

    with pytest.raises(IndexUnreachable, match="could not serialize access"):
        await database.write(work)

    assert attempts == ATTEMPTS_MAX
    assert await rows_of(database) == before
    await database.close()


async def test_one_that_waits_for_one_that_waits_for_it_is_done_again(url: str) -> None:
    settling = await asyncpg.connect(url)
    # Who begins to wait last finds out, and is to be taken back: the node.
    name = urlsplit(url).path[1:]
    await settling.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '10ms'")
    await settling.close()
    database = await begun(url)
    attempts = 0

    async def work(session: Session) -> None:
        nonlocal attempts
        attempts += 1
        if attempts > 1:
            await write_rows(session, some_rows(2), lambda _: "bank")
            return
        other = await asyncpg.connect(url, server_settings={"deadlock_timeout": "1min"})
        await other.execute("BEGIN; UPDATE totals SET count = count")
        await session.put(HOLDERS, [("PKR-CB", ACCOUNT, "bank", "7")])
        taken_back: Exception | None = None
        async with asyncio.TaskGroup() as tasks:
            theirs = other.execute("UPDATE holders SET total = total")
            tasks.create_task(theirs, name="other")
            await _one_waits(url)
            try:
                await session.put(TOTALS, [("PKR-CB", 7, "issued", 7, "7")])
            except asyncpg.DeadlockDetectedError as error:
                taken_back = error
        # The server has let go of what the node had locked, so the other one gets it and leaves.
        await other.execute("ROLLBACK")
        await other.close()
        assert taken_back is not None
        raise taken_back

    await database.write(work)

    assert attempts == 2
    found = await rows_of(database)
    assert found["totals"] == [("PKR-CB", 7, "issued", 2, "2")]
    assert found["holders"] == [("PKR-CB", ACCOUNT, "bank", "2")]
    await database.close()


async def _one_waits(url: str) -> None:
    """Wait until a connection waits for what another one has locked."""
    asking = await asyncpg.connect(url)
    asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while True:
        if await asking.fetchval(asked):
            break
    await asking.close()


class _Broken:
    """A database that breaks off in the midst of its n-th transaction, or right after it."""

    def __init__(
        self, inner: Database, breaks_at: int, how: Callable[[], Awaitable[None]], *, after: bool
    ) -> None:
        self._inner = inner
        self._left = breaks_at
        self._how = how
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def write(self, work: Callable[[Session], Awaitable[ResultT]]) -> ResultT:
        self._left -= 1

        async def broken(session: Session) -> ResultT:
            result = await work(session)
            await self._how()
            return result

        if self._left or self._after:
            result = await self._inner.write(work)
            if not self._left:
                await self._how()
            return result
        return await self._inner.write(broken)

    @property
    def has_broken(self) -> bool:
        return self._left <= 0


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("how", ["connection", "server"])
async def test_what_breaks_off_loses_and_doubles_nothing(
    server: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    after: bool,
) -> None:
    monkeypatch.setattr(gathering, "BLOCKS_AT_ONCE", 5)
    monkeypatch.setattr(follower_module, "RETRY_S", 0.001)
    databases = Databases("postgres", tmp_path, server)
    town = await random_town()
    await grow(town, Random(31), blocks=12)
    expected = await rebuilt(databases, town)
    place = databases.place()

    async def cut() -> None:
        other = await asyncpg.connect(place)
        await other.execute(CUT)
        await other.close()

    async def crash() -> None:
        # At once, without a word to anybody; begun again it recovers from its log.
        server.stop(signal.SIGQUIT)
        server.start()

    broken = _Broken(databases.at(place), 3, cut if how == "connection" else crash, after=after)
    follower = follower_of(broken, town)
    async with following(follower):
        await reached_in_the_end(follower, town)

    assert broken.has_broken
    assert await rows_at(databases, place) == expected


async def test_what_the_driver_says_of_a_connection_that_was_ended_is_no_end(url: str) -> None:
    """Which of its words it has for that is a matter of when it hears of it."""
    database = await begun(url)

    async def work(_: Session) -> None:
        raise asyncpg.InternalClientError("cannot switch to state 15")

    with pytest.raises(IndexUnreachable, match="the connection was ended"):
        await database.write(work)

    await database.close()


async def test_a_rebuild_that_breaks_off_is_no_index(
    server: PostgresServer, tmp_path: Path
) -> None:
    databases = Databases("postgres", tmp_path, server)
    town = await random_town()
    await grow(town, Random(32), blocks=6)
    expected = await rebuilt(databases, town)
    place = databases.place()

    async def cut() -> None:
        other = await asyncpg.connect(place)
        await other.execute(CUT)
        await other.close()

    broken = _Broken(databases.at(place), 2, cut, after=False)
    with pytest.raises(IndexUnreachable):
        await rebuild(
            broken, town.store, town.genesis, scratch=tmp_path, progress=lambda _, __: None
        )
    await broken.close()

    assert broken.has_broken
    assert (await rows_at(databases, place))["checkpoint"] == []
    follower = follower_of(databases.at(place), town)
    async with following(follower):
        await follower.reached(town.chain.head.height)
    assert await rows_at(databases, place) == expected


async def test_both_databases_have_the_same_rows(server: PostgresServer, tmp_path: Path) -> None:
    town = await random_town()
    await grow(town, Random(33), blocks=30)
    found = []
    for kind in ("sqlite", "postgres"):
        databases = Databases(kind, tmp_path, server if kind == "postgres" else None)
        place = databases.place()
        follower = follower_of(databases.at(place), town)
        async with following(follower):
            await follower.reached(town.chain.head.height)
        found += [await rows_at(databases, place), await rebuilt(databases, town)]

    first, *others = found
    assert all(first[name] for name in ("events", "history", "holders", "texts", "totals"))
    for other in others:
        for name, rows in first.items():
            assert other[name] == rows, name


async def test_nothing_that_is_written_reads_a_whole_table(url: str) -> None:
    database = await begun(url)
    accounts = [number.to_bytes(20) for number in range(20_000)]
    rows = [("GOLD", account, "bank", "1") for account in accounts]
    await database.write(lambda session: session.add(HOLDERS, rows))
    await database.finish()
    chosen = accounts[::5]
    asked: list[tuple[str, list[Any]]] = [
        (spelled_pick(HOLDERS), ["GOLD", chosen]),
        (spelled_look_up(HOLDERS), [["GOLD"] * len(chosen), chosen]),
        (spelled_drops(HOLDERS), [["GOLD"] * len(chosen), chosen]),
        (spelled_pick(CLASSES), ["GOLD", ["bank"]]),
    ]

    async def scans(connection: asyncpg.Connection) -> list[str]:
        plans = [
            await connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *values)
            for sql, values in asked
        ]
        return [node["Node Type"] for plan in plans for node in _nodes(json.loads(plan)[0]["Plan"])]

    left_alone = await asyncpg.connect(url)
    set_up = await asyncpg.connect(url, server_settings=WRITE_SETTINGS)

    assert "Seq Scan" in await scans(left_alone)  # so it matters
    assert "Index Scan" in await scans(set_up)
    assert not {"Seq Scan", "Gather", "Hash Join", "Merge Join"} & set(await scans(set_up))
    for connection in (left_alone, set_up):
        await connection.close()
    await database.close()


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for inner in plan.get("Plans", ()) for node in _nodes(inner))]
