"""Whether the index that a node keeps can go on, and how far behind it is."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from node.cli.doctor.findings import Finding, Verdict, failed, graded, ok

if TYPE_CHECKING:
    from node.cli.upkeep import Home
    from node.index.database import Database
    from node.index.writing import Checkpoint

LAG_BLOCKS: Final = 50
"""As the alert has it."""


def index_findings(home: "Home", height: int | None) -> Iterator[Finding]:
    """Look at the index, if the node keeps one.

    Args:
        home: of the node.
        height: of the running node; None: it does not run.
    """
    from node.index import INDEX_FILE, IndexFailure, database_of, is_wanted

    config = home.config
    if not is_wanted(config):
        return
    expected = "an index of the form of this release, of this network"
    in_a_file = config.index.database in ("auto", "sqlite")
    if height is None and in_a_file and not (config.data_dir / INDEX_FILE).exists():
        yield ok("index", "none yet: it is made of the blocks when the node starts", expected)
        return
    try:
        database = database_of(config)
        checkpoint = asyncio.run(_read(database, home.genesis.hash))
    except IndexFailure as error:
        yield failed(
            "index",
            str(error),
            expected,
            "The node goes on without it, and its pages without the past. Where it is to be made"
            " anew: stop the node, `khazana index rebuild`, and start it.",
        )
        return
    reached = 0 if checkpoint is None else checkpoint.height
    lag = 0 if height is None else max(0, height - reached)
    yield graded(
        "index",
        Verdict.OK if lag <= LAG_BLOCKS else Verdict.WARNING,
        f"{database.place} stands at block {reached}"
        + ("" if height is None else f", {lag} behind this node"),
        f"{expected}, at most {LAG_BLOCKS} blocks behind",
        "Its log says why under part=index; one that is begun takes a while to catch up.",
    )


async def _read(database: "Database", network: bytes) -> "Checkpoint | None":
    from node.index.writing import READ_CHECKPOINT, check_network, checkpoint_of

    try:
        await database.open(write=False)
        checkpoint = checkpoint_of(await database.read(READ_CHECKPOINT, {}))
    finally:
        await database.close()
    if checkpoint is not None:
        check_network(checkpoint, network)
    return checkpoint
