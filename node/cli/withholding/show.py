"""`khazana withholding show`: the rates, by class of taxpayer, date and source."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from node.cli.asking import ask
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option
from node.cli.withholding.classes import KINDS, TAXPAYERS

_HEAD: Final = ("taxpayer", "kind", "from_day", "rate", "source", "rules", "collector")


@click.command()
@click.option("--taxpayer", type=click.Choice(TAXPAYERS), help="Only of this class.")
@click.option("--kind", type=click.Choice(KINDS), help="Only from securities of this kind.")
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(
    taxpayer: str | None,
    kind: str | None,
    url: str,
    timeout_s: float,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print the rates, in per cent of the interest, from which day on and by what law.

    A class of taxpayer that is not there is paid all of it. With --json every class is printed.

    \b
    Examples:
      khazana withholding show
      khazana withholding show --taxpayer person --kind bond --csv > rates.csv
    """

    def sheet(result: Mapping[str, Any]) -> Sheet:
        return Sheet(head=_HEAD, rows=_rows(result["withholding"], taxpayer, kind))

    def text(result: Mapping[str, Any]) -> str:
        rows = _rows(result["withholding"], taxpayer, kind)
        return table(rows, head=_HEAD) if rows else "nothing is withheld"

    ask(url, timeout_s, "khz_withholding", as_json=as_json, as_csv=as_csv, text=text, sheet=sheet)


def _rows(
    found: Sequence[Mapping[str, Any]], taxpayer: str | None, kind: str | None
) -> list[tuple[str, ...]]:
    return [
        (
            each["taxpayer"],
            each["kind"],
            rate["from_day"],
            rate["rate"],
            rate["source"],
            "today" if rate["rules"] else "",
            each["collector"],
        )
        for each in found
        if taxpayer in (None, each["taxpayer"]) and kind in (None, each["kind"])
        for rate in each["rates"]
    ]
