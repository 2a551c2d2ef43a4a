"""Writing a request into a file: of the keys in use, or of those prepared to follow."""

from pathlib import Path
from typing import TYPE_CHECKING

from node.cli.exits import CommandError, Exit
from node.cli.output import emit

if TYPE_CHECKING:
    from node.cli.upkeep import Home
    from node.keys import Signer


def no_voting_key(home: Path) -> CommandError:
    """Return the refusal of a home that has nothing to vote with."""
    return CommandError(
        Exit.CONFIGURATION,
        f"{home} is an observer's: it has no voting key",
        advice="Make one with `khazana keys generate --purpose consensus`, and name it under"
        " [validator] in node.toml.",
    )


def write_request(
    signer: "Signer",
    certificate: bytes,
    place: "Home",
    *,
    participant: str | None,
    out: Path | None,
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
    path = out or Path(f"{name}.request.json")
    try:
        with path.open("x") as file:
            file.write(request.render())
    except OSError as error:
        raise CommandError(
            Exit.CONFIGURATION,
            f"{path}: {error.strerror}",
            advice="Name another file with --out; one that is there is never overwritten.",
        ) from None
    facts = {
        "file": str(path),
        "name": name,
        "participant": request.participant,
        "public_key": request.public_key.hex(),
    }
    text = f"wrote {path}: {name}, key {request.public_key.hex()}"
    emit(facts, text, as_json=as_json)
