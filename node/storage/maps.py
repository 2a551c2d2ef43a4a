"""Keeping LevelDB from mapping its tables into memory.

LevelDB maps the first 1,000 tables that a process opens, reads the others with `pread`, and has no
option about it. Whatever is read of a mapped table stays resident, with all that the kernel maps
around it: a node with ten million accounts and all its tables open would soon hold three gigabytes,
and with few tables open would spend its time on opening them. So the maps are spent on nothing: on
a database in memory with as many tables of a few bytes, whose files have no names any more; but for
a handful, which come back. From then on a table costs a descriptor, its index and its filter, some
50 kB for 2 MiB, and a read 1 us more. Measured figures stand in this room's README.

Where there is no folder in memory nothing is spent: that many files on a disk would cost a sync
each. The maps are the process' own, so they are spent once, and come back with its end.
"""

import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import plyvel

MAPS: Final = 1_000
"""How many LevelDB uses, in all its databases together; a constant of its own."""
MEMORY_FOLDER: Final = Path("/dev/shm")  # a name of our own is made in it
_AFTER_ALL: Final = b"\xff"


class Maps:
    """The maps of this process; `maps` is the only one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._database: plyvel.DB | None = None
        self.is_tried = False
        """There is nothing left to do: they are spent, or it was not possible."""

    @property
    def are_spent(self) -> bool:
        """Whether a table that is opened now is not mapped."""
        return self._database is not None

    def spend(self) -> None:
        """Spend them all, once, in a third of a second; where that is not possible, nothing
        happens, then or later: another try would cost as much, in the middle of a block's write.
        """
        with self._lock:
            if self.is_tried:
                return
            self.is_tried = True
            if MEMORY_FOLDER.is_dir():
                # No room in memory: tables go on being mapped.
                with suppress(plyvel.Error, OSError, RuntimeError):
                    folder = tempfile.mkdtemp(prefix="khazana-maps-", dir=MEMORY_FOLDER)
                    try:
                        self._database = _spent(folder)
                    finally:
                        shutil.rmtree(folder, ignore_errors=True)


def _spent(folder: str) -> plyvel.DB:
    database = plyvel.DB(
        folder,
        create_if_missing=True,
        max_open_files=MAPS + 100,
        write_buffer_size=64 << 10,
        lru_cache_size=1 << 10,
        compression=None,
    )
    for number in range(MAPS):
        database.put(number.to_bytes(4), b"")
        # What was put becomes a table, which is opened; nothing lies behind that end to compact.
        database.compact_range(start=_AFTER_ALL, stop=_AFTER_ALL * 2)
    return database


maps: Final = Maps()
