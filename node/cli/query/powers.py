"""`khazana query powers`: which offices may do what."""

import click

from node.cli.asking import ask
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option


@click.command()
@click.option("--after", help="Begin after this row: the `next` of the page before.")
@url_option
@timeout_option(10)
@json_option
def command(after: str | None, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Print the powers matrix: which offices have to stand behind which operation.

    \b
    Example:
      khazana query powers
    """
    ask(url, timeout_s, "khz_powers", as_json=as_json, after=after)
