"""`khazana query validators`: who decides a height."""

from collections.abc import Mapping
from typing import Any

import click

from node.cli.asking import ask
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table


@click.command()
@click.option("--height", type=click.IntRange(1), help="By default the next one.")
@url_option
@timeout_option(10)
@json_option
def command(height: int | None, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Print who decides a height, how many make a quorum, and what that survives.

    \b
    Example:
      khazana query validators
    """
    ask(url, timeout_s, "khz_validators", as_json=as_json, text=_text, height=height)


def _text(result: Mapping[str, Any]) -> str:
    rows = [
        (each["name"], each["participant"] or "-", each["public_key"])
        for each in result["validators"]
    ]
    decide = (
        f"block {result['rules_height']} takes {result['quorum']} of these {len(rows)}"
        f" ({result['fault_model']}: {result['faults_survived']} may be faulty)"
    )
    return f"{table(rows, head=('validator', 'participant', 'public key'))}\n\n{decide}"
