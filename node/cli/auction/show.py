"""`khazana auction show`: one auction."""

import click

from node.cli.asking import ask
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option


@click.command()
@click.argument("auction")
@url_option
@timeout_option(10)
@json_option
def command(auction: str, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Print the terms of an AUCTION, how far it has come, and what was decided and settled.

    \b
    Example:
      khazana auction show mtb-3m-574
    """
    ask(url, timeout_s, "khz_auction", as_json=as_json, auction=auction)
