"""`khazana index rebuild`: the index made anew from the blocks of a stopped node."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli.index.places import index_of
from node.cli.options import home_option
from node.cli.output import emit, json_option
from node.cli.upkeep import Progress, load_home

if TYPE_CHECKING:
    from node.index.writing import Checkpoint


@click.command()
@home_option
@json_option
def command(home: Path, *, as_json: bool) -> None:
    """Drop the index of a stopped node, and make it anew from its blocks.

    Nothing else is touched. A node that starts with an index that is behind, or with none, makes up
    for it by itself, at half the pace; this command is for one that is damaged or of another form.

    \b
    Example:
      khazana index rebuild --home central-bank
    """
    from node.index.rebuilding import rebuild
    from node.storage import open_leveldb

    place = load_home(home)
    database = index_of(place)
    progress = Progress()

    async def rebuilt() -> "Checkpoint":
        store = open_leveldb(place.chain, create=False, node=True)
        try:
            return await rebuild(
                database,
                store,
                place.genesis,
                scratch=place.chain.parent,
                progress=lambda what, done: progress(f"{what} indexed", done, None),
            )
        finally:
            await database.close()
            store.close()

    checkpoint = asyncio.run(rebuilt())
    progress.end()
    seconds = round(progress.elapsed_s, 1)
    facts = {
        "database": database.place,
        "height": checkpoint.height,
        "from_height": checkpoint.from_height,
        "seconds": seconds,
    }
    text = (
        f"{database.place}: made anew from block {checkpoint.from_height:,} to"
        f" {checkpoint.height:,} in {seconds} s"
    )
    emit(facts, text, as_json=as_json)
