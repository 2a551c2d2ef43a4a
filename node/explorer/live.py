"""Open pages that are told of new blocks, by server-sent events.

A listener is a position, not a queue: when the head has moved it is sent what the overview says
now, whatever came between. One that does not read is skipped, and after a while let go; there is
always something newer to tell. A message is rendered once for all who read the same language.

Browsers come back by themselves; where they left off does not matter, so ids are heights and
nothing is replayed.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import hdrs, web

from node.explorer.limits import (
    LISTENERS_MAX,
    LISTENERS_PER_ADDRESS_MAX,
    LIVE_BUFFER_BYTES,
    LIVE_HEARTBEAT_MS,
    LIVE_PAUSE_MS,
    LIVE_STALL_MS,
)
from node.explorer.refusals import PageRefusal
from node.rpc.http import SECURITY_HEADERS
from node.rpc.limits import caller
from node.rpc.stream import Feed

EVENT_STREAM_TYPE: Final = "text/event-stream"
HEARTBEAT: Final = b": still here\n\n"


class Live:
    """Tells open pages of one node of new blocks."""

    def __init__(
        self,
        feed: Feed,
        render: Callable[[str], Awaitable[str]],
        *,
        listeners_max: int = LISTENERS_MAX,
        listeners_per_address_max: int = LISTENERS_PER_ADDRESS_MAX,
        pause_ms: int = LIVE_PAUSE_MS,
        heartbeat_ms: int = LIVE_HEARTBEAT_MS,
        stall_ms: int = LIVE_STALL_MS,
    ) -> None:
        """Make it, with nobody listening.

        Args:
            render: makes the HTML that is sent, in this language, from the head as it is.
        """
        self._feed = feed
        self._render = render
        self._listeners_max = listeners_max
        self._listeners_per_address_max = listeners_per_address_max
        self._pause_ms = pause_ms
        self._heartbeat_ms = heartbeat_ms
        self._stall_ms = stall_ms
        self._listeners: set[asyncio.Task[object]] = set()
        self._of_address: Counter[str] = Counter()
        self._rendering = asyncio.Lock()
        self._messages: dict[str, tuple[int, bytes]] = {}
        """By language: the height and the message of the last that was rendered."""

    def __len__(self) -> int:
        """Return how many listen."""
        return len(self._listeners)

    def close(self) -> None:
        """Let all listeners go."""
        for task in tuple(self._listeners):
            task.cancel()

    async def serve(
        self, request: web.BaseRequest, language: str, is_welcome: Callable[[], bool]
    ) -> web.StreamResponse:
        """Tell one page of new blocks until it is closed, or is welcome no more.

        Raises:
            PageRefusal: as many listen as this node serves.
        """
        address = caller(request.remote)
        if (
            len(self._listeners) >= self._listeners_max
            or self._of_address[address] >= self._listeners_per_address_max
        ):
            raise PageRefusal(429, expected="expected-listener", headers={hdrs.RETRY_AFTER: "15"})
        task = asyncio.current_task()
        assert task is not None
        self._listeners.add(task)
        self._of_address[address] += 1
        response = web.StreamResponse(
            headers={**SECURITY_HEADERS, hdrs.CONTENT_TYPE: f"{EVENT_STREAM_TYPE}; charset=utf-8"}
        )
        try:
            await response.prepare(request)
            if request.method != hdrs.METH_HEAD:
                await self._tell(request, response, language, is_welcome)
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._listeners.discard(task)
            self._of_address[address] -= 1
            self._of_address += Counter()  # forget the addresses that have none
        return response

    async def _tell(
        self,
        request: web.BaseRequest,
        response: web.StreamResponse,
        language: str,
        is_welcome: Callable[[], bool],
    ) -> None:
        moved = asyncio.Event()
        # The page was made a moment ago, and a block may have come between.
        moved.set()
        self._feed.join(moved.set)
        try:
            await self._tell_when(moved, request, response, language, is_welcome)
        finally:
            self._feed.leave(moved.set)

    async def _tell_when(
        self,
        moved: asyncio.Event,
        request: web.BaseRequest,
        response: web.StreamResponse,
        language: str,
        is_welcome: Callable[[], bool],
    ) -> None:
        """Send what is so now, each time that the head has moved."""
        loop = asyncio.get_running_loop()
        read_at = loop.time()
        while True:
            data = HEARTBEAT
            try:
                async with asyncio.timeout(self._heartbeat_ms / 1000):
                    await moved.wait()
                moved.clear()
                if not is_welcome():  # its key was revoked, or has ended
                    return
                data = await self._message(language)
            except TimeoutError:
                pass
            transport = request.transport
            if transport is None or transport.is_closing():
                return
            if transport.get_write_buffer_size() <= LIVE_BUFFER_BYTES:
                read_at = loop.time()
                try:
                    async with asyncio.timeout(self._stall_ms / 1000):
                        await response.write(data)
                except TimeoutError:
                    transport.abort()
                    return
            elif (loop.time() - read_at) * 1000 > self._stall_ms:
                transport.abort()
                return
            await asyncio.sleep(self._pause_ms / 1000)

    async def _message(self, language: str) -> bytes:
        # One renders, the others that a block has woken take what it made.
        async with self._rendering:
            height, message = self._messages.get(language, (-1, b""))
            if height != self._feed.head:
                height = self._feed.head
                html = await self._render(language)
                lines = "".join(f"data: {line}\n" for line in html.splitlines() if line.strip())
                message = f"id: {height}\n{lines}\n".encode()
                self._messages[language] = (height, message)
            return message
