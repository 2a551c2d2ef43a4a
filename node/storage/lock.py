"""One process for one directory: two nodes with one key would sign against each other."""

import fcntl
import os
from pathlib import Path

from node.storage.errors import StorageLocked


class DirectoryLock:
    """An exclusive lock of a directory, held from construction to `close` or the process's end.

    It is the kernel's (`flock` on the directory itself), so a killed process leaves nothing behind
    that an operator would have to delete, and nobody can delete it by mistake.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock of an existing directory.

        Raises:
            StorageLocked: it is held, by another process or by another object of this one.
            OSError: the directory cannot be opened.
        """
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise StorageLocked(path, "its lock is held") from None
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor: int | None = descriptor

    def close(self) -> None:
        """Give the lock back; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
