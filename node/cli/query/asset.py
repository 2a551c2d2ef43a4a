"""`khazana query asset`: an asset, its issuer, terms and supply."""

from collections.abc import Mapping
from typing import Any

import click

from node.cli.asking import ask, grouped, render
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option


@click.command()
@click.argument("code")
@url_option
@timeout_option(10)
@json_option
def command(code: str, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Print the asset with this CODE: issuer, identifiers, terms, ceiling, supply.

    \b
    Example:
      khazana query asset PKR
    """
    ask(url, timeout_s, "khz_asset", as_json=as_json, text=_text, asset=code)


def _text(result: Mapping[str, Any]) -> str:
    asset = result["asset"]
    amounts = {name: grouped(asset[name]) for name in ("multiple", "ceiling", "supply")}
    return render({**asset, **amounts})
