"""`khazana index rebuild`: the index made anew from the blocks of a stopped node."""

import asyncio
from pathlib import Path

import click

from node.cli.index.places import index_of
from node.cli.options import home_option
from node.cli.output import emit, json_option
from node.cli.upkeep import Progress, load_home


@click.command()
@home_option
@json_option
def command(home: Path, *, as_json: bool) -> None:
    """Drop the index of a stopped node, and make it anew from its blocks.

    Nothing else is touched. A node that starts with an index that is behind, or with none, makes up
    for it by itself, at half the pace; this command is for one that is damaged or of another form.

    \b
    Example:
      khazana index rebuild --home /srv/khazana
    """
    from node.index.follower import Follower
    from node.index.writing import Checkpoint
    from node.log import silent_log
    from node.metrics import Metrics
    from node.storage import open_leveldb

    place = load_home(home)
    database = index_of(place)
    progress = Progress()

    def tell(checkpoint: Checkpoint) -> None:
        progress("blocks indexed", checkpoint.height, None)

    async def rebuild() -> Checkpoint:
        store = open_leveldb(place.chain, create=False, node=True)
        try:
            follower = Follower(
                database,
                store,
                place.genesis,
                head=lambda: 0,
                metrics=Metrics(),
                log=silent_log(),
            )
            try:
                return await follower.catch_up(anew=True, progress=tell)
            finally:
                await follower.close()
        finally:
            store.close()

    checkpoint = asyncio.run(rebuild())
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
