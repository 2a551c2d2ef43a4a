"""Subscribers of one node by the hundred, in one process that reads what comes and keeps counts."""

import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from typing_extensions import override

from tests.bench.frames import HANDSHAKE, Frames, masked

PER_ADDRESS: Final = 250
"""A node serves no more subscribers of one address: these come from 127.0.0.2 and following."""
TIMED_EVERY: Final = 50
"""Of so many subscribers one notes when it was told of each block."""

_SUBSCRIBE: Final = (
    b'{"jsonrpc":"2.0","id":1,"method":"khz_subscribe","params":{"topics":["blocks","receipts"]}}'
)
_BLOCK: Final = re.compile(rb'"cursor":"(\d+)-0","topic":"blocks"')


@dataclass
class Followed:
    """What all subscribers were told."""

    messages: int = 0
    bytes: int = 0
    blocks: Counter[int] = field(default_factory=Counter)
    """By height, how many subscribers were told of it."""
    moments: list[tuple[int, float]] = field(default_factory=list)
    """Height and moment on the monotonic clock, of those that note it."""
    cpu_s: float = 0.0


def follow(url: str, count: int, seconds: float) -> Followed:
    """Subscribe so many times to blocks and receipts, and read for so long; called in a process of
    its own.
    """
    return asyncio.run(_follow(url, count, seconds))


async def _follow(url: str, count: int, seconds: float) -> Followed:
    loop, place = asyncio.get_running_loop(), urlsplit(url)
    host, port = str(place.hostname), int(place.port or 80)
    began, began_s = loop.time(), time.process_time()
    followed = Followed()
    transports = []
    for number in range(count):
        transport, _ = await loop.create_connection(
            partial(_Follower, followed, f"{host}:{port}", is_timed=number % TIMED_EVERY == 0),
            host,
            port,
            local_addr=(f"127.0.0.{2 + number // PER_ADDRESS}", 0),
        )
        transports.append(transport)
    await asyncio.sleep(max(0.0, began + seconds - loop.time()))
    for transport in transports:
        transport.abort()
    followed.cpu_s = time.process_time() - began_s
    return followed


class _Follower(asyncio.Protocol):
    def __init__(self, followed: Followed, host: str, *, is_timed: bool) -> None:
        self._followed = followed
        self._host = host
        self._is_timed = is_timed
        self._head = b""
        self._frames: Frames | None = None
        self._transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(HANDSHAKE % self._host.encode())

    @override
    def data_received(self, data: bytes) -> None:
        if self._frames is None:
            self._head += data
            if b"\r\n\r\n" in self._head:
                assert b" 101 " in self._head, self._head
                self._frames = Frames(self._transport)
                self._transport.write(masked(_SUBSCRIBE))
            return
        followed, now = self._followed, time.monotonic()
        for _, payload in self._frames.feed(data):
            followed.messages += 1
            followed.bytes += len(payload)
            for height in map(int, _BLOCK.findall(payload)):
                followed.blocks[height] += 1
                if self._is_timed:
                    followed.moments.append((height, now))
