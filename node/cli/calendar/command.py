"""`khazana calendar`: the group of commands about business days."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "list": Place("node.cli.calendar.list_", "List the calendars on the ledger."),
        "show": Place("node.cli.calendar.show", "Print a calendar's weekend and holidays."),
        "check": Place("node.cli.calendar.check", "Say whether business is done on a day."),
    },
)
def command() -> None:
    """Ask which days are of business.

    Calendars are data of the ledger: offices define and amend them (`khazana tx operations` has
    define_calendar and amend_calendar), and whatever is due on a business day moves with them.
    """
