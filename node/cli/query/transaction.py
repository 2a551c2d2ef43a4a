"""`khazana query transaction`: a transaction, and what became of it."""

import click

from node.cli.asking import ask
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option


@click.command()
@click.argument("id_", metavar="ID")
@url_option
@timeout_option(10)
@json_option
def command(id_: str, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Print the transaction with this ID and its receipt.

    \b
    Example:
      khazana query transaction 5f3c…
    """
    ask(url, timeout_s, "khz_transaction", as_json=as_json, id=id_)
