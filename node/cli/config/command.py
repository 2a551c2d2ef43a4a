"""`khazana config`: the group of commands about configuration files."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "check": Place("node.cli.config.check", "Report every fault of a configuration."),
        "show": Place("node.cli.config.show", "Print the settings in force."),
    },
)
def command() -> None:
    """Examine a node's configuration."""
