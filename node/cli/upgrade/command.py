"""`khazana upgrade`: the group of commands about versions of the protocol."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "status": Place("node.cli.upgrade.status", "Say which version rules, and who knows which."),
        "check": Place("node.cli.upgrade.check", "Say whether every node is ready for a version."),
        "propose": Place("node.cli.upgrade.propose", "Propose the next version from a height on."),
        "cancel": Place("node.cli.upgrade.cancel", "Propose to cancel what is scheduled."),
    },
)
def command() -> None:
    """Let the next version of the rules rule from a height on, together with the other offices."""
