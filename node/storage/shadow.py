"""Reading a database without writing to it: a shadow of its directory, thrown away afterwards.

LevelDB cannot open a database for reading only: opening one writes, and may rewrite tables. So it
is given a directory of its own. Tables never change once they are written, so the shadow has links
to them; what LevelDB appends to or replaces (CURRENT, manifest, log) is copied. Whatever it deletes
or writes is the shadow's. The database itself is locked meanwhile: no node runs on it.

A database that does not open because its own bookkeeping is damaged can be salvaged in the shadow:
LevelDB then reads every table that is there. What comes out is not to be believed, only to be
looked through: each block in it proves itself, or it is not used.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from node.storage.errors import StorageDamaged, StorageMissing, storage_error
from node.storage.leveldb import LevelDBStore, open_leveldb, salvage_leveldb
from node.storage.lock import DirectoryLock

_TABLES: Final = frozenset({".ldb", ".sst"})


@contextmanager
def open_shadow(path: Path, *, salvage: bool = False) -> Iterator[LevelDBStore]:
    """Open what is in a closed database; the directory is as it was when the block is left.

    Args:
        salvage: where the database does not open, read what tables there are.

    Raises:
        StorageMissing: there is no database.
        StorageLocked: a node, or another command, has it open.
        StorageDamaged: it does not open, with `salvage` not even then; or whoever reads in the
            block has met damage.
        StorageError: the disk's reasons.
    """
    if not path.is_dir():
        raise StorageMissing(path, "no such directory")
    try:
        lock = DirectoryLock(path)
    except OSError as error:
        raise storage_error(path, error) from error
    try:
        with tempfile.TemporaryDirectory(prefix="khazana-shadow-") as folder:
            shadow = Path(folder) / "chain"
            store = _open(path, shadow, salvage=salvage)
            try:
                yield store
            except StorageDamaged as damage:
                # What is damaged is what the links lead to.
                if damage.path != shadow:
                    raise
                detail = damage.detail.replace(str(shadow), str(path))
                raise StorageDamaged(path, detail) from damage
            finally:
                store.close()
    finally:
        lock.close()


def _open(path: Path, shadow: Path, *, salvage: bool) -> LevelDBStore:
    _fill(path, shadow)
    try:
        return open_leveldb(shadow, create=False)
    except StorageMissing as missing:
        # Of the directory that was asked for, not of its shadow.
        raise StorageMissing(path, missing.detail) from missing
    except StorageDamaged as damage:
        if not salvage:
            raise StorageDamaged(path, damage.detail) from damage
    shutil.rmtree(shadow)
    _fill(path, shadow)
    salvage_leveldb(shadow)
    return open_leveldb(shadow, create=False)


def _fill(path: Path, shadow: Path) -> None:
    try:
        shadow.mkdir()
        for file in path.iterdir():
            if file.suffix in _TABLES:
                (shadow / file.name).symlink_to(file.absolute())
            elif file.is_file() and file.name not in ("LOCK", "LOG", "LOG.old"):
                shutil.copyfile(file, shadow / file.name)
    except OSError as error:
        raise storage_error(path, error) from error
