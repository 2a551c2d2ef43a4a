"""`khazana config check`: every fault of a configuration, with its line."""

from pathlib import Path

import click

from node.cli.options import home_option
from node.cli.output import emit, json_option


@click.command()
@home_option
@json_option
def command(home: Path, *, as_json: bool) -> None:
    """Report every fault of a node's configuration and genesis, each with file and line.

    \b
    Example:
      khazana config check --home central-bank
    """
    from node.config import load_config
    from node.genesis import load_genesis, with_installed
    from node.provision.homes import CONFIG_FILE

    config = load_config(home / CONFIG_FILE)
    genesis = with_installed(load_genesis(config.genesis), config.amendments)
    emit(
        {"name": config.name, "network": genesis.name, "faults": []},
        f"{home / CONFIG_FILE}: no fault; node {config.name} of network {genesis.name}",
        as_json=as_json,
    )
