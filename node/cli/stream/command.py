"""`khazana stream`: the group of commands about the published stream."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={"status": Place("node.cli.stream.status", "Say where the published stream stands.")},
)
def command() -> None:
    """Examine the stream of NATS JetStream to which a node publishes blocks and events.

    A node publishes by itself where `stream.server` is set in its node.toml.
    """
