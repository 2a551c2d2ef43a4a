"""The disk of one machine: a database and a log in memory, which lose their power together."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from node.storage import MemoryStore
from node.storage.errors import StorageFull
from node.storage.memory_files import MemoryFiles, PowerCut
from node.storage.store import Batch, ReadView

T = TypeVar("T")


class SimDisk:
    """What outlives a node; `plug` gives each life the two seams it writes through."""

    def __init__(self, chance: random.Random, lost_power: Callable[[], None]) -> None:
        """Make an empty disk without power.

        Args:
            chance: what becomes of bytes that were not synced.
            lost_power: called at the moment of a power cut, before anything else can happen.
        """
        self._random = chance
        self._lost_power = lost_power
        self._values = MemoryStore()
        self._files = MemoryFiles()
        self._life: Life | None = None
        self.full = False
        """No write succeeds while this is so; what a log appends may be there in part."""

    @property
    def raw_files(self) -> MemoryFiles:
        """The log's files, for what happens between two lives."""
        assert self._life is None
        return self._files

    @property
    def raw_values(self) -> MemoryStore:
        """The database, for what happens between two lives, and for the checkers."""
        return self._values

    def plug(self) -> "Life":
        """Give power, and the seams of a new life."""
        assert self._life is None
        self._life = Life(self)
        return self._life

    def unplug(self) -> None:
        """Let the process end in order: what it wrote is in the kernel's hands, and so kept."""
        if self._life is not None:
            self._life.over = True
            self._life = None

    def cut_power(self) -> None:
        """Take the power: from now on no step of this life happens; unsynced bytes may be lost."""
        if self._life is None:
            return
        self._life.over = True
        self._life = None
        self._files = self._files.restarted(self._random.randrange)
        self._lost_power()

    def arm(self) -> None:
        """Let the power go at a moment in one of the next writes."""
        if self._life is None:
            return
        if self._random.random() < 0.4:
            self._life.store.writes_left = self._random.randrange(1, 4)
        else:
            self._files.cut_power_at(self._files.steps + self._random.randrange(12))

    def disarm(self) -> None:
        """Forget what `arm` has prepared."""
        self._files.cut_power_at(None)
        if self._life is not None:
            self._life.store.writes_left = None

    def wipe(self) -> None:
        """Put an empty disk in its place."""
        assert self._life is None
        self._values = MemoryStore()
        self._files = MemoryFiles()

    def copy_of_values(self) -> MemoryStore:
        """Return what a backup of the database would hold now."""
        copied = MemoryStore()
        copied.write(list(self._values.scan(b"", b"\xff" * 64)), sync=True)
        return copied

    def put_back(self, values: MemoryStore) -> None:
        """Let an older copy of the database take the place of the present one; the log stays."""
        assert self._life is None
        self._values = values


class Life:
    """The seams of one life of a node."""

    def __init__(self, disk: SimDisk) -> None:
        self.disk = disk
        self.over = False
        self.store = _Store(self, disk._values)
        self.files = _Files(self, disk._files)

    def check(self) -> None:
        """Refuse to do anything without power."""
        if self.over:
            raise PowerCut

    def lose_power(self) -> None:
        self.disk.cut_power()
        raise PowerCut


class _Store:
    """A `KeyValueStore` that can lose its power before or after a batch, never within."""

    def __init__(self, life: Life, values: MemoryStore) -> None:
        self._life = life
        self._values = values
        self.writes_left: int | None = None

    @property
    def writes_synced(self) -> int:
        return self._values.writes_synced

    def get(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        return self._values.scan(start, stop, reverse=reverse, limit=limit)

    def write(self, batch: Batch, *, sync: bool) -> None:
        life = self._life
        life.check()
        if life.disk.full:
            raise StorageFull(Path("chain"), "the simulated disk is full")
        after = False
        if self.writes_left is not None:
            self.writes_left -= 1
            if self.writes_left <= 0:
                after = life.disk._random.random() < 0.5
                if not after:
                    life.lose_power()
        self._values.write(batch, sync=sync)
        if after:
            life.lose_power()

    def view(self) -> ReadView:
        return self._values.view()

    def close(self) -> None:
        """Keep the values for the next life."""


class _Files:
    """A `FileSystem` under the same power."""

    def __init__(self, life: Life, files: MemoryFiles) -> None:
        self._life = life
        self._files = files

    def read(self, name: str) -> bytes | None:
        self._life.check()
        return self._files.read(name)

    def append(self, name: str, data: bytes) -> None:
        disk = self._life.disk
        if disk.full and not self._life.over:
            part = data[: disk._random.randrange(len(data))]
            self._guarded(lambda: self._files.append(name, part))
            raise StorageFull(Path(name), "the simulated disk is full")
        self._guarded(lambda: self._files.append(name, data))

    def truncate(self, name: str, size: int) -> None:
        self._guarded(lambda: self._files.truncate(name, size))

    def sync(self, name: str) -> None:
        self._guarded(lambda: self._files.sync(name))

    def replace(self, old: str, new: str) -> None:
        self._guarded(lambda: self._files.replace(old, new))

    def close(self) -> None:
        self._files.close()

    def _guarded(self, step: Callable[[], None]) -> None:
        self._life.check()
        try:
            step()
        except PowerCut:
            self._life.disk.cut_power()
            raise
