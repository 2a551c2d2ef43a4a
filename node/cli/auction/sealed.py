"""What a sealed bid hides, in a file of its own: the only copy there is, until it is opened.

The file is written, and on the disk, before the bid is handed in: a bid that reached the ledger and
cannot be opened counts against its bidder. Nobody but the owner of the file may read it.
"""

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import click
import msgspec

from node.cli.exits import CommandError, Exit

FORMAT: Final = "khz-sealed-bid/1"
FOLDER_VARIABLE: Final = "KHAZANA_BIDS"
SALT_SIZE: Final = 32
FILE_SIZE_MAX: Final = 4_096
FILES_MAX: Final = 1_000

_Hex32: TypeAlias = str


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBidFile:
    """A sealed bid, and what it takes to open it."""

    network: str
    """Hash of the genesis, in hexadecimal."""
    auction: str
    account: str
    asset: str
    price: str
    """Per hundred, with four decimals."""
    face: str
    """In units of the asset."""
    salt: _Hex32
    commitment: _Hex32
    format: str = FORMAT


def folder_option(command: Any) -> Any:
    """Give a command `--bids`: where sealed bids are kept."""
    return click.option(
        "--bids",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("khazana-bids"),
        envvar=FOLDER_VARIABLE,
        show_default=True,
        show_envvar=True,
        help="Folder of the files that open sealed bids. Keep it as you keep keys.",
    )(command)


def new_salt() -> bytes:
    """Return what makes a commitment impossible to guess."""
    return secrets.token_bytes(SALT_SIZE)


def store(folder: Path, bid: SealedBidFile) -> Path:
    """Write a new file, and return once it is on the disk.

    Raises:
        CommandError: it cannot be written; nothing may be handed in.
    """
    path = folder / f"{bid.auction}-{bid.commitment[:16]}.json"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(bid), file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        _sync(folder)
    except OSError as error:
        raise CommandError(
            Exit.CONFIGURATION,
            f"the sealed bid cannot be kept in {path}: {error.strerror}; nothing was handed in",
            advice="Name a folder that can be written with --bids.",
        ) from error
    return path


def load(folder: Path, *, network: str, auction: str, account: str) -> dict[str, SealedBidFile]:
    """Return the sealed bids of an account in an auction, by commitment.

    Raises:
        CommandError: a file is damaged.
    """
    found: dict[str, SealedBidFile] = {}
    for path in _files(folder, auction):
        bid = _read(path)
        if (bid.network, bid.auction, bid.account) == (network, auction, account):
            found[bid.commitment] = bid
    return found


def _files(folder: Path, auction: str) -> Iterator[Path]:
    # Of an auction whose name goes on with a hyphen too: what they say decides.
    paths = sorted(folder.glob(f"{auction}-*.json"))
    if len(paths) > FILES_MAX:
        raise CommandError(
            Exit.CONFIGURATION,
            f"{folder} has {len(paths)} files of sealed bids, at most {FILES_MAX} are read",
            advice="Move those of auctions that are over elsewhere.",
        )
    yield from paths


def _read(path: Path) -> SealedBidFile:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_SIZE_MAX + 1)
        if len(data) > FILE_SIZE_MAX:
            raise ValueError(f"more than {FILE_SIZE_MAX} bytes")
        bid = msgspec.json.decode(data, type=SealedBidFile)
        if bid.format != FORMAT:
            raise ValueError(f"its format is {bid.format[:40]!r}, expected {FORMAT!r}")
    except (OSError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise CommandError(
            Exit.CONFIGURATION,
            f"{path} is no sealed bid: {error}",
            advice="Without it the bid cannot be opened; restore the file from a copy.",
        ) from error
    return bid


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
