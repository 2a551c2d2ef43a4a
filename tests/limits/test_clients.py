"""What our own client holds of a node that does not end: answers, pages, messages, connections."""

import asyncio
import contextlib
import json
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import WSMsgType, web

from node.client import BadAnswer, Client, ClientNetwork, Unreachable, reading
from node.client.subscriptions import MESSAGE_SIZE_MAX
from node.client.transport import ANSWER_SIZE_MAX, CONNECTIONS_MAX

NETWORK = ClientNetwork(genesis_hash=bytes(32), test=True)
MIB = 1 << 20

Answer = Callable[[web.BaseRequest, str, int], Awaitable[web.StreamResponse]]
"""From a request, its method and its id to the answer."""


@contextlib.asynccontextmanager
async def hostile_node(answer: Answer) -> AsyncIterator[Client]:
    """Give a client of a node that says which network it is of, and then does as it likes."""

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/rpc":
            return await answer(request, request.path, 0)
        call = json.loads(await request.read())
        if call["method"] == "khz_status":
            return said(call["id"], {"genesis_hash": NETWORK.genesis_hash.hex()})
        return await answer(request, call["method"], call["id"])

    server = web.ServerRunner(web.Server(serve, access_log=None), shutdown_timeout=0.1)
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{server.addresses[0][1]}"
        async with Client(url, network=NETWORK, timeout_s=30) as client:
            yield client
    finally:
        await server.cleanup()


def said(call_id: int, result: object) -> web.Response:
    return web.json_response({"jsonrpc": "2.0", "id": call_id, "result": result})


async def test_an_answer_that_does_not_end_is_left_at_its_limit() -> None:
    async def answer(request: web.BaseRequest, _method: str, _id: int) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b" " * MIB)
        return response

    async with hostile_node(answer) as client:
        tracemalloc.start()
        try:
            with pytest.raises(Unreachable, match="more than"):
                await client.asset("PKR")
            _, highest_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert highest_bytes < 3 * ANSWER_SIZE_MAX


async def test_a_list_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGES_MAX", 7)
    asked = 0

    async def answer(_request: web.BaseRequest, _method: str, call_id: int) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        place = {"height": 1, "block_id": "", "time": "2026-11-25T00:00:00Z", "next": "again"}
        return said(call_id, {**place, "holdings": []})

    async with hostile_node(answer) as client:
        with pytest.raises(BadAnswer, match="7 pages"):
            await client.holdings(bytes(20))

    assert asked == 7


async def test_a_notification_that_is_too_large_ends_the_connection_and_another_is_made() -> None:
    dialled = asyncio.Event()
    dials = 0

    async def answer(request: web.BaseRequest, _path: str, _id: int) -> web.StreamResponse:
        nonlocal dials
        dials += 1
        socket = web.WebSocketResponse(writer_limit=1 << 30)
        await socket.prepare(request)
        await socket.receive()
        if dials > 1:
            dialled.set()
        with contextlib.suppress(ConnectionError):
            await socket.send_frame(b" " * (MESSAGE_SIZE_MAX + 1), WSMsgType.TEXT)
        await socket.receive()
        return socket

    async with hostile_node(answer) as client:

        async def follow() -> None:
            async for _ in client.subscribe("blocks"):
                raise AssertionError("nothing was told")

        async with asyncio.TaskGroup() as group:
            following = group.create_task(follow(), name="follow")
            await dialled.wait()
            following.cancel()


async def test_a_client_opens_a_bounded_number_of_connections() -> None:
    at_once = highest = 0
    full = asyncio.Event()

    async def answer(_request: web.BaseRequest, _method: str, call_id: int) -> web.StreamResponse:
        nonlocal at_once, highest
        at_once += 1
        highest = max(highest, at_once)
        if at_once == CONNECTIONS_MAX:
            full.set()
        await full.wait()
        at_once -= 1
        return said(call_id, {})

    async with hostile_node(answer) as client, asyncio.TaskGroup() as group:
        for number in range(2 * CONNECTIONS_MAX):
            group.create_task(client.call("khz_anything"), name=f"call-{number}")

    assert highest == CONNECTIONS_MAX
