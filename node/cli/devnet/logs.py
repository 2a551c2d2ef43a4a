"""`khazana devnet logs`: the log of a node."""

from pathlib import Path

import click

from node.cli.devnet.place import root_option
from node.cli.exits import CommandError, Exit
from node.cli.output import emit, json_option


@click.command()
@click.argument("name")
@root_option
@click.option(
    "--lines",
    type=click.IntRange(1, 100_000),
    default=40,
    show_default=True,
    help="How many of the last lines.",
)
@json_option
def command(name: str, root: Path, lines: int, *, as_json: bool) -> None:
    """Print the last lines of the log of the node NAME.

    \b
    Example:
      khazana devnet logs central-bank --lines 100
    """
    from node.provision.local import open_network
    from node.provision.processes import LOG_FILE, log_tail

    network = open_network(root)
    if name not in network.nodes:
        raise CommandError(
            Exit.USAGE,
            f"there is no node {name!r}",
            advice=f"There are {', '.join(network.nodes)}.",
        )
    home = network.nodes[name].home
    found = log_tail(home, lines)
    facts = {"name": name, "file": str(home / LOG_FILE), "lines": found}
    emit(facts, "\n".join(found), as_json=as_json)
