"""A disk that lives in memory, can lose its power at any step, and keeps what a real one would.

What was synced is there after a power cut. Of what was not, everything, nothing, a beginning, or
any of its sectors may be there; sectors that did not make it read as zeros. A rename without its
sync happened or did not.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from node.storage.errors import StorageFull

SECTOR_SIZE: Final = 512  # bytes that a disk writes whole or not at all


class PowerCut(BaseException):
    """The machine stopped. Not an `Exception`: no program can handle it."""


class MemoryFiles:
    """A `FileSystem` in memory: for simulation and tests."""

    def __init__(self, *, power_cut_at: int | None = None, size_max: int | None = None) -> None:
        """Make an empty disk.

        Args:
            power_cut_at: the step, counted from 0, at which the power goes; every method has one
                before and one after what it does, `replace` one between rename and sync.
            size_max: bytes a file can have before the disk is full.
        """
        self.steps = 0
        self.syncs = 0
        self._power_cut_at = power_cut_at
        self._size_max = size_max
        self._names: dict[str, _Content] = {}
        self._names_durable: dict[str, _Content] = {}

    def read(self, name: str) -> bytes | None:
        content = self._names.get(name)
        return None if content is None else bytes(content.now)

    def append(self, name: str, data: bytes) -> None:
        self._step()
        content = self._names.setdefault(name, _Content(b""))
        # The entry of a new file reaches the disk with the file's own sync, as on ext4.
        self._names_durable.setdefault(name, content)
        room = len(data) if self._size_max is None else self._size_max - len(content.now)
        content.now += data[: max(room, 0)]
        if room < len(data):
            raise StorageFull(Path(name), "the disk in memory is full")
        self._step()

    def truncate(self, name: str, size: int) -> None:
        self._step()
        del self._names[name].now[size:]
        self._step()

    def sync(self, name: str) -> None:
        self._step()
        content = self._names[name]
        content.durable = bytes(content.now)
        self.syncs += 1
        self._step()

    def replace(self, old: str, new: str) -> None:
        self._step()
        self._names[new] = self._names.pop(old)
        self._step()
        self._names_durable = dict(self._names)
        self.syncs += 1
        self._step()

    def close(self) -> None:
        """Keep everything: closing a file does not make it durable."""

    @property
    def is_unsynced(self) -> bool:
        """Whether a power cut could take anything."""
        contents = (*self._names.values(), *self._names_durable.values())
        return self._names != self._names_durable or any(
            content.now != content.durable for content in contents
        )

    def cut_power_at(self, step: int | None) -> None:
        """Let the power go at this step, counted from 0 since the disk was made; None: never."""
        self._power_cut_at = step

    def restarted(
        self, choose: Callable[[int], int], *, power_cut_at: int | None = None
    ) -> "MemoryFiles":
        """Return the disk as it is when the power is back.

        Args:
            choose: given n, returns a number from 0 to n - 1: what became of what was not synced.
            power_cut_at: as for a new disk.
        """
        disk = MemoryFiles(power_cut_at=power_cut_at, size_max=self._size_max)
        names = self._names if choose(2) else self._names_durable
        disk._names = {name: _Content(content.survivor(choose)) for name, content in names.items()}
        disk._names_durable = dict(disk._names)
        return disk

    def alter(self, name: str, change: Callable[[bytes], bytes]) -> None:
        """Let a file rot: put other bytes in its place, durably."""
        self._names[name] = _Content(change(bytes(self._names[name].now)))
        self._names_durable[name] = self._names[name]

    def _step(self) -> None:
        step = self.steps
        self.steps += 1
        # Without power no later step happens either.
        if self._power_cut_at is not None and step >= self._power_cut_at:
            raise PowerCut


class _Content:
    """What a file holds now, and what it would hold after a power cut at best."""

    def __init__(self, durable: bytes) -> None:
        self.durable = durable
        self.now = bytearray(durable)

    def survivor(self, choose: Callable[[int], int]) -> bytes:
        if not self.now.startswith(self.durable):
            return bytes(self.now) if choose(2) else self.durable
        added = bytes(self.now[len(self.durable) :])
        match choose(4):
            case 0:
                return self.durable
            case 1:
                return self.durable + added
            case 2:
                return self.durable + added[: choose(len(added) + 1)]
            case _:
                return self.durable + self._sectors(added, choose)

    def _sectors(self, added: bytes, choose: Callable[[int], int]) -> bytes:
        """Return the added bytes with some of the disk's sectors left blank."""
        blanked = bytearray(added)
        start = 0
        while start < len(added):
            end = min(start + SECTOR_SIZE - (len(self.durable) + start) % SECTOR_SIZE, len(added))
            if choose(2):
                blanked[start:end] = bytes(end - start)
            start = end
        return bytes(blanked)
