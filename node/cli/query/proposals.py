"""`khazana query proposals`: the open proposals."""

import click

from node.cli.asking import ask
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option


@click.command()
@click.option("--after", help="Begin after this id: the `next` of the page before.")
@url_option
@timeout_option(10)
@json_option
def command(after: str | None, url: str, timeout_s: float, *, as_json: bool) -> None:
    """List the proposals that wait for offices.

    \b
    Example:
      khazana query proposals
    """
    ask(url, timeout_s, "khz_proposals", as_json=as_json, after=after)
