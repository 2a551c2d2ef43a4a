"""`khazana calendar check`: whether business is done on a day, and where it moves."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import click

from node.cli.asking import ask, cell
from node.cli.exits import CommandError, Exit
from node.cli.options import timeout_option, url_option
from node.cli.output import fields, json_option
from node.cli.sheets import Sheet, csv_option, sheet_of_row
from node.ledger.dates import DatesError, parse_date

_BUSINESS_DAYS_MAX = 366
_PAKISTAN: Final = "pakistan"
_DAY: Final = re.compile(r"[0-9]+[-/.0-9]*")
"""What a person means for a day, right or wrong; any other word is a calendar's name."""
_SHOWN_MAX: Final = 40
_HEAD: Final = (
    "calendar",
    "version",
    "day",
    "business",
    "why",
    "following",
    "modified_following",
    "preceding",
    "business_days",
    "counted",
)


@click.command()
@click.argument("words", nargs=-1, metavar="[NAME] [DAY]")
@click.option("--calendar", "named", help="By which one; the same as NAME.")
@click.option(
    "--plus",
    "business_days",
    type=click.IntRange(-_BUSINESS_DAYS_MAX, _BUSINESS_DAYS_MAX),
    default=0,
    show_default=True,
    help="Business days to count from it: 1 settles the next day. Negative counts back.",
)
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(
    words: tuple[str, ...],
    named: str | None,
    business_days: int,
    url: str,
    timeout_s: float,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Say whether business is done on a DAY by the calendar NAME, and where conventions move it.

    Without a NAME: by pakistan. Without a DAY: today by the ledger's clock, in its local time.

    \b
    Examples:
      khazana calendar check 2027-03-10 --plus 1
      khazana calendar check pakistan 2026-12-25
    """
    name, day = _asked(words, named)
    ask(
        url,
        timeout_s,
        "khz_businessDay",
        as_json=as_json,
        as_csv=as_csv,
        text=_text,
        sheet=_sheet,
        calendar=name,
        day=None if day is None else day.isoformat(),
        business_days=business_days,
    )


def _asked(words: tuple[str, ...], named: str | None) -> tuple[str, date | None]:
    """Return the calendar and the day that these words name, in either order.

    Raises:
        CommandError: a day is none, or there are two of one of them.
    """
    days = [word for word in words if _DAY.fullmatch(word)]
    names = [word for word in words if word not in days]
    names += [] if named is None else [named]
    if len(days) > 1 or len(names) > 1:
        shown = " ".join(repr(word[:_SHOWN_MAX]) for word in (*names, *days)[:4])
        raise CommandError(
            Exit.USAGE,
            f"found {shown}, expected at most one calendar and one day",
            advice="Such as: khazana calendar check pakistan 2026-12-25",
        )
    try:
        day = parse_date(days[0]) if days else None
    except DatesError:
        raise CommandError(
            Exit.USAGE,
            f"{days[0][:_SHOWN_MAX]!r} is no day of the calendar, expected YYYY-MM-DD",
            advice="Such as 2026-12-25. A calendar of digits alone is named by --calendar.",
        ) from None
    return (names[0] if names else _PAKISTAN), day


def _sheet(result: Mapping[str, Any]) -> Sheet:
    single = {name: result[name] for name in _HEAD}
    return sheet_of_row({**single, "business": cell(result["business"])})


def _text(result: Mapping[str, Any]) -> str:
    count = result["business_days"]
    return fields(
        {
            "day": f"{result['day']}: {result['why']}",
            "following": result["following"] or "-",
            "modified following": result["modified_following"] or "-",
            "preceding": result["preceding"] or "-",
            f"{count:+d} business days": result["counted"] or "-",
            "by": f"calendar {result['calendar']}, version {result['version']}",
        }
    )
