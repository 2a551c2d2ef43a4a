"""`khazana query participant`: a participant, its office and its licences."""

from collections.abc import Mapping
from typing import Any

import click

from node.cli.asking import ask, render
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option


@click.command()
@click.argument("name")
@url_option
@timeout_option(10)
@json_option
def command(name: str, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Print the participant with this NAME: kind, office, licences, status.

    \b
    Example:
      khazana query participant central-bank
    """
    ask(url, timeout_s, "khz_participant", as_json=as_json, text=_text, participant=name)


def _text(result: Mapping[str, Any]) -> str:
    return render(result["participant"])
