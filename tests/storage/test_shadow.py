"""Reading a closed database without leaving a trace, and what can be had of one that is broken."""

import shutil
from pathlib import Path

import pytest

from node.storage import (
    StorageDamaged,
    StorageLocked,
    StorageMissing,
    open_leveldb,
)
from node.storage.shadow import open_shadow
from tests.damage import damage_database


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "db"
    store = open_leveldb(path, create=True)
    for start in range(0, 2_000, 100):
        store.write([(b"%06d" % (start + n), bytes(2_000)) for n in range(100)], sync=True)
    store.close()
    # Opened once more, so that tables are there beside the log.
    open_leveldb(path, create=False).close()
    return path


def files(path: Path) -> dict[str, tuple[bytes, int]]:
    return {
        file.name: (file.read_bytes(), file.stat().st_mtime_ns)
        for file in path.iterdir()
        if file.is_file()
    }


def test_everything_is_read_and_nothing_is_touched(database: Path) -> None:
    before = files(database)
    assert any(name.endswith(".ldb") for name in before)

    with open_shadow(database) as store:
        assert len(list(store.scan(b"", b"\xff"))) == 2_000
        # What is written goes into the shadow.
        store.write([(b"x", b"y")], sync=True)

    assert files(database) == before


def test_the_database_is_locked_meanwhile(database: Path) -> None:
    with open_shadow(database), pytest.raises(StorageLocked):
        open_leveldb(database, create=False)
    open_leveldb(database, create=False).close()


def test_no_database_is_missing_and_one_in_use_is_locked(database: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(StorageMissing) as missing, open_shadow(empty):
        pass
    assert missing.value.path == empty
    with pytest.raises(StorageMissing), open_shadow(tmp_path / "none"):
        pass
    store = open_leveldb(database, create=False)
    with pytest.raises(StorageLocked), open_shadow(database):
        pass
    store.close()


@pytest.mark.adversarial(69)
@pytest.mark.parametrize("lost", ["CURRENT", "MANIFEST"])
def test_tables_are_read_although_what_names_them_is_lost(database: Path, lost: str) -> None:
    for file in database.glob(f"{lost}*"):
        file.unlink()
    before = files(database)

    with pytest.raises(StorageDamaged) as refused, open_shadow(database):
        pass
    assert refused.value.path == database

    with open_shadow(database, salvage=True) as store:
        assert len(list(store.scan(b"", b"\xff"))) == 2_000
    assert files(database) == before


def test_what_holds_no_table_cannot_be_salvaged_into_anything(tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.mkdir()
    (path / "000005.ldb").write_bytes(b"no table")

    with open_shadow(path, salvage=True) as store:
        assert list(store.scan(b"", b"\xff")) == []
    shutil.rmtree(path)


@pytest.mark.adversarial(69)
def test_damage_met_while_reading_is_that_of_the_database_not_of_its_shadow(
    database: Path,
) -> None:
    """Whoever is told to move a directory aside is told which: the shadow's is gone by then."""
    damage_database(database)

    with pytest.raises(StorageDamaged) as refused, open_shadow(database) as store:
        list(store.scan(b"", b"\xff"))

    assert refused.value.path == database
    assert "khazana-shadow" not in str(refused.value)
