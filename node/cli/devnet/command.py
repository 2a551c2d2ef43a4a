"""`khazana devnet`: the group of commands about the development network."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "up": Place("node.cli.devnet.up", "Start the network, and make it where there is none."),
        "down": Place("node.cli.devnet.down", "Stop every node."),
        "status": Place("node.cli.devnet.status", "Print every node's height and state root."),
        "kill": Place("node.cli.devnet.kill", "End one node as a power cut would."),
        "time": Place("node.cli.devnet.time_", "Print the network's time, or let its dates pass."),
        "logs": Place("node.cli.devnet.logs", "Print the log of a node."),
    },
)
def command() -> None:
    """Run a development network on this machine: real processes, TLS and databases.

    Everybody knows its keys: it is for trying things out, and its nodes refuse those keys on any
    other network.
    """
