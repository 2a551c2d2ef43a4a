"""`khazana auction show`: one auction."""

from collections.abc import Mapping
from typing import Any

import click

from node.cli.asking import ask
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option
from node.cli.sheets import Sheet, csv_option, sheet_of_members


@click.command()
@click.argument("auction")
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(auction: str, url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """Print the terms of an AUCTION, how far it has come, and what was decided and settled.

    "failed" is what was allotted to who did not pay. By the announced "reallotment" it is not
    issued, or those get it who were cut short at the cut-off: "reallotted" is how much they got.

    With --csv a row for each member; one that lies in another is named with a dot between.

    \b
    Examples:
      khazana auction show mtb-3m-574
      khazana auction show mtb-3m-574 --csv
    """
    ask(
        url,
        timeout_s,
        "khz_auction",
        as_json=as_json,
        as_csv=as_csv,
        sheet=_sheet,
        auction=auction,
    )


def _sheet(result: Mapping[str, Any]) -> Sheet:
    return sheet_of_members(result["auction"])
