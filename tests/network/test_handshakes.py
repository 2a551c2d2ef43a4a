"""Who gets past the handshake over real sockets, and what an attempt may cost."""

import asyncio
import contextlib
import os
import ssl
import struct
from dataclasses import replace

import pytest
from aiohttp import web

from node.network import NetworkSettings
from node.network.websocket import PATH
from tests.network.sockets import (
    IDENTITIES,
    IMPATIENT,
    QUICK,
    RawPeer,
    RealNode,
    Relay,
    last_drop,
    make_identity,
    raw_connection,
)


def turned_away(node: RealNode) -> list[dict[str, object]]:
    """Return what the node's log says of those that got no link."""
    return [line for line in node.recorder.lines if line["event"] == "turned away"]


@pytest.mark.adversarial(46)
async def test_a_stranger_does_not_get_past_tls() -> None:
    async with RealNode("a").running() as a:
        stranger = await RawPeer.connect(a.transport.port, make_identity("b"), IDENTITIES["a"])
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await stranger.upgrade()
        assert a.refused("tls") == 1
        assert a.recorder.events == []
        (line,) = turned_away(a)
        host, port = stranger.writer.get_extra_info("sockname")
        assert (line["address"], line["fault"]) == (f"{host}:{port}", "tls")
        assert line["reason"] == "its certificate is not pinned here"
        await stranger.close()


@pytest.mark.adversarial(46, 47)
async def test_a_member_that_answers_at_another_members_address_is_not_taken_for_it() -> None:
    validators = ("a", "b", "c")
    async with RealNode("c", validators=validators).running() as c:
        b_address = {"b": c.transport.port}
        a = RealNode("a", validators=validators, dials=b_address, settings=QUICK)
        async with a.running():
            await a.recorder.until(lambda: last_drop(a, "b").endswith("answered as c"))
            assert a.recorder.events == []


@pytest.mark.adversarial(47)
async def test_a_recorded_handshake_played_again_opens_nothing() -> None:
    async with RealNode("a", settings=QUICK).running() as a:
        async with Relay().running(lambda: a.transport.port) as relay:
            async with RealNode("b", dials={"a": relay.port}, settings=QUICK).running():
                await a.node.meets("b")
            await a.node.meets()
        events = list(a.recorder.events)
        replay = await raw_connection(a.transport.port)
        for chunk in relay.recorded:
            replay.writer.write(chunk)
        await replay.read_to_end()
        assert a.recorder.events == events
        assert a.refused("tls") == 1
        await replay.close()


def client_hello(key_share: bytes) -> bytes:
    """A TLS 1.3 ClientHello with one X25519 share (RFC 8446 4.1.2), whole but for its manners."""

    def extension(kind: int, body: bytes) -> bytes:
        return struct.pack(">HH", kind, len(body)) + body

    share = struct.pack(">HH", 0x001D, len(key_share)) + key_share
    extensions = (
        extension(43, b"\x02\x03\x04")  # supported_versions: TLS 1.3
        + extension(10, b"\x00\x02\x00\x1d")  # supported_groups: x25519
        + extension(13, b"\x00\x02\x08\x07")  # signature_algorithms: ed25519
        + extension(51, struct.pack(">H", len(share)) + share)
    )
    body = (
        b"\x03\x03"
        + os.urandom(32)
        + b"\x00"
        + b"\x00\x02\x13\x01"
        + b"\x01\x00"
        + struct.pack(">H", len(extensions))
        + extensions
    )
    handshake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(handshake)) + handshake


@pytest.mark.adversarial(47)
@pytest.mark.parametrize(
    ("key_share", "refused"),
    [
        (bytes(32), True),
        (b"\x01" + bytes(31), True),
        ((2**255 - 19).to_bytes(32, "little"), True),
        ((9).to_bytes(32, "little"), False),  # the base point: shows that the hello is sound
    ],
)
async def test_a_low_order_point_ends_the_handshake(key_share: bytes, *, refused: bool) -> None:
    async with RealNode("a", settings=QUICK).running() as a:
        attacker = await raw_connection(a.transport.port)
        attacker.writer.write(client_hello(key_share))
        first = await attacker.reader.read(5)
        # The server's hello, or an alert, or (as asyncio does) the end without one.
        assert (first[:1] == b"\x16") is not refused
        attacker.writer.write(b"no record of TLS")  # so that the other one ends as well
        await attacker.read_to_end()
        assert a.refused("tls") == 1
        await attacker.close()


@pytest.mark.adversarial(39)
@pytest.mark.parametrize("opening", [b"", b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\n"])
async def test_one_byte_at_a_time_is_cut_when_the_handshakes_time_is_up(opening: bytes) -> None:
    async with RealNode("a", settings=IMPATIENT).running() as a:
        loris = await raw_connection(a.transport.port)

        async def dribble() -> None:
            for byte in opening:
                loris.writer.write(bytes((byte,)))
                await asyncio.sleep(0.02)

        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(dribble())
            await loris.read_to_end()
            task.cancel()
        assert a.refused("tls") + a.refused("slow-handshake") == 1
        assert a.transport.handshakes == 0
        await loris.close()


@pytest.mark.adversarial(39)
@pytest.mark.parametrize("request_start", [b"", f"GET {PATH} HTTP/1.1\r\nHost: pe".encode()])
async def test_a_member_that_does_not_finish_its_upgrade_is_cut(request_start: bytes) -> None:
    async with RealNode("a", settings=IMPATIENT).running() as a:
        # On a machine that others load TLS itself may take too long: then it is tried again.
        while not a.refused("slow-handshake"):
            with contextlib.suppress(OSError):
                loris = await RawPeer.connect(a.transport.port, IDENTITIES["b"], IDENTITIES["a"])
                loris.writer.write(request_start)
                await loris.read_to_end()
                await loris.close()
        assert a.refused("slow-handshake") == 1
        assert a.transport.handshakes == 0


async def test_a_member_that_asks_for_anything_but_a_link_is_refused() -> None:
    async with RealNode("a", settings=QUICK).running() as a:
        for path in ("/", PATH):
            browser = await RawPeer.connect(a.transport.port, IDENTITIES["b"], IDENTITIES["a"])
            browser.writer.write(f"GET {path} HTTP/1.1\r\nHost: peer\r\n\r\n".encode())
            assert (await browser.read_to_end()).startswith(b"HTTP/1.1 400")
            await browser.close()
        assert a.refused("no-upgrade") == 2


async def test_who_goes_while_it_is_answered_leaves_a_line_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As a node that is stopped just after it dialled."""
    can_prepare = web.WebSocketResponse.can_prepare

    def gone(websocket: web.WebSocketResponse, request: web.BaseRequest) -> web.WebSocketReady:
        assert request.transport is not None
        request.transport.close()
        return can_prepare(websocket, request)

    monkeypatch.setattr(web.WebSocketResponse, "can_prepare", gone)
    async with RealNode("a").running() as a:
        peer = await RawPeer.connect(a.transport.port, IDENTITIES["b"], IDENTITIES["a"])
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await peer.upgrade()
        await a.recorder.until(lambda: bool(turned_away(a)))
        (line,) = turned_away(a)
        assert line["fault"] == "tls", "at once, not after the time for a handshake"
        await peer.close()

    assert [record for record in caplog.records if record.name == "aiohttp.server"] == []


@pytest.mark.adversarial(48)
async def test_a_flood_takes_a_bounded_number_of_places_and_leaves_room_for_others() -> None:
    settings = replace(
        QUICK, handshakes_max=16, handshakes_per_host_max=8, handshakes_per_host_burst=400.0
    )
    async with RealNode("a", settings=settings).running() as a:
        most = 0

        async def connect() -> None:
            nonlocal most
            idler = await raw_connection(a.transport.port, "127.0.0.2")
            # Something to be sent again: a connection that overflowed the kernel's queue of them
            # looks open from here for ever otherwise.
            idler.writer.write(b"\x16")
            most = max(most, a.transport.handshakes)
            try:
                await idler.read_to_end()
            finally:
                await idler.close()

        async with asyncio.TaskGroup() as tasks:
            flood = [tasks.create_task(connect()) for _ in range(300)]
            async with RealNode("b", dials={"a": a.transport.port}, settings=settings).running():
                await a.node.meets("b")
            # A stranger rings no bell; those that got a place have it until they go or are cut.
            while a.refused("too-many-handshakes-of-host") <= 200:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            for each in flood:
                each.cancel()
        assert 0 < most <= 9
        assert 0 < len(turned_away(a)) < 20, "ten at once and ten a minute"
        while a.transport.handshakes:  # noqa: ASYNC110
            await asyncio.sleep(0)


@pytest.mark.adversarial(48)
async def test_a_host_that_comes_too_often_is_turned_away_before_it_costs_a_signature() -> None:
    settings = NetworkSettings(handshakes_per_host_per_s=0.001, handshakes_per_host_burst=3.0)
    async with RealNode("a", settings=settings).running() as a:
        for _ in range(5):
            idler = await raw_connection(a.transport.port)
            idler.writer.write(b"junk!")
            await idler.read_to_end()
            await idler.close()
        assert (a.refused("tls"), a.refused("too-fast")) == (3, 2)
        assert [line["fault"] for line in turned_away(a)] == ["tls"] * 3 + ["too-fast"] * 2
