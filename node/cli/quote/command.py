"""`khazana quote`: the calculators of bills and bonds."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "bill": Place("node.cli.quote.bill", "Price and yield of a bill."),
        "interest": Place("node.cli.quote.interest", "What accrues between two days."),
        "switch": Place("node.cli.quote.switch", "What an old line comes to in a new one."),
        "floater": Place("node.cli.quote.floater", "Price and discount margin of a floating bond."),
        "bond": Place("node.cli.quote.bond", "Price, yield and accrued interest of a bond."),
    },
)
def command() -> None:
    """Convert between price and yield, to the last printed digit, without any node."""
