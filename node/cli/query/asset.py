"""`khazana query asset`: an asset, its issuer, terms and supply."""

from collections.abc import Mapping
from typing import Any

import click

from node.cli.asking import ask, grouped, render
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option
from node.cli.sheets import Sheet, csv_option, sheet_of_members


@click.command()
@click.argument("code")
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(code: str, url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """Print the asset with this CODE: issuer, identifiers, terms, ceiling, supply.

    With --csv a row for each member; one that lies in another is named with a dot between.

    \b
    Examples:
      khazana query asset PKR
      khazana query asset PIB-5Y --csv > terms.csv
    """
    ask(
        url,
        timeout_s,
        "khz_asset",
        as_json=as_json,
        as_csv=as_csv,
        text=_text,
        sheet=_sheet,
        asset=code,
    )


def _text(result: Mapping[str, Any]) -> str:
    asset = result["asset"]
    amounts = {name: grouped(asset[name]) for name in ("multiple", "ceiling", "supply")}
    return render({**asset, **amounts})


def _sheet(result: Mapping[str, Any]) -> Sheet:
    return sheet_of_members(result["asset"])
