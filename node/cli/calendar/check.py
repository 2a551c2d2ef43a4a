"""`khazana calendar check`: whether business is done on a day, and where it moves."""

from collections.abc import Mapping
from typing import Any

import click

from node.cli.asking import ask
from node.cli.options import timeout_option, url_option
from node.cli.output import fields, json_option

_BUSINESS_DAYS_MAX = 366


@click.command()
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]), required=False)
@click.option("--calendar", "name", default="pakistan", show_default=True, help="By which one.")
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
def command(
    day: Any, name: str, business_days: int, url: str, timeout_s: float, *, as_json: bool
) -> None:
    """Say whether business is done on a DAY, and where each convention moves it.

    Without a DAY: today by the ledger's clock, in its local time.

    \b
    Example:
      khazana calendar check 2027-03-10 --plus 1
    """
    ask(
        url,
        timeout_s,
        "khz_businessDay",
        as_json=as_json,
        text=_text,
        calendar=name,
        day=None if day is None else day.date().isoformat(),
        business_days=business_days,
    )


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
