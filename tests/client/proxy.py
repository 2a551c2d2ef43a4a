"""A wire between a client and a node that a test can cut, or make swallow the answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Proxy:
    """Forwards connections to one node."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.connections = 0
        self.swallowing = False
        """Whether what the node answers is thrown away."""
        self.requests = 0
        """Pieces that came from clients."""
        self.requested = asyncio.Event()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """End every connection that is open now."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def close(self) -> None:
        """Refuse connections from now on."""
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        node_reader, node_writer = await asyncio.open_connection("127.0.0.1", self._target)
        both = {writer, node_writer}
        self._writers |= both
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forward(reader, node_writer, asked=True), name="proxy-ask")
                group.create_task(self._forward(node_reader, writer), name="proxy-answer")
        except* (ConnectionError, _Closed):
            pass
        finally:
            self._writers -= both
            for each in both:
                each.transport.abort()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asked: bool = False
    ) -> None:
        while data := await reader.read(1 << 16):
            if asked:
                self.requests += 1
                self.requested.set()
            elif self.swallowing:
                continue
            writer.write(data)
            await writer.drain()
        raise _Closed


class _Closed(Exception):
    """One side has ended."""


@contextlib.asynccontextmanager
async def proxy_to(port: int) -> AsyncIterator[Proxy]:
    """Run a proxy to a node's port."""
    proxy = Proxy(port)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close()
