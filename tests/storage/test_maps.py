"""A node's tables stay out of its memory, and are read all the same.

Maps are the process' own and are spent once, so each test is a process.
"""

from pathlib import Path

import pytest

from node.storage.maps import MEMORY_FOLDER
from tests.storage.processes import run_python

FILL = """
import sys
import threading
from pathlib import Path
from node.storage import leveldb
from node.storage.maps import maps
leveldb.TABLES_MAPPED_MAX = 1
leveldb.TABLE_SIZE_BYTES = 1 << 20
leveldb.WRITE_BUFFER_SIZE_BYTES = 1 << 16

def mapped(path):
    return sum(str(path) in line for line in Path("/proc/self/maps").read_text().splitlines())

def fill(store, first, count):
    for number in range(first, first + count):
        store.write([(number.to_bytes(4), number.to_bytes(4) * 500)], sync=False)

def right(store, count):
    return all(store.get(n.to_bytes(4)) == n.to_bytes(4) * 500 for n in range(0, count, 7))

path = Path(sys.argv[1])
"""

HANDFUL = 8
"""Maps that come back when tables of nothing are merged."""

pytestmark = pytest.mark.skipif(not MEMORY_FOLDER.is_dir(), reason="no folder in memory here")


def test_tables_that_come_to_be_are_not_mapped(tmp_path: Path) -> None:
    code = FILL + (
        "store = leveldb.open_leveldb(path, create=True, node=True)\n"
        "fill(store, 0, 2 * leveldb._LOOK_EVERY)\n"
        "for thread in threading.enumerate():\n"
        "    if thread.name == leveldb.SPENDING_THREAD:\n"
        "        thread.join()\n"
        "assert maps.are_spent\n"
        "before = mapped(path)\n"
        "fill(store, 2 * leveldb._LOOK_EVERY, 3000)\n"
        "assert right(store, 3000)\n"
        "print(before, mapped(path), len(list(path.glob('*.ldb'))))\n"
    )

    before, after, tables = map(int, run_python(code, tmp_path / "db").split())

    assert before <= HANDFUL
    assert after <= HANDFUL < tables


def test_many_tables_are_not_mapped_at_opening(tmp_path: Path) -> None:
    fill = FILL + (
        "store = leveldb.open_leveldb(path, create=True)\n"
        "fill(store, 0, 3000)\n"
        "assert right(store, 3000)\n"
        "print(mapped(path), maps.are_spent)\n"
        "store.close()\n"
    )
    read = FILL + (
        "store = leveldb.open_leveldb(path, create=False, node=True)\n"
        "assert maps.are_spent\n"
        "assert right(store, 3000)\n"
        "print(mapped(path))\n"
    )

    mapped, spent = run_python(fill, tmp_path / "db").split()
    assert int(mapped) > HANDFUL
    assert spent == "False"
    assert int(run_python(read, tmp_path / "db")) <= HANDFUL


def test_nothing_is_left_in_memory_and_a_second_call_does_nothing() -> None:
    code = (
        "from pathlib import Path\n"
        "from node.storage.maps import MEMORY_FOLDER, maps\n"
        "maps.spend(); maps.spend()\n"
        "text = Path('/proc/self/maps').read_text().splitlines()\n"
        "ours = [line for line in text if 'khazana-maps-' in line]\n"
        "assert maps.are_spent\n"
        "assert 900 < len(ours) <= 1000, len(ours)\n"
        "folders = {Path(line.split()[5]).parent for line in ours}\n"
        "assert not any(folder.exists() for folder in folders)\n"
    )

    run_python(code)


def test_what_was_not_possible_is_not_tried_at_every_write(tmp_path: Path) -> None:
    code = FILL + (
        "import node.storage.maps as room\n"
        "room.MEMORY_FOLDER = path / 'nowhere'\n"
        "maps.spend()\n"
        "room.MEMORY_FOLDER.mkdir(parents=True)\n"
        "maps.spend()\n"
        "assert maps.is_tried and not maps.are_spent\n"
    )

    run_python(code, tmp_path)


def test_without_a_folder_in_memory_tables_are_mapped(tmp_path: Path) -> None:
    code = FILL + (
        "import node.storage.maps\n"
        "node.storage.maps.MEMORY_FOLDER = path / 'nowhere'\n"
        "store = leveldb.open_leveldb(path, create=True, node=True)\n"
        "fill(store, 0, 1000)\n"
        "assert right(store, 1000)\n"
        "print(mapped(path), maps.are_spent)\n"
    )

    mapped, spent = run_python(code, tmp_path / "db").split()

    assert int(mapped) > 0
    assert spent == "False"
