"""`khazana query evidence`: who has signed two things at once."""

from collections.abc import Mapping
from typing import Any

import click

from node.cli.asking import ask
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table


@click.command()
@click.option(
    "--limit",
    type=click.IntRange(1, 200),
    default=100,
    show_default=True,
    help="How much of it.",
)
@click.option("--after", metavar="PLACE", help="Go on after this place, which a page ends with.")
@url_option
@timeout_option(10)
@json_option
def command(limit: int, after: str | None, url: str, timeout_s: float, *, as_json: bool) -> None:
    """List the proven double signatures of validators, the newest block first.

    Each is a proof by the validator's own key. It removes nobody: that is for the offices.

    \b
    Example:
      khazana query evidence
    """
    ask(url, timeout_s, "khz_evidence", as_json=as_json, text=_text, limit=limit, after=after)


def _text(result: Mapping[str, Any]) -> str:
    if not result["evidence"]:
        return "no validator has been seen to sign two things at once"
    rows = [
        (
            entry["validator"],
            entry["height"],
            entry["round"],
            _signed(entry["first"]),
            _signed(entry["second"]),
            entry["shown_in"],
        )
        for entry in result["evidence"]
    ]
    told = table(rows, head=("validator", "height", "round", "signed", "and", "shown in block"))
    if result["next"] is None:
        return told
    return f"{told}\n\nolder ones: khazana query evidence --after {result['next']}"


def _signed(message: Mapping[str, Any] | None) -> str:
    if message is None:
        return "(block not kept here)"
    block_id = message["block_id"]
    return f"{message['kind']} {'nil' if block_id is None else block_id[:16]}"
