"""`khazana index status`: how far a node's index is."""

import asyncio
from pathlib import Path

import click

from node.cli.index.places import index_of
from node.cli.options import home_option
from node.cli.output import emit, json_option
from node.cli.upkeep import load_home


@click.command()
@home_option
@json_option
def command(home: Path, *, as_json: bool) -> None:
    """Say how far the index of a node is; the node may run or not.

    \b
    Example:
      khazana index status --home central-bank
    """
    from node.index.answers import Answers

    database = index_of(load_home(home))

    async def ask() -> None:
        try:
            await database.open(write=False)
            checkpoint = await Answers(database).checkpoint()
        finally:
            await database.close()
        facts = {
            "database": database.place,
            "height": checkpoint.height,
            "block_id": checkpoint.block_id.hex(),
            "from_height": checkpoint.from_height,
            "holders_from": checkpoint.holders_from,
            "network": checkpoint.network.hex(),
        }
        lines = [f"{database.place}: up to block {checkpoint.height:,}"]
        if checkpoint.from_height > 1:
            lines.append(f"blocks before {checkpoint.from_height:,} are not in it: they are pruned")
        emit(facts, "\n".join(lines), as_json=as_json)

    asyncio.run(ask())
