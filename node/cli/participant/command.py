"""`khazana participant`: the group of commands about participants."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "identify": Place("node.cli.participant.identify", "Say which person a participant is."),
    },
)
def command() -> None:
    """Say which person a participant is.

    `khazana query participant` prints one, and whether it was identified.
    """
