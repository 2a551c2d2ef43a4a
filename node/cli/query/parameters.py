"""`khazana query parameters`: the ledger's parameters."""

from collections.abc import Mapping
from typing import Any

import click

from node.cli.asking import ask
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table


@click.command()
@url_option
@timeout_option(10)
@json_option
def command(url: str, timeout_s: float, *, as_json: bool) -> None:
    """List the ledger's parameters, and the range in which the offices may set each.

    \b
    Example:
      khazana query parameters
    """
    ask(url, timeout_s, "khz_parameters", as_json=as_json, text=_text)


def _text(result: Mapping[str, Any]) -> str:
    names = ("value", "lowest", "highest")
    rows = [(each["name"], *(f"{each[name]:,}" for name in names)) for each in result["parameters"]]
    return table(rows, head=("parameter", *names))
