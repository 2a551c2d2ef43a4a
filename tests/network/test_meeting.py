"""Whole networks over the in-memory twin, in virtual time: who meets whom, and meets again."""

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.network import LinkClosed, Role, WireMessage
from node.network.memory import MemoryNet
from node.network.messages import encode_message
from node.network.transport import Link
from tests.network.company import (
    NAMES,
    STATUS,
    VOTE,
    Puppet,
    closing_reason,
    hello_of,
    meshed,
    running,
    view,
)
from tests.network.nodes import Node, address, certificate, make_node, member
from tests.network.virtual_time import run_virtual

# Coming together.


def has_met_thrice_again(node: Node) -> bool:
    return len(node.recorder.events) >= 9


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
            for _ in range(3):
                await closing_reason(await puppet.dial("a", hello_of("p", **changes)))
            said = [each for each in node.recorder.lines if each["event"] == "link refused"]
            assert [(each["peer"], each["reason"]) for each in said] == [("p", reason)]
            counted = {"peer": "p", "reason": "other-hello"}
            assert node.metrics.value("khazana_peer_faults_total", **counted) == 4
            await puppet.leave()

    run_virtual(main())


def test_a_member_that_says_something_else_each_time_does_not_fill_the_log() -> None:
    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=("a", "b", "p"), dials=())
        puppet = Puppet(net, "p")
        async with running(node):
            for version in range(100, 140):
                await closing_reason(await puppet.dial("a", hello_of("p", version=version)))
            said = [each for each in node.recorder.lines if each["event"] == "link refused"]
            assert len(said) == 10
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


@pytest.mark.adversarial(46)
def test_two_processes_with_one_key_are_told_of_to_us_and_to_them() -> None:
    """As where a home was copied and both run; a process that was started anew is another one."""

    async def main() -> None:
        net = MemoryNet()
        node = make_node(net, "a", validators=("a", "p"), dials=())
        here, there = Puppet(net, "p"), Puppet(net, "p")

        def told() -> list[dict[str, object]]:
            return [each for each in node.recorder.lines if "two processes" in str(each["event"])]

        async with running(node):
            await here.dial("a", hello_of("p", instance=1))
            await node.meets("p")
            second = await there.dial("a", hello_of("p", instance=2))
            await node.recorder.until(lambda: node.recorder.events[-2:] == ["-p", "+p"])
            assert not told()
            for _ in range(3):
                await here.dial("a", hello_of("p", instance=1))
                reason = await closing_reason(second)
                assert "two processes run with the same keys, a home was copied" in reason
                second = await there.dial("a", hello_of("p", instance=2))
            (line,) = told()
            assert line["peer"] == "p"
            assert "stop one of them at once" in str(line["hint"])
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
