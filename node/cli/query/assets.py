"""`khazana query assets`: all assets."""

import click

from node.cli.asking import ask
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option


@click.command()
@click.option("--after", help="Begin after this code: the `next` of the page before.")
@url_option
@timeout_option(10)
@json_option
def command(after: str | None, url: str, timeout_s: float, *, as_json: bool) -> None:
    """List the assets, by code, a page at a time.

    \b
    Example:
      khazana query assets
    """
    ask(url, timeout_s, "khz_assets", as_json=as_json, after=after)
