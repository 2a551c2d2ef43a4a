"""What disks and hands do to databases and logs that were written whole and closed."""

import shutil
from collections.abc import Callable
from pathlib import Path

PAGE_BYTES = 4096


def damage_database(folder: Path) -> Path:
    """Turn bits in the middle of the largest file of a closed LevelDB; return that file."""
    return flip_bytes(largest_file(folder, ".ldb", ".log"))


def largest_file(folder: Path, *suffixes: str) -> Path:
    """Return the largest file with one of these endings."""
    files = [path for path in folder.iterdir() if path.suffix in suffixes]
    return max(files, key=lambda path: path.stat().st_size)


def flip_bytes(file: Path, *, at: int | None = None) -> Path:
    """Turn every bit of some bytes, here or in the middle."""

    def flip(data: bytearray) -> None:
        start = len(data) // 2 if at is None else at
        for place in range(start, min(start + 64, len(data))):
            data[place] ^= 0xFF

    return _changed(file, flip)


def zero_bytes(file: Path, *, at: int | None = None) -> Path:
    """Make the page here or in the middle read as zeros, as a disk does that lost it."""

    def zero(data: bytearray) -> None:
        start = len(data) // 2 if at is None else at
        start -= start % PAGE_BYTES if len(data) > 2 * PAGE_BYTES else 0
        length = min(PAGE_BYTES, (len(data) - start) // 2)
        data[start : start + length] = bytes(length)

    return _changed(file, zero)


def find_bytes(folder: Path, content: bytes, suffix: str) -> tuple[Path, int]:
    """Return the file that holds this, and where: nothing here is compressed.

    Raises:
        LookupError: no file with this ending does.
    """
    for path in sorted(folder.iterdir()):
        if path.suffix == suffix and (at := path.read_bytes().find(content)) >= 0:
            return path, at
    raise LookupError(f"{content.hex()} is in no {suffix} of {folder}")


def cut_in_half(file: Path) -> Path:
    """Let the file end in its middle."""

    def cut(data: bytearray) -> None:
        del data[len(data) // 2 :]

    return _changed(file, cut)


def remove(pattern: str) -> Callable[[Path], Path]:
    """Return what removes the file of this name from a folder."""

    def damage(folder: Path) -> Path:
        (file,) = folder.glob(pattern)
        file.unlink()
        return file

    return damage


def put_back(copy: Path, folder: Path) -> None:
    """Let a folder have the content of its copy, and nothing else."""
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)


def _changed(file: Path, change: Callable[[bytearray], None]) -> Path:
    data = bytearray(file.read_bytes())
    change(data)
    file.write_bytes(data)
    return file
