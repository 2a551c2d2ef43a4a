"""Messages that are answered in the turn in which they arrive, and those that are queued."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import WSMsgType, web
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.http import WebSocketReader

from node.rpc import RpcLimits
from node.rpc.inbox import CallSocket, Inbox
from node.rpc.sockets import AT_ONCE_MAX
from tests.bench.frames import HANDSHAKE, Frames, masked
from tests.rpc.solo import Solo, solo_node

FINAL = 0x80
CONTINUATION = 0


def asked(identifier: int, method: str = "khz_mempool", **params: object) -> bytes:
    body = {"jsonrpc": "2.0", "id": identifier, "method": method, "params": params}
    return json.dumps(body).encode()


class Plain:
    """A socket that sends bytes as they are given, and reads frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._frames = Frames(writer.transport)  # type: ignore[arg-type]
        self._texts: list[bytes] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, solo: Solo, *, also: bytes = b"") -> "AsyncIterator[Plain]":
        """Open one; `also` goes out together with the handshake."""
        reader, writer = await asyncio.open_connection("127.0.0.1", solo.server.port)
        try:
            writer.write(HANDSHAKE % b"127.0.0.1" + also)
            await reader.readuntil(b"\r\n\r\n")
            yield cls(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def answer(self) -> dict[str, Any]:
        """Return the next answer."""
        while not self._texts:
            data = await self._reader.read(1 << 16)
            assert data, "the connection ended"
            self._texts += [payload for _, payload in self._frames.feed(data)]
        answer: dict[str, Any] = json.loads(self._texts.pop(0))
        return answer


async def test_call_is_answered_without_a_task_or_a_turn_of_the_queue() -> None:
    async with solo_node() as solo, Plain.open(solo) as one:
        (session,) = solo.server._subscribers._sessions
        tasks = len(asyncio.all_tasks())
        for number in range(20):
            one.writer.write(masked(asked(number)))

            assert (await one.answer())["id"] == number
            assert len(asyncio.all_tasks()) == tasks

        assert session._socket.queued == 0


async def test_messages_that_came_together_keep_their_order() -> None:
    async with solo_node() as solo, Plain.open(solo) as one:
        count = 3 * AT_ONCE_MAX + 1
        one.writer.write(b"".join(masked(asked(number)) for number in range(count)))

        assert [(await one.answer())["id"] for _ in range(count)] == list(range(count))


async def test_large_answers_are_made_one_in_a_turn_of_the_loop() -> None:
    async with solo_node() as solo, Plain.open(solo) as one:
        calls, most, count = 6, 0, 0.0
        one.writer.write(b"".join(masked(asked(number, "rpc.discover")) for number in range(calls)))

        while count < calls:
            before = count
            await asyncio.sleep(0)
            count = solo.services.metrics.value(
                "khazana_rpc_requests_total", method="rpc.discover", result="ok"
            )
            most = max(most, int(count - before))

        assert most == 1
        assert [(await one.answer())["id"] for _ in range(calls)] == list(range(calls))


async def test_message_that_came_with_the_handshake_is_answered_first() -> None:
    async with solo_node() as solo, Plain.open(solo, also=masked(asked(1))) as one:
        one.writer.write(masked(asked(2)))

        assert [(await one.answer())["id"] for _ in range(2)] == [1, 2]


async def test_message_in_fragments_and_pieces_is_answered_in_its_turn() -> None:
    async with solo_node() as solo, Plain.open(solo) as one:
        body = asked(2)
        first = bytearray(masked(body[:20]))
        first[0] &= ~FINAL
        whole = b"".join(
            (masked(asked(1)), bytes(first), masked(body[20:], CONTINUATION), masked(asked(3)))
        )
        for place in range(0, len(whole), 7):
            one.writer.write(whole[place : place + 7])
            await asyncio.sleep(0)

        assert [(await one.answer())["id"] for _ in range(3)] == [1, 2, 3]


async def test_heads_of_fragments_are_not_held_against_whoever_sends_many() -> None:
    limits = RpcLimits(body_small_bytes=1_000)
    async with solo_node(limits=limits) as solo, Plain.open(solo) as one:
        (session,) = solo.server._subscribers._sessions
        for number in range(10):
            fragments = [bytearray(masked(bytes((byte,)), CONTINUATION)) for byte in asked(number)]
            fragments[0][0] |= WSMsgType.TEXT
            for fragment in fragments[:-1]:
                fragment[0] &= ~FINAL
            whole = b"".join(fragments)
            assert len(whole) < limits.body_small_bytes
            one.writer.write(whole)

            assert (await one.answer())["id"] == number
            assert session._socket._inbox.pending_bytes <= len(whole)
            assert session._pending is None


async def test_call_behind_a_queued_one_waits_for_it() -> None:
    """As many wait as may; what comes then is queued, and so is all behind it."""
    async with solo_node(limits=RpcLimits(socket_calls_max=1)) as solo, Plain.open(solo) as one:
        raw = solo.town.transfer("a0", "a1").hex()
        one.writer.write(masked(asked(1, "khz_submit", transaction=raw, wait="final")))
        await solo.intake.taken.wait()
        (session,) = solo.server._subscribers._sessions
        one.writer.write(masked(asked(2)))
        one.writer.write(masked(asked(3)))
        queued = 0
        while queued < 2:
            await asyncio.sleep(0)
            queued = session._socket.queued

        await solo.seal()

        assert [(await one.answer())["id"] for _ in range(3)] == [1, 2, 3]
        one.writer.write(masked(asked(4)))
        assert (await one.answer())["id"] == 4
        assert session._socket.queued == 2


async def test_text_that_is_none_ends_the_connection() -> None:
    async with solo_node() as solo, solo.session.ws_connect(solo.url + "/ws") as opened:
        await opened.send_frame(b'{"a":"\xff"}', WSMsgType.TEXT)

        message = await opened.receive()

        assert message.data == aiohttp.WSCloseCode.INVALID_TEXT


async def test_queue_and_parser_are_those_that_aiohttp_makes() -> None:
    """`CallSocket._post_start` repeats what aiohttp does there: this fails where that changed."""
    made: dict[str, tuple[type, type, set[str]]] = {}

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        opened = web.WebSocketResponse() if request.path == "/theirs" else CallSocket()
        await opened.prepare(request)
        made[request.path] = type(opened._reader), type(opened._parser), set(vars(opened))
        return opened

    runner = web.ServerRunner(web.Server(serve))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        for path in ("/theirs", "/ours"):
            async with session.ws_connect(f"http://127.0.0.1:{port}{path}"):
                pass
    await runner.cleanup()

    assert made["/theirs"][:2] == (WebSocketDataQueue, WebSocketReader)
    assert made["/ours"][:2] == (Inbox, WebSocketReader)
    assert made["/ours"][2] - made["/theirs"][2] == {"_frames", "_inbox"}
    assert made["/theirs"][2] <= made["/ours"][2]
