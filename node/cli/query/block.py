"""`khazana query block`: a block, its certificate and its transactions."""

import click

from node.cli.asking import ask
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option


@click.command()
@click.argument("height", type=click.IntRange(1), required=False)
@click.option(
    "--transactions",
    type=click.Choice(["none", "ids", "full"]),
    default="ids",
    show_default=True,
    help="How much of each transaction.",
)
@click.option("--index", default=0, help="Transaction that the page begins with.")
@url_option
@timeout_option(10)
@json_option
def command(
    height: int | None, transactions: str, index: int, url: str, timeout_s: float, *, as_json: bool
) -> None:
    """Print the block of a HEIGHT, or the last one: header, certificate, transactions.

    \b
    Example:
      khazana query block 120 --transactions full
    """
    ask(
        url,
        timeout_s,
        "khz_block",
        as_json=as_json,
        height=height,
        transactions=transactions,
        index=index,
    )
