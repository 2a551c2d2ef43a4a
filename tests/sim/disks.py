"""The disk of one machine: a database and a log in memory, which lose their power together."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from node.storage import MemoryStore
from node.storage.consensus_log import LOG_NAME
from node.storage.errors import StorageDamaged, StorageFull
from node.storage.memory_files import MemoryFiles, PowerCut
from node.storage.store import Batch, ReadView

_MARK: Final = slice(14, 22)
"""Where the log's header holds the mark that begins each of its frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What a backup of a disk holds."""

    values: MemoryStore
    log: bytes | None


class Moment(StrEnum):
    """Where in an operation the power can go."""

    BEFORE = "before"
    WITHIN = "within"
    """Between a rename and its sync."""
    AFTER = "after"
    """Before anything else happens on the machine."""


class Fate(StrEnum):
    """What becomes of all that was not synced when the power goes."""

    LOST = "lost"
    KEPT = "kept"
    CUT = "cut"
    """Half of it is there: of bytes the first half, of batches the older ones."""
    BLANKED = "blanked"
    """Of a file only the length is there; of batches nothing."""


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
        self._unsynced: list[Batch] = []
        """What undoes each batch that a power cut may take, oldest first."""
        self._files = MemoryFiles()
        self._rotten: set[bytes] = set()
        self._life: Life | None = None
        self.full = False
        """No write succeeds while this is so; what a log appends may be there in part."""
        self.damage_met: Callable[[], None] = lambda: None
        """Called when a read meets damage, before the reader hears of it."""
        self.dies: Callable[[str, Moment], bool] = lambda _, __: False
        """Asked at each moment of each operation whether the power goes now."""
        self.fate: Fate | None = None
        """Of what is not synced; None: chance says."""

    @property
    def raw_files(self) -> MemoryFiles:
        """The log's files, for what happens between two lives."""
        assert self._life is None
        return self._files

    @property
    def raw_values(self) -> MemoryStore:
        """The database, for what happens between two lives, and for the checkers."""
        return self._values

    @property
    def is_unsynced(self) -> bool:
        """Whether a power cut could take anything."""
        return bool(self._unsynced) or self._files.is_unsynced

    @property
    def is_rotten(self) -> bool:
        """Whether the database holds damage that nobody has written over."""
        return bool(self._rotten)

    def plug(self) -> "Life":
        """Give power, and the seams of a new life.

        LevelDB writes what it recovers from its log into a table as it opens, and syncs it: what a
        life finds at its start can no power cut take any more.
        """
        assert self._life is None
        self._unsynced.clear()
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
        self._files = self._files.restarted(self._choose)
        for undo in reversed(self._unsynced[self._batches_kept(len(self._unsynced)) :]):
            self._values.write(undo, sync=False)
        self._unsynced.clear()
        self._lost_power()

    def _choose(self, count: int) -> int:
        """Return what becomes of a file, as `MemoryFiles.restarted` asks."""
        match self.fate:
            case None:
                return self._random.randrange(count)
            case Fate.LOST:
                return 0
            case Fate.KEPT:
                return min(1, count - 1)
            case Fate.CUT:
                # Of the four ways for what was added the third; of its bytes half.
                return count // 2
            case Fate.BLANKED:
                return count - 1

    def _batches_kept(self, count: int) -> int:
        match self.fate:
            case None:
                return self._random.randrange(count + 1)
            case Fate.KEPT:
                return count
            case Fate.CUT:
                return count // 2
            case Fate.LOST | Fate.BLANKED:
                return 0

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

    # What befalls a disk.

    def rot(self, width: int) -> int:
        """Damage a run of so many neighbouring values, as a bad block of a table does.

        The database notices: each value is under a checksum that is verified when it is read.
        Returns how many were hit.
        """
        keys = [key for key, _ in self._values.scan(b"", b"\xff" * 64)]
        if not keys:
            return 0
        start = self._random.randrange(len(keys))
        hit = keys[start : start + width]
        self._rotten.update(hit)
        return len(hit)

    def rot_log(self) -> str | None:
        """Flip a bit of the log, or blank a part of it; return what, None if there is no log.

        Bytes are blanked only before the last frame. What a blanked last frame looks like is what a
        power cut leaves of one that was never synced: no log can tell the two apart.
        """
        assert self._life is None
        data = self._files.read(LOG_NAME)
        if data is None:
            return None
        last = data.rfind(data[_MARK])
        place = self._random.randrange(len(data))
        if place < last and self._random.random() < 0.5:
            size = min(512, last - place)
            self._files.alter(LOG_NAME, lambda old: _blanked(old, place, size))
            return f"blanked {size} at {place}"
        bit = 1 << self._random.randrange(8)
        self._files.alter(LOG_NAME, lambda old: _flipped(old, place, bit))
        return f"flipped a bit at {place}"

    # What an operator does between two lives.

    def wipe(self) -> None:
        """Put an empty disk in its place."""
        self.wipe_values()
        self.wipe_log()

    def wipe_values(self) -> None:
        """Move the database aside."""
        assert self._life is None
        self._values = MemoryStore()
        self._rotten.clear()
        self._unsynced.clear()

    def wipe_log(self) -> None:
        """Move the log aside."""
        assert self._life is None
        self._files = MemoryFiles()

    def copy(self) -> Copy:
        """Return what a backup of the disk would hold now."""
        return Copy(values=self.copy_of_values(), log=self._files.read(LOG_NAME))

    def copy_of_values(self) -> MemoryStore:
        """Return what a backup of the database would hold now."""
        copied = MemoryStore()
        copied.write(list(self._values.scan(b"", b"\xff" * 64)), sync=True)
        return copied

    def put_back(self, values: MemoryStore) -> None:
        """Let an older copy of the database take the place of the present one; the log stays."""
        self.wipe_values()
        self._values = values

    def put_back_log(self, log: bytes | None) -> None:
        """Let an older copy of the log take the place of the present one; the database stays."""
        self.wipe_log()
        if log is not None:
            self._files.append(LOG_NAME, log)
            self._files.sync(LOG_NAME)


def _blanked(data: bytes, place: int, size: int) -> bytes:
    return data[:place] + bytes(size) + data[place + size :]


def _flipped(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes((data[place] ^ bit,)) + data[place + 1 :]


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

    def pass_moment(self, what: str, moment: Moment) -> None:
        """Go on, unless the power goes at this moment."""
        if self.disk.dies(what, moment):
            self.lose_power()


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
        self._life.check()
        self._check_intact(key)
        return self._values.get(key)

    def seek(self, key: bytes) -> bytes | None:
        return self.get(key)

    def seek_each(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return list(map(self.get, keys))

    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        self._life.check()
        pairs = self._values.scan(start, stop, reverse=reverse, limit=limit)
        return self._intact(pairs) if self._life.disk._rotten else pairs

    def _intact(self, pairs: Iterator[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
        for key, value in pairs:
            self._check_intact(key)
            yield key, value

    def _check_intact(self, key: bytes) -> None:
        disk = self._life.disk
        if key in disk._rotten and not self._life.over:
            disk.damage_met()
            raise StorageDamaged(Path("chain"), f"a block's checksum, at key {key.hex()}")

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
        disk = life.disk
        deletes = any(value is None for _, value in batch)
        what = f"{'synced' if sync else 'unsynced'} batch{' with deletions' if deletes else ''}"
        life.pass_moment(what, Moment.BEFORE)
        if sync:
            disk._unsynced.clear()
        else:
            disk._unsynced.append([(key, self._values.get(key)) for key, _ in batch])
        self._values.write(batch, sync=sync)
        disk._rotten.difference_update(key for key, _ in batch)
        life.pass_moment(what, Moment.AFTER)
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
            self._guarded("append", lambda: self._files.append(name, part))
            raise StorageFull(Path(name), "the simulated disk is full")
        self._guarded("append", lambda: self._files.append(name, data))

    def truncate(self, name: str, size: int) -> None:
        self._guarded("truncate", lambda: self._files.truncate(name, size))

    def sync(self, name: str) -> None:
        self._guarded("sync", lambda: self._files.sync(name))

    def replace(self, old: str, new: str) -> None:
        def rename() -> None:
            if self._life.disk.dies("rename", Moment.WITHIN):
                self._files.cut_power_at(self._files.steps + 1)
            self._files.replace(old, new)

        self._guarded("rename", rename)

    def close(self) -> None:
        self._files.close()

    def _guarded(self, what: str, step: Callable[[], None]) -> None:
        life = self._life
        life.check()
        life.pass_moment(what, Moment.BEFORE)
        try:
            step()
        except PowerCut:
            life.disk.cut_power()
            raise
        life.pass_moment(what, Moment.AFTER)
