"""`khazana query account`: an account, its owner, its policy and its hold."""

from collections.abc import Mapping
from typing import Any

import click

from node.cli.asking import ask, render
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option


@click.command()
@click.argument("address")
@url_option
@timeout_option(10)
@json_option
def command(address: str, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Print the account at ADDRESS: owner, signers and thresholds, hold.

    \b
    Example:
      khazana query account tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j
    """
    ask(url, timeout_s, "khz_account", as_json=as_json, text=_text, address=address)


def _text(result: Mapping[str, Any]) -> str:
    return render(result["account"])
