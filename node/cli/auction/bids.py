"""`khazana auction bids`: what a bidder has in an auction, and how it stands."""

from collections.abc import Mapping
from typing import Any

import click

from node.cli.asking import ask, render
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option
from node.cli.sheets import Sheet, csv_option


@click.command()
@click.argument("participant")
@click.option("--auction", help="Print its bids in this auction too, until it is over.")
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(
    participant: str,
    auction: str | None,
    url: str,
    timeout_s: float,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print the bids of a PARTICIPANT in an auction, and what it has failed to do in any.

    What a sealed bid says, the ledger does not know; the files of `khazana auction bid` do.

    \b
    Example:
      khazana auction bids first-bank --auction mtb-3m-574
    """
    ask(
        url,
        timeout_s,
        "khz_bidder",
        as_json=as_json,
        as_csv=as_csv,
        text=render if auction else _standing,
        sheet=_sheet,
        participant=participant,
        auction=auction,
    )


def _standing(result: Mapping[str, Any]) -> str:
    """Return how a bidder stands; of its bids nothing, where no auction was named."""
    return render({name: value for name, value in result.items() if name != "bids"})


def _sheet(result: Mapping[str, Any]) -> Sheet:
    head = ("number", "account", "commitment", "price", "face", "cash_account", "void")
    rows = [tuple(bid[name] for name in head[:-1]) for bid in result["bids"]]
    void = ["yes" if bid["void"] else "no" for bid in result["bids"]]
    return Sheet(head=head, rows=[(*row, word) for row, word in zip(rows, void, strict=True)])
