"""`khazana auction list`: the auctions on the ledger."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from node.cli.asking import ask_all, grouped
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table


@click.command("list")
@url_option
@timeout_option(10)
@json_option
def command(url: str, timeout_s: float, *, as_json: bool) -> None:
    """List the auctions that were announced: name, asset, stage, target and times.

    \b
    Example:
      khazana auction list
    """
    ask_all(url, timeout_s, "khz_auctions", "auctions", as_json=as_json, text=_text)


def _text(auctions: Sequence[Mapping[str, Any]]) -> str:
    head = ("auction", "asset", "stage", "target", "opens", "closes", "settles")
    return table(
        [
            tuple(grouped(each[name]) if name == "target" else each[name] for name in head)
            for each in auctions
        ],
        head=head,
    )
