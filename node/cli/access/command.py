"""`khazana access`: the group of commands about API keys."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "create": Place("node.cli.access.create", "Make an API key, and print it this once."),
        "list": Place("node.cli.access.list_", "List the API keys, and what each may."),
        "revoke": Place("node.cli.access.revoke", "Let an API key open nothing any more."),
    },
)
def command() -> None:
    """Give out API keys of a node, and take them back."""
