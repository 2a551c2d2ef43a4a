"""`khazana devnet status`: every node's height and state root."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.devnet.place import root_option
from node.cli.exits import Exit
from node.cli.output import emit, json_option, table

if TYPE_CHECKING:
    from node.provision.local import LocalNetwork

TIMEOUT_S = 5.0


@click.command()
@root_option
@json_option
@click.pass_context
def command(ctx: click.Context, root: Path, *, as_json: bool) -> None:
    """Print which nodes run, how high they are, and their state roots.

    Exit code 3 when a node does not run or does not answer.

    \b
    Example:
      khazana devnet status
    """
    from node.provision.local import open_network

    network = open_network(root)
    nodes = asyncio.run(_ask(network))
    rows = [
        (
            node["name"],
            node["pid"] or "-",
            node["url"],
            node["height"] if node["height"] is not None else "-",
            str(node["state_root"] or "-")[:16],
            "ready" if node["ready"] else "not ready" if node["pid"] else "stopped",
        )
        for node in nodes
    ]
    head = ("node", "process", "answers at", "height", "state root", "state")
    emit({"dir": str(root), "nodes": nodes}, table(rows, head=head), as_json=as_json)
    if not all(node["ready"] for node in nodes):
        ctx.exit(Exit.UNREACHABLE)


async def _ask(network: "LocalNetwork") -> list[dict[str, Any]]:
    from node.client import Client, ClientError

    found = []
    for node in network.nodes.values():
        process = network.process(node.name)
        facts: dict[str, Any] = {
            "name": node.name,
            "url": node.url,
            "votes": node.votes,
            "pid": None if process is None else process.pid,
            "height": None,
            "state_root": None,
            "ready": False,
        }
        if process is not None:
            try:
                async with asyncio.timeout(TIMEOUT_S), Client(node.url) as client:
                    status = await client.status()
            except (ClientError, TimeoutError):
                pass
            else:
                facts |= {
                    "height": status.height,
                    "state_root": status.state_root,
                    "ready": status.ready,
                }
        found.append(facts)
    return found
