"""The databases that the tests of the index run on."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from node.index.database import Database
from node.index.sqlite import SqliteDatabase
from tests.index.servers import WHY_NOT, PostgresServer, postgres_server


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    if WHY_NOT is not None:
        pytest.skip(WHY_NOT)
    pytest.importorskip("asyncpg", reason="asyncpg is not installed (the extra `postgres`)")
    with postgres_server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    if chosen == "postgres":
        request.getfixturevalue("server")
    return chosen


class Databases:
    """Makes databases of one kind, each empty."""

    def __init__(self, kind: str, folder: Path, server: PostgresServer | None) -> None:
        self.kind = kind
        self.folder = folder
        self._server = server
        self._made = 0

    def new(self) -> Database:
        self._made += 1
        if self._server is None:
            return self.at(str(self.folder / f"index-{self._made}.sqlite"))
        return self.at(self._server.new_database())

    def at(self, place: str) -> Database:
        """Return the database at a place where there may be one already."""
        if self._server is None:
            return SqliteDatabase(Path(place))
        from node.index.postgres import PostgresDatabase

        return PostgresDatabase(place)

    def place(self) -> str:
        """Return a place where there is none yet."""
        if self._server is None:
            self._made += 1
            return str(self.folder / f"index-{self._made}.sqlite")
        return self._server.new_database()


@pytest.fixture
def databases(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Databases:
    server = request.getfixturevalue("server") if kind == "postgres" else None
    return Databases(kind, tmp_path, server)


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[Database]:
    made = databases.new()
    yield made
    await made.close()
