"""`khazana query holds`: which parts of an account's holdings are on hold."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from node.cli.asking import ask_all, indented, render
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option


@click.command()
@click.argument("address")
@url_option
@timeout_option(30)
@json_option
def command(address: str, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Print the holds on what the account at ADDRESS holds: how much, why, by whom, until when.

    \b
    Example:
      khazana query holds tkhz1…
    """
    ask_all(url, timeout_s, "khz_holds", "holds", as_json=as_json, text=_text, address=address)


def _text(holds: Sequence[Mapping[str, Any]]) -> str:
    return "\n\n".join(f"{hold['id']}:\n{indented(render(_without_id(hold)))}" for hold in holds)


def _without_id(hold: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in hold.items() if name != "id"}
