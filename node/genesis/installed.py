"""The amendments that the operator of a node has installed: a folder of files beside the genesis.

One file for each, named by its serial: `001.amendment`. Nothing but the commands of an operator
writes here, and nothing that a peer sends.
"""

import os
from pathlib import Path
from typing import Final

from node.genesis.amendment import (
    AMENDMENTS_MAX,
    FILE_SIZE_MAX,
    Amendment,
    AmendmentError,
    AmendmentFault,
    decode_amendment,
    encode_amendment,
)
from node.genesis.genesis import Genesis

SUFFIX: Final = ".amendment"
_DRAFT: Final = ".draft"


def with_installed(genesis: Genesis, folder: Path) -> Genesis:
    """Return the genesis with the amendments in this folder, which need not be there.

    Raises:
        AmendmentError: a file cannot be read, or is no amendment that follows on those before.
    """
    found: list[Amendment] = []
    while len(found) < AMENDMENTS_MAX and (path := _file(folder, len(found) + 1)).exists():
        found.append(read_amendment(path))
    return genesis.amended(found) if found else genesis


def read_amendment(path: Path) -> Amendment:
    """Return the amendment in a file; some may not have signed it yet.

    Raises:
        AmendmentError: it cannot be read, or is none.
    """
    try:
        with path.open("rb") as source:
            data = source.read(FILE_SIZE_MAX + 1)
    except OSError as error:
        raise AmendmentError(
            AmendmentFault.UNREADABLE, f"{path} cannot be read: {error.strerror}"
        ) from None
    try:
        return decode_amendment(data)
    except AmendmentError as error:
        raise AmendmentError(error.fault, f"{path}: {error.detail}") from None


def install(folder: Path, amendment: Amendment) -> Path:
    """Put an amendment, which has been checked, into the folder for good; return where it is.

    Raises:
        OSError: the disk's reasons; it is there whole or not at all.
    """
    folder.mkdir(exist_ok=True)
    path = _file(folder, amendment.serial)
    write_whole(path, amendment)
    return path


def discard(folder: Path, amendment: Amendment) -> None:
    """Take the last amendment out of the folder again.

    Raises:
        OSError: the disk's reasons.
    """
    _file(folder, amendment.serial).unlink()
    _sync(folder)


def write_whole(path: Path, amendment: Amendment) -> None:
    """Write an amendment into a file, in the place of one that is there, or leave that as it is.

    Raises:
        OSError: the disk's reasons.
    """
    draft = path.with_name(path.name + _DRAFT)
    with draft.open("wb") as file:
        file.write(encode_amendment(amendment))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync(path.absolute().parent)


def _file(folder: Path, serial: int) -> Path:
    return folder / f"{serial:03}{SUFFIX}"


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
