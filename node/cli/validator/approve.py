"""`khazana validator approve`: an office stands behind a proposal."""

import click

from node.cli.options import parse_id
from node.cli.validator.changing import tell
from node.cli.validator.office import Office, approving_office


@click.command()
@click.argument("id_", metavar="ID", callback=parse_id)
@approving_office
def command(*, office: Office, id_: str) -> None:
    """Approve the proposal ID for your office; the one that completes it puts it in force.

    Read it first: `khazana query proposal ID`.

    \b
    Example:
      khazana validator approve "$PROPOSAL" \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl --development central-bank/account
    """
    facts = office.act(lambda _, pen: pen.approve(id_))
    tell(facts, f"proposal {id_[:16]}…", as_json=office.as_json)
