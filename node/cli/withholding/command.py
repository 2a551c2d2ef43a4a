"""`khazana withholding`: the group of commands about what is withheld from interest."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "show": Place("node.cli.withholding.show", "Print the rates, by class, date and source."),
        "taxpayer": Place(
            "node.cli.withholding.taxpayer", "Tell whether a taxpayer is active, from a day on."
        ),
        "set": Place("node.cli.withholding.set_", "Set the rates of a class of taxpayer."),
    },
)
def command() -> None:
    """Print what is withheld from interest, by class of taxpayer, date and source; or set it.

    A payment is withheld from by what rules on the day on which it is paid, settled when its record
    is taken. From bills and strips nothing is withheld: what they gain is a discount.
    """
