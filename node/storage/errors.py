"""What can go wrong with a node's disk, and what helps.

    StorageError           attributes `path`, `detail`
    ├── StorageMissing       there is no database or log here
    ├── StorageLocked        another process has it open
    ├── StorageFull          no space left; nothing of the failed write is there
    ├── StorageReadOnly      the disk or the directory cannot be written
    ├── StorageDamaged       what is on disk is not what was written
    ├── StorageClosed        whoever opened it has closed it; nothing is wrong with the disk
    └── StorageFailed        any other failure of the disk; also every use after a failed write

A node that meets one of these stops before it votes again. After a failed write nothing more is
written through the same object: what reached the disk is known only after opening it anew.
"""

import errno
from pathlib import Path
from typing import ClassVar, Final


class StorageError(Exception):
    """A failure of the disk, or of what is on it.

    Attributes:
        path: the directory or file.
        detail: what the operating system or the database said.
    """

    summary: ClassVar[str] = "cannot be used"
    advice: ClassVar[str] = "look at the disk and at the system's log"

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"{path} {self.summary} ({detail}): {self.advice}")
        self.path = path
        self.detail = detail


class StorageMissing(StorageError):
    """There is nothing to open."""

    summary = "does not exist"
    advice = "check the data directory in the configuration; `khazana init` makes a new one"


class StorageLocked(StorageError):
    """Another process holds it: two nodes with one key would sign against each other."""

    summary = "is in use by another process"
    advice = "stop the other node, or give this one its own data directory"


class StorageFull(StorageError):
    """No space is left, or a limit on the file's size is reached."""

    summary = "cannot grow"
    advice = "free some space, then start the node again; nothing acknowledged is lost"


class StorageReadOnly(StorageError):
    """The disk is mounted read-only, or the directory belongs to somebody else."""

    summary = "cannot be written"
    advice = "mount the disk writable and give the directory to the node's user, then start again"


class StorageDamaged(StorageError):
    """What is on disk is not what was written: a bit rotted, or a file is gone."""

    summary = "is damaged"
    advice = (
        "move this directory aside, keep it for examination, and run `khazana start` again: "
        "the node copies the chain from its peers and signs nothing before it has caught up. For a"
        " database, `khazana repair` does this, and keeps the blocks that are good"
    )


class StorageClosed(StorageError):
    """Whoever opened it has closed it; nothing is wrong with the disk."""

    summary = "is closed"
    advice = "it is used only while the node, or the command, that opened it has it open"

    def __init__(self, path: Path, detail: str = "closed by whoever opened it") -> None:
        super().__init__(path, detail)


class StorageFailed(StorageError):
    """The disk failed in another way; or a write failed before, and nothing after it is safe."""

    summary = "failed"


BY_NUMBER: Final[dict[int, type[StorageError]]] = {
    errno.ENOENT: StorageMissing,
    errno.ENOSPC: StorageFull,
    errno.EDQUOT: StorageFull,
    errno.EFBIG: StorageFull,
    errno.EROFS: StorageReadOnly,
    errno.EACCES: StorageReadOnly,
    errno.EPERM: StorageReadOnly,
}


def storage_error(path: Path, error: OSError) -> StorageError:
    """Return the typed form of what the operating system said."""
    kind = BY_NUMBER.get(error.errno or 0, StorageFailed)
    return kind(path, error.strerror or str(error))
