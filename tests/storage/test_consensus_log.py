"""The consensus log: nothing synced is ever lost or altered, whatever happens at whatever step."""

import os
import tempfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.storage import (
    ConsensusLog,
    StorageDamaged,
    StorageError,
    StorageFailed,
    StorageFull,
    StorageLocked,
    open_consensus_log,
)
from node.storage import consensus_log as module
from node.storage.consensus_log import APPEND_SIZE_MAX, FILE_SIZE, LOG_NAME, NEW_NAME
from node.storage.memory_files import MemoryFiles, PowerCut
from tests.storage.processes import run_python

HEADER_SIZE = 14 + 8 + 8 + 4
FRAME_HEADER_SIZE = 8 + 4 + 8 + 4 + 4
PATH = Path("log")


def log_on(files: MemoryFiles) -> ConsensusLog:
    return ConsensusLog(PATH, files)


def written(*heights: Sequence[Sequence[bytes]]) -> MemoryFiles:
    """A disk with a log: for each height from 1 its appends, for each append its entries."""
    files = MemoryFiles()
    log = log_on(files)
    log.load()
    for height, appends in enumerate(heights, start=1):
        log.reset(height)
        for entries in appends:
            log.append(entries)
    return files


def loaded(files: MemoryFiles) -> tuple[int, list[bytes]]:
    log = log_on(files)
    entries = log.load()
    return log.height, entries


# What it keeps.


def test_new_log_is_empty_at_height_zero() -> None:
    files = MemoryFiles()

    assert loaded(files) == (0, [])
    assert loaded(files) == (0, [])


def test_entries_come_back_in_order() -> None:
    files = written([[b"one", b""], [b"two"], [b"three" * 1000]])

    assert loaded(files) == (1, [b"one", b"", b"two", b"three" * 1000])


def test_only_the_last_height_comes_back() -> None:
    files = written([[b"one"]], [[b"two"], [b"three"]])

    assert loaded(files) == (2, [b"two", b"three"])


def test_loaded_log_goes_on_at_the_same_height() -> None:
    files = written([[b"one"]])
    log = log_on(files)
    log.load()
    log.append([b"two"])

    assert loaded(files) == (1, [b"one", b"two"])


def test_height_without_entries_leaves_the_height_before() -> None:
    """A new height writes nothing; who loads compares the height with the chain."""
    files = written([[b"one"]], [])

    assert loaded(files) == (1, [b"one"])


def test_append_is_one_sync_and_a_new_height_none() -> None:
    files = MemoryFiles()
    log = log_on(files)
    log.load()
    before = files.syncs

    for height in range(1, 101):
        log.reset(height)
        for _ in range(3):
            log.append([b"vote", b"vote"])

    assert files.syncs - before == 300


def test_log_on_a_real_disk_is_the_same(tmp_path: Path) -> None:
    log = open_consensus_log(tmp_path / "consensus")
    assert log.load() == []
    log.reset(7)
    log.append([b"one", b"two"])
    log.close()
    log.close()

    log = open_consensus_log(tmp_path / "consensus")
    assert log.load() == [b"one", b"two"]
    assert (log.height, log.bytes_cut) == (7, 0)
    log.close()
    assert os.listdir(tmp_path / "consensus") == [LOG_NAME]


# How it stays small.


def test_file_is_begun_anew_when_it_has_grown() -> None:
    files = MemoryFiles()
    log = log_on(files)
    log.load()
    sizes = []

    for height in range(1, 40):
        log.reset(height)
        log.append([bytes(FILE_SIZE // 10)])
        content = files.read(LOG_NAME)
        assert content is not None
        sizes.append(len(content))

    assert max(sizes) < FILE_SIZE * 1.2
    assert sizes != sorted(sizes)
    assert loaded(files) == (39, [bytes(FILE_SIZE // 10)])


def test_new_file_remembers_its_height() -> None:
    """Whoever lost the chain still learns up to where something may have been signed."""
    files = written([[bytes(FILE_SIZE)]])
    log = log_on(files)
    log.load()
    log.reset(2)

    assert loaded(files) == (2, [])


def test_entries_that_are_let_go_leave_the_file_and_nothing_else_does() -> None:
    files = written([[b"before"]], [[b"1", b"large" * 1000], [b"2"], [b"large" * 2000, b"3"]])
    log = log_on(files)
    log.load()

    log.rewrite(lambda entry: not entry.startswith(b"large"))

    content = files.read(LOG_NAME)
    assert content is not None
    assert len(content) < 200
    assert loaded(files) == (2, [b"1", b"2", b"3"])
    log.append([b"4"])
    assert loaded(files) == (2, [b"1", b"2", b"3", b"4"])
    log.reset(3)
    log.append([b"5"])
    assert loaded(files) == (3, [b"5"])


def test_what_is_kept_may_be_more_than_one_append_holds() -> None:
    entries = [bytes([number]) * (APPEND_SIZE_MAX // 3) for number in range(1, 8)]
    files = written([[entry] for entry in entries])
    log = log_on(files)
    log.load()

    log.rewrite(lambda entry: entry != entries[2])

    assert loaded(files) == (1, entries[:2] + entries[3:])


@pytest.mark.adversarial(68, 69)
@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda data: data[: -FRAME_HEADER_SIZE - 4 - 3], id="a frame is gone"),
        pytest.param(lambda data: data[:-1], id="cut"),
        pytest.param(lambda data: data + b"x", id="grown"),
        pytest.param(lambda data: data[:-1] + b"x", id="changed"),
        pytest.param(lambda _: written([[b"one"], [b"two"]]).read(LOG_NAME), id="another file"),
        pytest.param(lambda _: b"", id="empty"),
    ],
)
def test_a_file_that_has_changed_under_the_log_is_not_written_anew(
    harm: Callable[[bytes], bytes],
) -> None:
    """What it lost may stand for a vote that was sent: without it the rest must not look whole."""
    files = written([[b"one"], [b"two"]])
    log = log_on(files)
    log.load()
    files.alter(LOG_NAME, harm)
    harmed = files.read(LOG_NAME)

    with pytest.raises(StorageDamaged):
        log.rewrite(lambda _: True)

    assert files.read(LOG_NAME) == harmed
    with pytest.raises(StorageFailed):
        log.append([b"three"])


def test_full_disk_while_writing_anew_stops_the_log_and_loses_nothing() -> None:
    files = written([[b"one"], [b"two" * 100]])
    log = log_on(files)
    log.load()
    files._size_max = 200

    with pytest.raises(StorageFull):
        log.rewrite(lambda _: True)
    with pytest.raises(StorageFailed):
        log.rewrite(lambda _: True)

    assert loaded(files) == (1, [b"one", b"two" * 100])


# Power cuts.


@pytest.mark.adversarial(65)
def test_a_power_cut_at_any_step_of_writing_anew_leaves_all_or_what_is_kept() -> None:
    whole = [b"one", b"large" * 300, b"two", b"large" * 200]
    kept = [b"one", b"two"]

    def go_on(log: ConsensusLog) -> None:
        log.rewrite(lambda entry: len(entry) < 10)
        log.append([b"three"])

    undisturbed = written([[entry] for entry in whole])
    began = undisturbed.steps
    log = log_on(undisturbed)
    log.load()
    go_on(log)
    seen = set()

    for step in range(began, undisturbed.steps):
        for seed in range(40):
            files = written([[entry] for entry in whole])
            log = log_on(files)
            log.load()
            files.cut_power_at(step)
            with pytest.raises(PowerCut):
                go_on(log)
            files = files.restarted(Random(seed).randrange)
            height, entries = loaded(files)
            assert height == 1
            seen.add(tuple(entries))
            log = log_on(files)
            log.load()
            log.append([b"four"])
            assert loaded(files) == (1, [*entries, b"four"])

    assert seen == {tuple(whole), tuple(kept), (*kept, b"three")}


def play(files: MemoryFiles, acknowledged: list[tuple[int, bytes]]) -> None:
    """Go on with the log as a node would, noting what was acknowledged, until the power goes."""
    log = log_on(files)
    log.load()
    number = len(acknowledged)
    for height in range(log.height + 1, log.height + 4):
        log.reset(height)
        for _ in range(2):
            entries = [b"%d.%d/" % (number, part) * (40 * part) for part in range(3)]
            log.append(entries)
            acknowledged += [(height, entry) for entry in entries]
            number += 1


def check(files: MemoryFiles, acknowledged: list[tuple[int, bytes]]) -> None:
    """All that was acknowledged of the last height is loaded, and possibly one append more."""
    height, entries = loaded(files)
    known_height = acknowledged[-1][0] if acknowledged else 0
    assert height >= known_height
    if height == known_height:
        known = [entry for at, entry in acknowledged if at == height]
        assert entries[: len(known)] == known
        assert len(entries) - len(known) in (0, 3)
    else:
        assert len(entries) in (0, 3)


@pytest.mark.adversarial(65)
@pytest.mark.parametrize("small_files", [False, True])
def test_nothing_synced_is_lost_at_any_power_cut(
    monkeypatch: pytest.MonkeyPatch, *, small_files: bool
) -> None:
    """Every step of a run, with every kind of survival: more than a thousand cuts."""
    if small_files:
        monkeypatch.setattr(module, "FILE_SIZE", 300)  # A new file at almost every height.
    undisturbed = MemoryFiles()
    play(undisturbed, [])
    cuts = 0

    for step in range(undisturbed.steps):
        for seed in range(40):
            acknowledged: list[tuple[int, bytes]] = []
            files = MemoryFiles(power_cut_at=step)
            with pytest.raises(PowerCut):
                play(files, acknowledged)
            files = files.restarted(Random(seed).randrange)
            check(files, acknowledged)
            # What was not acknowledged is settled now: loading again says the same.
            assert loaded(files) == loaded(files)
            cuts += 1

    assert cuts > 1000


@pytest.mark.adversarial(65, 70)
@settings(max_examples=200)
@given(st.lists(st.integers(0, 45), min_size=1, max_size=6), st.integers(0, 2**32))
def test_nothing_synced_is_lost_by_power_cuts_in_a_row(steps: list[int], seed: int) -> None:
    """Also while a torn tail is being cut off, and while a new file is begun."""
    choose = Random(seed).randrange
    acknowledged: list[tuple[int, bytes]] = []
    files = MemoryFiles(power_cut_at=steps[0])

    for step in [*steps[1:], None]:
        with suppress(PowerCut):
            play(files, acknowledged)
        files = files.restarted(choose, power_cut_at=step)
        if step is None:
            check(files, acknowledged)
        # An append that was not acknowledged may have survived: the next run goes on from it.
        height, entries = loaded(files.restarted(choose))
        acknowledged = [(height, entry) for entry in entries]


def test_torn_tail_is_cut_and_reported() -> None:
    files = written([[b"one"], [b"two"]])
    whole = files.read(LOG_NAME)
    assert whole is not None
    files.alter(LOG_NAME, lambda data: data[:-1])
    log = log_on(files)

    assert log.load() == [b"one"]
    assert log.bytes_cut == FRAME_HEADER_SIZE + 4 + 3 - 1
    log.append([b"three"])
    assert loaded(files) == (1, [b"one", b"three"])


# Damage.


def test_log_cut_anywhere_gives_what_is_before_the_cut() -> None:
    whole = [b"one", b"two", b"three"]
    files = written([[entry] for entry in whole])
    data = files.read(LOG_NAME)
    assert data is not None

    for size in range(HEADER_SIZE, len(data)):
        files.alter(LOG_NAME, lambda _, size=size: data[:size])  # type: ignore[misc]
        _, entries = loaded(files)
        assert entries == whole[: len(entries)]
    for size in range(HEADER_SIZE):
        files.alter(LOG_NAME, lambda _, size=size: data[:size])  # type: ignore[misc]
        with pytest.raises(StorageDamaged):
            loaded(files)


@pytest.mark.adversarial(68, 69)
def test_no_bit_of_a_log_can_be_changed() -> None:
    """Also in its last frame: a vote that was sent must not be forgotten."""
    files = written([[b"one"]], [[b"two", b"three"], [b"four"]])
    data = files.read(LOG_NAME)
    assert data is not None

    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        files.alter(LOG_NAME, lambda _, changed=changed: bytes(changed))  # type: ignore[misc]
        with pytest.raises(StorageDamaged, match="move this directory aside"):
            loaded(files)


@pytest.mark.adversarial(69)
@pytest.mark.parametrize("start", range(0, 3000, 250))
def test_blank_sector_in_the_middle_is_refused(start: int) -> None:
    files = written([[bytes([number]) * 400] for number in range(1, 10)])

    files.alter(LOG_NAME, lambda data: data[:start] + bytes(512) + data[start + 512 :])

    with pytest.raises(StorageDamaged):
        loaded(files)


def test_frame_that_is_missing_in_the_middle_goes_unnoticed_only_at_the_end() -> None:
    """A frame's place is not in it: whole frames that vanish look like an older copy."""
    files = written([[b"one"], [b"two"]], [[b"three"]])
    size = FRAME_HEADER_SIZE + 4 + 3
    start = HEADER_SIZE

    files.alter(LOG_NAME, lambda data: data[:start] + data[start + size :])

    assert loaded(files) == (2, [b"three"])


def test_heights_that_go_back_are_refused() -> None:
    files = written([[b"one"]], [[b"two"]])
    size = FRAME_HEADER_SIZE + 4 + 3
    start = HEADER_SIZE

    files.alter(
        LOG_NAME,
        lambda data: data[:start] + data[start + size :] + data[start : start + size],
    )

    with pytest.raises(StorageDamaged, match="height 1 after height 2"):
        loaded(files)


def test_frame_of_another_file_is_not_taken_for_one_of_this() -> None:
    """Marks differ: what an entry holds, or a recycled block, is never mistaken for a frame."""
    one, other = written([[b"one"]]), written([[b"two"]])
    foreign = other.read(LOG_NAME)
    assert foreign is not None

    one.alter(LOG_NAME, lambda data: data + foreign[HEADER_SIZE:])

    with pytest.raises(StorageDamaged):
        loaded(one)


def test_entry_that_holds_a_frame_does_not_make_a_torn_tail_damage() -> None:
    files = written([[b"one"]])
    frame = files.read(LOG_NAME)
    assert frame is not None
    log = log_on(files)
    log.load()
    # A peer cannot know the mark; even a frame of this very log is only bytes inside another.
    log.append([frame[HEADER_SIZE:]])

    assert loaded(files) == (1, [b"one", frame[HEADER_SIZE:]])


def test_entries_that_do_not_fill_their_frame_are_refused() -> None:
    """A right checksum over wrong sizes: a fault of ours, or a forger with the file in hand."""
    files = written([[b"one"]])

    def lengthen(data: bytes) -> bytes:
        payload = (9).to_bytes(4) + b"one"
        header = data[HEADER_SIZE : HEADER_SIZE + 20] + zlib.crc32(payload).to_bytes(4)
        return data[:HEADER_SIZE] + header + zlib.crc32(header).to_bytes(4) + payload

    files.alter(LOG_NAME, lengthen)

    with pytest.raises(StorageDamaged, match="longer than its frame"):
        loaded(files)


# Failures of the disk.


def test_full_disk_stops_the_log_for_good() -> None:
    """Whether the failed append is on the disk, only loading anew can tell."""
    files = MemoryFiles(size_max=200)
    log = log_on(files)
    log.load()
    log.reset(1)
    log.append([b"one"])

    with pytest.raises(StorageFull):
        log.append([bytes(200)])
    uses: list[Callable[[], None]] = [lambda: log.append([b"x"]), lambda: log.reset(2)]
    for use in uses:
        with pytest.raises(StorageFailed, match="an earlier write failed"):
            use()

    assert loaded(files) == (1, [b"one"])


def test_full_disk_while_beginning_a_new_file_stops_the_log() -> None:
    files = written([[bytes(FILE_SIZE)]])
    log = log_on(files)
    log.load()
    files._size_max = 10

    with pytest.raises(StorageFull):
        log.reset(2)
    with pytest.raises(StorageFailed):
        log.append([b"x"])

    files._size_max = None
    assert loaded(files) == (1, [bytes(FILE_SIZE)])
    # The half-made file is in nobody's way, and takes no room.
    assert not files.read(NEW_NAME)
    log = log_on(files)
    log.load()
    log.reset(2)
    log.append([b"two"])
    assert loaded(files) == (2, [b"two"])


def test_log_where_there_can_be_no_directory_is_a_typed_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StorageError):
        open_consensus_log(tmp_path / "file" / "log")


# Two at once.


@pytest.mark.adversarial(68)
def test_two_processes_cannot_use_one_log(tmp_path: Path) -> None:
    """Two nodes with one key would sign against each other."""
    log = open_consensus_log(tmp_path)
    other = "from node.storage import *\nfrom pathlib import Path\nimport sys\n"
    other += "try: open_consensus_log(Path(sys.argv[1]))\n"
    other += "except StorageLocked as error: print(error)"

    with pytest.raises(StorageLocked):
        open_consensus_log(tmp_path)
    assert "in use by another process" in run_python(other, tmp_path)

    log.close()
    assert run_python(other, tmp_path) == ""


# Misuse.


def test_misuse_is_noticed() -> None:
    log = log_on(MemoryFiles())
    with pytest.raises(AssertionError):
        log.append([b"before loading"])
    with pytest.raises(AssertionError):
        log.reset(1)
    log.load()
    with pytest.raises(AssertionError):
        log.append([b"before a height"])
    log.reset(1)
    with pytest.raises(AssertionError):
        log.append([])
    with pytest.raises(AssertionError):
        log.append([bytes(APPEND_SIZE_MAX)])
    with pytest.raises(AssertionError):
        log.reset(1)
    with pytest.raises(AssertionError):
        log.load()


STRANGER = """
import os, sys
from pathlib import Path
from node.storage import StorageError, open_consensus_log
if os.geteuid() == 0:
    os.seteuid(65534)
try:
    open_consensus_log(Path(sys.argv[1]))
except StorageError as error:
    print(type(error).__name__)
"""


@pytest.mark.adversarial(69)
@pytest.mark.parametrize("what", ["folder", "file"])
def test_log_that_cannot_be_written_is_refused_before_anything_must_be(what: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "log"
        Path(place).chmod(0o755)
        log = open_consensus_log(path)
        log.load()
        log.close()
        for each, mode in ((path, 0o555), (path / LOG_NAME, 0o444)):
            each.chmod(mode if each.is_dir() == (what == "folder") else 0o777)

        assert run_python(STRANGER, path).split() == ["StorageReadOnly"]
