"""The real transport: TLS, WebSockets, and what strangers try on the open port.

Timeouts are shortened by settings; every wait ends with the event it waits for.
"""

import asyncio
import contextlib
import gc
import os
import socket
import struct
from dataclasses import replace
from typing import Any, Final

import pytest
from blockbuster import BlockingError, blockbuster_ctx

from node.codec import replace as change
from node.network import (
    BlockItem,
    Blocks,
    ProposalMessage,
    Status,
    Transactions,
    WireLimits,
)
from node.network.messages import encode_message
from tests.network.company import hello_of
from tests.network.nodes import BLOCK_ID
from tests.network.samples import SAMPLES
from tests.network.sockets import (
    HOST,
    IDENTITIES,
    QUICK,
    RawPeer,
    RealNode,
    Relay,
    last_drop,
    raw_connection,
)

STATUS: Final = Status(height=9, block_id=BLOCK_ID, earliest=1)
WATCHFUL: Final = replace(QUICK, heartbeat_s=0.3)


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
    """From the first socket to the eviction of a peer: a call that blocks would raise where it is,
    and a link that it cost would have ended otherwise, or come back.
    """
    with blockbuster_ctx():
        with pytest.raises(BlockingError):
            os.stat(os.curdir)
        async with (
            RealNode("a", settings=QUICK).running() as a,
            RealNode("b", dials={"a": a.transport.port}, settings=QUICK).running() as b,
        ):
            await a.node.meets("b")
            await b.node.meets("a")
            assert b.network.send("a", STATUS)
            await a.recorder.until(lambda: a.recorder.heard == [("b", STATUS)])
            a.network.set_validators([])
            await b.node.meets()
            assert last_drop(b, "a") == "closed by the peer: no longer on the roster"
            assert a.recorder.events == ["+b", "-b"]


@pytest.mark.parametrize("turns", range(5))
async def test_one_that_comes_while_the_node_stops_is_not_left_open(turns: int) -> None:
    """Its task may not have begun when it is cancelled."""
    async with RealNode("a", settings=QUICK).running() as a:
        with socket.create_connection((HOST, a.transport.port)):
            for _ in range(turns):
                await asyncio.sleep(0)
    gc.collect()


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
            async with asyncio.timeout(90):
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


async def test_a_ping_on_a_connection_that_has_ended_meanwhile_is_no_fault_of_ours() -> None:
    """A node that was stopped for longer than its peers wait finds both at once."""
    async with RealNode("a", settings=QUICK).running() as a:
        peer = await opened(a)
        peer.send(b"", opcode=9)
        peer.writer.close()
        await a.node.meets()
        assert last_drop(a, "b") not in ("", "internal error")
        await peer.close()


async def test_a_connection_that_is_cut_without_a_word_is_noticed() -> None:
    async with RealNode("a", settings=QUICK).running() as a:
        peer = await opened(a)
        await peer.close()
        await a.node.meets()
        assert last_drop(a, "b")
