"""What the commands about amendments share: reading, writing, and saying what one decides."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import fields

if TYPE_CHECKING:
    from node.cli.upkeep import Home
    from node.genesis import Amendment

FILE = click.Path(dir_okay=False, path_type=Path)


def facts_of(amendment: "Amendment") -> dict[str, object]:
    """Return what an amendment decides, for machines."""
    body = amendment.body
    return {
        "id": amendment.id.hex(),
        "serial": amendment.serial,
        "genesis_hash": body.genesis_hash.hex(),
        "height": amendment.height,
        "block_id": body.block_id.hex(),
        "reason": body.reason,
        "survivors": [each.name for each in body.survivors],
        "validators": [
            {
                "name": each.name,
                "participant": each.participant,
                "public_key": each.public_key.hex(),
            }
            for each in amendment.validators
        ],
        "missing": list(amendment.missing),
    }


def text_of(amendment: "Amendment") -> str:
    """Return the same for people."""
    body = amendment.body
    survivors = {each.public_key for each in body.survivors}
    lines = {
        "amendment": f"{amendment.serial}, {amendment.id.hex()}",
        "network": f"genesis {body.genesis_hash.hex()}",
        "stands on": f"block {amendment.height}, {body.block_id.hex()}",
        "reason": body.reason,
        "survivors": ", ".join(each.name for each in body.survivors),
        **{
            f"rules, {number}": f"{each.name} of {each.participant},"
            f" {'key kept' if each.public_key in survivors else 'new key'} {each.public_key.hex()}"
            for number, each in enumerate(amendment.validators, start=1)
        },
        "not signed by": ", ".join(amendment.missing) or "nobody: it is complete",
    }
    return fields(lines)


def install_in(place: "Home", amendment: "Amendment") -> Path:
    """Put an amendment, which has been checked, into a home; return where it is.

    Raises:
        CommandError: the disk's reasons.
    """
    from node.genesis.installed import install

    folder = place.config.amendments
    try:
        return install(folder, amendment)
    except OSError as error:
        raise CommandError(
            Exit.DAMAGED,
            f"{folder} cannot be written: {error.strerror}",
            advice="Run this as the node's user, who owns that folder, and look at the disk:"
            " `khazana doctor`. Nothing was installed.",
        ) from None


def write(path: Path, amendment: "Amendment") -> None:
    """Write an amendment into a file, in the place of the one that is there.

    Raises:
        CommandError: the disk's reasons.
    """
    from node.genesis.installed import write_whole

    try:
        write_whole(path, amendment)
    except OSError as error:
        raise CommandError(
            Exit.CONFIGURATION,
            f"{path} cannot be written: {error.strerror}",
            advice="Name a file that you may write; nothing was written.",
        ) from None
