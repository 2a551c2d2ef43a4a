"""`khazana validator`: the group of commands about who votes."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "list": Place("node.cli.validator.list_", "Say who votes, how each is, what is pending."),
        "request": Place("node.cli.validator.request", "Write what others need to admit a node."),
        "add": Place("node.cli.validator.add", "Propose that a node become a validator."),
        "remove": Place("node.cli.validator.remove", "Propose that a validator go."),
        "prepare": Place("node.cli.validator.prepare", "Make the keys that are to follow."),
        "rotate": Place("node.cli.validator.rotate", "Propose that a validator change its keys."),
        "settle": Place("node.cli.validator.settle", "Put keys that have followed in their place."),
        "approve": Place("node.cli.validator.approve", "Stand behind a proposal, for an office."),
        "resume": Place("node.cli.validator.resume", "Let a key sign again that lost its log."),
    },
)
def command() -> None:
    """Say who votes; let a validator come, go, change keys, or come back from nothing.

    node/replica/RUNBOOKS.md has the steps, one after the other.
    """
