"""`khazana tx approve`: an office stands behind what another has proposed."""

import click

from node.cli.exits import CommandError, Exit
from node.cli.options import parse_id
from node.cli.output import emit
from node.cli.validator.changing import refusal_of, what_next
from node.cli.validator.office import Office, approving_office


@click.command()
@click.argument("id_", metavar="ID", callback=parse_id)
@approving_office
def command(*, office: Office, id_: str) -> None:
    """Approve the proposal ID for your office; the approval that completes it applies it.

    Read it first: `khazana query proposal ID`. What it would do has not happened before.

    \b
    Example:
      khazana tx approve "$PROPOSAL" \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl --development central-bank/account
    """
    facts = office.act(lambda _, pen: pen.approve(id_))
    if facts["state"] == "refused":
        raise CommandError(
            Exit.REFUSED,
            f"the ledger has refused what was proposed: {refusal_of(facts['refused'])}",
            facts=dict(facts),
            advice=what_next(facts["refused"]),
        )
    said = (
        f"applied in block {facts['height']}"
        if facts["state"] == "applied"
        else "approved by your office; it waits for another"
    )
    emit(facts, f"proposal {id_[:16]}…: {said}", as_json=office.as_json)
