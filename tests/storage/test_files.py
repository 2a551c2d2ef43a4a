"""The disk in memory does what the real one does, and power cuts keep what was synced."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.storage import FileSystem, StorageFull, StorageMissing, StorageReadOnly
from node.storage.files import DiskFiles
from node.storage.memory_files import SECTOR_SIZE, MemoryFiles, PowerCut


@pytest.fixture(params=["memory", "disk"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> FileSystem:
    return MemoryFiles() if request.param == "memory" else DiskFiles(tmp_path)


def test_file_holds_what_was_appended(files: FileSystem) -> None:
    assert files.read("log") is None

    files.append("log", b"one ")
    files.append("log", b"two")

    assert files.read("log") == b"one two"


def test_truncated_file_goes_on_at_its_new_end(files: FileSystem) -> None:
    files.append("log", b"one two")
    files.truncate("log", 4)
    files.append("log", b"three")
    files.sync("log")

    assert files.read("log") == b"one three"


def test_replaced_file_has_the_other_content(files: FileSystem) -> None:
    files.append("log", b"old")
    files.append("log.new", b"new")
    files.sync("log.new")
    files.replace("log.new", "log")
    files.append("log", b" and more")

    assert files.read("log.new") is None
    assert files.read("log") == b"new and more"


def test_closing_keeps_everything_and_can_be_repeated(files: FileSystem) -> None:
    files.append("log", b"one")
    files.close()
    files.close()

    assert files.read("log") == b"one"


def test_log_is_for_its_owner_only(tmp_path: Path) -> None:
    DiskFiles(tmp_path).append("log", b"x")

    assert (tmp_path / "log").stat().st_mode & 0o077 == 0


def test_missing_directory_is_a_typed_failure(tmp_path: Path) -> None:
    files = DiskFiles(tmp_path / "none")
    attempts: list[Callable[[], None]] = [
        lambda: files.append("log", b"x"),
        lambda: files.truncate("log", 0),
        lambda: files.sync("log"),
        lambda: files.replace("log", "other"),
    ]

    assert files.read("log") is None
    for attempt in attempts:
        with pytest.raises(StorageMissing):
            attempt()


def test_unreadable_file_is_a_typed_failure(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()

    with pytest.raises(Exception, match="Is a directory"):
        DiskFiles(tmp_path).read("log")


def test_full_disk_in_memory_takes_what_fits() -> None:
    files = MemoryFiles(size_max=5)

    files.append("log", b"one")
    with pytest.raises(StorageFull):
        files.append("log", b"two")

    assert files.read("log") == b"onetw"


def test_power_cut_comes_at_its_step() -> None:
    files = MemoryFiles(power_cut_at=3)

    files.append("log", b"one")
    with pytest.raises(PowerCut):
        files.sync("log")

    assert files.steps == 4


@given(st.binary(max_size=2000), st.binary(max_size=2000), st.integers(0, 2**32))
def test_power_cut_keeps_what_was_synced_and_tears_the_rest(
    synced: bytes, unsynced: bytes, seed: int
) -> None:
    files = MemoryFiles()
    files.append("log", synced)
    files.sync("log")
    files.append("log", unsynced)

    left = files.restarted(Random(seed).randrange).read("log")

    assert left is not None
    assert left.startswith(synced)
    assert len(left) <= len(synced + unsynced)
    for at in range(len(synced), len(left)):
        assert left[at] in (0, (synced + unsynced)[at])


def test_every_kind_of_survival_happens() -> None:
    files = MemoryFiles()
    files.append("log", b"a" * 100)
    files.sync("log")
    files.append("log", b"b" * 3 * SECTOR_SIZE)
    files.append("log.new", b"c")

    left = {files.restarted(Random(seed).randrange).read("log") for seed in range(200)}
    names = {files.restarted(Random(seed).randrange).read("log.new") for seed in range(200)}

    assert {b"a" * 100, b"a" * 100 + b"b" * 3 * SECTOR_SIZE} < left
    assert any(content and b"\0b" in content for content in left)
    assert any(content and 100 < len(content) < 3 * SECTOR_SIZE for content in left)
    assert names == {b"c", b"", b"\0"}


def test_replacement_without_its_sync_happened_or_did_not() -> None:
    outcomes = set()

    for seed in range(50):
        files = MemoryFiles(power_cut_at=9)
        files.append("log", b"old")
        files.sync("log")
        files.append("log.new", b"new")
        files.sync("log.new")
        with pytest.raises(PowerCut):
            files.replace("log.new", "log")
        left = files.restarted(Random(seed).randrange)
        outcomes.add((left.read("log"), left.read("log.new")))

    assert outcomes == {(b"old", b"new"), (b"new", None)}


def test_truncation_without_its_sync_happened_or_did_not() -> None:
    files = MemoryFiles()
    files.append("log", b"one two")
    files.sync("log")
    files.truncate("log", 3)

    left = {files.restarted(Random(seed).randrange).read("log") for seed in range(50)}

    assert left == {b"one two", b"one"}


def test_rot_is_what_is_read() -> None:
    files = MemoryFiles()
    files.append("log", b"one")
    files.alter("log", lambda content: content[::-1])

    assert files.read("log") == b"eno"
    assert files.restarted(Random(0).randrange).read("log") == b"eno"


def test_directory_that_cannot_be_written_is_a_typed_failure() -> None:
    files = DiskFiles(Path("/proc"))

    with pytest.raises((StorageReadOnly, StorageMissing)):
        files.append("khazana-test", b"x")
