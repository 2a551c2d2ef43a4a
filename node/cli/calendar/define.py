"""`khazana calendar define`: an office defines a calendar of business days."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import click

from node.cli.exits import CommandError, Exit
from node.cli.quote.figures import DAY
from node.cli.submission import Offices, office_options
from node.cli.tables import cell, read_table

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NONE: Final = "none"
_STATUSES: Final = {"confirmed": False, "": False, "provisional": True}


@click.command()
@click.argument("name")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--title", required=True, help="What people call it: Banks in Pakistan.")
@click.option(
    "--weekend",
    multiple=True,
    type=click.Choice((*_WEEKDAYS, _NONE)),
    default=("saturday", "sunday"),
    show_default=True,
    help="A day of each week without business, once for each; or none. It never changes.",
)
@click.option("--holiday", "holidays", multiple=True, type=DAY, help="A holiday; once for each.")
@click.option(
    "--provisional",
    multiple=True,
    type=DAY,
    help="A holiday that is expected, until the moon is seen; once for each.",
)
@office_options
def command(
    name: str,
    file: Path | None,
    title: str,
    weekend: tuple[str, ...],
    holidays: tuple[date, ...],
    provisional: tuple[date, ...],
    *,
    offices: Offices,
) -> None:
    """Define the calendar NAME, once for ever; it is amended from then on.

    Its holidays are those of the options and of the CSV table in FILE: a line for each, with its
    day in the column holiday and in the column status, if there is one, confirmed or provisional.
    What `khazana calendar show --csv` prints of another calendar is such a table. Past ones belong
    to it as far as schedules reach back.

    \b
    Examples:
      khazana calendar define karachi --title "Banks in Karachi" --holiday 2027-03-23 \\
        --provisional 2027-03-10 \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl --development central-bank/account
      khazana calendar define dubai holidays.csv --title "Dubai" --weekend saturday \\
        --weekend sunday \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl --development central-bank/account
    """
    if _NONE in weekend and len(weekend) > 1:
        raise CommandError(
            Exit.USAGE,
            "found --weekend none beside a day, expected one of them",
            advice="Without a weekend: --weekend none alone; else once for each day: --weekend"
            " saturday --weekend sunday.",
        )
    told = [
        *((day, False) for day in holidays),
        *((day, True) for day in provisional),
        *(() if file is None else read_holidays(file)),
    ]
    days = [day for day, _ in told]
    twice = sorted({str(day) for day in days if days.count(day) > 1})
    if twice:
        raise CommandError(
            Exit.USAGE,
            f"found {', '.join(twice)} twice, expected each day once",
            advice="Name each day once, in the file or in an option.",
        )
    offices.send(
        {
            "type": "define_calendar",
            "calendar": name,
            "title": title,
            "weekend": sum(1 << _WEEKDAYS.index(day) for day in set(weekend) - {_NONE}),
            "holidays": [
                {"day": day.isoformat(), "provisional": is_provisional}
                for day, is_provisional in sorted(told)
            ],
        },
        f"{name}, {title}: weekend {', '.join(weekend)}; {len(told)} holidays",
    )


def read_holidays(file: Path) -> Iterator[tuple[date, bool]]:
    """Yield the holidays of a table, and whether each is provisional.

    Raises:
        CommandError: the file cannot be read, or a line of it is no holiday.
    """
    from node.ledger.dates import DatesError, parse_date

    for line, row in read_table(file, ("holiday",), ("status",)):
        status = cell(row, "status").lower()
        if status not in _STATUSES:
            raise CommandError(
                Exit.USAGE,
                f"{file}, line {line}: status is {status[:20]!r}, expected confirmed or"
                " provisional",
                advice="Write provisional where the moon decides, else confirmed; an empty cell is"
                " confirmed.",
            )
        try:
            day = parse_date(cell(row, "holiday"))
        except DatesError as error:
            raise CommandError(
                Exit.USAGE,
                f"{file}, line {line}: {error}",
                advice="Write each day as 2027-03-23 in the column holiday.",
            ) from None
        yield day, _STATUSES[status]
