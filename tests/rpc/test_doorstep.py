"""Lists that are refused before HTTP is read, beside the slow twin that reads it."""

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import HttpVersion11, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HttpRequestParser
from hypothesis import example, given
from hypothesis import strategies as st

from node.access import Role
from node.codec import encode
from node.rpc import RpcLimits
from node.rpc.doorstep import HEAD_MAX_BYTES, Doorstep, list_head
from tests.rpc.solo import Solo, solo_node

BODY = encode((b"t" * 190,) * 50)
HEAD = (
    b"POST /transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/msgpack\r\n"
    b"Content-Length: %d\r\n\r\n"
)
PLAIN = HEAD % len(BODY) + BODY
READ = PLAIN.replace(b"\r\n\r\n", b"\r\nX-Else: 1\r\n\r\n", 1)
"""The same, of which aiohttp reads the head."""
STATUS = b'{"jsonrpc":"2.0","id":1,"method":"khz_mempool"}'
CALL = (
    b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(STATUS), STATUS)
)

_DATE = re.compile(rb"\r\nDate: [^\r]+")
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)")


@dataclass
class Line:
    """A connection to a node."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self) -> bytes:
        """Return the next answer, head and body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        assert length is not None, head
        return head + await self.reader.readexactly(int(length[1]))

    async def ask(self, *pieces: bytes) -> bytes:
        """Send these and return the answer."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
        return await self.answer()


@contextlib.asynccontextmanager
async def line_to(solo: Solo, port: int | None = None) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port or solo.server.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


class Counted:
    """What the ends of connections do, as it happens."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pieces: asyncio.Queue[bytes] = asyncio.Queue()
        """What came on any connection."""
        self.ends: list[Doorstep] = []
        received, made = Doorstep.data_received, Doorstep.connection_made

        def data_received(end: Doorstep, data: bytes) -> None:
            received(end, data)
            if data:
                self.pieces.put_nowait(data)

        def connection_made(end: Doorstep, transport: asyncio.BaseTransport) -> None:
            made(end, transport)
            self.ends.append(end)

        monkeypatch.setattr(Doorstep, "data_received", data_received)
        monkeypatch.setattr(Doorstep, "connection_made", connection_made)

    def forget(self) -> None:
        """Forget what came."""
        while not self.pieces.empty():
            self.pieces.get_nowait()

    async def come(self, piece: bytes) -> None:
        """Wait until this came in one piece."""
        assert await self.pieces.get() == piece


@contextlib.asynccontextmanager
async def crowded_node(
    monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> AsyncIterator[tuple[Solo, list[web.BaseRequest]]]:
    """Run a node that takes no list; with the requests that are read as HTTP from then on."""
    monkeypatch.setattr("node.intake.crowding.WAITING_MIN", 2)
    async with solo_node(**settings) as solo:
        await solo.submit_list([solo.town.transfer("a0", "a1", 1 + index) for index in range(2)])
        read: list[web.BaseRequest] = []
        serve = solo.server._answer

        async def answer(gate: Any, request: web.BaseRequest, bill: Any) -> web.StreamResponse:
            read.append(request)
            return await serve(gate, request, bill)

        monkeypatch.setattr(solo.server, "_answer", answer)
        yield solo, read


# What is answered.


@pytest.mark.parametrize("origins", [(), ("https://desk.example",)])
async def test_a_list_is_refused_unread_by_what_reading_it_would_answer(
    monkeypatch: pytest.MonkeyPatch, origins: tuple[str, ...]
) -> None:
    async with crowded_node(monkeypatch, origins=origins) as (solo, read), line_to(solo) as line:
        unread = await line.ask(PLAIN)
        assert read == []
        again = await line.ask(PLAIN)
        assert read == []
        slow = await line.ask(READ)
        assert len(read) == 1

    assert _DATE.sub(b"", unread) == _DATE.sub(b"", again) == _DATE.sub(b"", slow)
    assert len(_DATE.findall(unread)) == len(_DATE.findall(slow)) == 1
    assert unread.startswith(b"HTTP/1.1 429 ")
    error = json.loads(unread.partition(b"\r\n\r\n")[2])["error"]
    assert error["code"] == -32005
    assert error["data"]["retry_after_ms"] > 0
    assert f"try again in {error['data']['retry_after_ms']} ms" in error["message"]


async def test_who_asks_too_often_is_told_so_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = RpcLimits(calls_per_second=10, calls_burst=3)
    async with crowded_node(monkeypatch, limits=limits) as (solo, read), line_to(solo) as line:
        while b"may ask" not in (unread := await line.ask(PLAIN)):
            assert unread.startswith(b"HTTP/1.1 429 ")
        assert read == []
        slow = await line.ask(READ)

    assert _DATE.sub(b"", unread) == _DATE.sub(b"", slow)


async def test_a_refused_list_counts_as_one_that_was_turned_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with crowded_node(monkeypatch) as (solo, _), line_to(solo) as line:
        counted: list[None] = []
        crowding = solo.intake._intake._crowding
        monkeypatch.setattr(crowding, "turned_away", lambda: counted.append(None))

        await line.ask(PLAIN)
        await line.ask(READ)

        assert len(counted) == 2
        counter = "khazana_rpc_requests_total"
        value = solo.services.metrics.value
        assert value(counter, method="transactions", result="busy") == 2


async def test_nothing_else_is_refused_while_lists_are(monkeypatch: pytest.MonkeyPatch) -> None:
    async with crowded_node(monkeypatch) as (solo, read), line_to(solo) as line:
        assert (await line.ask(PLAIN)).startswith(b"HTTP/1.1 429 ")
        assert (await line.ask(CALL)).startswith(b"HTTP/1.1 200 ")
        assert len(read) == 1
        # On this connection HTTP is read from then on.
        assert (await line.ask(PLAIN)).startswith(b"HTTP/1.1 429 ")
        assert len(read) == 2
        assert (await solo.get("/livez"))[0] == 200
        assert (await solo.get("/metrics"))[0] == 200


async def test_a_connection_is_read_again_once_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with crowded_node(monkeypatch) as (solo, read), line_to(solo) as line:
        body = encode((solo.town.transfer("a1", "a0", 7),))
        request = HEAD % len(body) + body
        assert (await line.ask(request)).startswith(b"HTTP/1.1 429 ")

        await solo.seal()
        assert (await line.ask(request)).startswith(b"HTTP/1.1 200 ")
        assert len(read) == 1

        assert (await line.ask(PLAIN)).startswith(b"HTTP/1.1 429 ")
        assert len(read) == 1


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        (PLAIN.replace(b"Host: localhost", b"Host: rebound.example"), 403),
        (PLAIN.replace(b"\r\n\r\n", b"\r\nAuthorization: Bearer x\r\n\r\n", 1), 401),
        (PLAIN.replace(b"application/msgpack", b"application/json"), 415),
        (PLAIN.replace(b"POST", b"GET"), 405),
        (HEAD % (4 << 20 | 1) + BODY, 429),
        (PLAIN.replace(b"\r\n\r\n", b"\r\nContent-Length: 1\r\n\r\n", 1), 400),
    ],
)
async def test_what_is_refused_for_something_else_is_read(
    monkeypatch: pytest.MonkeyPatch, changed: bytes, status: int
) -> None:
    async with crowded_node(monkeypatch) as (solo, _), line_to(solo) as line:
        assert (await line.ask(changed)).startswith(b"HTTP/1.%d %d " % (status != 400, status))


async def test_where_lists_are_not_taken_at_all_they_are_not_refused_for_the_crowd(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with crowded_node(monkeypatch) as (solo, read):
        port = await solo.server.start("127.0.0.1", 0, role=Role.PUBLIC)
        async with line_to(solo, port) as line:
            fast = await line.ask(PLAIN)
            assert len(read) == (0 if fast.startswith(b"HTTP/1.1 429 ") else 1)
            assert _DATE.sub(b"", fast) == _DATE.sub(b"", await line.ask(READ))


# Where a request begins and ends.


async def test_the_rest_of_a_refused_body_is_thrown_away_and_what_follows_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted = Counted(monkeypatch)
    async with crowded_node(monkeypatch) as (solo, read), line_to(solo) as line:
        counted.forget()
        line.writer.write(PLAIN[:1_000])
        await counted.come(PLAIN[:1_000])
        assert (await line.answer()).startswith(b"HTTP/1.1 429 ")  # It is not waited for.

        line.writer.write(PLAIN[1_000:2_000])
        await counted.come(PLAIN[1_000:2_000])
        assert counted.ends[-1]._left is not None
        assert (await line.ask(PLAIN[2_000:] + PLAIN)).startswith(b"HTTP/1.1 429 ")
        assert read == []
        assert counted.ends[-1]._left is None  # Nobody is hung up on for what has come.
        assert (await line.ask(CALL)).startswith(b"HTTP/1.1 200 ")


async def test_who_does_not_send_the_rest_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.rpc.doorstep.LINGER_SECONDS", 0.05)
    async with crowded_node(monkeypatch) as (solo, read), line_to(solo) as line:
        assert (await line.ask(PLAIN[:1_000])).startswith(b"HTTP/1.1 429 ")
        assert await line.reader.read() == b""
        assert read == []


async def test_who_says_nothing_more_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    limits = RpcLimits(idle_timeout_ms=2_000)  # longer than this test is ever held up between two
    async with crowded_node(monkeypatch, limits=limits) as (solo, read), line_to(solo) as line:
        close_at_s = [0.0]
        for _ in range(3):
            assert (await line.ask(PLAIN)).startswith(b"HTTP/1.1 429 ")
            close_at_s.append(counted.ends[-1]._next_keepalive_close_time)
        assert close_at_s == sorted(set(close_at_s))  # He has as long again after each.
        assert await line.reader.read() == b""
        assert read == []


async def test_a_list_inside_of_another_request_is_no_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each begins in a piece of its own, as one that could be refused would."""
    counted = Counted(monkeypatch)
    wrapped = [
        # in a head
        (b"GET /livez HTTP/1.1\r\nX-Else: ", PLAIN, b"200"),
        # in the body of another path
        (CALL.replace(b"Length: %d" % len(STATUS), b"Length: %d" % len(CALL + PLAIN)), PLAIN, b""),
        # behind a request in the same piece
        (CALL + PLAIN[:20], PLAIN[20:], b"200"),
    ]
    async with crowded_node(monkeypatch) as (solo, read):
        for first, second, status in wrapped:
            counted.forget()
            count = len(read)
            async with line_to(solo) as line:
                line.writer.write(first)
                await counted.come(first)
                line.writer.write(second)
                await counted.come(second)
                if status:
                    assert (await line.answer()).startswith(b"HTTP/1.1 " + status)
                    assert len(read) > count
                assert not counted.ends[-1]._is_plain


async def test_a_list_inside_of_a_list_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    async with solo_node() as solo, line_to(solo) as line:
        first = HEAD % (2 * len(PLAIN) + 1)
        line.writer.write(first)
        await counted.come(first)
        monkeypatch.setattr(type(solo.intake), "is_crowded", True)
        for piece in (PLAIN, PLAIN):
            line.writer.write(piece)
            await counted.come(piece)

        assert (await line.ask(b"x")).startswith(b"HTTP/1.1 400 ")
        assert (await line.ask(PLAIN)).startswith(b"HTTP/1.1 200 ")  # What follows begins anew.


async def test_two_requests_in_one_piece_are_answered_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with crowded_node(monkeypatch) as (solo, _), line_to(solo) as line:
        assert (await line.ask(PLAIN + CALL + PLAIN)).startswith(b"HTTP/1.1 429 ")
        assert (await line.answer()).startswith(b"HTTP/1.1 200 ")
        assert (await line.answer()).startswith(b"HTTP/1.1 429 ")


async def test_who_reads_no_answers_is_not_written_more_than_a_connection_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beyond that aiohttp waits for him, and stops to read."""
    counted = Counted(monkeypatch)
    limits = RpcLimits(calls_per_second=None)
    async with crowded_node(monkeypatch, limits=limits) as (solo, read):
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.setblocking(False)
        await asyncio.get_running_loop().sock_connect(link, ("127.0.0.1", solo.server.port))
        small = HEAD % 1 + b"x"
        await asyncio.get_running_loop().sock_sendall(link, small)
        counted.forget()
        await counted.come(small)
        transport = counted.ends[-1].transport
        assert isinstance(transport, asyncio.Transport)
        ours = transport.get_extra_info("socket")
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        sent = 0
        try:
            while not read:  # The answers before have not been taken: aiohttp's turn.
                await asyncio.get_running_loop().sock_sendall(link, small)
                sent += 1
                await counted.come(small)  # No two in one piece, which would be aiohttp's too.
                assert transport.get_write_buffer_size() < 1 << 13
        finally:
            link.close()
        assert sent > 1


# What is looked at.


@pytest.mark.parametrize(
    "head",
    [
        b"POST /transactions HTTP/1.0\r\nHost: a\r\n",
        b"POST /transactions?x HTTP/1.1\r\nHost: a\r\n",
        b"POST  /transactions HTTP/1.1\r\nHost: a\r\n",
        b"POST /transactions HTTP/1.1 \r\nHost: a\r\n",
        b"POST /transactions HTTP/1.1\nHost: a\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: a\nX: b\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: a\rX: b\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: a\x00\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: \xc3\xa9\r\n",
        b"POST /transactions HTTP/1.1\r\nHost : a\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: a\r\n b\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: \r\n",
        b"POST /transactions HTTP/1.1\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: a\r\nOrigin: https://a\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\n",
        b"POST /transactions HTTP/1.1\r\nHost: a\r\nUser-Agent: " + b"a" * HEAD_MAX_BYTES + b"\r\n",
    ],
)
def test_no_head_that_says_more_is_looked_at(head: bytes) -> None:
    rest = b"Content-Type: application/msgpack\r\nContent-Length: 5\r\n\r\n"
    whole = b"POST /transactions HTTP/1.1\r\nHost: a\r\n" + rest

    assert list_head(whole + b"xxxxx") is not None
    assert list_head(head + rest + b"xxxxx") is None
    assert list_head(whole[:-1]) is None


@pytest.mark.parametrize("length", [b"+5", b"-5", b"5, 5", b"0x5", b"5 5", b"", b"12345678901"])
def test_no_length_that_can_be_read_in_two_ways_is_looked_at(length: bytes) -> None:
    head = PLAIN.replace(b"Length: %d" % len(BODY), b"Length: " + length)

    assert list_head(head) is None


_PIECES = st.sampled_from(
    [
        *(b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b",", b"\x00", b"\x7f", b"\xff", b"0", b"5"),
        *(b"Host: a", b"Content-Length: 5", b"Content-Length: 7", b"Transfer-Encoding: chunked"),
        *(b"Content-Type: application/msgpack", b"Connection: close", b"Accept: */*", b"X: y"),
    ]
)


@given(st.lists(st.tuples(st.integers(0, 120), _PIECES, st.booleans()), max_size=4))
@example([])
async def test_whatever_is_looked_at_is_read_alike_by_aiohttp(
    changes: list[tuple[int, bytes, bool]],
) -> None:
    data = bytearray(HEAD % 5)
    for place, piece, replaces in changes:
        data[place : place + (len(piece) if replaces else 0)] = piece
    head = list_head(bytes(data))
    if head is None:
        return

    loop = asyncio.get_running_loop()
    parser = HttpRequestParser(BaseProtocol(loop), loop, 1 << 16)
    whole = bytes(data[: head.size_bytes]) + b"x" * head.body_bytes
    ((message, payload),), upgraded, tail = parser.feed_data(whole)

    assert not upgraded
    assert not tail
    assert message.method == "POST"
    assert message.path == "/transactions"
    assert message.version == HttpVersion11
    assert not message.should_close
    assert not message.chunked
    assert message.headers.getall("Host") == [head.host]
    assert payload.is_eof()
    assert len(await payload.read()) == head.body_bytes
    # The next begins where this one ended.
    ((following, _),), _, _ = parser.feed_data(CALL)
    assert following.path == "/rpc"
