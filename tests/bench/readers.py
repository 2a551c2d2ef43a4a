"""Readers of one node over real sockets: calls due at fixed times, whatever became of those before.

Three forms, which are the three ways in which the interface takes a call: `single`, one HTTP
request for each; `batch`, a JSON-RPC batch in one; `socket`, one message each over a WebSocket,
many under way. Connections are kept. They come from as many addresses as the node's limit of calls
for each asks for, as readers do.

A call's latency runs from the moment when it was due to the moment when its answer was read: one
that had to wait for a free connection is late by that. Answers are looked at for their ids only,
so that the readers take little of the processors which they share with the node.
"""

import asyncio
import contextlib
import random
import re
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from typing_extensions import override

from tests.bench.frames import HANDSHAKE, Frames, masked

BATCH: Final = 50
"""Calls of one batch; a node takes a hundred."""
PER_ADDRESS: Final = 250
"""Calls a second of one address; a node takes 500."""
TICK_S: Final = 0.001
DRAIN_S: Final = 5.0
"""How long after the last was due an answer may come."""

_ANSWER: Final = re.compile(rb'"2\.0","id":(\d+),"(r|e)')
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Form(StrEnum):
    """How calls are asked."""

    SINGLE = "single"
    BATCH = "batch"
    SOCKET = "socket"

    @property
    def calls(self) -> int:
        """How many one request holds."""
        return BATCH if self is Form.BATCH else 1

    @property
    def per_address(self) -> int:
        """Connections of one address."""
        return 4 if self is Form.SINGLE else 1

    @property
    def under_way_max(self) -> int:
        """Requests under way on one connection; the others wait for their turn."""
        return 16 if self is Form.SOCKET else 1


@dataclass
class Read:
    """What became of the calls."""

    asked: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    """Of the calls that were answered with a result."""
    errors: int = 0
    """Answered otherwise."""
    cpu_s: float = 0.0
    """Of the readers."""


def read(
    url: str, form: Form, accounts: Sequence[str], *, rate: int, seconds: float, begin: float
) -> Read:
    """Ask `khz_holdings` of random accounts at a rate; called in a process of its own.

    Args:
        begin: moment on the monotonic clock.
    """
    return asyncio.run(_read(url, form, accounts, rate, seconds, begin))


async def _read(
    url: str, form: Form, accounts: Sequence[str], rate: int, seconds: float, begin: float
) -> Read:
    loop, place = asyncio.get_running_loop(), urlsplit(url)
    host, port = str(place.hostname), int(place.port or 80)
    readers = _Readers(form, f"{host}:{port}")
    connections = []
    for number in range(-(-rate // PER_ADDRESS)):
        for _ in range(form.per_address):
            _, connection = await loop.create_connection(
                lambda: _Connection(readers),
                host,
                port,
                local_addr=(f"127.0.0.{2 + number}", 0),
            )
            await connection.open
            connections.append(connection)
    # One call of each address in turn, so that none comes to its limit.
    readers.idle.extend(
        connections[address * form.per_address + each]
        for each in range(form.per_address)
        for address in range(len(connections) // form.per_address)
    )
    began_s = time.process_time()
    requests = _requests(accounts, form.calls)
    count, sent = int(rate * seconds) // form.calls, 0
    while sent < count:
        now = time.monotonic()
        due = min(count, int((now - begin) * rate / form.calls) + 1)
        for number in range(sent, due):
            readers.ask(begin + number * form.calls / rate, next(requests))
        sent = max(sent, due)
        await asyncio.sleep(TICK_S)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            await readers.until_answered()
    for connection in connections:
        connection.transport.abort()
    readers.read.asked = count * form.calls
    readers.read.cpu_s = time.process_time() - began_s
    return readers.read


def _requests(accounts: Sequence[str], calls: int) -> Iterator[tuple[int, bytes]]:
    """Yield the id of the first call and the body."""
    chance, first = random.Random(1), 1
    while True:
        bodies = [
            '{"jsonrpc":"2.0","id":%d,"method":"khz_holdings","params":{"address":"%s"}}'  # noqa: UP031
            % (first + number, chance.choice(accounts))
            for number in range(calls)
        ]
        yield first, (bodies[0] if calls == 1 else f"[{','.join(bodies)}]").encode()
        first += calls


class _Readers:
    """Who has a connection free, and which calls are due."""

    def __init__(self, form: Form, host: str) -> None:
        self.form = form
        self.host = host
        self.read = Read()
        self.idle: deque[_Connection] = deque()
        self.due: dict[int, float] = {}
        """Moment, by id, of those without an answer."""
        self._waiting: deque[bytes] = deque()
        self._all_answered = asyncio.Event()

    async def until_answered(self) -> None:
        """Wait until nothing asked is without an answer; nothing more is asked."""
        while self.due:
            self._all_answered.clear()
            await self._all_answered.wait()

    def ask(self, due: float, request: tuple[int, bytes]) -> None:
        first, body = request
        self.due |= dict.fromkeys(range(first, first + self.form.calls), due)
        if self.idle:
            self._send(self.idle.popleft(), body)
        else:
            self._waiting.append(body)

    def is_free(self, connection: "_Connection") -> None:
        if self._waiting:
            self._send(connection, self._waiting.popleft())
        else:
            self.idle.append(connection)

    def _send(self, connection: "_Connection", body: bytes) -> None:
        connection.send(body)
        if connection.under_way < self.form.under_way_max:
            self.idle.append(connection)

    def answered(self, data: bytes) -> None:
        now, read = time.monotonic(), self.read
        for identifier, kind in _ANSWER.findall(data):
            due = self.due.pop(int(identifier))
            if kind == b"r":
                read.latencies_ms.append((now - due) * 1000)
            else:
                read.errors += 1
        if not self.due:
            self._all_answered.set()


class _Connection(asyncio.Protocol):
    """One kept connection."""

    def __init__(self, readers: _Readers) -> None:
        self._readers = readers
        self._buffer = b""
        self._frames: Frames | None = None
        self.under_way = 0
        self.transport: asyncio.Transport
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self._readers.form is Form.SOCKET:
            transport.write(HANDSHAKE % self._readers.host.encode())
        else:
            self.open.set_result(None)

    def send(self, body: bytes) -> None:
        """Send a request."""
        self.under_way += 1
        if self._frames is not None:
            self.transport.write(masked(body))
            return
        self.transport.write(
            b"POST /rpc HTTP/1.1\r\nHost: %b\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (self._readers.host.encode(), len(body), body)
        )

    @override
    def data_received(self, data: bytes) -> None:
        if self._frames is not None:
            for _, payload in self._frames.feed(data):
                self._answered(payload)
            return
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        if not self.open.done():
            assert b" 101 " in head, head
            self._frames = Frames(self.transport)
            self._buffer = b""
            self.open.set_result(None)
            return
        length = _LENGTH.search(head)
        assert length is not None, head
        if len(body) >= int(length[1]):
            self._buffer = b""
            self._answered(body)

    def _answered(self, payload: bytes) -> None:
        was_full = self.under_way >= self._readers.form.under_way_max
        self.under_way -= 1
        self._readers.answered(payload)
        if was_full:
            self._readers.is_free(self)
