"""An event loop of its own in a thread of its own, for what would hold up that of the node.

A driver that is written for an event loop makes its rows where it is awaited. Here that is beside
the loop that decides blocks, which only waits for what comes of it.
"""

import asyncio
from collections.abc import Coroutine
from threading import Thread
from typing import Any, Final, TypeVar

WorkT = TypeVar("WorkT")

ENDS_WITHIN_S: Final = 5.0
"""What is still under way is cancelled, and has so long to end."""


class Aside:
    """The loop of one owner. `run` what you like; `close` it at the end."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._serve, name=name, daemon=True)
        self._stopping = asyncio.Event()

    async def run(self, work: Coroutine[Any, Any, WorkT]) -> WorkT:
        """Return what a coroutine returns that runs there; where nobody waits any more, it ends."""
        if self._thread.ident is None:
            self._thread.start()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def close(self) -> None:
        """End what is under way, and the thread."""
        if self._thread.ident is None:
            self._loop.close()
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        ended = asyncio.get_running_loop().run_in_executor(None, self._thread.join, ENDS_WITHIN_S)
        await asyncio.shield(ended)

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._stopped())

    async def _stopped(self) -> None:
        await self._stopping.wait()
