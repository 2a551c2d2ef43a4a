"""Cheap clients for load: raw HTTP over kept connections, and a watcher of what was committed.

They share the machine with what they measure, so they do as little as they can: bodies are made
beforehand, answers are kept as bytes, and nothing is parsed while the load runs.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from node.codec import encode


class Poster:
    """Posts to one node over as many kept connections as it takes."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._host, self._port = str(place.hostname), int(place.port or 80)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.url = url

    async def post(self, path: str, content_type: str, body: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer.

        Raises:
            OSError: nobody is there, or went away before answering.
        """
        return await self._ask(
            f"POST {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )

    async def get(self, path: str) -> bytes:
        """Return the body of the answer.

        Raises:
            OSError: as `post`.
            RuntimeError: it was not answered with 200.
        """
        status, body = await self._ask(
            f"GET {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n\r\n".encode()
        )
        if status != 200:
            raise RuntimeError(f"GET {path}: {status}")
        return body

    async def _ask(self, request: bytes) -> tuple[int, bytes]:
        """Send and read on one connection.

        A kept connection may have been closed by the node meanwhile: then the next one is tried.
        What is sent twice by that is applied once.
        """
        while True:
            kept = bool(self._idle)
            reader, writer = (
                self._idle.pop() if kept else await asyncio.open_connection(self._host, self._port)
            )
            try:
                writer.write(request)
                await writer.drain()
                first_line = await reader.readline()
            except ConnectionError:
                first_line = b""
            if first_line or not kept:
                break
            writer.close()
        if not first_line:
            raise ConnectionResetError("it hung up without an answer")
        status = int(first_line.split(b" ")[1])
        length, keeps = 0, True
        while (line := await reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            elif name.lower() == b"connection":
                keeps = value.strip().lower() != b"close"
        answer = await reader.readexactly(length)
        if keeps:
            self._idle.append((reader, writer))
        else:
            writer.close()
        return status, answer

    async def transactions(self, raws: Sequence[bytes]) -> list[tuple[Any, int, Any, Any]]:
        """Submit; one item for each: id, status, outcome, when to try again."""
        status, answer = await self.post(
            "/transactions", "application/msgpack", encode(tuple(raws))
        )
        if status != 200:
            return [(None, -status, None, None)] * len(raws)
        items: list[tuple[Any, int, Any, Any]] = msgspec.msgpack.decode(answer)
        return items

    async def call(self, method: str, **params: object) -> Any:
        """Return the result of a call.

        Raises:
            RuntimeError: the node answered with an error.
        """
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        _, answer = await self.post("/rpc", "application/json", json.dumps(request).encode())
        found = msgspec.json.decode(answer)
        if "error" in found:
            raise RuntimeError(f"{method}: {found['error']}")
        return found["result"]

    def close(self) -> None:
        """Close every connection."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()


class Watcher:
    """Follows one node's stream and notes when each message came, without reading it."""

    def __init__(self, url: str, topic: str) -> None:
        self._url = url.replace("http", "ws", 1) + "/ws"
        self._topic = topic
        self.messages: list[tuple[float, str]] = []
        """Moment of arrival on the monotonic clock, and the text."""
        self.transactions = 0
        """How many were seen, where the topic is `receipts`."""
        self._seen_more = asyncio.Event()

    @contextlib.asynccontextmanager
    async def follow(self) -> AsyncIterator[None]:
        """Subscribe from now on until the body ends."""
        async with aiohttp.ClientSession() as session, session.ws_connect(self._url) as socket:
            await socket.send_json(
                {
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": "khz_subscribe",
                    "params": {"topics": [self._topic]},
                }
            )
            answer = await socket.receive_json()
            if "error" in answer:
                raise RuntimeError(f"khz_subscribe: {answer['error']}")
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._read(socket), name=f"watch-{self._url}")
                yield
                reading.cancel()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.messages.append((time.monotonic(), message.data))
                # An id has 64 digits: as good as reading it, and much cheaper.
                self.transactions += message.data.count('["')
                self._seen_more.set()

    async def until(self, transactions: int) -> None:
        """Wait until so many transactions were seen."""
        while self.transactions < transactions:
            self._seen_more.clear()
            await self._seen_more.wait()
