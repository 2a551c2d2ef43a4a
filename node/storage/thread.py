"""The one thread that blocks for the database, so that the event loop does not."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from node.stages import Stage, Stages

ResultT = TypeVar("ResultT")

PENDING_MAX: Final = 1024  # one writer and a few long reads: more is a fault of ours


class StorageThread:
    """Runs callables one after the other, in the order in which `run` was called.

    Used as `async with StorageThread() as thread:`. What was handed over runs to its end: neither
    leaving the block nor cancelling an awaiting task stops a write half-way.
    """

    def __init__(self, stage: Stage | None = None) -> None:
        """Make a thread that waits for work.

        Args:
            stage: what its work is charged to; None: to nobody.
        """
        self._stage = stage or Stages().store
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="storage")
        self._pending = 0

    @property
    def pending(self) -> int:
        """How much was handed over and has not ended."""
        return self._pending

    def run(self, work: Callable[[], ResultT]) -> asyncio.Future[ResultT]:
        """Hand the work over now; awaiting it gives its result, or raises what it raised."""
        assert self._pending < PENDING_MAX
        self._pending += 1
        future = asyncio.get_running_loop().run_in_executor(
            self._executor, self._stage.elsewhere, work
        )
        future.add_done_callback(self._finished)
        # Cancelling whoever waits must not take work out of the queue: the order of writes would
        # depend on timing.
        return asyncio.shield(future)

    async def __aenter__(self) -> "StorageThread":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def drain(self) -> None:
        """Wait until everything that was handed over has ended."""
        loop = asyncio.get_running_loop()
        await asyncio.shield(loop.run_in_executor(self._executor, _nothing))

    async def close(self) -> None:
        """Wait for everything handed over, then end the thread; nothing can be run after it."""
        await self.drain()
        self._executor.shutdown(wait=True)

    def _finished(self, _: object) -> None:
        self._pending -= 1


async def ended(work: asyncio.Future[ResultT]) -> ResultT:
    """Return what this work gives, or raise what it raised.

    Not as by awaiting it: whoever gives up waiting would cancel what `run` has returned for all
    others, and what it raises would be nobody's.
    """
    if not work.done():
        await asyncio.wait([work])
    return work.result()


def _nothing() -> None:
    return None
