"""`khazana upgrade cancel`: propose to cancel what is scheduled."""

from typing import TYPE_CHECKING, Any

import click

from node.cli.exits import CommandError, Exit
from node.cli.validator.changing import status_of, tell
from node.cli.validator.office import Office, Pen, proposing_office

if TYPE_CHECKING:
    from node.client import Client


@click.command()
@click.option(
    "--version",
    "version",
    type=click.IntRange(1, 255),
    required=True,
    help="Of the protocol: the one that is scheduled.",
)
@proposing_office
def command(*, office: Office, version: int) -> None:
    """Propose that a scheduled upgrade does not take place; other offices approve it in time.

    \b
    Example:
      khazana upgrade cancel --version 2 \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl --development central-bank/account
    """

    async def act(client: "Client", pen: Pen) -> dict[str, Any]:
        scheduled = (await status_of(client)).get("upgrade")
        if scheduled is None or scheduled["version"] != version:
            found = f"version {scheduled['version']} is" if scheduled else "no upgrade is"
            raise CommandError(
                Exit.REFUSED,
                f"{found} scheduled, expected version {version}",
                advice="`khazana upgrade status` says what is scheduled.",
            )
        operation = {"type": "cancel_upgrade", "approvers": [], "version": version}
        return await pen.propose(operation)

    facts = office.act(act)
    tell(facts, f"no upgrade to version {version}", as_json=office.as_json)
