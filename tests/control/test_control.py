"""The operator's door: who can open it, what it answers, and that the public one has none of it."""

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from node.control import (
    ControlError,
    ControlServer,
    Made,
    Refused,
    ask_for_backup,
    ask_for_outlook,
)
from node.control.place import PATH_BYTES_MAX, short_path, socket_path
from node.control.server import REQUEST_BYTES_MAX
from node.log import silent_log
from tests.control.outlooks import OUTLOOK
from tests.rpc.solo import solo_node

MADE = Made(height=7, block_id="ab", state_root="cd", size_bytes=9, blocks=1)


class Maker:
    """What stands in the node's place: says how far it is, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Path, bool]] = []
        self.answer: Made | str = MADE
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.begun = asyncio.Event()

    async def __call__(self, to: Path, blocks: bool, progress: Callable[[int], None]) -> Made | str:
        self.asked.append((to, blocks))
        self.begun.set()
        progress(1 << 30)
        await asyncio.sleep(0)
        await self.may_end.wait()
        return self.answer


@contextlib.asynccontextmanager
async def serving(path: Path, maker: Maker) -> AsyncIterator[ControlServer]:
    server = ControlServer(
        path, back_up=maker, outlook=lambda: OUTLOOK, travel=None, log=silent_log()
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def ignore(_written: int) -> None:
    """Progress that nobody looks at."""


async def test_a_backup_is_asked_for_and_answered(tmp_path: Path) -> None:
    maker, written = Maker(), list[int]()
    path = socket_path(tmp_path)
    async with serving(path, maker):
        done = await ask_for_backup(path, Path("/b"), blocks=True, progress=written.append)

    assert done == {
        "height": 7,
        "block_id": "ab",
        "state_root": "cd",
        "size_bytes": 9,
        "blocks": 1,
    }
    assert maker.asked == [(Path("/b"), True)]
    assert written in ([1 << 30], [])
    assert not path.exists()


async def test_the_outlook_of_a_node_comes_as_it_is(tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    async with serving(path, Maker()):
        told = await ask_for_outlook(path)

    assert told == OUTLOOK
    with pytest.raises(ControlError):
        await ask_for_outlook(path)


@pytest.mark.adversarial(73)
async def test_only_the_owner_of_the_home_can_open_it(tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    async with serving(path, Maker()):
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600


@pytest.mark.adversarial(73)
async def test_the_listener_for_clients_has_nothing_of_it() -> None:
    async with solo_node(settled=False) as solo:
        for path in ("/backup", "/control", "/admin", "/restore"):
            status, _ = await solo.post(b'{"to":"/b","blocks":false}', path=path)
            assert status == 404
        for method in ("khz_backup", "admin_backup", "backup"):
            error = await solo.refused(method, {"to": "/b"})
            assert error["code"] == -32601
        listed = await solo.call("rpc.discover")
        assert not [each for each in listed["methods"] if "backup" in each["name"].lower()]


async def test_a_refusal_comes_as_its_sentence(tmp_path: Path) -> None:
    maker, path = Maker(), socket_path(tmp_path)
    maker.answer = "there is no block yet"
    async with serving(path, maker):
        with pytest.raises(Refused, match="no block yet"):
            await ask_for_backup(path, Path("/b"), blocks=False, progress=ignore)
        with pytest.raises(Refused, match="absolute"):
            await ask_for_backup(path, Path("b"), blocks=False, progress=ignore)
    assert len(maker.asked) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"\x80": 1}', 400),
        (b'{"to": "/b", "more": ' + b"[" * 5_000, 400),
        (b'{"to": "/b"}', 400),
        (b'{"to": "/b", "blocks": 1}', 400),
        (b'{"to": "/b", "blocks": true, "more": 1}', 400),
        (b'{"to": "/\\u0000b", "blocks": true}', 400),
        (b'{"to": "/' + b"b" * 5_000 + b'", "blocks": true}', 400),
        (b"[" * REQUEST_BYTES_MAX + b"]", 413),
    ],
)
async def test_what_is_no_request_is_refused(tmp_path: Path, body: bytes, status: int) -> None:
    maker, path = Maker(), socket_path(tmp_path)
    async with (
        serving(path, maker),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=str(path))) as session,
        session.post("http://node/backup", data=body) as response,
    ):
        assert response.status == status
    assert maker.asked == []


async def test_one_backup_at_a_time(tmp_path: Path) -> None:
    maker, path = Maker(), socket_path(tmp_path)
    maker.may_end.clear()
    async with serving(path, maker), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(
            ask_for_backup(path, Path("/a"), blocks=False, progress=ignore), name="first"
        )
        await maker.begun.wait()
        with pytest.raises(Refused, match="already"):
            await ask_for_backup(path, Path("/b"), blocks=False, progress=ignore)
        maker.may_end.set()
        assert (await first)["height"] == 7
        await ask_for_backup(path, Path("/b"), blocks=False, progress=ignore)
    assert [to for to, _ in maker.asked] == [Path("/a"), Path("/b")]


async def test_who_leaves_in_the_middle_harms_nobody(tmp_path: Path) -> None:
    maker, path = Maker(), socket_path(tmp_path)
    maker.may_end.clear()
    async with serving(path, maker):
        async with aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path=str(path))
        ) as session:
            response = await session.post("http://node/backup", json={"to": "/a", "blocks": False})
            await maker.begun.wait()
            response.close()
        maker.may_end.set()
        maker.begun.clear()
        while True:
            with contextlib.suppress(Refused):
                await ask_for_backup(path, Path("/b"), blocks=False, progress=ignore)
                break


async def test_nobody_there_is_said(tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    with pytest.raises(ControlError):
        await ask_for_backup(path, Path("/b"), blocks=False, progress=ignore)
    # A socket that a killed node left behind.
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.close()
    with pytest.raises(ControlError):
        await ask_for_backup(path, Path("/b"), blocks=False, progress=ignore)
    async with serving(path, Maker()):
        await ask_for_backup(path, Path("/b"), blocks=False, progress=ignore)


async def test_a_home_may_lie_deep(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    path = socket_path(deep)
    assert len(os.fsencode(path)) > PATH_BYTES_MAX
    async with serving(path, Maker()):
        assert path.exists()
        done = await ask_for_backup(path, Path("/b"), blocks=False, progress=ignore)
        assert done["height"] == 7
    with short_path(Path("/s")) as name:
        assert name == "/s"
