"""`khazana contract`: an asset's terms in the words of other systems, as an ACTUS contract."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import with_client
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option, emit_sheet

if TYPE_CHECKING:
    from node.client import Client

_HEAD: Final = ("term", "value")


@click.command()
@click.argument("asset")
@click.option("--face", default="100", show_default=True, help="What is held, in units of ASSET.")
@url_option
@timeout_option(20)
@json_option
@csv_option
def command(
    asset: str, face: str, url: str, timeout_s: float, *, as_json: bool, as_csv: bool
) -> None:
    """Print a holding of ASSET as an ACTUS contract, as it was agreed at its issue.

    The names are those of the ACTUS data dictionary; `contract` in the output of --json is what
    other systems read. Terms that ACTUS has no words for are refused with the reason.

    \b
    Examples:
      khazana contract PIB-5Y --face 1000000
      khazana contract PIB-5Y --json
      khazana contract PIB-5Y --csv > contract.csv
    """

    async def call(client: "Client") -> Mapping[str, Any]:
        result: Mapping[str, Any] = await client.call("khz_contract", asset=asset, face=face)
        return result

    result = with_client(url, timeout_s, call)
    rows = _rows(result)
    said = f"{table(rows)}\n\nACTUS data dictionary {result['dictionary']}"
    emit_sheet(result, said, Sheet(head=_HEAD, rows=rows), as_json=as_json, as_csv=as_csv)


def _rows(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, value if isinstance(value, str) else ", ".join(value))
        for name, value in result["contract"].items()
    ]
