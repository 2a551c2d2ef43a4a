"""`khazana query holdings`: what an account holds."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from node.cli.asking import ask_all, grouped
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option

_AMOUNTS: Final = ("available", "held", "total")
_HEAD: Final = ("asset", *_AMOUNTS)


@click.command()
@click.argument("address")
@url_option
@timeout_option(30)
@json_option
@csv_option
def command(address: str, url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """Print what the account at ADDRESS holds, by asset.

    \b
    Examples:
      khazana query holdings tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j
      khazana query holdings tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j --csv > holdings.csv
    """
    ask_all(
        url,
        timeout_s,
        "khz_holdings",
        "holdings",
        as_json=as_json,
        as_csv=as_csv,
        text=_text,
        sheet=_sheet,
        address=address,
    )


def _text(holdings: Sequence[Mapping[str, Any]]) -> str:
    rows = [(each["asset"], *(grouped(each[name]) for name in _AMOUNTS)) for each in holdings]
    return table(rows, head=_HEAD)


def _sheet(holdings: Sequence[Mapping[str, Any]]) -> Sheet:
    return Sheet(head=_HEAD, rows=[[each[name] for name in _HEAD] for each in holdings])
