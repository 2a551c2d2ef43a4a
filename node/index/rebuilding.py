"""An index made anew, of all blocks of a store that nobody writes to.

What is read and what is written go on at one time, and so does the sorting of what waits on disk.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

from node.genesis import Genesis
from node.index.database import Database, Row, Session
from node.index.errors import IndexUnreachable
from node.index.filling import Filling, after, end, fill, fill_history, fill_holders
from node.index.gathering import Gatherer
from node.index.writing import Checkpoint
from node.storage import KeyValueStore

WorkT = TypeVar("WorkT")
RowT = TypeVar("RowT", bound=Row)


async def rebuild(
    database: Database,
    store: KeyValueStore,
    genesis: Genesis,
    *,
    scratch: Path,
    progress: Callable[[str, int], None],
) -> Checkpoint:
    """Drop what is in the database, make the index anew, and return where it stands.

    Args:
        scratch: a folder with room for some 200 bytes a transfer, which are gone afterwards.
        progress: told after each write what is done, and how much of it: blocks, then rows.

    Raises:
        IndexFailure: it cannot be made.
        ChainDamaged, StorageError: the blocks cannot be read.
    """
    gatherer = Gatherer(store, genesis)
    with (
        closing(Filling(scratch, gatherer.classes.of)) as filling,
        ThreadPoolExecutor(1, "index-read") as reading,
        ThreadPoolExecutor(1, "index-sort") as sorting,
    ):
        return await _Rebuild(database, gatherer, filling, progress, reading, sorting).run()


class _Rebuild:
    def __init__(
        self,
        database: Database,
        gatherer: Gatherer,
        filling: Filling,
        progress: Callable[[str, int], None],
        reading: ThreadPoolExecutor,
        sorting: ThreadPoolExecutor,
    ) -> None:
        self._database = database
        self._gatherer = gatherer
        self._filling = filling
        self._progress = progress
        self._reading = reading
        self._sorting = sorting

    async def run(self) -> Checkpoint:
        await self._database.clear()
        checkpoint = await self._blocks(await self._beginning())
        await self._rows("rows of history", self._filling.history(), fill_history)
        await self._rows("holders", self._filling.holders(), fill_holders)
        await self._database.write(partial(end, filling=self._filling, checkpoint=checkpoint))
        await self._database.finish()
        return checkpoint

    async def _beginning(self) -> Checkpoint:
        """Take who holds what where the first block that is kept is not the first."""
        beginning = await _in(self._reading, self._gatherer.beginning)
        try:
            while piece := await _in(self._reading, beginning.piece):
                await _in(self._sorting, partial(self._filling.hold, piece))
        finally:
            await _in(self._reading, beginning.close)
        return beginning.checkpoint

    async def _blocks(self, checkpoint: Checkpoint) -> Checkpoint:
        rows = await _in(self._reading, partial(self._gatherer.stored, checkpoint))
        while rows is not None:
            checkpoint = after(checkpoint, rows)
            _, _, rows = await asyncio.gather(
                self._database.write(partial(fill, rows=rows)),
                _in(self._sorting, partial(self._filling.take, rows)),
                _in(self._reading, partial(self._gatherer.stored, checkpoint)),
            )
            self._progress("blocks", checkpoint.height)
        return checkpoint

    async def _rows(
        self,
        what: str,
        pieces: Iterator[Sequence[RowT]],
        write: Callable[[Session, Sequence[RowT]], Awaitable[None]],
    ) -> None:
        """Write what was sorted, while more of it is merged."""
        done = 0
        further = partial(next, pieces, None)
        rows = await _in(self._sorting, further)
        while rows is not None:
            done += len(rows)
            _, rows = await asyncio.gather(
                self._database.write(_writing(write, rows)), _in(self._sorting, further)
            )
            self._progress(what, done)


def _writing(
    write: Callable[[Session, Sequence[RowT]], Awaitable[None]], rows: Sequence[RowT]
) -> Callable[[Session], Awaitable[None]]:
    return lambda session: write(session, rows)


async def _in(thread: ThreadPoolExecutor, work: Callable[[], WorkT]) -> WorkT:
    """Return what the work returns.

    Raises:
        IndexUnreachable: the disk does not take what is sorted.
    """
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, work)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise IndexUnreachable(f"what is sorted for the index: {reason}") from error
