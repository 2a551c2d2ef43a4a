"""The real transport: TLS, WebSockets, and what strangers try on the open port.

Timeouts are shortened by settings; every wait ends with the event it waits for.
"""

import asyncio
import contextlib
import gc
import os
import re
import socket
import ssl
import struct
from dataclasses import replace
from typing import Any, Final

import pytest
from aiohttp import web
from blockbuster import blockbuster_ctx

from node.codec import replace as change
from node.keys.certificates import create_tls_identity
from node.log import silent_log
from node.metrics import Metrics
from node.network import (
    BlockItem,
    Blocks,
    CertificateUnusable,
    DialFailed,
    NetworkSettings,
    ProposalMessage,
    Status,
    Transactions,
    WireLimits,
)
from node.network.messages import encode_message
from node.network.tls import TlsIdentity, make_contexts
from node.network.websocket import PATH, WebSocketTransport
from tests.network.company import hello_of
from tests.network.nodes import BLOCK_ID
from tests.network.samples import SAMPLES
from tests.network.sockets import (
    HOST,
    IDENTITIES,
    RawPeer,
    RealNode,
    Relay,
    make_identity,
    real_member,
)

STATUS: Final = Status(height=9, block_id=BLOCK_ID, earliest=1)
QUICK: Final = NetworkSettings(
    close_timeout_s=0.2, backoff_first_s=0.02, backoff_max_s=0.1, yield_to_preferred_s=0.0
)
"""Nodes that try again soon, and give nothing up sooner: the machine may be busy."""
IMPATIENT: Final = replace(QUICK, handshake_timeout_s=0.4)
WATCHFUL: Final = replace(QUICK, heartbeat_s=0.3)


def last_drop(node: RealNode, peer: str) -> str:
    return next(view.last_drop for view in node.network.status() if view.name == peer)


async def raw_connection(port: int, source: str = HOST) -> RawPeer:
    return RawPeer(*await asyncio.open_connection(HOST, port, local_addr=(source, 0)))


# Links.


async def test_two_nodes_meet_and_exchange_over_real_sockets() -> None:
    before = asyncio.all_tasks()
    async with RealNode("a").running() as a:
        async with RealNode("b", dials={"a": a.transport.port}).running() as b:
            await a.node.meets("b")
            await b.node.meets("a")
            raws = [os.urandom(300) for _ in range(1000)]
            b.network.gossip(raws)
            a.network.broadcast(STATUS)
            await b.recorder.until(lambda: b.recorder.heard == [("a", STATUS)])
            await a.recorder.until(
                lambda: (
                    [
                        raw
                        for _, message in a.recorder.heard
                        if isinstance(message, Transactions)
                        for raw in message.raws
                    ]
                    == raws
                )
            )
        await a.node.meets()
        assert last_drop(a, "b") == "closed by the peer: shutting down"
    assert asyncio.all_tasks() == before
    gc.collect()  # an unclosed socket would warn, and a warning is an error


async def test_nothing_blocks_the_event_loop() -> None:
    with blockbuster_ctx():
        async with (
            RealNode("a", settings=QUICK).running() as a,
            RealNode("b", dials={"a": a.transport.port}, settings=QUICK).running() as b,
        ):
            await a.node.meets("b")
            a.network.set_validators([])
            await b.node.meets()


@pytest.mark.parametrize("stage", ["tcp", "tls", "upgrade"])
async def test_stopping_in_the_middle_of_a_handshake_leaves_nothing(stage: str) -> None:
    before = asyncio.all_tasks()
    async with RealNode("a").running() as a:
        if stage == "tcp":
            peer = await raw_connection(a.transport.port)
        else:
            peer = await RawPeer.connect(a.transport.port, IDENTITIES["b"], IDENTITIES["a"])
        if stage == "upgrade":
            await peer.upgrade()
        else:
            async with asyncio.timeout(10):
                # A stranger rings no bell.
                while not a.transport.handshakes:  # noqa: ASYNC110
                    await asyncio.sleep(0)
    await peer.read_to_end()
    await peer.close()
    assert asyncio.all_tasks() == before
    gc.collect()


async def test_the_largest_frame_passes_both_ways() -> None:
    limits = WireLimits()
    blocks = Blocks(
        from_height=1,
        items=(BlockItem(block=bytes(limits.block_size_max), certificate=bytes(16_384)),),
    )
    async with (
        RealNode("a").running() as a,
        RealNode("b", dials={"a": a.transport.port}).running() as b,
    ):
        await a.node.meets("b")
        await b.node.meets("a")
        assert a.network.send("b", blocks)
        assert b.network.send("a", blocks)
        await b.recorder.until(lambda: b.recorder.heard == [("a", blocks)])
        await a.recorder.until(lambda: a.recorder.heard == [("b", blocks)])


async def test_a_node_that_comes_back_at_the_same_place_is_met_again() -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with RealNode("b", settings=QUICK).running() as first:
            port = first.transport.port
            dialler = RealNode("a", dials={"b": port}, settings=QUICK)
            await stack.enter_async_context(dialler.running())
            await dialler.node.meets("b")
        await dialler.node.meets()
        async with RealNode("b", settings=QUICK, port=port).running() as second:
            await dialler.node.meets("b")
            await second.node.meets("a")


@pytest.mark.adversarial(46)
async def test_a_removed_validator_is_evicted_and_its_key_opens_nothing_any_more() -> None:
    async with RealNode("a", settings=QUICK).running() as a:
        b = RealNode("b", dials={"a": a.transport.port}, settings=QUICK)
        async with b.running():
            await b.node.meets("a")
            await a.node.meets("b")
            a.network.set_validators([])
            assert a.recorder.present == set()
            await b.node.meets()
            assert last_drop(b, "a") == "closed by the peer: no longer on the roster"
            await b.recorder.until(lambda: "may not be pinned there" in last_drop(b, "a"))
            assert a.refused("tls") > 0
            assert a.recorder.events == ["+b", "-b"]


@pytest.mark.adversarial(34)
async def test_a_peer_that_falls_silent_is_noticed_by_the_heartbeat_on_both_sides() -> None:
    async with (
        RealNode("a", settings=WATCHFUL).running() as a,
        Relay().running(lambda: a.transport.port) as relay,
        RealNode("b", dials={"a": relay.port}, settings=WATCHFUL).running() as b,
    ):
        await b.node.meets("a")
        await a.node.meets("b")
        relay.stalled = True
        await a.node.meets()
        await b.node.meets()
        assert "PONG" in last_drop(a, "b")
        relay.stalled = False
        await b.node.meets("a")
        await a.node.meets("b")


@pytest.mark.adversarial(34)
async def test_a_name_is_resolved_again_at_each_dial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers come back at other addresses."""
    places = {"validator-b": HOST}
    resolve = socket.getaddrinfo

    def moved(host: str, *rest: Any, **options: Any) -> Any:
        return resolve(places.get(host, host), *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", moved)
    async with contextlib.AsyncExitStack() as stack:
        async with RealNode("b", settings=QUICK).running() as first:
            port = first.transport.port
            dialler = RealNode("a", dials={"b": port}, host="validator-b", settings=QUICK)
            await stack.enter_async_context(dialler.running())
            await dialler.node.meets("b")
        await dialler.node.meets()
        places["validator-b"] = "127.0.0.2"
        moved_node = RealNode("b", settings=QUICK, port=port, listen="127.0.0.2")
        async with moved_node.running():
            await dialler.node.meets("b")


# Strangers.


@pytest.mark.adversarial(46)
async def test_a_stranger_does_not_get_past_tls() -> None:
    async with RealNode("a").running() as a:
        stranger = await RawPeer.connect(a.transport.port, make_identity("b"), IDENTITIES["a"])
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await stranger.upgrade()
        assert a.refused("tls") == 1
        assert a.recorder.events == []
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
    async with RealNode("a", settings=IMPATIENT).running() as a:
        attacker = await raw_connection(a.transport.port)
        attacker.writer.write(client_hello(key_share))
        first = await attacker.reader.read(5)
        # The server's hello, or an alert, or (as asyncio does) the end without one.
        assert (first[:1] == b"\x16") is not refused
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
        loris = await RawPeer.connect(a.transport.port, IDENTITIES["b"], IDENTITIES["a"])
        loris.writer.write(request_start)
        await loris.read_to_end()
        assert a.refused("slow-handshake") == 1
        assert a.transport.handshakes == 0
        await loris.close()


async def test_a_member_that_asks_for_anything_but_a_link_is_refused() -> None:
    async with RealNode("a", settings=QUICK).running() as a:
        for path in ("/", PATH):
            browser = await RawPeer.connect(a.transport.port, IDENTITIES["b"], IDENTITIES["a"])
            browser.writer.write(f"GET {path} HTTP/1.1\r\nHost: peer\r\n\r\n".encode())
            assert (await browser.read_to_end()).startswith(b"HTTP/1.1 400")
            await browser.close()
        assert a.refused("no-upgrade") == 2


@pytest.mark.adversarial(48)
async def test_a_flood_takes_a_bounded_number_of_places_and_leaves_room_for_others() -> None:
    settings = replace(
        IMPATIENT, handshakes_max=16, handshakes_per_host_max=8, handshakes_per_host_burst=400.0
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
            await idler.read_to_end()
            await idler.close()

        async with asyncio.TaskGroup() as tasks:
            for _ in range(300):
                tasks.create_task(connect())
            async with RealNode("b", dials={"a": a.transport.port}, settings=settings).running():
                await a.node.meets("b")
        assert 0 < most <= 9
        assert a.refused("too-many-handshakes-of-host") > 200
        assert a.transport.handshakes == 0


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


# Members that misbehave on an open link.


async def opened(a: RealNode) -> RawPeer:
    """Return a link of "b" on which both have said Hello."""
    peer = await RawPeer.connect(a.transport.port, IDENTITIES["b"], IDENTITIES["a"])
    assert b"101" in await peer.upgrade()
    peer.send(encode_message(hello_of("b")))
    await a.node.meets("b")
    return peer


@pytest.mark.adversarial(39, 43)
@pytest.mark.parametrize(
    "length", [WireLimits().frame_size_max + 1, 1 << 31, (1 << 63) - 1, (1 << 64) - 1]
)
async def test_a_frame_that_announces_too_much_is_refused_by_its_header(length: int) -> None:
    async with RealNode("a", settings=QUICK).running() as a:
        peer = await opened(a)
        peer.send_header(length)
        await peer.read_to_end()
        await a.node.meets()
        assert "too-large" in last_drop(a, "b")
        assert a.node.metrics.value("khazana_peer_faults_total", peer="b", reason="too-large") == 1
        await peer.close()


@pytest.mark.adversarial(5, 6)
@pytest.mark.parametrize(
    ("valid_round", "polka"),
    [(2, b"polka"), (3, b"polka"), ((1 << 32) - 1, b"polka"), (1, None), (None, b"polka")],
    ids=["of its own round", "of a later round", "of the last round", "not shown", "of no round"],
)
async def test_a_proposal_with_a_valid_round_that_cannot_be_ends_the_link(
    valid_round: int | None, polka: bytes | None
) -> None:
    """A polka that nobody has seen is not cited: it is shown, or there is no proposal."""
    (proposal,) = (sample for sample in SAMPLES if isinstance(sample, ProposalMessage))
    assert proposal.round == 2
    async with RealNode("a", settings=QUICK).running() as a:
        peer = await opened(a)
        peer.send(encode_message(change(proposal, valid_round=valid_round, polka=polka)))
        await peer.read_to_end()
        await a.node.meets()
        faults = a.node.metrics.value
        assert faults("khazana_peer_faults_total", peer="b", reason="out-of-bounds") == 1
        await peer.close()


@pytest.mark.adversarial(39)
@pytest.mark.parametrize(
    ("opcode", "reason"), [(1, "not-binary"), (3, "not-websocket"), (0, "not-websocket")]
)
async def test_frames_other_than_whole_binary_ones_end_the_link(opcode: int, reason: str) -> None:
    async with RealNode("a", settings=QUICK).running() as a:
        peer = await opened(a)
        peer.send(b"hello", opcode=opcode)
        await peer.read_to_end()
        await a.node.meets()
        assert a.node.metrics.value("khazana_peer_faults_total", peer="b", reason=reason) == 1
        await peer.close()


@pytest.mark.adversarial(45)
async def test_compression_is_not_agreed_to() -> None:
    async with RealNode("a", settings=QUICK).running() as a:
        peer = await RawPeer.connect(a.transport.port, IDENTITIES["b"], IDENTITIES["a"])
        answer = await peer.upgrade("Sec-WebSocket-Extensions: permessage-deflate")
        assert b"101" in answer
        assert b"extensions" not in answer.lower()
        peer.send(b"", opcode=2 | 0x40)  # a frame marked as compressed
        await peer.read_to_end()
        await peer.close()
        assert a.node.metrics.value("khazana_peer_faults_total", peer="b", reason="not-websocket")


async def test_a_close_reason_from_a_peer_is_made_printable() -> None:
    async with RealNode("a", settings=QUICK).running() as a:
        peer = await opened(a)
        peer.send(struct.pack(">H", 1000) + b"\x1b[2Jgone", opcode=8)
        await a.node.meets()
        assert last_drop(a, "b") == "closed by the peer: ?[2Jgone"
        await peer.close()


async def test_a_connection_that_is_cut_without_a_word_is_noticed() -> None:
    async with RealNode("a", settings=QUICK).running() as a:
        peer = await opened(a)
        await peer.close()
        await a.node.meets()
        assert last_drop(a, "b")


# Dialling.


async def dial_failure(transport: WebSocketTransport, address: str) -> str:
    async with asyncio.TaskGroup() as tasks:
        await transport.start(tasks, lambda link: link.close("unexpected"))
        with pytest.raises(DialFailed) as caught:
            await transport.dial(address)
        await transport.stop()
    return caught.value.reason


def make_dialler() -> WebSocketTransport:
    transport = WebSocketTransport(
        identity=IDENTITIES["b"],
        listen=None,
        frame_size_max=1 << 20,
        log=silent_log(),
        metrics=Metrics(),
        settings=QUICK,
    )
    transport.trust([IDENTITIES["a"].certificate])
    return transport


async def test_a_redirect_is_not_followed() -> None:
    visited: list[str] = []

    async def redirect(request: web.BaseRequest) -> web.StreamResponse:
        visited.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    runner = web.ServerRunner(web.Server(redirect, access_log=None))
    await runner.setup()
    contexts = make_contexts(IDENTITIES["a"], [IDENTITIES["b"].certificate])
    site = web.TCPSite(runner, HOST, 0, ssl_context=contexts.server)
    await site.start()

    reason = await dial_failure(make_dialler(), f"{HOST}:{site.port}")

    assert reason == "it answered with a redirect"
    assert visited == [PATH]
    await runner.cleanup()


async def test_what_does_not_speak_websocket_is_no_peer() -> None:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="hello")

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    contexts = make_contexts(IDENTITIES["a"], [IDENTITIES["b"].certificate])
    site = web.TCPSite(runner, HOST, 0, ssl_context=contexts.server)
    await site.start()

    assert "HTTP 200" in await dial_failure(make_dialler(), f"{HOST}:{site.port}")
    await runner.cleanup()


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:1", "Connect call failed|refused"),
        ("x" * 70 + ":1", "this is no address"),
        ("peer:port", "this is no address"),
        ("[::1", "this is no address"),
    ],
)
async def test_a_failed_dial_says_what_failed(address: str, reason: str) -> None:
    assert re.search(reason, await dial_failure(make_dialler(), address), re.IGNORECASE)


async def test_a_taken_port_is_reported() -> None:
    async with RealNode("a").running() as a:
        second = RealNode("b", port=a.transport.port)
        with pytest.raises(OSError, match="in use"):
            await second.network.run(second.recorder)


def test_a_key_that_does_not_fit_its_certificate_is_refused_at_once() -> None:
    key, _ = create_tls_identity("x")

    with pytest.raises(CertificateUnusable):
        WebSocketTransport(
            identity=TlsIdentity(certificate=IDENTITIES["a"].certificate, private_key_pem=key),
            listen=None,
            frame_size_max=1 << 20,
            log=silent_log(),
            metrics=Metrics(),
        )


@pytest.mark.adversarial(71)
async def test_a_certificate_that_was_prepared_is_shown_to_whoever_pins_it_already() -> None:
    """A node that was off while its certificate was changed is let in all the same."""
    new = make_identity("b")
    async with RealNode("a").running() as a:
        a.network.set_validators([real_member("b", new)])
        late = RealNode("b", dials={"a": a.transport.port}, settings=QUICK, following=new)
        async with late.running() as b:
            await a.node.meets("b")
            await b.node.meets("a")


@pytest.mark.adversarial(71)
async def test_a_certificate_is_taken_up_and_the_links_are_made_again_with_it() -> None:
    new = make_identity("b")
    async with RealNode("a", settings=QUICK).running() as a:
        inner = RealNode("b", dials={"a": a.transport.port}, settings=QUICK, following=new)
        async with inner.running() as b:
            await a.node.meets("b")
            assert not b.transport.present(IDENTITIES["c"].certificate)
            assert b.transport.present(new.certificate)
            assert not b.transport.present(new.certificate)
            # Whoever dials it meets the new one now.
            raw = await RawPeer.connect(b.transport.port, IDENTITIES["a"], new)
            await raw.close()
            a.network.set_validators([real_member("b", new)])
            await a.node.meets()
            await a.node.meets("b")
