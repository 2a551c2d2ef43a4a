"""`khazana validator add`: one more who votes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import note
from node.cli.validator.changing import (
    request_of,
    seen_in_sync,
    status_of,
    tell,
)
from node.cli.validator.office import Office, Pen, proposing_office

if TYPE_CHECKING:
    from node.client import Client


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--newcomer", metavar="URL", help="Where the newcomer's node answers clients.")
@click.option("--unseen", is_flag=True, help="Propose it without having seen that it is in sync.")
@proposing_office
def command(*, office: Office, file: Path, newcomer: str | None, unseen: bool) -> None:
    """Propose that the node of the request in FILE become a validator.

    With --newcomer it looks whether that node has caught up: until a validator has, it is a missing
    vote. Where every vote will be needed there is no way round that.

    \b
    Example:
      khazana validator add first-bank.request.json --newcomer http://127.0.0.1:26685 \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl --development central-bank/account
    """
    from consensus.quorum import quorum
    from consensus.types import FaultModel

    async def act(client: "Client", pen: Pen) -> dict[str, Any]:
        status = await status_of(client)
        request = request_of(file, status)
        for each in (await client.validators()).value.validators:
            if request.name == each.name or request.public_key.hex() == each.public_key:
                raise CommandError(
                    Exit.REFUSED,
                    f"{each.name} is a validator already, with the key {each.public_key}",
                    advice="Other keys for it are proposed with `khazana validator rotate`.",
                )
        before, after = status["validators"], status["validators"] + 1
        needed = quorum(FaultModel(status["fault_model"]), after)
        if newcomer is not None:
            note(await seen_in_sync(newcomer, request, status))
        elif needed == after:
            raise CommandError(
                Exit.REFUSED,
                f"with {request.name} all {after} validators are needed for a block, now"
                f" {status['quorum']} of {before}: a newcomer that is behind or off stops the"
                " network, and nobody could vote it out again",
                advice="Name its node with --newcomer, to show that it has caught up.",
            )
        elif not unseen:
            raise CommandError(
                Exit.REFUSED,
                f"nobody has seen that {request.name} has caught up; until it has, it is a vote"
                f" that is missing ({needed} of {after} decide)",
                advice="Name its node with --newcomer, or say --unseen.",
            )
        operation = {
            "type": "add_validator",
            "name": request.name,
            "participant": request.participant,
            "public_key": request.public_key.hex(),
            "tls_certificate": request.tls_certificate.hex(),
        }
        facts = await pen.propose(operation)
        return facts | {"validator": request.name, "validators": after, "quorum": needed}

    facts = office.act(act)
    tell(facts, f"{facts['validator']} as a validator", as_json=office.as_json)
