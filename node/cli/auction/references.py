"""`khazana auction references`: what floating coupons refer to."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from node.cli.asking import ask_all
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option


@click.command()
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """List the weighted averages of the last auction under each name, such as mtb-6m.

    \b
    Example:
      khazana auction references
    """
    ask_all(
        url,
        timeout_s,
        "khz_references",
        "references",
        as_json=as_json,
        as_csv=as_csv,
        text=_text,
        sheet=_sheet,
    )


def _text(references: Sequence[Mapping[str, Any]]) -> str:
    sheet = _sheet(references)
    return table(sheet.rows, head=sheet.head)


def _sheet(references: Sequence[Mapping[str, Any]]) -> Sheet:
    head = ("reference", "auction", "day", "settlement_day", "average_price", "average_yield")
    return Sheet(head=head, rows=[tuple(each[name] for name in head) for each in references])
