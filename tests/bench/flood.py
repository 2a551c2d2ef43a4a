"""Lists of transactions at a fixed rate, from a process that costs the machine as little as it can.

The load shares the processors with what it floods, and what it takes of them the nodes have not. So
requests are made before the clock runs, written as bytes to connections that are open already, and
of an answer nothing is read while the load runs but its status, and when to come back.

Clients come in two kinds. Some **obey**: who was told to come back offers nothing on that
connection until then. Others send whenever something is due, which is the worst case.

`Refuser` stands beside the nodes and takes nothing: each list is refused there as cheaply as a
process of its own can. What it is sent costs the machine what sending and receiving cost, and no
node anything: what the flood itself takes can be told from what refusing takes.
"""

import asyncio
import contextlib
import math
import re
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from typing_extensions import override

from node.codec import encode
from node.rpc.submissions import ItemStatus

LIST: Final = 50
"""Transfers of one request."""
AT_ONCE_MAX: Final = 64
"""Connections to one node, one request under way on each."""
TICK_S: Final = 0.005
"""Lists that fall due within so long are sent together."""

_LENGTH: Final = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)
_RETRY: Final = re.compile(rb'"retry_after_ms":(\d+)')
_HEAD_END: Final = b"\r\n\r\n"
_REFUSED: Final = (
    b'{"error":{"code":-32005,"message":"this takes nothing; try again in 400 ms, or at another'
    b' node","data":{"retry_after_ms":400}}}'
)
_ANSWER: Final = (
    b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_REFUSED), _REFUSED)
)


@dataclass(frozen=True, slots=True)
class Request:
    """A list of transfers as it is sent, to whichever node."""

    ids: Sequence[bytes]
    data: bytes


@dataclass
class Sent:
    """What a generator did."""

    taken: dict[bytes, float] = field(default_factory=dict)
    """Moment of sending, by id, of what was taken."""
    offered: int = 0
    unsent: int = 0
    """Lists that were due while every connection waited for an answer, or was told to wait."""
    elsewhere: int = 0
    """Lists that were sent to the refuser."""
    answers: Counter[str] = field(default_factory=Counter)
    retry_after_ms: list[int] = field(default_factory=list)
    late_s: float = 0.0
    """The furthest that it fell behind its own clock."""
    cpu_s: float = 0.0
    """While it sent."""


def requests_of(stock: Sequence[tuple[bytes, bytes]]) -> Iterator[Request]:
    """Yield what is sent of these ids and transactions, so many a list."""
    for start in range(0, len(stock) - LIST + 1, LIST):
        part = stock[start : start + LIST]
        body = encode(tuple(raw for _, raw in part))
        head = (
            "POST /transactions HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: application/msgpack\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield Request(tuple(identifier for identifier, _ in part), head.encode() + body)


class Lane(asyncio.Protocol):
    """One connection: a request, its answer, and then the next."""

    def __init__(self, flood: "Flood", door: "Door") -> None:
        self._flood = flood
        self._door = door
        self._received = b""
        self._request: Request | None = None
        self._moment = 0.0
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._door.idle.append(self)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._request is not None:
            self._flood.answered(self._door, None, self._request, self._moment, 0, b"")

    def send(self, request: Request) -> bool:
        """Send; return whether there was somebody to send it to."""
        if self._transport is None:
            return False
        self._request, self._moment = request, time.monotonic()
        self._transport.write(request.data)
        return True

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    @override
    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        end = received.find(_HEAD_END)
        length = None if end < 0 else _LENGTH.search(received, 0, end + 2)
        if length is None or len(received) < end + 4 + int(length[1]):
            self._received = received
            return
        self._received = b""
        request, self._request = self._request, None
        assert request is not None
        body = received[end + 4 :]
        self._flood.answered(self._door, self, request, self._moment, int(received[9:12]), body)


class Door:
    """One node, and the connections to it that wait for something to send."""

    def __init__(self, url: str, *, takes: bool) -> None:
        self.url = url
        self.takes = takes
        """False: the refuser's."""
        self.idle: list[Lane] = []
        self.under_way = 0


class Flood:
    """Sends lists at a fixed rate; what is refused goes to the back of the stock."""

    def __init__(
        self,
        urls: Sequence[str],
        stock: Sequence[tuple[bytes, bytes]],
        *,
        refuser: str | None,
        factor: int,
        obeys: bool,
    ) -> None:
        """Make what is to be sent.

        Args:
            refuser: given all lists but every so many-th; None: the nodes are given all.
            factor: how many times what they can take is due.
            obeys: whether clients wait for as long as they are told.
        """
        self._doors = [Door(url, takes=True) for url in urls]
        self._refuser = None if refuser is None else Door(refuser, takes=False)
        self._factor = factor
        self._obeys = obeys
        self._stock = deque(requests_of(stock))
        self._taken: list[tuple[Request, float, bytes]] = []
        self._all_answered = asyncio.Event()
        self.sent = Sent()

    async def run(self, rate: int, seconds: float) -> None:
        """Send for so long; returns when each list has been answered."""
        doors = [*self._doors, *([self._refuser] if self._refuser else [])]
        loop, lanes = asyncio.get_running_loop(), []
        for door in doors:
            place = urlsplit(door.url)
            for _ in range(AT_ONCE_MAX):
                _, lane = await loop.create_connection(
                    partial(Lane, self, door), str(place.hostname), int(place.port or 80)
                )
                lanes.append(lane)
        used_s, began, turn = time.process_time(), time.monotonic(), 0
        count = round(seconds * rate / LIST)
        while turn < count:
            due_s = math.ceil(turn * LIST / rate / TICK_S) * TICK_S
            await asyncio.sleep(max(0.0, began + due_s - time.monotonic()))
            self.sent.late_s = max(self.sent.late_s, time.monotonic() - began - due_s)
            until = min(max(turn, int(due_s * rate / LIST)) + 1, count)
            for each in range(turn, until):
                self._send(self._door_of(each))
            turn = until
        while any(door.under_way for door in doors):
            self._all_answered.clear()
            await self._all_answered.wait()
        self.sent.cpu_s = time.process_time() - used_s
        for lane in lanes:
            lane.close()
        self._read_answers()

    def answered(
        self,
        door: Door,
        lane: Lane | None,
        request: Request,
        moment: float,
        status: int,
        body: bytes,
    ) -> None:
        """Take note of the answer to a list; status 0: the connection was lost before it came."""
        door.under_way -= 1
        if not door.under_way:
            self._all_answered.set()
        pause_s = 0.0
        if not door.takes:
            self._stock.append(request)
        elif status == 200:
            self._taken.append((request, moment, body))
        else:
            self.sent.answers[f"http-{status}" if status else "lost"] += LIST
            self._stock.append(request)
            retry_after = _RETRY.search(body)
            if retry_after is not None:
                self.sent.retry_after_ms.append(int(retry_after[1]))
                pause_s = int(retry_after[1]) / 1000 if self._obeys else 0.0
        if lane is None:
            return
        if pause_s:
            asyncio.get_running_loop().call_later(pause_s, door.idle.append, lane)
        else:
            door.idle.append(lane)

    def _door_of(self, turn: int) -> Door:
        if self._refuser is None:
            return self._doors[turn % len(self._doors)]
        if turn % self._factor:
            return self._refuser
        return self._doors[turn // self._factor % len(self._doors)]

    def _send(self, door: Door) -> None:
        if not door.idle or not self._stock:
            self.sent.unsent += 1
            return
        request = self._stock.popleft()
        if not door.idle.pop().send(request):
            self._stock.append(request)
            self.sent.unsent += 1
            return
        door.under_way += 1
        if door.takes:
            self.sent.offered += LIST
        else:
            self.sent.elsewhere += 1

    def _read_answers(self) -> None:
        for request, moment, body in self._taken:
            items: list[tuple[Any, int, Any, Any]] = msgspec.msgpack.decode(body)
            for identifier, (_, item, _, retry_after_ms) in zip(request.ids, items, strict=True):
                self.sent.answers[ItemStatus(item).name.lower()] += 1
                if item == ItemStatus.BUSY:
                    self.sent.retry_after_ms.append(retry_after_ms)
                else:
                    self.sent.taken[identifier] = moment


def generate(
    urls: Sequence[str],
    stock: Sequence[tuple[bytes, bytes]],
    *,
    rate: int,
    seconds: float,
    factor: int = 1,
    refuser: str | None = None,
    obeys: bool = False,
) -> Sent:
    """Run a flood; called in a process of its own."""

    async def run() -> Sent:
        flood = Flood(urls, stock, refuser=refuser, factor=factor, obeys=obeys)
        await flood.run(rate, seconds)
        return flood.sent

    return asyncio.run(run())


class Refuser(asyncio.Protocol):
    """One connection on which every list is refused as soon as its head is here."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._left_bytes = 0
        self._head = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        if self._left_bytes:
            rest = data[self._left_bytes :]
            self._left_bytes = max(0, self._left_bytes - len(data))
            data = rest
        self._head += data
        end = self._head.find(_HEAD_END)
        length = None if end < 0 else _LENGTH.search(self._head, 0, end + 2)
        if length is not None and self._transport is not None:
            self._left_bytes = int(length[1]) - (len(self._head) - end - 4)
            self._head = b""
            self._transport.write(_ANSWER)


@contextlib.asynccontextmanager
async def refusing() -> AsyncIterator[str]:
    """Listen as a refuser until the body ends; gives the address."""
    server = await asyncio.get_running_loop().create_server(Refuser, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
