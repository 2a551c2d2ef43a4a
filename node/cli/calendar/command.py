"""`khazana calendar`: the group of commands about business days."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "list": Place("node.cli.calendar.list_", "List the calendars on the ledger."),
        "show": Place("node.cli.calendar.show", "Print a calendar's weekend and holidays."),
        "check": Place("node.cli.calendar.check", "Say whether business is done on a day."),
        "define": Place("node.cli.calendar.define", "Define a calendar, once."),
        "amend": Place("node.cli.calendar.amend", "Confirm, add or take back holidays."),
    },
)
def command() -> None:
    """Ask which days are of business, and amend that.

    Calendars are data of the ledger: an office defines one once and amends it from then on, and
    whatever is due on a business day moves with it.
    """
