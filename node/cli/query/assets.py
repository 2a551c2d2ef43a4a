"""`khazana query assets`: all assets."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from node.cli.asking import ask_all, grouped
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option

_HEAD: Final = ("asset", "kind", "issuer", "supply", "ceiling", "name")


@click.command()
@url_option
@timeout_option(30)
@json_option
@csv_option
def command(url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """List the assets, by code.

    \b
    Examples:
      khazana query assets
      khazana query assets --csv > assets.csv
    """
    ask_all(
        url,
        timeout_s,
        "khz_assets",
        "assets",
        as_json=as_json,
        as_csv=as_csv,
        text=_text,
        sheet=_sheet,
    )


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
        head=_HEAD,
    )


def _sheet(assets: Sequence[Mapping[str, Any]]) -> Sheet:
    return Sheet(head=_HEAD, rows=[[asset[name] for name in _HEAD] for asset in assets])
