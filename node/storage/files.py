"""The seam between the consensus log and the disk: the few things a log does with files."""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from node.storage.errors import storage_error


class FileSystem(Protocol):
    """The files of one directory, by name. Every method blocks, and raises only `StorageError`."""

    def read(self, name: str) -> bytes | None:
        """Return a file's whole content, or None if there is no such file."""
        ...

    def append(self, name: str, data: bytes) -> None:
        """Add to a file's end, making it if needed; nothing is durable yet."""
        ...

    def truncate(self, name: str, size: int) -> None:
        """Cut an existing file to its first `size` bytes; not durable yet."""
        ...

    def sync(self, name: str) -> None:
        """Make the file's content and size durable."""
        ...

    def replace(self, old: str, new: str) -> None:
        """Give a synced file another's name, in one step that is durable on return."""
        ...

    def close(self) -> None:
        """Let go of all files; a second call does nothing."""
        ...


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable.

    Raises:
        OSError: the disk's reasons.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_writable(path: Path) -> None:
    """Refuse a directory, or a file in it, that this process may not write.

    Otherwise it would be found out only when the first thing has to be written.

    Raises:
        OSError: the disk is mounted read-only, or belongs to somebody else.
    """
    for each in (path, *path.iterdir()):
        if not os.access(each, os.W_OK, effective_ids=True):
            raise OSError(errno.EROFS, f"no right to write {each.name}")


class DiskFiles:
    """The files of a directory that exists."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptors: dict[str, int] = {}

    def read(self, name: str) -> bytes | None:
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error(self._path / name, error) from error

    def append(self, name: str, data: bytes) -> None:
        try:
            descriptor = self._open(name)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except OSError as error:
            raise storage_error(self._path / name, error) from error

    def truncate(self, name: str, size: int) -> None:
        try:
            os.ftruncate(self._open(name), size)
        except OSError as error:
            raise storage_error(self._path / name, error) from error

    def sync(self, name: str) -> None:
        try:
            os.fsync(self._open(name))
        except OSError as error:
            raise storage_error(self._path / name, error) from error

    def replace(self, old: str, new: str) -> None:
        try:
            for name in (old, new):
                self._close(name)
            os.rename(self._path / old, self._path / new)
            sync_directory(self._path)
        except OSError as error:
            raise storage_error(self._path / new, error) from error

    def close(self) -> None:
        for name in list(self._descriptors):
            self._close(name)

    def _open(self, name: str) -> int:
        if name not in self._descriptors:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            self._descriptors[name] = os.open(self._path / name, flags, 0o600)
        return self._descriptors[name]

    def _close(self, name: str) -> None:
        descriptor = self._descriptors.pop(name, None)
        if descriptor is not None:
            # What had to be durable was synced; a late error of closing says nothing about it.
            with suppress(OSError):
                os.close(descriptor)
