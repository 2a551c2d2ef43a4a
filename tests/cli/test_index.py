"""`khazana index`: what it prints, and how it ends."""

import asyncio
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from node.app.followers import make_index
from node.chain import Chain
from node.cli.exits import Exit
from node.cli.upkeep import load_home
from node.index import IndexFailure
from node.index.schema import FORMAT
from node.log import open_log
from node.metrics import Metrics
from node.storage import open_leveldb
from tests.cli.asked import here, run
from tests.cli.running import khazana
from tests.index.chains import following
from tests.upkeep.builders import disk_town, write_home_of


@pytest.fixture
def home(tmp_path: Path) -> Path:
    genesis = asyncio.run(disk_town(tmp_path / "home/data/chain"))
    return write_home_of(tmp_path / "home", genesis)


def configure(home: Path, database: str) -> None:
    path = home / "node.toml"
    path.write_text(path.read_text() + f'\n[index]\ndatabase = "{database}"\n')


def test_an_index_is_made_of_the_blocks_and_says_how_far_it_is(home: Path) -> None:
    configure(home, "sqlite")

    missing = here("index", "status", "--home", home)
    made = here("index", "rebuild", "--home", home)
    status = here("index", "status", "--home", home, "--json")

    assert missing.code == Exit.DAMAGED
    assert "no index was ever written there" in missing.err
    assert (made.code, made.err) == (Exit.OK, "")
    assert "made anew from block 1 to 12" in made.out
    assert (status.json["height"], status.json["from_height"]) == (12, 1)
    assert status.json["database"] == str(home / "data/index.sqlite")
    assert here("index", "rebuild", "--home", home, "--json").json["height"] == 12


def test_a_node_without_an_index_and_one_that_runs_are_refused(home: Path) -> None:
    configure(home, "off")
    refused = here("index", "status", "--home", home)
    assert refused.code == Exit.REFUSED
    assert "index.database is 'off'" in refused.err
    assert "[index]" in refused.err
    path = home / "node.toml"
    path.write_text(path.read_text().replace('"off"', '"sqlite"'))
    store = open_leveldb(home / "data/chain", create=False)
    try:
        running = khazana("index", "rebuild", "--home", home)
    finally:
        store.close()
    assert running.code == Exit.DAMAGED
    assert "in use by another process" in running.err


def test_what_is_no_database_is_refused_with_what_to_do(home: Path) -> None:
    configure(home, "sqlite")
    (home / "data/index.sqlite").write_bytes(b"no database at all, and longer than a header" * 99)

    status = here("index", "status", "--home", home)
    rebuilt = here("index", "rebuild", "--home", home)

    assert status.code == Exit.DAMAGED
    assert f"stop the node, `khazana index rebuild --home {home}`, and start it" in status.err
    assert "(khazana explain index-to-rebuild)" in status.err
    assert (rebuilt.code, rebuilt.err) == (Exit.OK, "")
    assert here("index", "status", "--home", home).code == Exit.OK


def test_the_doctor_says_whether_an_index_can_go_on_and_what_to_do(home: Path) -> None:
    def findings() -> dict[str, Any]:
        ran = here("doctor", "--home", home, "--timeout", "0.1", "--json")
        return {each["check"]: each for each in ran.json["findings"]}

    def finding() -> dict[str, Any]:
        return cast("dict[str, Any]", findings()["index"])

    def write(column: str, value: object) -> None:
        with closing(sqlite3.connect(home / "data/index.sqlite")) as database, database:
            database.execute(f"UPDATE checkpoint SET {column} = ?", (value,))

    configure(home, "sqlite")
    unmade = finding()
    assert here("index", "rebuild", "--home", home).code == Exit.OK
    sound = finding()
    write("format", FORMAT - 1)
    older = finding()
    write("format", FORMAT)
    write("network", bytes(32))
    strange = finding()

    assert (unmade["verdict"], sound["verdict"]) == ("ok", "ok")
    assert unmade["found"].startswith("none yet")
    assert sound["found"].endswith("stands at block 12")
    assert (older["verdict"], strange["verdict"]) == ("failed", "failed")
    assert f"has the form {FORMAT - 1}, this release writes {FORMAT}" in older["found"]
    assert f"`khazana index rebuild --home {home}`" in older["advice"]
    assert f"of the network {bytes(32).hex()}" in strange["found"]
    (home / "node.toml").write_text((home / "node.toml").read_text().replace('"sqlite"', '"off"'))
    assert "index" not in findings()


async def test_the_log_of_a_node_says_by_which_command_its_index_is_made_anew(home: Path) -> None:
    configure(home, "sqlite")
    assert (await run("index", "rebuild", "--home", home)).code == Exit.OK
    with closing(sqlite3.connect(home / "data/index.sqlite")) as database, database:
        database.execute("UPDATE checkpoint SET format = format - 1")
    place, said = load_home(home), io.StringIO()
    store = open_leveldb(place.chain, create=False)
    try:
        index = make_index(
            store,
            config=place.config,
            chain=Chain.open(store, place.genesis),
            metrics=Metrics(),
            log=open_log(said, now_ms=lambda: 0),
        )
        assert index is not None
        async with following(index):
            with pytest.raises(IndexFailure, match="has the form"):
                await index.reached(12)
    finally:
        store.close()

    assert f"run `khazana index rebuild --home {home}`" in said.getvalue()
