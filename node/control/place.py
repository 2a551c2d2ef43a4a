"""Where the socket is, and how it is named to the system."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SOCKET_NAME: Final = "control.sock"
PATH_BYTES_MAX: Final = 100
"""The system takes some 107 bytes of a socket's path."""


def socket_path(data_dir: Path) -> Path:
    """Return where the control socket of a node with this data directory is."""
    return data_dir / SOCKET_NAME


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Give a name of the path that the system takes, however deep the home lies.

    Raises:
        OSError: the folder cannot be opened.
    """
    if len(os.fsencode(path)) <= PATH_BYTES_MAX:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
