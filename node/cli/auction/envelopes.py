"""`khazana auction envelopes`: the bids on paper of an auction."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from node.cli.asking import ask_all
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option

_HEAD = ("number", "office", "bidder", "account", "commitment", "price", "face", "void")


@click.command()
@click.argument("auction")
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(auction: str, url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """List the envelopes that were handed in for an AUCTION, until it is over.

    One without a face has not been entered yet; what is in it, nobody knows from here.

    \b
    Example:
      khazana auction envelopes mtb-3m-574
    """
    ask_all(
        url,
        timeout_s,
        "khz_envelopes",
        "envelopes",
        as_json=as_json,
        as_csv=as_csv,
        text=_text,
        sheet=_sheet,
        auction=auction,
    )


def _text(envelopes: Sequence[Mapping[str, Any]]) -> str:
    if not envelopes:
        return "no bid was handed in on paper"
    sheet = _sheet(envelopes)
    return table([[str(each or "") for each in row] for row in sheet.rows], head=sheet.head)


def _sheet(envelopes: Sequence[Mapping[str, Any]]) -> Sheet:
    rows = [
        (*(each[name] for name in _HEAD[:-1]), "yes" if each["void"] else "no")
        for each in envelopes
    ]
    return Sheet(head=_HEAD, rows=rows)
