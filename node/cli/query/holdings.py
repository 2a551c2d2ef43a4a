"""`khazana query holdings`: what an account holds."""

import click

from node.cli.asking import ask
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option


@click.command()
@click.argument("address")
@click.option("--after", help="Begin after this code: the `next` of the page before.")
@url_option
@timeout_option(10)
@json_option
def command(address: str, after: str | None, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Print what the account at ADDRESS holds, by asset.

    \b
    Example:
      khazana query holdings tkhz1…
    """
    ask(url, timeout_s, "khz_holdings", as_json=as_json, address=address, after=after)
