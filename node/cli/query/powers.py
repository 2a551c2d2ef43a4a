"""`khazana query powers`: which offices may do what."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from node.cli.asking import ask_all, cell
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table


@click.command()
@url_option
@timeout_option(30)
@json_option
def command(url: str, timeout_s: float, *, as_json: bool) -> None:
    """Print the powers matrix: which offices have to stand behind which operation.

    \b
    Example:
      khazana query powers
    """
    ask_all(url, timeout_s, "khz_powers", "powers", as_json=as_json, text=_text)


def _text(powers: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (row["operation"], row["subject"], _offices(row), cell(row["licences"])) for row in powers
    ]
    return table(rows, head=("operation", "of", "offices", "or a licence for"))


def _offices(row: Mapping[str, Any]) -> str:
    required, offices = row["required"], row["offices"]
    names = cell(offices)
    return names if required == len(offices) else f"{required} of {names}"
