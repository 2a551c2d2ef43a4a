"""`khazana report`: the group of commands that draw."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "wall": Place("node.cli.report.wall", "Draw what falls due, year by year."),
        "curve": Place("node.cli.report.curve", "Draw the yield curve of the last auctions."),
        "auction": Place("node.cli.report.auction", "Draw the result of an auction."),
    },
)
def command() -> None:
    """Draw the debt into a file: PDF, PNG or SVG, by its name.

    Needs matplotlib, which comes with `pip install "khazana[reports]"`; everything else of Khazana
    does without.
    """
