"""`khazana devnet down`: every node stops."""

import asyncio
import shutil
from pathlib import Path

import click

from node.cli.devnet.place import root_option
from node.cli.output import emit, json_option


@click.command()
@root_option
@click.option("--remove", is_flag=True, help="Also remove the network: its chain and its homes.")
@json_option
def command(root: Path, *, remove: bool, as_json: bool) -> None:
    """Stop every node of the development network. Its chain stays, unless --remove is given.

    Stops only what `khazana devnet up` started.

    \b
    Example:
      khazana devnet down --remove
    """
    from node.provision.local import NoSuchNetwork, open_network

    try:
        network = open_network(root)
    except NoSuchNetwork as error:
        emit({"stopped": [], "removed": False}, str(error), as_json=as_json)
        return
    stopped = asyncio.run(network.stop())
    if remove:
        shutil.rmtree(root)
    text = f"stopped {', '.join(stopped)}" if stopped else "no node was running"
    if remove:
        text += f"; removed {root}"
    emit({"stopped": list(stopped), "removed": remove}, text, as_json=as_json)
