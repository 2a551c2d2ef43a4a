"""`khazana query holdings`: what an account holds."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from node.cli.asking import ask_all, grouped
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table


@click.command()
@click.argument("address")
@url_option
@timeout_option(30)
@json_option
def command(address: str, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Print what the account at ADDRESS holds, by asset.

    \b
    Example:
      khazana query holdings tkhz1…
    """
    ask_all(
        url, timeout_s, "khz_holdings", "holdings", as_json=as_json, text=_text, address=address
    )


def _text(holdings: Sequence[Mapping[str, Any]]) -> str:
    names = ("available", "held", "total")
    rows = [(each["asset"], *(grouped(each[name]) for name in names)) for each in holdings]
    return table(rows, head=("asset", *names))
