"""Open pages that are told of new blocks: soon, once each, bounded, and never at others' cost."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from node.explorer import Explorer
from node.explorer.limits import LISTENERS_PER_ADDRESS_MAX, LIVE_BUFFER_BYTES
from node.explorer.live import Live
from node.explorer.refusals import PageRefusal
from node.rpc.http import HttpRefusal
from node.rpc.pages import Door
from tests.explorer.reading_html import Parsed
from tests.rpc.solo import Solo, solo_node


class LiveAlone:
    """Pages that are nothing but the stream, with limits of the test's choice."""

    def __init__(self, door: Door, render: Callable[[str], Awaitable[str]], **limits: int) -> None:
        self.live = Live(door.feed, render, **limits)

    async def answer(
        self, request: web.BaseRequest, is_welcome: Callable[[], bool]
    ) -> web.StreamResponse:
        try:
            return await self.live.serve(request, "en", is_welcome)
        except PageRefusal as refusal:
            raise HttpRefusal(refusal.status, "", headers=refusal.headers) from None

    def turn_away(self, *_: object) -> None:
        return None

    def close(self) -> None:
        self.live.close()


class Alone:
    """Makes them, and counts what is rendered."""

    def __init__(self, size: int = 1, **limits: int) -> None:
        self.limits = {"pause_ms": 1, **limits}
        self.size = size
        self.rendered = 0
        self.pages: LiveAlone | None = None

    def __call__(self, door: Door) -> LiveAlone:
        async def render(language: str) -> str:
            self.rendered += 1
            return f"{language} {door.feed.head}\n" * self.size

        self.pages = LiveAlone(door, render, **self.limits)
        return self.pages

    @property
    def listening(self) -> int:
        assert self.pages is not None
        return len(self.pages.live)


async def message(response: aiohttp.ClientResponse) -> dict[str, str]:
    """Return the next message: its fields, the lines of data joined."""
    fields: dict[str, str] = {}
    while True:
        line = (await response.content.readline()).decode().rstrip("\n")
        if not line:
            return fields
        name, _, value = line.partition(": ")
        fields[name] = f"{fields[name]}\n{value}" if name in fields else value


async def told_of(response: aiohttp.ClientResponse, height: int) -> dict[str, str]:
    """Return the message about this height."""
    while (told := await message(response)).get("id") != str(height):
        assert int(told.get("id", "0")) < height
    return told


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens on this loop, however slow the machine; the test's timeout ends it."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


async def listen(solo: Solo, path: str = "/live", **arguments: Any) -> aiohttp.ClientResponse:
    return await solo.session.get(solo.url + path, **arguments)


async def test_an_open_page_is_told_of_a_new_block_in_its_language() -> None:
    async with solo_node(pages=Explorer) as solo:
        english, urdu = await listen(solo), await listen(solo, "/ur/live")
        assert english.content_type == "text/event-stream"
        assert english.headers["Cache-Control"] == "no-store"

        await solo.town.decide()

        height = solo.town.chain.head.height
        for response, word in ((english, "Latest blocks"), (urdu, "تازہ ترین بلاک")):
            told = await told_of(response, height)
            page = Parsed(told["data"])
            assert page.faults == []
            assert word in page.text
            assert f"blocks/{height}" in told["data"]
            response.close()


async def test_what_came_between_is_told_of_at_once() -> None:
    alone = Alone(pause_ms=100)
    async with solo_node(pages=alone) as solo:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        response = await listen(solo)
        assert (await message(response))["id"] == "2"
        for _ in range(6):
            await solo.town.decide()

        told = [await message(response)]
        while told[-1]["id"] != "8":
            told.append(await message(response))

        assert len(told) <= 1 + (loop.time() - began_s) / 0.1, "one a pause"
        response.close()


async def test_a_message_is_made_once_for_all_who_read_the_language() -> None:
    alone = Alone()
    async with solo_node(pages=alone) as solo:
        responses = [await listen(solo) for _ in range(10)]

        await solo.town.decide()

        for response in responses:
            await told_of(response, 3)
        assert alone.rendered <= 2  # one for the height at which they came
        for response in responses:
            response.close()


async def test_a_listener_without_news_is_told_that_we_are_here() -> None:
    async with solo_node(pages=Alone(heartbeat_ms=20)) as solo:
        response = await listen(solo)
        assert (await message(response))["id"] == "2"

        assert await message(response) == {"": "still here"}
        response.close()


async def test_a_page_that_was_closed_is_forgotten() -> None:
    alone = Alone(heartbeat_ms=20)
    async with solo_node(pages=alone) as solo:
        response = await listen(solo)
        assert alone.listening == 1

        response.close()

        await until(lambda: alone.listening == 0)


async def test_listeners_are_bounded_in_all() -> None:
    alone = Alone(listeners_max=2)
    async with solo_node(pages=alone) as solo:
        kept = [await listen(solo) for _ in range(2)]

        refused = await listen(solo)

        assert refused.status == 429
        assert int(refused.headers["Retry-After"]) > 0
        assert alone.listening == 2
        for response in (refused, *kept):
            response.close()


async def test_listeners_of_one_address_are_bounded() -> None:
    async with solo_node(pages=Explorer) as solo:
        kept = [await listen(solo) for _ in range(LISTENERS_PER_ADDRESS_MAX)]

        refused = await listen(solo)
        connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
        async with aiohttp.ClientSession(connector=connector) as other:
            welcome = await other.get(solo.url + "/live")
            assert welcome.status == 200
            welcome.close()

        assert refused.status == 429
        assert "a moment later" in await refused.text()
        assert {response.status for response in kept} == {200}
        for response in kept:
            response.close()


async def test_a_listener_that_reads_nothing_is_let_go() -> None:
    """It holds a message or two in its buffer, and what it would have been told is not made up."""
    alone = Alone(size=LIVE_BUFFER_BYTES // 4, stall_ms=200, heartbeat_ms=20)
    async with solo_node(pages=alone) as solo:
        loop = asyncio.get_running_loop()
        with socket.socket() as silent:
            silent.setblocking(False)
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            await loop.sock_connect(silent, ("127.0.0.1", solo.server.port))
            await loop.sock_sendall(silent, b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await until(lambda: alone.listening == 1)
            while alone.listening:
                await solo.town.decide()
                await asyncio.sleep(0.01)

        reader = await listen(solo)
        await solo.town.decide()
        await told_of(reader, solo.town.chain.head.height)
        reader.close()


async def test_a_node_that_stops_lets_all_go() -> None:
    alone = Alone()
    async with solo_node(pages=alone) as solo:
        response = await listen(solo)
        assert alone.listening == 1

        await solo.server.stop()

        assert alone.listening == 0
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.content.read()
        response.close()


async def test_head_of_the_stream_ends_at_once() -> None:
    async with (
        solo_node(pages=Explorer) as solo,
        solo.session.head(solo.url + "/live") as response,
    ):
        assert response.status == 200
