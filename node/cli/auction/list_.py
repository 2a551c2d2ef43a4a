"""`khazana auction list`: the auctions on the ledger."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from node.cli.asking import ask_all, grouped
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option


@click.command("list")
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """List the auctions that were announced: name, asset, stage, target and times.

    \b
    Example:
      khazana auction list
    """
    ask_all(
        url,
        timeout_s,
        "khz_auctions",
        "auctions",
        as_json=as_json,
        as_csv=as_csv,
        text=_text,
        sheet=_sheet,
    )


_HEAD: Final = ("auction", "asset", "stage", "target", "opens", "closes", "settles")


def _text(auctions: Sequence[Mapping[str, Any]]) -> str:
    return table(
        [
            tuple(grouped(each[name]) if name == "target" else each[name] for name in _HEAD)
            for each in auctions
        ],
        head=_HEAD,
    )


def _sheet(auctions: Sequence[Mapping[str, Any]]) -> Sheet:
    return Sheet(head=_HEAD, rows=[tuple(each[name] for name in _HEAD) for each in auctions])
