"""`khazana calendar show`: a calendar's weekend and holidays."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import click

from node.cli.asking import ask
from node.cli.options import timeout_option, url_option
from node.cli.output import fields, json_option, table
from node.cli.sheets import Sheet, csv_option


@click.command()
@click.argument("name", default="pakistan")
@click.option("--year", type=click.IntRange(1970, 9999), help="Only the holidays of this year.")
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(
    name: str, year: int | None, url: str, timeout_s: float, *, as_json: bool, as_csv: bool
) -> None:
    """Print the calendar NAME, which is pakistan if none is given.

    Provisional holidays are expected by calculation: the moon has not been seen yet. They count as
    holidays until an office confirms them or puts them on another day. With --json the holidays of
    all years are printed, whatever --year says.

    \b
    Examples:
      khazana calendar show pakistan --year 2027
      khazana calendar show --csv > holidays.csv
    """

    def text(result: Mapping[str, Any]) -> str:
        return _text(result, year)

    def sheet(result: Mapping[str, Any]) -> Sheet:
        return Sheet(head=_HEAD, rows=_rows(result["calendar"], year))

    ask(
        url,
        timeout_s,
        "khz_calendar",
        as_json=as_json,
        as_csv=as_csv,
        text=text,
        sheet=sheet,
        calendar=name,
    )


def _text(result: Mapping[str, Any], year: int | None) -> str:
    calendar = result["calendar"]
    facts = {
        "calendar": f"{calendar['calendar']}, {calendar['title']}",
        "version": calendar["version"],
        "weekend": ", ".join(calendar["weekend"]) or "none",
        "today": result["today"],
        "relied on until": calendar["used_until"] or "-",
        "moving": "what hangs on it is being looked at" if calendar["moving"] else "no",
    }
    rows = _rows(calendar, year)
    shown = table(rows, head=_HEAD) if rows else "no holidays"
    return f"{fields(facts)}\n\n{shown}"


_HEAD: Final = ("holiday", "weekday", "status")


def _rows(calendar: Mapping[str, Any], year: int | None) -> Sequence[Sequence[str]]:
    return [
        (
            holiday["day"],
            f"{date.fromisoformat(holiday['day']):%A}",
            "provisional" if holiday["provisional"] else "confirmed",
        )
        for holiday in calendar["holidays"]
        if year is None or holiday["day"].startswith(f"{year:04}-")
    ]
