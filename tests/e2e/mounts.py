"""Small disks for tests: a tmpfs that is mounted, filled, made read-only, and always removed.

Needs root. What a killed run leaves behind is removed by the next one: the mount's source names the
process that made it.
"""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_SOURCE = "khazana-test-"
_BALLAST = "ballast"
_AT_ONCE_BYTES = 1 << 20


class SmallDisk:
    """A mounted file system of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def free_bytes(self) -> int:
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self, *, leave_bytes: int) -> None:
        """Take the room that is left, but for this much; who writes meanwhile may have it all."""
        with (self.path / _BALLAST).open("ab", buffering=0) as ballast:
            while (more := self.free_bytes - leave_bytes) > 0:
                try:
                    ballast.write(bytes(min(more, _AT_ONCE_BYTES)))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def make_room(self) -> None:
        """Give back what was taken."""
        (self.path / _BALLAST).unlink()

    def set_writable(self, *, writable: bool) -> None:
        """Mount it anew; nobody may have a file open for writing."""
        _mount("-o", f"remount,{'rw' if writable else 'ro'}", str(self.path))


@contextmanager
def small_disk(path: Path, *, size_bytes: int) -> Iterator[SmallDisk]:
    """Mount a small disk on this folder, or skip the test where that is not permitted."""
    _sweep()
    path.mkdir(parents=True, exist_ok=True)
    try:
        _mount("-t", "tmpfs", "-o", f"size={size_bytes}", f"{_SOURCE}{os.getpid()}", str(path))
    except (OSError, subprocess.CalledProcessError) as error:
        words = error.stderr if isinstance(error, subprocess.CalledProcessError) else error
        pytest.skip(f"a tmpfs cannot be mounted here: {str(words).strip()}")
    try:
        yield SmallDisk(path)
    finally:
        _unmount(path)
        assert not os.path.ismount(path)


def _sweep() -> None:
    """Remove what processes left that are no more."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        source, path, *_ = line.split(" ")
        if source.startswith(_SOURCE) and not Path(f"/proc/{source[len(_SOURCE) :]}").exists():
            _unmount(Path(path))


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True, text=True)


def _unmount(path: Path) -> None:
    # Lazily: whoever still has a file open there must not keep the name.
    subprocess.run(["umount", "--lazy", str(path)], check=True, capture_output=True)
