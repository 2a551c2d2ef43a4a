"""Writing a request into a file: of the keys in use, or of those prepared to follow."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import emit

if TYPE_CHECKING:
    from node.cli.upkeep import Home
    from node.keys import Signer

Command = TypeVar("Command", bound=Callable[..., Any])


def _participant(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    from node.ledger.identifiers import is_name

    if value is not None and not is_name(value):
        raise click.BadParameter(
            f"{value!r} is no participant's id: 1 to 32 of a-z, 0-9 and inner hyphens are needed"
        )
    return value


def request_options(command: Command) -> Command:
    """Give a command `--participant` and `--out`."""
    for option in (
        click.option(
            "--out",
            type=click.Path(dir_okay=False, path_type=Path),
            help="By default NAME.request.json.",
        ),
        click.option(
            "--participant",
            callback=_participant,
            help="Who runs it, as the ledger knows him; by default of the node's own name.",
        ),
    ):
        command = option(command)
    return command


def request_path(place: "Home", out: Path | None) -> Path:
    """Return where the request will stand; to be asked before keys are made for it.

    Raises:
        CommandError: there is such a file already, or no such folder.
    """
    path = out or Path(f"{place.config.name}.request.json")
    if path.exists():
        raise _not_written(path, "File exists")
    if not path.parent.is_dir():
        raise _not_written(path, "No such directory")
    return path


def _not_written(path: Path, reason: str | None) -> CommandError:
    return CommandError(
        Exit.CONFIGURATION,
        f"{path}: {reason}",
        advice="Name another file with --out; one that is there is never overwritten.",
    )


def no_voting_key(home: Path) -> CommandError:
    """Return the refusal of a home that has nothing to vote with."""
    return CommandError(
        Exit.CONFIGURATION,
        f"{home} is an observer's: it has no voting key",
        advice="Make one with `khazana keys generate --purpose consensus`, and name it under"
        " [validator] in node.toml.",
    )


def no_key_waits(home: Path) -> CommandError:
    """Return the refusal of a home in which no keys were prepared."""
    return CommandError(
        Exit.REFUSED,
        f"in {home} no key waits to follow another",
        advice="`khazana validator prepare` makes them.",
    )


def write_request(
    signer: "Signer",
    certificate: bytes,
    place: "Home",
    *,
    participant: str | None,
    path: Path,
    as_json: bool,
) -> None:
    """Write the request of these keys, and say where it is; an existing file is kept.

    Raises:
        CommandError: there is such a file already, or it cannot be written.
    """
    from node.provision.requests import ValidatorRequest

    name = place.config.name
    request = ValidatorRequest.made_by(
        signer,
        network=place.genesis.hash,
        name=name,
        participant=participant or name,
        tls_certificate=certificate,
    )
    try:
        with path.open("x") as file:
            file.write(request.render())
    except OSError as error:
        raise _not_written(path, error.strerror) from None
    facts = {
        "file": str(path),
        "name": name,
        "participant": request.participant,
        "public_key": request.public_key.hex(),
    }
    text = f"wrote {path}: {name}, key {request.public_key.hex()}"
    emit(facts, text, as_json=as_json)
