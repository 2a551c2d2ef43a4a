"""The in-memory twin does what a wire does: order, back-pressure, cuts, resets."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from node.network import DialFailed, LinkClosed, WireError, WireFault
from node.network.memory import MemoryLink, MemoryNet, MemoryTransport
from node.network.transport import Link
from tests.network.virtual_time import run_virtual


async def with_pair(net: MemoryNet, body: Callable[[MemoryLink, Link], Awaitable[None]]) -> None:
    """Connect "a" to "b" and hand over both ends."""
    accepted: asyncio.Future[Link] = asyncio.get_running_loop().create_future()
    ended = asyncio.Event()

    async def accept(link: Link) -> None:
        accepted.set_result(link)
        await ended.wait()

    near, far = net.transport("a", b"A"), net.transport("b", b"B")
    near.trust([b"B"])
    far.trust([b"A"])
    async with asyncio.TaskGroup() as tasks:
        await far.start(tasks, accept)
        link = await near.dial("b")
        await body(link, await accepted)
        await link.close("test over")
        await (await accepted).close("test over")
        ended.set()
    await far.stop()
    assert net.link_count == 0


def test_frames_arrive_in_order_even_when_the_delay_shrinks() -> None:
    net = MemoryNet()
    delays = iter([0.0, 0.0, 0.5, 0.4, 0.1, 0.0])

    async def body(link: MemoryLink, other: Link) -> None:
        net.delay_s = lambda *_: next(delays, 0.0)
        for number in range(5):
            await link.send(b"%d" % number)
        assert [await other.receive() for _ in range(5)] == [b"0", b"1", b"2", b"3", b"4"]

    run_virtual(with_pair(net, body))


def test_both_ends_know_each_others_certificate() -> None:
    async def body(link: MemoryLink, other: Link) -> None:
        assert (link.certificate, other.certificate) == (b"B", b"A")
        assert (link.address, other.address) == ("b", "a")

    run_virtual(with_pair(MemoryNet(), body))


def test_a_cut_holds_frames_of_one_direction_and_healing_delivers_them() -> None:
    net = MemoryNet(heartbeat_s=10.0)

    async def body(link: MemoryLink, other: Link) -> None:
        net.cut("a", "b")
        await link.send(b"held")
        await other.send(b"passes")
        assert await link.receive() == b"passes"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5.0):
                await other.receive()
        net.heal("a", "b")
        await link.send(b"later")
        assert await other.receive() == b"held"
        assert await other.receive() == b"later"

    run_virtual(with_pair(net, body))


@pytest.mark.adversarial(34)
def test_a_cut_in_one_direction_closes_both_ends_when_the_heartbeat_fails() -> None:
    net = MemoryNet(heartbeat_s=10.0)

    async def body(link: MemoryLink, other: Link) -> None:
        net.cut("b", "a")
        started = asyncio.get_running_loop().time()
        for end in (link, other):
            with pytest.raises(LinkClosed, match="no heartbeat"):
                await end.receive()
        assert asyncio.get_running_loop().time() - started == pytest.approx(10.0)

    run_virtual(with_pair(net, body))


def test_a_sender_waits_until_the_other_end_reads() -> None:
    net = MemoryNet(window_bytes=100)

    async def body(link: MemoryLink, other: Link) -> None:
        await link.send(b"x" * 100)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await link.send(b"y")
        await other.receive()
        async with asyncio.timeout(1.0):
            await link.send(b"z")

    run_virtual(with_pair(net, body))


def test_closing_tells_the_other_end_after_what_was_sent_before() -> None:
    async def body(link: MemoryLink, other: Link) -> None:
        await link.send(b"last words")
        await link.close("goodbye")
        assert await other.receive() == b"last words"
        with pytest.raises(LinkClosed, match="closed by the peer: goodbye"):
            await other.receive()
        with pytest.raises(LinkClosed):
            await link.send(b"too late")

    run_virtual(with_pair(MemoryNet(), body))


def test_a_reset_closes_both_ends_at_once() -> None:
    net = MemoryNet()

    async def body(link: MemoryLink, other: Link) -> None:
        net.reset("b", "a")
        for end in (link, other):
            with pytest.raises(LinkClosed, match="connection reset"):
                await end.receive()

    run_virtual(with_pair(net, body))


@pytest.mark.adversarial(43)
def test_a_frame_beyond_the_limit_is_refused_by_the_receiver() -> None:
    async def body(link: MemoryLink, other: Link) -> None:
        await link.send(b"x" * 11)
        with pytest.raises(WireError) as caught:
            await other.receive()
        assert caught.value.fault is WireFault.TOO_LARGE

    run_virtual(with_pair(MemoryNet(frame_size_max=10), body))


def test_no_link_comes_about_unless_both_have_pinned_each_other() -> None:
    async def dial(near: MemoryTransport, far: MemoryTransport) -> None:
        async def accept(link: Link) -> None:
            await link.close("done")

        async with asyncio.TaskGroup() as tasks:
            await far.start(tasks, accept)
            with pytest.raises(DialFailed, match="not pinned here"):
                await near.dial("b")
            near.trust([b"B"])
            with pytest.raises(DialFailed, match="does not know"):
                await near.dial("b")
        await far.stop()
        with pytest.raises(DialFailed, match="refused"):
            await near.dial("b")

    net = MemoryNet()
    run_virtual(dial(net.transport("a", b"A"), net.transport("b", b"B")))


def test_a_dial_across_a_cut_waits_until_it_heals() -> None:
    async def main() -> None:
        net = MemoryNet()
        near, far = net.transport("a", b"A"), net.transport("b", b"B")
        near.trust([b"B"])
        far.trust([b"A"])

        async def accept(link: Link) -> None:
            await link.close("done")

        async with asyncio.TaskGroup() as tasks:
            await far.start(tasks, accept)
            net.isolate("b", ["a"])
            asyncio.get_running_loop().call_later(3.0, net.rejoin, "b", ["a"])
            await (await near.dial("b")).close("done")
            assert asyncio.get_running_loop().time() == pytest.approx(3.0)
        await far.stop()

    run_virtual(main())
