"""`khazana query holds`: which parts of an account's holdings are on hold."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from node.cli.asking import ask_all, indented, render
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option
from node.cli.sheets import Sheet, csv_option

_HEAD: Final = ("id", "asset", "amount", "reason", "legal_reference", "expires", "placed_by")


@click.command()
@click.argument("address")
@url_option
@timeout_option(30)
@json_option
@csv_option
def command(address: str, url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """Print the holds on what the account at ADDRESS holds: how much, why, by whom, until when.

    \b
    Examples:
      khazana query holds tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j
      khazana query holds tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j --csv > holds.csv
    """
    ask_all(
        url,
        timeout_s,
        "khz_holds",
        "holds",
        as_json=as_json,
        as_csv=as_csv,
        text=_text,
        sheet=_sheet,
        address=address,
    )


def _text(holds: Sequence[Mapping[str, Any]]) -> str:
    return "\n\n".join(f"{hold['id']}:\n{indented(render(_without_id(hold)))}" for hold in holds)


def _sheet(holds: Sequence[Mapping[str, Any]]) -> Sheet:
    return Sheet(head=_HEAD, rows=[[hold[name] for name in _HEAD] for hold in holds])


def _without_id(hold: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in hold.items() if name != "id"}
