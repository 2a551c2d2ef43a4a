"""`khazana devnet kill`: one node ends as a power cut would end it."""

import asyncio
from pathlib import Path

import click

from node.cli.devnet.place import root_option
from node.cli.exits import CommandError, Exit
from node.cli.output import emit, json_option


@click.command()
@click.argument("name")
@root_option
@json_option
def command(name: str, root: Path, *, as_json: bool) -> None:
    """End the node NAME with SIGKILL: it can write nothing more. `devnet up` starts it again.

    \b
    Example:
      khazana devnet kill crypto-council
    """
    from node.provision.local import open_network

    network = open_network(root)
    if name not in network.nodes:
        raise CommandError(
            Exit.USAGE,
            f"there is no node {name!r}",
            advice=f"There are {', '.join(network.nodes)}.",
        )
    killed = asyncio.run(network.kill(name))
    text = f"killed {name}" if killed else f"{name} was not running"
    emit({"name": name, "killed": killed}, text, as_json=as_json)
