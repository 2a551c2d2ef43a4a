"""Whole networks over the in-memory twin, in virtual time: what is said, also to the slow."""

import asyncio

import pytest

from node.network import (
    BlockTransactions,
    GetBlocks,
    Lane,
    LaneLimits,
    NetworkSettings,
    ProposalMessage,
    Transactions,
    WireLimits,
    WireMessage,
)
from node.network.memory import MemoryNet
from tests.network.company import NAMES, PROPOSAL, STATUS, VOTE, Puppet, meshed, running, view
from tests.network.nodes import BLOCK_ID, make_node
from tests.network.virtual_time import run_virtual

# Speaking.


def test_a_broadcast_reaches_every_validator_and_observers_only_on_request() -> None:
    async def main() -> None:
        net = MemoryNet()
        nodes = [make_node(net, name, validators=("a", "b"), observers=["o"]) for name in "ab"]
        observer = make_node(net, "o", validators=("a", "b"))
        async with meshed(net, *nodes, observer):
            a, b = nodes
            assert a.network.broadcast(VOTE) == 1
            assert a.network.broadcast(STATUS, observers=True) == 2
            assert a.network.send("o", STATUS)
            assert not a.network.send("x", STATUS)
            await observer.recorder.until(lambda: len(observer.recorder.heard) == 2)
            await b.recorder.until(lambda: len(b.recorder.heard) == 2)
            assert [message for _, message in observer.recorder.heard] == [STATUS, STATUS]
            assert {message for _, message in b.recorder.heard} == {STATUS, VOTE}

    run_virtual(main())


def test_a_broadcast_is_encoded_once_and_the_same_bytes_go_to_all() -> None:
    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=NAMES, dials=())
        puppets = [Puppet(net, name) for name in "bcd"]
        async with running(node):
            links = [await puppet.dial("a") for puppet in puppets]
            await node.meets("b", "c", "d")
            for link in links:
                await link.receive()  # Hello
            node.network.gossip([b"x" * 1000] * 66)
            frames = [await link.receive() for link in links]
            assert frames[0] is frames[1] is frames[2]
            for puppet in puppets:
                await puppet.leave()

    run_virtual(main())


def test_transactions_leave_in_batches_by_size_and_the_rest_at_the_end_of_the_turn() -> None:
    async def main() -> None:
        net = MemoryNet()
        one, other = (make_node(net, name, validators=NAMES[:2]) for name in "ab")
        async with meshed(net, one, other):
            raws = [b"%06d" % number + b"x" * 294 for number in range(500)]
            for raw in raws:
                assert one.network.gossip([raw]) == 1
            await other.recorder.until(lambda: len(other.recorder.heard) == 3)
            batches = [message for _, message in other.recorder.heard]
            assert all(isinstance(batch, Transactions) for batch in batches)
            sizes = [len(batch.raws) for batch in batches if isinstance(batch, Transactions)]
            assert sizes == [219, 219, 62]
            assert [
                raw for batch in batches if isinstance(batch, Transactions) for raw in batch.raws
            ] == raws

    run_virtual(main())


def test_a_transaction_leaves_at_once_and_those_after_it_wait_for_company() -> None:
    async def main() -> None:
        net = MemoryNet()
        one, other = (make_node(net, name, validators=NAMES[:2]) for name in "ab")
        async with meshed(net, one, other):
            loop = asyncio.get_running_loop()
            for number in range(10):
                one.network.gossip([b"%d" % number])
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            sizes = [
                len(message.raws)
                for _, message in other.recorder.heard
                if isinstance(message, Transactions)
            ]
            assert (sizes[0], len(sizes), sum(sizes)) == (1, 5, 10)
            one.network.gossip([b"last"])
            before = loop.time()
            await other.recorder.until(lambda: len(other.recorder.heard) == 6)
            assert loop.time() - before < 0.005

    run_virtual(main())


def test_what_waits_to_be_pushed_goes_right_behind_the_proposal_that_may_name_it() -> None:
    async def main() -> None:
        net = MemoryNet()
        one, other = (make_node(net, name, validators=NAMES[:2]) for name in "ab")
        async with meshed(net, one, other):
            loop = asyncio.get_running_loop()
            one.network.gossip([b"first"])
            await asyncio.sleep(0.001)
            one.network.gossip([b"second"])
            before = loop.time()
            one.network.broadcast(PROPOSAL)
            await other.recorder.until(lambda: len(other.recorder.heard) == 3)
            assert [type(message) for _, message in other.recorder.heard] == [
                Transactions,
                ProposalMessage,
                Transactions,
            ]
            assert loop.time() - before < 0.005

    run_virtual(main())


def test_many_small_transactions_leave_by_count() -> None:
    async def main() -> None:
        net = MemoryNet()
        one, other = (make_node(net, name, validators=NAMES[:2]) for name in "ab")
        async with meshed(net, one, other):
            one.network.broadcast(Transactions(raws=(b"t",) * 2048))
            one.network.gossip([b"t"])
            await other.recorder.until(lambda: len(other.recorder.heard) == 2)

    run_virtual(main())


def test_a_message_that_every_receiver_would_refuse_is_our_mistake() -> None:
    async def main() -> None:
        net = MemoryNet()
        limits = WireLimits(block_size_max=1 << 10, block_transactions_max=10)
        one, other = (make_node(net, name, validators=NAMES[:2], limits=limits) for name in "ab")
        async with meshed(net, one, other):
            with pytest.raises(AssertionError):
                one.network.send("b", BlockTransactions(block_id=BLOCK_ID, raws=(b"x" * 4096,)))

    run_virtual(main())


# Back-pressure.


def test_a_vote_overtakes_everything_that_waits_for_a_slow_peer() -> None:
    async def main() -> None:
        net = MemoryNet(window_bytes=1 << 16)
        one, other = (make_node(net, name, validators=NAMES[:2]) for name in "ab")
        async with meshed(net, one, other):
            other.recorder.delay_s = 0.5
            for _ in range(100):
                one.network.gossip([b"x" * 65_000])
            await asyncio.sleep(1.0)
            one.network.send("b", GetBlocks(from_height=1, count=1))
            one.network.broadcast(VOTE)
            before = len(other.recorder.heard)
            await other.recorder.until(lambda: ("a", VOTE) in other.recorder.heard)
            assert other.recorder.heard.index(("a", VOTE)) - before <= 3

    run_virtual(main())


def test_a_full_transactions_lane_drops_the_oldest_batches_and_counts_them() -> None:
    async def main() -> None:
        net = MemoryNet(window_bytes=1 << 16)
        lane = LaneLimits(count_max=4, size_max=1 << 20)
        one, other = (
            make_node(
                net, name, validators=NAMES[:2], settings=NetworkSettings(transactions_lane=lane)
            )
            for name in "ab"
        )
        async with meshed(net, one, other):
            other.recorder.delay_s = 0.1
            for number in range(20):
                one.network.gossip([b"%02d" % number + b"x" * 65_534])
            assert view(one, "b").dropped == (0, 0, 16)
            assert one.metrics.value("khazana_messages_dropped_total", lane="transactions") == 16
            await other.recorder.until(lambda: len(other.recorder.heard) == 4)
            kept = [message.raws[0][:2] for _, message in other.recorder.heard]  # type: ignore[union-attr]
            assert kept == [b"16", b"17", b"18", b"19"]
            assert one.recorder.events == ["+b"]

    run_virtual(main())


def test_a_full_sync_lane_refuses_and_says_so() -> None:
    async def main() -> None:
        net = MemoryNet()
        lane = LaneLimits(count_max=2, size_max=1 << 20)
        one, other = (
            make_node(net, name, validators=NAMES[:2], settings=NetworkSettings(sync_lane=lane))
            for name in "ab"
        )
        async with meshed(net, one, other):
            assert [one.network.send("b", STATUS) for _ in range(4)] == [True, True, False, False]
            assert view(one, "b").dropped == (0, 2, 0)

    run_virtual(main())


def test_a_peer_that_takes_no_votes_is_dropped_and_met_again() -> None:
    async def main() -> None:
        net = MemoryNet(window_bytes=1 << 10)
        lane = LaneLimits(count_max=50, size_max=1 << 20)
        one, other = (
            make_node(
                net, name, validators=NAMES[:2], settings=NetworkSettings(consensus_lane=lane)
            )
            for name in "ab"
        )
        async with meshed(net, one, other):
            other.recorder.delay_s = 10.0
            for _ in range(100):
                one.network.broadcast(VOTE)
                await asyncio.sleep(0.01)
            await one.recorder.until(lambda: one.recorder.events[:2] == ["+b", "-b"])
            assert view(one, "b").last_drop == "it does not take its consensus messages"
            other.recorder.delay_s = 0.0
            await one.meets("b")
            assert view(one, "b").penalty == 0.0

    run_virtual(main())


def test_a_peer_that_reads_nothing_at_all_is_given_up() -> None:
    async def main() -> None:
        net = MemoryNet(window_bytes=70)
        node = make_node(net, "a", validators=("a", "p"), dials=())
        puppet = Puppet(net, "p")
        async with running(node):
            link = await puppet.dial("a")
            await link.receive()  # Hello
            await node.meets("p")
            node.network.broadcast(VOTE)
            await node.meets()
            assert view(node, "p").last_drop == "it read nothing for 20 s"
            await puppet.leave()

    run_virtual(main())


def test_a_slow_handler_slows_the_peer_it_listens_to_and_no_other() -> None:
    async def main() -> None:
        net = MemoryNet(window_bytes=1 << 12)
        nodes = [make_node(net, name, validators=NAMES[:3]) for name in NAMES[:3]]
        async with meshed(net, *nodes):
            a, b, c = nodes
            gate = asyncio.Event()
            received = a.recorder.received

            async def wait_for_b(peer: str, message: WireMessage) -> None:
                if peer == "b":
                    await gate.wait()
                await received(peer, message)

            a.recorder.received = wait_for_b  # type: ignore[method-assign]
            for _ in range(100):
                b.network.send("a", VOTE)
            c.network.send("a", VOTE)
            await a.recorder.until(lambda: a.recorder.heard == [("c", VOTE)])
            await asyncio.sleep(5.0)
            assert view(b, "a").waiting[Lane.CONSENSUS] > 40
            gate.set()
            await a.recorder.until(lambda: len(a.recorder.heard) == 101)

    run_virtual(main())


def test_a_peer_beyond_its_budget_is_read_slowly_and_kept() -> None:
    async def main() -> None:
        net = MemoryNet()
        slow = NetworkSettings(frames_per_s=10.0, frames_burst=20.0)
        one = make_node(net, "a", validators=NAMES[:2], settings=slow)
        other = make_node(net, "b", validators=NAMES[:2])
        async with meshed(net, one, other):
            started = asyncio.get_running_loop().time()
            for _ in range(120):
                other.network.broadcast(VOTE)
            await one.recorder.until(lambda: len(one.recorder.heard) == 120)
            assert asyncio.get_running_loop().time() - started == pytest.approx(10.0, abs=0.5)
            assert view(one, "b").throttled == 100
            assert one.recorder.events == ["+b"]

    run_virtual(main())


def test_a_request_for_blocks_costs_more_than_a_vote() -> None:
    async def main() -> None:
        net = MemoryNet()
        budget = NetworkSettings(frames_per_s=100.0, frames_burst=300.0)
        one = make_node(net, "a", validators=NAMES[:2], settings=budget)
        other = make_node(net, "b", validators=NAMES[:2])
        async with meshed(net, one, other):
            for _ in range(4):
                other.network.broadcast(GetBlocks(from_height=1, count=256))
            await one.recorder.until(lambda: len(one.recorder.heard) == 4)
            assert view(one, "b").throttled == 1

    run_virtual(main())
