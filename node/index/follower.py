"""Keeps an index at the head of the chain, off the way of consensus.

What was committed is told of while it is still in memory; a bounded number of blocks waits there.
Whatever was missed, because the database was slow, away, or the node was off, is read from the
blocks again: there is one position, the checkpoint, and nothing that could be lost. A block never
waits for the index.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from node.chain import Committed
from node.genesis import Genesis
from node.index.answers import Answers
from node.index.database import Database
from node.index.errors import IndexFailure, IndexUnreachable, RebuildNeeded
from node.index.gathering import TRANSACTIONS_AT_ONCE, Gatherer
from node.index.projection import Given, Rows, given_committed
from node.index.writing import (
    READ_CHECKPOINT,
    Checkpoint,
    add_holdings,
    checkpoint_of,
    put_checkpoint,
    write_rows,
)
from node.log import Logger
from node.metrics import Metrics
from node.storage import KeyValueStore

BLOCKS_WAITING_MAX: Final = 256
"""Blocks in memory that wait to be indexed; those before them are read from the store."""
TRANSACTIONS_WAITING_MAX: Final = 20_000
READING_REST: Final = 1.0
"""After blocks from the store a rest as long as they took: the index may have half of a processor
while it catches up, and the node the other half."""
RETRY_S: Final = 1.0
"""First pause after a failure; doubled each time."""
RETRY_S_MAX: Final = 60.0

WorkT = TypeVar("WorkT")


class Follower:
    """One index of one node. `run` once; `close` after it has ended."""

    def __init__(
        self,
        database: Database,
        store: KeyValueStore,
        genesis: Genesis,
        *,
        head: Callable[[], int],
        metrics: Metrics,
        log: Logger,
        rebuild: str = "",
        rest: float = READING_REST,
    ) -> None:
        """Make one that does not follow yet.

        Args:
            store: the node's; read only.
            head: the last block that is durable.
            rebuild: the command by which the operator has it made anew while the node is stopped.
            rest: how long to rest after blocks from the store, in terms of the time they took.
        """
        self._database = database
        self._gatherer = Gatherer(store, genesis)
        self._head = head
        self._metrics = metrics
        self._log = log.bind(part="index")
        self._rebuild = rebuild
        self._rest = rest
        self._thread = ThreadPoolExecutor(1, "index")
        self._waiting: deque[Given] = deque()
        self._transactions_waiting = 0
        self._woken = asyncio.Event()
        self._moved = asyncio.Condition()
        self.answers = Answers(database)
        self.checkpoint: Checkpoint | None = None
        """How far it is; None: it has not begun."""
        self.failure: str | None = None
        """Why it does not go on; None: it does."""
        metrics.index_lag_blocks.set_function(lambda: max(0, head() - self.height))

    @property
    def height(self) -> int:
        """Of the last block that is in it."""
        return 0 if self.checkpoint is None else self.checkpoint.height

    @property
    def place(self) -> str:
        """Where the database is."""
        return self._database.place

    @property
    def blocks_waiting(self) -> int:
        """How many blocks wait in memory."""
        return len(self._waiting)

    def note(self, committed: Committed) -> None:
        """Know of a block that is durable now. Never waits."""
        self.tell(given_committed(committed))

    def tell(self, given: Given) -> None:
        """Know of the same as it is projected."""
        waiting = self._waiting
        waiting.append(given)
        self._transactions_waiting += len(given.raws)
        while (
            len(waiting) > BLOCKS_WAITING_MAX
            or self._transactions_waiting > TRANSACTIONS_WAITING_MAX
        ):
            self._transactions_waiting -= len(waiting.popleft().raws)
        self._woken.set()

    async def run(self) -> None:
        """Follow until cancelled. What fails is logged and kept in `failure`; nothing raises."""
        pause_s = RETRY_S
        while True:
            try:
                await self._resume()
                await self._follow()
            except IndexUnreachable as error:
                if self.failure is None:
                    pause_s = RETRY_S
                await self._failed(error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_S_MAX)
            except IndexFailure as error:
                await self._failed(error)
                break
            except Exception as error:
                self._log.error("index stopped", place=self.place, exc_info=error)
                await self._failed(error)
                break
        # Nobody can help but the operator, and a task that ends would end the node.
        self._waiting.clear()
        await asyncio.Event().wait()

    async def reached(self, height: int) -> Checkpoint:
        """Wait until this block is in the index.

        Raises:
            IndexFailure: it does not go on.
        """
        async with self._moved:
            while self.checkpoint is None or self.checkpoint.height < height:
                if self.failure is not None:
                    raise IndexFailure(self.failure)
                await self._moved.wait()
            return self.checkpoint

    async def close(self) -> None:
        """Let go of the store and the database; what is under way ends first."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._thread.shutdown)
        await self._database.close()

    # Private.

    async def _resume(self) -> Checkpoint:
        """Open the database and find where it stands; begin where there is nothing."""
        await self._database.open()
        checkpoint = checkpoint_of(await self._database.read(READ_CHECKPOINT, {}))
        if checkpoint is None:
            return await self._begin()
        if not await self._in_thread(lambda: self._gatherer.fits(checkpoint)):
            self._log.warning(
                "blocks that the index has not seen are pruned: it begins anew",
                height=checkpoint.height,
            )
            return await self._begin()
        await self._moved_to(checkpoint)
        self._log.info("index resumed", place=self.place, height=checkpoint.height)
        return checkpoint

    async def _begin(self) -> Checkpoint:
        await self._database.clear()
        class_of = self._gatherer.classes.of
        beginning = await self._in_thread(self._gatherer.beginning)
        try:
            while piece := await self._in_thread(beginning.piece):
                await self._database.write(partial(add_holdings, holdings=piece, class_of=class_of))
        finally:
            await self._in_thread(beginning.close)
        checkpoint = beginning.checkpoint
        await self._database.write(lambda session: put_checkpoint(session, checkpoint))
        await self._moved_to(checkpoint)
        self._log.info("index begun", place=self.place, from_height=checkpoint.from_height)
        return checkpoint

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            checkpoint = self.checkpoint
            assert checkpoint is not None
            began = loop.time()
            rows = await self._from_memory(checkpoint)
            rest = 0.0
            if rows is None and self._head() > checkpoint.height:
                rows = await self._stored(checkpoint)
                rest = self._rest
            if rows is None:
                self.failure = None
                await self._woken.wait()
                self._woken.clear()
                continue
            await self._write(rows)
            # Not before: one that is full or read only is opened like any other.
            self.failure = None
            if rest:
                await asyncio.sleep(rest * (loop.time() - began))

    async def _stored(self, checkpoint: Checkpoint) -> Rows | None:
        return await self._in_thread(lambda: self._gatherer.stored(checkpoint))

    async def _from_memory(self, checkpoint: Checkpoint) -> Rows | None:
        """Return the rows of the next blocks; None: they are not in memory."""
        waiting = self._waiting
        while waiting and waiting[0].height <= checkpoint.height:
            self._transactions_waiting -= len(waiting.popleft().raws)
        taken: list[Given] = []
        following, count = checkpoint.height + 1, 0
        while waiting and waiting[0].height == following and count < TRANSACTIONS_AT_ONCE:
            taken.append(waiting.popleft())
            count += len(taken[-1].raws)
            following += 1
        self._transactions_waiting -= count
        if not taken:
            return None
        return await self._in_thread(lambda: self._gatherer.given(taken, checkpoint))

    async def _write(self, rows: Rows) -> Checkpoint:
        class_of = self._gatherer.classes.of
        checkpoint = await self._database.write(lambda session: write_rows(session, rows, class_of))
        await self._moved_to(checkpoint)
        return checkpoint

    async def _moved_to(self, checkpoint: Checkpoint) -> None:
        self._metrics.index_height.set(checkpoint.height)
        async with self._moved:
            self.checkpoint = checkpoint
            self._moved.notify_all()

    async def _failed(self, error: Exception) -> None:
        self._metrics.index_failures.inc()
        hint = {}
        if self._rebuild and isinstance(error, RebuildNeeded):
            hint["hint"] = f"stop this node, run `{self._rebuild}`, and start it"
        self._log.error("index cannot go on", place=self.place, error=str(error), **hint)
        async with self._moved:
            self.failure = str(error) or type(error).__name__
            self._moved.notify_all()

    async def _in_thread(self, work: Callable[[], WorkT]) -> WorkT:
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        return await asyncio.shield(future)
