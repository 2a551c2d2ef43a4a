"""LevelDB on a real disk: damage, locks, limits and sudden death, each with its typed answer."""

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from typing_extensions import override

from node.storage import (
    Batch,
    KeyValueStore,
    StorageClosed,
    StorageDamaged,
    StorageLocked,
    StorageMissing,
    open_leveldb,
)
from node.storage.layout import encode_number
from tests.storage.processes import run_python, start_python

Damage = Callable[[Path], None]

WITHIN_S: Final = 60
"""What a thread has to come to within, however busy the machine is."""


def filled(path: Path, *, batches: int = 60, compacted: bool = False) -> Path:
    """A closed database of many batches, in its log or, compacted, in tables."""
    store = open_leveldb(path, create=True)
    for number in range(batches):
        key = encode_number(number)
        store.write([(b"B" + key, key * 60), (b"C" + key, key * 20)], sync=True)
    store.close()
    if compacted:
        open_leveldb(path, create=False).close()  # Opening turns a log into tables.
    return path


def file_of(path: Path, suffix: str) -> Path:
    return max((file for file in path.iterdir() if file.name.endswith(suffix)), key=_size)


def _size(path: Path) -> int:
    return path.stat().st_size


def everything(path: Path) -> int:
    """Open the database and read all of it; return how many heights are whole."""
    store = open_leveldb(path, create=False)
    try:
        blocks = [key[1:] for key, _ in store.scan(b"B", b"C")]
        certificates = [key[1:] for key, _ in store.scan(b"C", b"D")]
    finally:
        store.close()
    assert blocks == certificates
    assert blocks == [encode_number(number) for number in range(len(blocks))]
    return len(blocks)


def test_database_is_read_again_after_closing(tmp_path: Path) -> None:
    assert everything(filled(tmp_path / "db")) == 60
    assert everything(filled(tmp_path / "tables", compacted=True)) == 60


def test_missing_database_is_not_made_by_accident(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(StorageMissing, match="khazana init"):
            open_leveldb(path, create=False)
    assert list(tmp_path.iterdir()) == []


# Two at once.


@pytest.mark.adversarial(68)
def test_second_opening_is_refused_and_the_first_stays_locked(tmp_path: Path) -> None:
    """LevelDB alone would release the first one's lock here."""
    first = open_leveldb(tmp_path, create=True)

    with pytest.raises(StorageLocked):
        open_leveldb(tmp_path, create=True)
    other = "from node.storage import *\nfrom pathlib import Path\nimport sys\n"
    other += "try: open_leveldb(Path(sys.argv[1]), create=False)\n"
    other += "except StorageLocked as error: print(error)"
    assert "stop the other node" in run_python(other, tmp_path)

    first.close()
    open_leveldb(tmp_path, create=False).close()


# Damage.


def _cut(count: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:-count]


def _flip(where: float) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        at = int(len(data) * where)
        return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]

    return change


def _blank(where: float) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        at = int(len(data) * where)
        return (data[:at] + bytes(512) + data[at + 512 :])[: len(data)]

    return change


def _change(suffix: str, change: Callable[[bytes], bytes]) -> Damage:
    def damage(path: Path) -> None:
        file = file_of(path, suffix)
        file.write_bytes(change(file.read_bytes()))

    return damage


def _remove(suffix: str) -> Damage:
    return lambda path: file_of(path, suffix).unlink()


def _empty_manifest(path: Path) -> None:
    next(path.glob("MANIFEST-*")).write_bytes(b"")


def _no_manifest(path: Path) -> None:
    next(path.glob("MANIFEST-*")).unlink()


DAMAGES: dict[str, tuple[bool, Damage]] = {
    "bit in the middle of the log": (False, _change(".log", _flip(0.5))),
    "sector in the middle of the log": (False, _change(".log", _blank(0.5))),
    "CURRENT is gone": (False, _remove("CURRENT")),
    "CURRENT is empty": (False, _change("CURRENT", lambda _: b"")),
    "CURRENT names another file": (False, _change("CURRENT", lambda _: b"MANIFEST-999999\n")),
    "CURRENT is gone beside tables": (True, _remove("CURRENT")),
    "manifest is gone": (True, _no_manifest),
    "manifest is empty": (True, _empty_manifest),
    "table is gone": (True, _remove(".ldb")),
    "table is empty": (True, _change(".ldb", lambda _: b"")),
    "table is cut": (True, _change(".ldb", _cut(100))),
    "bit in a table's block": (True, _change(".ldb", _flip(0.1))),
    "bit in a table's last block": (True, _change(".ldb", _flip(0.8))),
    "bit in a table's footer": (True, _change(".ldb", _flip(0.999))),
}


@pytest.mark.adversarial(69)
@pytest.mark.parametrize(("compacted", "damage"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_refused_at_opening_or_reading(
    tmp_path: Path, compacted: bool, damage: Damage
) -> None:
    """Never answered from what is left, and nothing of the rest is deleted."""
    path = filled(tmp_path / "db", compacted=compacted)
    damage(path)
    before = {file.name for file in path.iterdir()}

    for _ in range(2):
        with pytest.raises(StorageDamaged, match="move this directory aside") as caught:
            everything(path)
        assert caught.value.path == path
    assert {file.name for file in path.iterdir() if file.suffix == ".ldb"} == {
        name for name in before if name.endswith(".ldb")
    }


@pytest.mark.adversarial(69)
def test_damage_is_refused_by_a_single_read(tmp_path: Path) -> None:
    path = filled(tmp_path / "db", compacted=True)
    _change(".ldb", _flip(0.1))(path)
    store = open_leveldb(path, create=False)
    found = refused = 0

    for number in range(60):
        try:
            value = store.get(b"B" + encode_number(number))
        except StorageDamaged:
            refused += 1
        else:
            assert value == encode_number(number) * 60
            found += 1
    store.close()

    assert found
    assert refused


@pytest.mark.adversarial(69)
def test_damage_is_refused_by_seeking_and_spoils_no_other_key(tmp_path: Path) -> None:
    path = filled(tmp_path / "db", compacted=True)
    _change(".ldb", _flip(0.1))(path)
    store = open_leveldb(path, create=False)
    refused: list[int] = []

    for number in range(60):
        try:
            assert store.seek(b"B" + encode_number(number)) == encode_number(number) * 60
        except StorageDamaged:
            refused.append(number)
    with pytest.raises(StorageDamaged):
        store.seek_each([b"B" + encode_number(number) for number in range(60)])
    after = [b"B" + encode_number(number) for number in range(60) if number not in refused]
    assert store.seek_each(after) == [store.get(key) for key in after]
    store.close()

    assert 0 < len(refused) < 30
    assert refused == list(range(refused[0], refused[-1] + 1))


@pytest.mark.adversarial(69)
@pytest.mark.parametrize("at", [0.1, 0.45, 0.72, 0.85])
def test_no_scan_ends_before_damage_as_if_nothing_came_after_it(tmp_path: Path, at: float) -> None:
    """The last block of a range, and of the whole database, as well as every other."""
    path = filled(tmp_path / "db", compacted=True)
    ranges = [
        (letter + encode_number(a), letter + encode_number(a + 5))
        for letter in (b"B", b"C")
        for a in range(56)
    ]
    _change(".ldb", _flip(at))(path)
    store = open_leveldb(path, create=False)
    outcomes: list[str] = []

    for start, stop in [*ranges, (b"", b"D"), (b"C", b"D")]:
        whole = 5 if (start, stop) in ranges else 120 if not start else 60
        for read in (store, store.view()):
            for reverse in (False, True):
                try:
                    pairs = list(read.scan(start, stop, reverse=reverse))
                except StorageDamaged:
                    outcomes.append("refused")
                else:
                    assert len(pairs) == whole
                    outcomes.append("read")
    store.close()

    assert set(outcomes) == {"read", "refused"}


# Sudden ends.


@pytest.mark.adversarial(65, 70)
def test_batch_cut_anywhere_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """The power goes while the last batch is written: at most one height is lost, never half."""
    path = filled(tmp_path / "db", batches=6)
    before = _size(file_of(path, ".log"))
    store = open_leveldb(path, create=False)
    store.close()
    # A new log holds nothing but the batch that is cut.
    store = open_leveldb(path, create=False)
    key = encode_number(6)
    store.write([(b"B" + key, key * 60), (b"C" + key, key * 20)], sync=True)
    store.close()
    log = file_of(path, ".log")
    data = log.read_bytes()
    assert 0 < len(data) < before

    outcomes = set()
    for size in range(0, len(data) + 1, 7):
        copy = tmp_path / f"cut-{size}"
        shutil.copytree(path, copy)
        (copy / log.name).write_bytes(data[:size])
        outcomes.add(everything(copy))
        shutil.rmtree(copy)
    assert everything(path) == 7
    assert outcomes == {6}


WRITER = """
import sys
from pathlib import Path
from node.storage import open_leveldb
from node.storage.layout import encode_number
store = open_leveldb(Path(sys.argv[1]), create=True)
number = 0
while True:
    key = encode_number(number)
    store.write([(b"B" + key, key * 2000), (b"C" + key, key * 500)], sync=True)
    print(number, flush=True)
    number += 1
"""


@pytest.mark.adversarial(65)
def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path) -> None:
    for round_number in range(3):
        path = tmp_path / f"db-{round_number}"
        with start_python(WRITER, path) as process:
            assert process.stdout is not None
            acknowledged = -1
            for line in process.stdout:
                acknowledged = int(line)
                if acknowledged == 100 * (round_number + 1):
                    process.kill()
        assert everything(path) > acknowledged >= 100


# Limits.

LIMITED = """
import resource, sys
from pathlib import Path
from node.storage import StorageError, open_leveldb
from node.storage.layout import encode_number
store = open_leveldb(Path(sys.argv[1]), create=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
number = 0
for _ in range(2):
    try:
        while True:
            key = encode_number(number)
            store.write([(b"B" + key, key * 600), (b"C" + key, key * 200)], sync=True)
            number += 1
    except StorageError as error:
        print(type(error).__name__)
print(number)
store.close()
"""


@pytest.mark.adversarial(69)
def test_full_disk_stops_writing_and_loses_nothing(tmp_path: Path) -> None:
    """A later write that succeeded behind the failed one would make the log unreadable."""
    first, second, written = run_python(LIMITED, tmp_path).split()

    assert (first, second) == ("StorageFull", "StorageFailed")
    assert int(written) > 5
    # The failed batch may be there: it was not acknowledged, and it is whole.
    assert everything(tmp_path) in (int(written), int(written) + 1)


STRANGER = """
import os, sys
from pathlib import Path
from node.storage import StorageError, open_leveldb
if os.geteuid() == 0:
    os.seteuid(65534)
try:
    open_leveldb(Path(sys.argv[1]), create=sys.argv[2] == "create")
except StorageError as error:
    print(type(error).__name__)
"""


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that others may look into, as pytest's own are not."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.mark.adversarial(69)
def test_directory_that_cannot_be_written_is_called_that(open_directory: Path) -> None:
    path = filled(open_directory / "db")
    for entry in (path, *path.iterdir(), open_directory):
        entry.chmod(0o555)
    try:
        assert run_python(STRANGER, path, "open").split() == ["StorageReadOnly"]
        assert run_python(STRANGER, open_directory / "new", "create").split() == ["StorageReadOnly"]
    finally:
        for entry in (open_directory, path):
            entry.chmod(0o755)
    assert everything(path) == 60


def test_seeking_makes_no_work_for_the_database(tmp_path: Path) -> None:
    """LevelDB takes a read that looked into two tables for a reason to merge them, its filters
    notwithstanding: reading alone would rewrite the whole database, again and again.
    """

    keys = [bytes([number % 256, number // 256]) for number in range(2_000)]

    def tables(folder: Path) -> set[str]:
        return {file.name for file in folder.glob("*.ldb")}

    def store_in(folder: Path) -> KeyValueStore:
        store = open_leveldb(folder, create=True)
        store.write([(key, bytes(100)) for key in keys], sync=False)
        store.close()
        # Opening turns the log into a table: the second lies above the first.
        store = open_leveldb(folder, create=False)
        store.write([(keys[0], b"new"), (keys[-1], b"new")], sync=False)
        store.close()
        return open_leveldb(folder, create=False)

    sought = tmp_path / "seek"
    store = store_in(sought)
    before = tables(sought)
    assert len(before) == 2
    for key in 2 * keys[1:-1]:
        assert store.seek(key) == bytes(100)
    store.close()
    assert tables(sought) == before

    # What the test would see: this is how LevelDB answers. Its thread merges when it gets to it,
    # and closing calls it off; so here it is read for as long as that takes.
    got = tmp_path / "get"
    store = store_in(got)
    before = tables(got)
    assert len(before) == 2
    while tables(got) == before:
        for key in keys[1:-1]:
            assert store.get(key) == bytes(100)
    store.close()


def test_threads_may_seek_while_another_writes(tmp_path: Path) -> None:
    store = open_leveldb(tmp_path, create=True)
    keys = [encode_number(number) for number in range(50)]
    ended = threading.Event()
    wrong: list[bytes | None] = []

    def seek() -> None:
        seen = dict.fromkeys(keys, 0)
        while not ended.is_set():
            for key in keys:
                found = int.from_bytes(store.seek(key) or b"")
                # Never behind what was seen before: no cursor outlives the write after it.
                if found < seen[key]:
                    wrong.append(key)
                seen[key] = found

    threads = [threading.Thread(target=seek) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(1, 400):
        store.write([(key, encode_number(number)) for key in keys], sync=False)
        if store.seek(keys[number % 50]) != encode_number(number):
            wrong.append(None)
    ended.set()
    for thread in threads:
        thread.join()
    store.close()

    assert wrong == []


def test_no_old_cursor_answers_after_a_new_one_could_not_be_made(tmp_path: Path) -> None:
    store = open_leveldb(tmp_path, create=True)
    store.write([(b"key", b"old")], sync=False)
    assert store.seek(b"key") == b"old"
    store.write([(b"key", b"new")], sync=False)

    class Exhausted:
        def raw_iterator(self, **options: bool) -> None:
            raise MemoryError(options)

    database = vars(store)["_database"]
    vars(store)["_database"] = Exhausted()
    with pytest.raises(MemoryError):
        store.seek(b"key")
    vars(store)["_database"] = database

    assert store.seek(b"key") == b"new"
    store.close()


def test_use_after_closing_is_a_typed_failure(tmp_path: Path) -> None:
    store = open_leveldb(tmp_path, create=True)
    store.write([(b"key", b"value"), (b"other", b"value")], sync=True)
    assert store.seek(b"key") == b"value"
    view = store.view()
    scans = [source.scan(b"a", b"z") for source in (store, view)]
    assert [next(pairs) for pairs in scans] == [(b"key", b"value")] * 2
    store.close()

    uses: list[Callable[[], object]] = [
        lambda: store.get(b"key"),
        lambda: store.seek(b"key"),
        lambda: store.seek_each([b"key"]),
        lambda: list(store.scan(b"a", b"z")),
        lambda: list(store.scan(b"a", b"z", limit=1)),
        lambda: list(store.scan(b"a", b"z", reverse=True)),
        lambda: store.write([(b"a", b"b")], sync=True),
        store.view,
        lambda: view.get(b"key"),
        lambda: list(view.scan(b"a", b"z")),
        *(lambda pairs=pairs: list(pairs) for pairs in scans),
    ]
    for use in uses:
        with pytest.raises(StorageClosed, match="closed"):
            use()
    view.close()
    store.close()
    with closing(open_leveldb(tmp_path, create=False)) as again:
        assert list(again.scan(b"a", b"z")) == [(b"key", b"value"), (b"other", b"value")]


class HeldBatch(list[tuple[bytes, bytes | None]]):
    """A batch that does not let the store have its second entry before it is let go."""

    def __init__(self, entries: Batch) -> None:
        super().__init__(entries)
        self.begun, self.released = threading.Event(), threading.Event()

    @override
    def __iter__(self) -> Iterator[tuple[bytes, bytes | None]]:
        first, *others = super().__iter__()
        yield first
        self.begun.set()
        assert self.released.wait(WITHIN_S)
        yield from others


def test_closing_waits_for_the_write_that_another_thread_is_at(tmp_path: Path) -> None:
    store = open_leveldb(tmp_path, create=True)
    batch = HeldBatch([(b"a", b"1"), (b"b", b"2")])
    with ThreadPoolExecutor(3) as threads:
        writing = threads.submit(store.write, batch, sync=True)
        assert batch.begun.wait(WITHIN_S)
        ending = threads.submit(store.close)
        try:
            # However long one looks, it must not have ended.
            assert not futures.wait([ending], timeout=0.05).done
        finally:
            batch.released.set()
        writing.result(WITHIN_S)
        ending.result(WITHIN_S)

    with closing(open_leveldb(tmp_path, create=False)) as again:
        assert list(again.scan(b"a", b"z")) == [(b"a", b"1"), (b"b", b"2")]


CLOSED_UNDER_LOAD = """
import sys, threading
from pathlib import Path
from node.storage import StorageClosed, open_leveldb

KEYS = [b"%05d" % number for number in range(400)]


def until_closed(work):
    def run():
        try:
            begun.wait()
            while True:
                work()
        except StorageClosed:
            ended.append(work)

    return threading.Thread(target=run)


for each in range(12):
    store = open_leveldb(Path(sys.argv[1]) / str(each), create=True)
    store.write([(key, bytes(2_000)) for key in KEYS], sync=False)
    view = store.view()
    works = [
        lambda: store.write([(key, bytes(2_000)) for key in KEYS], sync=True),
        lambda: store.get(KEYS[7]),
        lambda: store.seek(KEYS[9]),
        lambda: store.seek_each(KEYS),
        lambda: sum(1 for _ in store.scan(KEYS[0], KEYS[-1])),
        lambda: sum(1 for _ in store.scan(KEYS[0], KEYS[-1], limit=50)),
        lambda: sum(1 for _ in view.scan(KEYS[0], KEYS[-1], reverse=True)),
        lambda: view.get(KEYS[5]),
        lambda: store.view().close(),
    ]
    begun, ended = threading.Barrier(len(works) + 1), []
    threads = [until_closed(work) for work in works]
    for thread in threads:
        thread.start()
    begun.wait()
    for _ in range(each * 5):
        store.get(KEYS[0])
    store.close()
    for thread in threads:
        thread.join()
    assert len(ended) == len(works)
print(each + 1, "times")
"""


def test_closing_under_the_work_of_others_ends_it_and_not_the_process(tmp_path: Path) -> None:
    # Another process: one that frees memory in use ends by a signal.
    assert run_python(CLOSED_UNDER_LOAD, tmp_path) == "12 times\n"
