"""`khazana query assets`: all assets."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from node.cli.asking import ask_all, grouped
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table


@click.command()
@url_option
@timeout_option(30)
@json_option
def command(url: str, timeout_s: float, *, as_json: bool) -> None:
    """List the assets, by code.

    \b
    Example:
      khazana query assets
    """
    ask_all(url, timeout_s, "khz_assets", "assets", as_json=as_json, text=_text)


def _text(assets: Sequence[Mapping[str, Any]]) -> str:
    return table(
        [
            (
                asset["asset"],
                asset["kind"],
                asset["issuer"],
                grouped(asset["supply"]),
                grouped(asset["ceiling"]),
                asset["name"],
            )
            for asset in assets
        ],
        head=("asset", "kind", "issuer", "supply", "ceiling", "name"),
    )
