"""What disks do to databases: bits that turned, in files that were written whole."""

from pathlib import Path


def damage_database(folder: Path) -> Path:
    """Turn bits in the middle of the largest file of a closed LevelDB; return that file."""
    files = [path for path in folder.iterdir() if path.suffix in {".ldb", ".log"}]
    largest = max(files, key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    middle = len(data) // 2
    for place in range(middle, min(middle + 64, len(data))):
        data[place] ^= 0xFF
    largest.write_bytes(data)
    return largest
