"""Setting a node ahead, through its operator's door: who may, by how much, and what comes of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from node.control import ControlError, ControlServer, Made, Moment, Refused, Timekeeper
from node.control.place import socket_path
from node.control.server import TRAVEL_REFUSED, WAITING_MAX
from node.log import silent_log
from tests.control.outlooks import OUTLOOK

MOMENT = Moment(now_ms=9_000, travelled_ms=500, height=7, head_ms=8_000, due_ms=None)


class Traveller:
    """What stands in the node's place."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.why_not: str | None = None
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.waiting = 0
        self.full = asyncio.Event()

    def moment(self) -> Moment:
        return MOMENT

    async def move(self, travelled_ms: int) -> str | None:
        self.asked.append(("move", travelled_ms))
        return self.why_not

    async def next_block(self, above: int) -> None:
        self.asked.append(("block", above))
        self.waiting += 1
        if self.waiting == WAITING_MAX:
            self.full.set()
        await self.may_end.wait()


@contextlib.asynccontextmanager
async def serving(path: Path, traveller: Traveller | None) -> AsyncIterator[ControlServer]:
    async def back_up(*_: object) -> Made | str:
        return "no backups here"

    server = ControlServer(
        path, back_up=back_up, outlook=lambda: OUTLOOK, travel=traveller, log=silent_log()
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def test_what_time_it_is_is_asked_and_a_node_set_ahead(tmp_path: Path) -> None:
    traveller, path = Traveller(), socket_path(tmp_path)
    async with serving(path, traveller), Timekeeper(path) as keeper:
        assert await keeper.moment() == MOMENT
        assert await keeper.move(86_400_500) == MOMENT
        assert await keeper.next_block(7) == MOMENT

    assert traveller.asked == [("move", 86_400_500), ("block", 7)]


@pytest.mark.adversarial(73)
async def test_a_network_that_is_not_for_development_refuses(tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    async with serving(path, None), Timekeeper(path) as keeper:
        for asked in (keeper.moment(), keeper.move(1), keeper.next_block(0)):
            with pytest.raises(Refused, match="does not say that it is for development"):
                await asked
    assert "no node of it is set ahead" in TRAVEL_REFUSED


async def test_why_a_node_is_not_set_ahead_comes_as_its_sentence(tmp_path: Path) -> None:
    traveller, path = Traveller(), socket_path(tmp_path)
    traveller.why_not = "no clock goes back"
    async with serving(path, traveller), Timekeeper(path) as keeper:
        with pytest.raises(Refused, match="no clock goes back"):
            await keeper.move(-1)


@pytest.mark.parametrize("path", ["/time", "/block"])
@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"travelled_ms": "1"}', b'{"above": 1.5}', b"{" * 9_000]
)
async def test_what_is_no_request_is_refused(tmp_path: Path, path: str, body: bytes) -> None:
    traveller, socket = Traveller(), socket_path(tmp_path)
    async with (
        serving(socket, traveller),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=str(socket))) as session,
        session.post(f"http://node{path}", data=body) as response,
    ):
        assert response.status == 400
        assert "not understood" in (await response.json())["refused"]
    assert traveller.asked == []


async def test_so_many_may_wait_for_a_block_and_no_more(tmp_path: Path) -> None:
    traveller, path = Traveller(), socket_path(tmp_path)
    traveller.may_end.clear()
    async with serving(path, traveller), Timekeeper(path) as keeper:
        async with asyncio.TaskGroup() as tasks:
            for number in range(WAITING_MAX):
                tasks.create_task(keeper.next_block(number), name=f"waiting-{number}")
            async with asyncio.timeout(90):
                await traveller.full.wait()
            with pytest.raises(Refused, match="wait for a block already"):
                await keeper.next_block(9)
            traveller.may_end.set()
        assert await keeper.next_block(10) == MOMENT


async def test_nobody_at_the_socket_is_said(tmp_path: Path) -> None:
    async with Timekeeper(socket_path(tmp_path)) as keeper:
        with pytest.raises(ControlError, match=r"control\.sock"):
            await keeper.moment()


async def test_what_answers_and_is_no_node_is_said(tmp_path: Path) -> None:
    path = socket_path(tmp_path)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
        writer.close()

    server = await asyncio.start_unix_server(answer, path)
    async with server, Timekeeper(path) as keeper:
        with pytest.raises(ControlError, match="what answers is no node"):
            await keeper.moment()
