"""`khazana calendar amend`: an office confirms, adds or takes back holidays."""

from datetime import date
from typing import TYPE_CHECKING

import click

from node.cli.asking import with_client
from node.cli.exits import CommandError, Exit
from node.cli.quote.figures import DAY
from node.cli.submission import Offices, office_options

if TYPE_CHECKING:
    from node.client import Client
    from node.client.reads import Calendar


@click.command()
@click.argument("name", default="pakistan")
@click.option(
    "--confirm",
    "confirmed",
    multiple=True,
    type=DAY,
    help="A provisional holiday that is certain now; once for each day.",
)
@click.option(
    "--holiday", "holidays", multiple=True, type=DAY, help="A new holiday; once for each day."
)
@click.option(
    "--provisional",
    multiple=True,
    type=DAY,
    help="A new holiday that is not certain yet, or one that is in doubt again; once for each day.",
)
@click.option(
    "--withdraw",
    "withdrawn",
    multiple=True,
    type=DAY,
    help="A day that is no holiday after all; once for each.",
)
@office_options
def command(
    name: str,
    confirmed: tuple[date, ...],
    holidays: tuple[date, ...],
    provisional: tuple[date, ...],
    withdrawn: tuple[date, ...],
    *,
    offices: Offices,
) -> None:
    """Amend the calendar NAME, which is pakistan if none is given: its next version rules.

    A moon that was seen a day later withdraws one day and adds another, in one act: whatever hangs
    on the calendar moves once. Days that are past, or that a payment made relied on, stay.

    \b
    Examples:
      khazana calendar amend --confirm 2027-06-15 \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl --development central-bank/account
      khazana calendar amend --withdraw 2027-06-14 --holiday 2027-06-16 \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl --development central-bank/account
    """
    given = offices.submission

    async def read(client: "Client") -> "Calendar":
        return (await client.calendar(name)).value

    calendar = with_client(given.url, given.timeout_s, read)
    doubtful = {each.day for each in calendar.holidays if each.provisional}
    for day in confirmed:
        if day not in doubtful:
            raise CommandError(
                Exit.USAGE,
                f"{day} is no provisional holiday of {name}",
                advice=f"`khazana calendar show {name}` lists them; a new holiday is --holiday.",
            )
    listed = [*confirmed, *holidays, *provisional, *withdrawn]
    twice = sorted({str(day) for day in listed if listed.count(day) > 1})
    if twice:
        raise CommandError(
            Exit.USAGE,
            f"found {', '.join(twice)} twice, expected each day once",
            advice="Name each day under one option alone.",
        )
    if not listed:
        raise CommandError(
            Exit.USAGE,
            "expected --confirm, --holiday, --provisional or --withdraw",
            advice=f"`khazana calendar show {name}` lists its holidays; a new one is --holiday"
            " 2027-03-23.",
        )
    words = dict.fromkeys((*confirmed, *holidays), False) | dict.fromkeys(provisional, True)
    offices.send(
        {
            "type": "amend_calendar",
            "calendar": name,
            "version": calendar.version,
            "withdrawn": [day.isoformat() for day in sorted(withdrawn)],
            "holidays": [
                {"day": day.isoformat(), "provisional": words[day]} for day in sorted(words)
            ],
        }
    )
