"""Whole networks over the in-memory twin, in virtual time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from functools import partial
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.network import (
    BlockTransactions,
    GetBlocks,
    Hello,
    Lane,
    LaneLimits,
    LinkClosed,
    NetworkSettings,
    PeerView,
    ProposalMessage,
    Role,
    Status,
    Transactions,
    VoteMessage,
    WireLimits,
    WireMessage,
)
from node.network.memory import MemoryNet
from node.network.messages import PROTOCOL_VERSION, encode_message
from node.network.transport import Link
from tests.network.nodes import (
    BLOCK_ID,
    GENESIS_HASH,
    Node,
    address,
    certificate,
    make_node,
    member,
)
from tests.network.samples import SAMPLES
from tests.network.virtual_time import run_virtual

NAMES: Final = ("a", "b", "c", "d")
STATUS: Final = Status(height=9, block_id=BLOCK_ID, earliest=1)
VOTE: Final = SAMPLES[3]
PROPOSAL: Final = SAMPLES[2]


@contextlib.asynccontextmanager
async def running(*nodes: Node) -> AsyncIterator[None]:
    """Run these nodes for the length of the block."""
    async with contextlib.AsyncExitStack() as stack:
        for node in nodes:
            await stack.enter_async_context(node.running())
        yield


@contextlib.asynccontextmanager
async def meshed(net: MemoryNet, *nodes: Node) -> AsyncIterator[None]:
    """Run these nodes until all have met, then for the length of the block; leave nothing."""
    before = asyncio.all_tasks()
    async with running(*nodes):
        for node in nodes:
            await node.meets(*(other.name for other in nodes if other is not node))
        yield
    assert asyncio.all_tasks() == before
    assert net.link_count == 0


def view(node: Node, peer: str) -> PeerView:
    return next(view for view in node.network.status() if view.name == peer)


def hello_of(name: str, /, **changes: Any) -> Hello:
    fields: dict[str, Any] = {
        "version": PROTOCOL_VERSION,
        "network": GENESIS_HASH,
        "name": name,
        "instance": 1,
        "height": 0,
        "earliest": 1,
        "software": "test",
    }
    return Hello(**{**fields, **changes})


class Puppet:
    """A peer that says exactly what the test says; dials like a member called `name`."""

    def __init__(self, net: MemoryNet, name: str) -> None:
        self._net = net
        self._transport = net.transport(address(name), certificate(name))
        self._links: list[Link] = []
        self.name = name

    async def dial(self, target: str, hello: Hello | None = None) -> Link:
        """Open a link and say Hello on it."""
        self._transport.trust([certificate(target)])
        link = await self._transport.dial(address(target))
        self._links.append(link)
        await link.send(encode_message(hello or hello_of(self.name)))
        return link

    async def leave(self) -> None:
        for link in self._links:
            await link.close("the test is over")


def has_met_thrice_again(node: Node) -> bool:
    return len(node.recorder.events) >= 9


async def closing_reason(link: Link) -> str:
    """Read a link to its end and return why it ended."""
    try:
        while True:
            await link.receive()
    except LinkClosed as closed:
        return closed.reason


# Coming together.


def test_four_validators_meet_with_one_link_a_pair() -> None:
    async def main() -> None:
        net = MemoryNet()
        nodes = [make_node(net, name, validators=NAMES) for name in NAMES]
        async with meshed(net, *nodes):
            assert net.link_count == 6

    run_virtual(main())


@given(st.integers(0, 1 << 32), st.floats(0.0, 1.0), st.lists(st.floats(0.0, 0.6), min_size=4))
@settings(max_examples=60, deadline=None)
def test_whatever_the_delays_exactly_one_link_a_pair_survives_simultaneous_dials(
    seed: int, delay_max_s: float, starts: Sequence[float]
) -> None:
    async def main() -> None:
        random = Random(seed)
        net = MemoryNet()
        net.delay_s = lambda *_: random.uniform(0.0, delay_max_s)
        nodes = [make_node(net, name, validators=NAMES, seed=seed) for name in NAMES]
        async with contextlib.AsyncExitStack() as stack:
            for node, start_s in zip(nodes, starts, strict=False):
                await asyncio.sleep(start_s)
                await stack.enter_async_context(node.running())
            await asyncio.sleep(30.0)

            assert net.link_count == 6
            for node in nodes:
                assert node.recorder.present == set(NAMES) - {node.name}
            events = [len(node.recorder.events) for node in nodes]
            await asyncio.sleep(600.0)
            assert [len(node.recorder.events) for node in nodes] == events
            # Both ends speak of the same link.
            for node in nodes:
                for other in node.network.peers():
                    mirror = next(n for n in nodes if n.name == other.name)
                    assert view(mirror, node.name).dialled is not other.dialled

    run_virtual(main())


def test_an_observer_dials_the_validators_and_they_let_it_in() -> None:
    async def main() -> None:
        net = MemoryNet()
        validators = ("a", "b")
        nodes = [make_node(net, name, validators=validators, observers=["o"]) for name in "ab"]
        observer = make_node(net, "o", validators=validators)
        async with meshed(net, *nodes, observer):
            assert view(nodes[0], "o").role is Role.OBSERVER
            assert view(nodes[0], "o").address == address("o")
            assert not view(nodes[0], "o").dialled

    run_virtual(main())


def test_a_validator_without_an_address_is_met_when_it_dials() -> None:
    async def main() -> None:
        net = MemoryNet()
        quiet = make_node(net, "a", validators=NAMES[:2], dials=())
        other = make_node(net, "b", validators=NAMES[:2])
        async with meshed(net, quiet, other):
            assert view(other, "a").dialled

    run_virtual(main())


def test_what_a_peer_tells_of_its_height_is_remembered() -> None:
    async def main() -> None:
        net = MemoryNet()
        one, other = (make_node(net, name, validators=NAMES[:2]) for name in "ab")
        other.height = 5
        async with meshed(net, one, other):
            assert view(one, "b").height == 5
            other.network.broadcast(STATUS)
            await one.recorder.until(lambda: bool(one.recorder.heard))
            assert view(one, "b").height == 9

    run_virtual(main())


# Refusals.


@pytest.mark.adversarial(46, 47)
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"network": b"x" * 32}, "it is on network 7878787878787878, we are on 6767676767676767"),
        ({"version": 1}, "it speaks version 1, we speak 2"),
        ({"name": "b"}, "its key is p's and it says b"),
    ],
)
def test_a_hello_that_does_not_fit_is_refused_with_the_reason(
    changes: dict[str, Any], reason: str
) -> None:
    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=("a", "b", "p"), dials=())
        puppet = Puppet(net, "p")
        async with running(node):
            link = await puppet.dial("a", hello_of("p", **changes))
            assert await closing_reason(link) == f"closed by the peer: {reason}"
            assert node.recorder.events == []
            assert view(node, "p").last_drop == reason
            await puppet.leave()

    run_virtual(main())


@pytest.mark.adversarial(46)
def test_a_stranger_is_refused_and_leaves_no_trace_on_the_roster() -> None:
    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=NAMES)
        stranger = make_node(net, "x", validators=("a", "x"))
        async with running(node, stranger):
            await asyncio.sleep(60.0)
            assert node.recorder.events == stranger.recorder.events == []
            assert view(stranger, "a").last_drop.endswith("it does not know our certificate")
            assert view(stranger, "a").dials_failed > 5

    run_virtual(main())


@pytest.mark.adversarial(46, 47)
def test_whoever_answers_at_an_address_with_another_members_key_is_not_taken_for_it() -> None:
    async def main() -> None:
        net = MemoryNet()
        impostor = make_node(net, "b", validators=NAMES, dials=())
        dialler = make_node(net, "d", validators=NAMES, dials=())
        dialler.network._addresses["c"] = address("b")  # where c should be, b listens
        async with running(impostor, dialler):
            await asyncio.sleep(20.0)
            assert "c" not in dialler.recorder.present
            assert view(dialler, "c").last_drop == "b:26600 answered as b"

    run_virtual(main())


def test_a_peer_that_says_no_hello_is_let_go_after_the_time_for_it() -> None:
    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=("a", "p"), dials=())
        transport = net.transport(address("p"), certificate("p"))
        transport.trust([certificate("a")])
        async with running(node):
            link = await transport.dial(address("a"))
            assert "no Hello within 5 s" in await closing_reason(link)
            assert asyncio.get_running_loop().time() == pytest.approx(5.0)

    run_virtual(main())


@pytest.mark.parametrize("first", [STATUS, VOTE])
def test_anything_before_hello_is_misconduct(first: WireMessage) -> None:
    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=("a", "p"), dials=())
        transport = net.transport(address("p"), certificate("p"))
        transport.trust([certificate("a")])
        async with running(node):
            link = await transport.dial(address("a"))
            await link.send(encode_message(first))
            assert "before Hello" in await closing_reason(link)
            assert view(node, "p").banned_s > 0
            assert node.metrics.value("khazana_peer_faults_total", peer="p", reason="misconduct")

    run_virtual(main())


@pytest.mark.adversarial(46, 48)
def test_one_key_has_a_bounded_number_of_links_and_one_of_them_counts() -> None:
    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=("a", "p"), dials=())
        transport = net.transport(address("p"), certificate("p"))
        transport.trust([certificate("a")])
        async with running(node):
            silent = [await transport.dial(address("a")) for _ in range(10_000)]
            await asyncio.sleep(0.1)
            assert net.link_count <= 3
            assert "too many links" in await closing_reason(silent[-1])
            for link in silent:
                await link.close("the test is over")

    run_virtual(main())


@pytest.mark.adversarial(46)
def test_the_same_key_from_two_addresses_is_one_peer() -> None:
    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=("a", "p"), dials=())
        here, there = Puppet(net, "p"), Puppet(net, "p")
        async with running(node):
            first = await here.dial("a", hello_of("p", instance=1))
            await node.meets("p")
            await there.dial("a", hello_of("p", instance=2))
            assert "replaced by a newer link" in await closing_reason(first)
            assert node.recorder.events == ["+p", "-p", "+p"]
            assert len(node.network.peers()) == 1
            await here.leave()
            await there.leave()

    run_virtual(main())


# Changes of the roster.


@pytest.mark.adversarial(46)
def test_a_removed_validator_is_dropped_at_once_and_does_not_come_back() -> None:
    async def main() -> None:
        net = MemoryNet()
        nodes = [make_node(net, name, validators=NAMES) for name in NAMES]
        a, b, _, d = nodes
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(meshed(net, *nodes))
            rest = [member(name) for name in NAMES[:3]]
            for node in nodes[:3]:
                node.network.set_validators(rest)
                # At once: before the loop turns.
                assert "d" not in node.recorder.present
                assert not node.network.send("d", STATUS)
            d.network.broadcast(VOTE)
            await d.meets()
            await asyncio.sleep(60.0)
            assert all(peer != "d" for peer, _ in a.recorder.heard)
            assert d.recorder.present == set()
            assert a.recorder.present == {"b", "c"}
            assert "d" not in [view.name for view in b.network.status()]
            assert "certificate" in view(d, "a").last_drop

    run_virtual(main())


def test_an_added_validator_is_met_and_one_with_a_new_key_is_met_again() -> None:
    async def main() -> None:
        net = MemoryNet()
        one, other = (make_node(net, name, validators=("a",)) for name in "ab")
        other.network.set_validators([member("a"), member("b")])
        one.network._addresses["b"] = address("b")
        async with running(one, other):
            await asyncio.sleep(3.0)
            assert one.recorder.present == other.recorder.present == set()
            one.network.set_validators([member("a"), member("b")])
            await one.meets("b")
            await other.meets("a")

    run_virtual(main())


def test_an_unchanged_set_changes_nothing() -> None:
    async def main() -> None:
        net = MemoryNet()
        one, other = (make_node(net, name, validators=NAMES[:2]) for name in "ab")
        async with meshed(net, one, other):
            one.network.set_validators([member("b"), member("a")])
            await asyncio.sleep(10.0)
            assert one.recorder.events == ["+b"]

    run_virtual(main())


def test_an_observer_that_becomes_a_validator_is_met_again_as_one() -> None:
    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=("a",), observers=["o"])
        observer = make_node(net, "o", validators=("a",), dials=("a",))
        async with meshed(net, node, observer):
            node.network.set_validators([member("a"), member("o")])
            assert node.recorder.present == set()
            await node.meets("o")
            assert view(node, "o").role is Role.VALIDATOR
            await observer.recorder.until(lambda: observer.recorder.events == ["+a", "-a", "+a"])
            observer.network.broadcast(VOTE)
            await node.recorder.until(lambda: node.recorder.heard == [("o", VOTE)])

    run_virtual(main())


# Coming back.


def test_a_validator_that_is_down_is_dialled_for_ever_with_a_capped_pause() -> None:
    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=("a", "b"))
        late = make_node(net, "b", validators=("a", "b"), dials=())
        async with running(node):
            await asyncio.sleep(3600.0)
            failed = view(node, "b").dials_failed
            assert 3600 / 5.0 < failed < 3600 / 2.5 + 10
            assert view(node, "b").last_drop == "cannot reach b:26600: connection refused"
            started = asyncio.get_running_loop().time()
            async with running(late):
                await node.meets("b")
                assert asyncio.get_running_loop().time() - started <= 5.0

    run_virtual(main())


def test_a_restarted_peer_replaces_its_dead_link_without_waiting_for_the_heartbeat() -> None:
    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=("a", "p"), dials=())
        before, after = Puppet(net, "p"), Puppet(net, "p")
        async with running(node):
            await before.dial("a", hello_of("p", instance=1))
            await node.meets("p")
            await after.dial("a", hello_of("p", instance=2))
            await node.recorder.until(lambda: node.recorder.events == ["+p", "-p", "+p"])
            assert asyncio.get_running_loop().time() < 1.0
            await before.leave()
            await after.leave()

    run_virtual(main())


@pytest.mark.adversarial(34)
def test_an_old_link_that_only_we_believe_in_is_replaced_by_the_peers_new_one() -> None:
    """The peer lost the link and dials from the same process; our side has not noticed."""

    async def main() -> None:
        net = MemoryNet(heartbeat_s=10_000.0)
        node = make_node(net, "b", validators=("b", "p"))
        puppet = Puppet(net, "p")
        listening = asyncio.Event()

        async def accept(link: Link) -> None:
            await link.send(encode_message(hello_of("p")))
            listening.set()
            with contextlib.suppress(LinkClosed):
                while True:
                    await link.receive()

        async with asyncio.TaskGroup() as tasks:
            puppet._transport.trust([certificate("b")])
            await puppet._transport.start(tasks, accept)
            async with running(node):
                await node.meets("p")  # by the link that b dialled, which also wins every tie
                await puppet._transport.stop()
                await asyncio.sleep(60.0)
                await puppet.dial("b")
                await node.recorder.until(lambda: node.recorder.events == ["+p", "-p", "+p"])
                assert not view(node, "p").dialled
                await puppet.leave()

    run_virtual(main())


@pytest.mark.adversarial(34)
@pytest.mark.parametrize("direction", [("a", "b"), ("b", "a")])
def test_a_cut_in_one_direction_ends_the_link_and_healing_brings_a_new_one(
    direction: tuple[str, str],
) -> None:
    async def main() -> None:
        net = MemoryNet(heartbeat_s=10.0)
        one, other = (make_node(net, name, validators=NAMES[:2]) for name in "ab")
        async with meshed(net, one, other):
            net.cut(*map(address, direction))
            one.network.broadcast(STATUS)
            other.network.broadcast(STATUS)
            await one.meets()
            await other.meets()
            assert view(one, "b").last_drop == "no heartbeat"
            await asyncio.sleep(600.0)
            assert one.recorder.present == other.recorder.present == set()
            healed = asyncio.get_running_loop().time()
            net.heal(*map(address, direction))
            await one.meets("b")
            await other.meets("a")
            assert asyncio.get_running_loop().time() - healed <= 15.0
            one.recorder.heard.clear()
            other.network.broadcast(VOTE)
            await one.recorder.until(lambda: one.recorder.heard == [("b", VOTE)])

    run_virtual(main())


@pytest.mark.adversarial(34)
def test_after_every_link_was_reset_everybody_meets_again_within_seconds() -> None:
    async def main() -> None:
        net = MemoryNet()
        nodes = [make_node(net, name, validators=NAMES) for name in NAMES]
        async with meshed(net, *nodes):
            for one in NAMES:
                for other in NAMES:
                    if one < other:
                        net.reset(address(one), address(other))
            reset = asyncio.get_running_loop().time()
            for node in nodes:
                await node.recorder.until(partial(has_met_thrice_again, node))
                await node.meets(*(set(NAMES) - {node.name}))
            assert asyncio.get_running_loop().time() - reset < 2.0
            assert view(nodes[0], "b").links == 2

    run_virtual(main())


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


# Misconduct.


@pytest.mark.adversarial(39, 43)
@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        (b"", "empty"),
        (b"\x00garbage", "unknown-kind"),
        (encode_message(VOTE)[:-1], "not-canonical"),
        (b"\x92\x0b" + bytes(2000), "too-large"),
        (encode_message(hello_of("p")), "misconduct"),
    ],
)
def test_a_peer_that_breaks_the_protocol_is_put_out_for_a_while_and_may_come_back(
    frame: bytes, fault: str
) -> None:
    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=("a", "b", "p"), dials=("b",))
        witness = make_node(net, "b", validators=("a", "b"), dials=())
        puppet = Puppet(net, "p")
        async with running(node, witness):
            link = await puppet.dial("a")
            await node.meets("b", "p")
            await link.send(frame)
            await closing_reason(link)
            await node.meets("b")
            assert node.metrics.value("khazana_peer_faults_total", peer="p", reason=fault) == 1
            assert 0 < view(node, "p").banned_s <= 30
            assert "kept out" in await closing_reason(await puppet.dial("a"))
            await asyncio.sleep(30.0)
            await puppet.dial("a")
            await node.meets("b", "p")
            assert node.recorder.events.count("-b") == 0
            await puppet.leave()

    run_virtual(main())


@pytest.mark.adversarial(40)
@given(st.binary(min_size=1, max_size=100))
@settings(max_examples=100, deadline=None)
def test_whatever_bytes_a_peer_sends_the_node_goes_on(frame: bytes) -> None:
    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=("a", "b", "p"), dials=("b",))
        witness = make_node(net, "b", validators=("a", "b"), dials=())
        puppet = Puppet(net, "p")
        async with running(node, witness):
            link = await puppet.dial("a")
            await node.meets("b", "p")
            await link.send(frame)
            await closing_reason(link)
            witness.network.broadcast(VOTE)
            await node.recorder.until(lambda: ("b", VOTE) in node.recorder.heard)
            await puppet.leave()

    run_virtual(main())


def test_reported_offences_add_up() -> None:
    async def main() -> None:
        net = MemoryNet()
        one, other = (make_node(net, name, validators=NAMES[:2]) for name in "ab")
        async with meshed(net, one, other):
            one.network.punish("nobody", "does not matter")
            for _ in range(4):
                one.network.punish("b", "a vote with a bad signature")
            await asyncio.sleep(1.0)
            assert one.recorder.present == {"b"}
            one.network.punish("b", "a vote with a bad signature")
            one.network.punish("b", "a vote with a bad signature")
            await one.meets()
            assert view(one, "b").last_drop == "misbehaved: a vote with a bad signature"
            await one.meets("b")
            assert asyncio.get_running_loop().time() >= 30.0

    run_virtual(main())


@pytest.mark.parametrize("message", [PROPOSAL, VOTE])
def test_votes_and_proposals_of_an_observer_go_no_further(message: WireMessage) -> None:
    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=("a",), observers=["o"])
        observer = make_node(net, "o", validators=("a",))
        async with meshed(net, node, observer):
            assert isinstance(message, ProposalMessage | VoteMessage)
            observer.network.broadcast(message)
            observer.network.broadcast(STATUS)
            await node.recorder.until(lambda: bool(node.recorder.heard))
            assert node.recorder.heard == [("o", STATUS)]
            assert view(node, "o").ignored == 1

    run_virtual(main())


def test_a_fault_of_ours_costs_one_link_and_not_the_node() -> None:
    async def main() -> None:
        net = MemoryNet()
        nodes = [make_node(net, name, validators=NAMES[:3]) for name in NAMES[:3]]
        async with meshed(net, *nodes):
            a, b, c = nodes
            received = a.recorder.received

            async def stumble(*_: object) -> None:
                a.recorder.received = received  # type: ignore[method-assign]
                raise ZeroDivisionError

            a.recorder.received = stumble  # type: ignore[method-assign, assignment]
            b.network.send("a", VOTE)
            await a.recorder.until(lambda: "-b" in a.recorder.events)
            assert view(a, "b").last_drop == "internal error"
            await a.meets("b", "c")
            c.network.send("a", VOTE)
            await a.recorder.until(lambda: a.recorder.heard == [("c", VOTE)])

    run_virtual(main())


def test_a_fault_of_ours_while_dialling_is_contained() -> None:
    async def main() -> None:
        net = MemoryNet()
        one, other = (make_node(net, name, validators=NAMES[:2]) for name in "ab")
        transport = one.network._transport
        dial = transport.dial

        async def stumble(target: str) -> Link:
            transport.dial = dial  # type: ignore[method-assign]
            raise ZeroDivisionError(target)

        transport.dial = stumble  # type: ignore[method-assign, assignment]
        async with meshed(net, one, other):
            assert transport.dial is dial

    run_virtual(main())


# Life.


def test_stopping_says_goodbye_and_leaves_no_task() -> None:
    async def main() -> None:
        net = MemoryNet()
        one, other = (make_node(net, name, validators=NAMES[:2]) for name in "ab")
        async with running(one):
            before = asyncio.all_tasks()
            async with running(other):
                await one.meets("b")
                assert all(task.get_name() for task in asyncio.all_tasks())
            await one.meets()
            assert view(one, "b").last_drop == "closed by the peer: shutting down"
            await asyncio.sleep(1.0)
            assert len(asyncio.all_tasks()) == len(before)

    run_virtual(main())


@pytest.mark.parametrize("when_s", [0.0, 0.1, 0.3, 5.0])
def test_cancellation_at_any_moment_leaves_no_task_and_no_link(when_s: float) -> None:
    async def main() -> None:
        net = MemoryNet()
        net.delay_s = lambda *_: 0.05
        other = make_node(net, "b", validators=NAMES[:2])
        node = make_node(net, "a", validators=NAMES[:2])
        async with running(other):
            before = len(asyncio.all_tasks())
            async with asyncio.TaskGroup() as tasks:
                task = tasks.create_task(node.network.run(node.recorder))
                await asyncio.sleep(when_s)
                task.cancel()
            assert task.cancelled()
            assert node.recorder.present == set()
            await other.meets()
            await asyncio.sleep(0.2)
            assert net.link_count == 0
            assert len(asyncio.all_tasks()) <= before

    run_virtual(main())


def test_a_taken_address_is_reported_as_such() -> None:
    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=NAMES[:2])
        second = make_node(net, "a", validators=NAMES[:2])
        async with running(node):
            with pytest.raises(OSError, match="is taken"):
                await second.network.run(second.recorder)

    run_virtual(main())


def test_the_status_names_every_member_and_counts_by_kind() -> None:
    async def main() -> None:
        net = MemoryNet()
        one = make_node(net, "a", validators=NAMES, observers=["o"])
        other = make_node(net, "b", validators=NAMES)
        async with running(one, other):
            await one.meets("b")
            one.network.broadcast(VOTE)
            one.network.broadcast(STATUS)
            await other.recorder.until(lambda: len(other.recorder.heard) == 2)
            assert [view.name for view in one.network.status()] == ["b", "c", "d", "o"]
            assert [view.name for view in one.network.peers()] == ["b"]
            assert view(one, "b").sent == {"VoteMessage": 1, "Status": 1}
            assert view(other, "a").received == {"VoteMessage": 1, "Status": 1}
            assert view(one, "b").software == "khazana"
            assert view(one, "o").last_drop == ""
            assert one.metrics.value("khazana_peers", kind="validator") == 1
            assert one.metrics.value("khazana_bytes_sent_total", lane="consensus") > 0
            assert other.metrics.value("khazana_bytes_received_total") > 0

    run_virtual(main())
