"""Whole networks over the in-memory twin, in virtual time: peers that misbehave, and the end."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.network import ProposalMessage, VoteMessage, WireMessage
from node.network.memory import MemoryNet
from node.network.messages import encode_message
from node.network.transport import Link
from tests.network.company import (
    NAMES,
    PROPOSAL,
    STATUS,
    VOTE,
    Puppet,
    closing_reason,
    hello_of,
    meshed,
    running,
    view,
)
from tests.network.nodes import make_node
from tests.network.virtual_time import run_virtual

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
            # An increase is seen from a value only: from 1 on nothing has risen.
            sample = "khazana_peer_faults_total", {"peer": "p", "reason": fault}
            assert node.metrics.registry.get_sample_value(*sample) == 0
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
