"""`khazana query parameters`: the ledger's parameters."""

import click

from node.cli.asking import ask
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option


@click.command()
@url_option
@timeout_option(10)
@json_option
def command(url: str, timeout_s: float, *, as_json: bool) -> None:
    """List the ledger's parameters with their values and limits.

    \b
    Example:
      khazana query parameters
    """
    ask(url, timeout_s, "khz_parameters", as_json=as_json)
