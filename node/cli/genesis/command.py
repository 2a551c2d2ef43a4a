"""`khazana genesis`: the group of commands about the genesis."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "create": Place("node.cli.genesis.create", "Make a genesis of a network's description."),
        "check": Place("node.cli.genesis.check", "Report every fault of a genesis."),
        "show": Place("node.cli.genesis.show", "Print what a genesis founds."),
    },
)
def command() -> None:
    """Make and examine the facts that a network is founded from."""
