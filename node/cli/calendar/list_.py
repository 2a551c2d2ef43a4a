"""`khazana calendar list`: the calendars on the ledger."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from node.cli.asking import ask_all
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option


@click.command("list")
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """List the calendars on the ledger: name, version, number of holidays, title.

    \b
    Example:
      khazana calendar list
    """
    ask_all(
        url,
        timeout_s,
        "khz_calendars",
        "calendars",
        as_json=as_json,
        as_csv=as_csv,
        text=_text,
        sheet=_sheet,
    )


def _text(calendars: Sequence[Mapping[str, Any]]) -> str:
    sheet = _sheet(calendars)
    return table(sheet.rows, head=sheet.head)


def _sheet(calendars: Sequence[Mapping[str, Any]]) -> Sheet:
    names = ("calendar", "version", "holidays", "title")
    return Sheet(head=names, rows=[tuple(each[name] for name in names) for each in calendars])
