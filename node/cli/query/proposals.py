"""`khazana query proposals`: the open proposals."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from node.cli.asking import ask_all
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table


@click.command()
@url_option
@timeout_option(30)
@json_option
def command(url: str, timeout_s: float, *, as_json: bool) -> None:
    """List the proposals that wait for offices; `khazana query proposal` prints one in full.

    \b
    Example:
      khazana query proposals
    """
    ask_all(url, timeout_s, "khz_proposals", "proposals", as_json=as_json, text=_text)


def _text(proposals: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            proposal["id"],
            ", ".join(operation["type"] for operation in proposal["operations"]),
            len(proposal["approvals"]),
            proposal["expires"],
        )
        for proposal in proposals
    ]
    return table(rows, head=("proposal", "operations", "approvals", "expires"))
