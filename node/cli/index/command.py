"""`khazana index`: the group of commands about the index."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "status": Place("node.cli.index.status", "Say how far a node's index is."),
        "rebuild": Place("node.cli.index.rebuild", "Make the index anew from the blocks."),
    },
)
def command() -> None:
    """Examine a node's index, or make it anew.

    The index answers what the ledger itself does not need: the history of an account, the holders
    of an asset, totals by day, full text. It is derived from the blocks, and a node that has one
    keeps it up by itself (`index.database` in node.toml).
    """
