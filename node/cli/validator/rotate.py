"""`khazana validator rotate`: other keys for one who votes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.exits import CommandError, Exit
from node.cli.validator.changing import (
    request_of,
    status_of,
    tell,
)
from node.cli.validator.office import Office, Pen, proposing_office

if TYPE_CHECKING:
    from node.client import Client


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@proposing_office
def command(*, office: Office, file: Path) -> None:
    """Propose that a validator change to the keys of the request in FILE.

    Decided in block H, the new key votes from H + 1 on, and votes of the old one count no more.
    Double signatures that the old one made before remain evidence.

    \b
    Example:
      khazana validator rotate first-bank.rotation.json \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl --development central-bank/account
    """

    async def act(client: "Client", pen: Pen) -> dict[str, Any]:
        request = request_of(file, await status_of(client))
        found = {each.name: each for each in (await client.validators()).value.validators}
        present = found.get(request.name)
        if present is None:
            raise CommandError(
                Exit.REFUSED,
                f"{request.name} is no validator; there are {', '.join(found)}",
                advice="A newcomer is proposed with `khazana validator add`.",
            )
        if present.participant != request.participant:
            raise CommandError(
                Exit.REFUSED,
                f"{request.name} is run by {present.participant}, the request says"
                f" {request.participant}",
                advice=f"`khazana validator request --prepared --participant {present.participant}`"
                " writes it again, in that node's home.",
            )
        if present.public_key == request.public_key.hex():
            raise CommandError(
                Exit.REFUSED,
                f"{request.name} votes with the key {present.public_key} already",
                advice="`khazana validator prepare` makes new keys, and writes their request.",
            )
        operation = {
            "type": "rotate_validator_key",
            "name": request.name,
            "public_key": request.public_key.hex(),
            "tls_certificate": request.tls_certificate.hex(),
        }
        facts = await pen.propose(operation)
        return facts | {"validator": request.name, "public_key": request.public_key.hex()}

    facts = office.act(act)
    tell(facts, f"new keys of {facts['validator']}", as_json=office.as_json)
