"""`khazana query proposal`: an open proposal."""

from collections.abc import Mapping
from typing import Any

import click

from node.cli.asking import ask, render
from node.cli.options import parse_id, timeout_option, url_option
from node.cli.output import json_option


@click.command()
@click.argument("id_", metavar="ID", callback=parse_id)
@url_option
@timeout_option(10)
@json_option
def command(id_: str, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Print the open proposal with this ID: operations, approvals, until when it waits.

    One that was completed, withdrawn or has expired is gone.

    \b
    Example:
      khazana query proposal "$PROPOSAL"
    """
    ask(url, timeout_s, "khz_proposal", as_json=as_json, text=_text, proposal=id_)


def _text(result: Mapping[str, Any]) -> str:
    return render(result["proposal"])
