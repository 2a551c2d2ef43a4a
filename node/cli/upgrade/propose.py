"""`khazana upgrade propose`: propose the next version from a height on."""

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
    help="Of the protocol: the one after that which rules.",
)
@click.option(
    "--height",
    type=click.IntRange(1),
    required=True,
    help="The first block that it rules; leave time to upgrade every node.",
)
@proposing_office
def command(*, office: Office, version: int, height: int) -> None:
    """Propose that a version of the protocol rules from a height on; other offices approve it.

    Make sure first that every node knows it: `khazana upgrade check`. A node that does not stops
    before that height, and with too few left the network waits for them.

    \b
    Example:
      khazana upgrade propose --version 2 --height 250000 \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl --development central-bank/account
    """
    from node.ledger.protocol import SUPPORTED

    if version not in SUPPORTED:
        raise CommandError(
            Exit.REFUSED,
            f"this release knows versions {min(SUPPORTED)} to {max(SUPPORTED)}, not {version}",
            advice="Propose with the release that brings it: no node of this one would go on.",
        )

    async def act(client: "Client", pen: Pen) -> dict[str, Any]:
        status = await status_of(client)
        ruling, head = status["protocol_version"], status["height"]
        if version != ruling + 1:
            raise CommandError(
                Exit.REFUSED,
                f"version {ruling} rules after block {head}: the next is {ruling + 1},"
                f" not {version}",
                advice=f"Versions come one after the other: propose {ruling + 1}. `khazana upgrade"
                " status` says what is scheduled.",
            )
        if height <= head:
            raise CommandError(
                Exit.REFUSED,
                f"block {head} is decided already: version {version} cannot rule from {height} on",
                advice="Choose a height that leaves time to approve it, and to upgrade every node.",
            )
        operation = {
            "type": "schedule_upgrade",
            "approvers": [],
            "version": version,
            "height": height,
        }
        return await pen.propose(operation)

    facts = office.act(act)
    tell(facts, f"version {version} from height {height} on", as_json=office.as_json)
