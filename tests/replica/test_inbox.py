"""The queue: own events first, peers wait for room, order kept."""

import asyncio

from node.replica.inbox import Inbox


async def test_own_events_come_before_those_of_peers() -> None:
    inbox: Inbox[str] = Inbox(4)
    await inbox.put("peer 1")
    await inbox.put("peer 2")
    inbox.push("own")

    assert [await inbox.get() for _ in range(3)] == ["own", "peer 1", "peer 2"]


async def test_a_peer_waits_while_the_queue_is_full_and_own_events_do_not() -> None:
    inbox: Inbox[int] = Inbox(2)
    await inbox.put(1)
    await inbox.put(2)

    async with asyncio.TaskGroup() as tasks:
        third = tasks.create_task(inbox.put(3))
        await asyncio.sleep(0)
        assert not third.done()
        inbox.push(0)

        assert [await inbox.get() for _ in range(2)] == [0, 1]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert third.done()
    assert len(inbox) == 2


async def test_every_waiting_peer_gets_its_turn() -> None:
    inbox: Inbox[int] = Inbox(1)
    async with asyncio.TaskGroup() as tasks:
        for number in range(20):
            tasks.create_task(inbox.put(number))
        taken = [await inbox.get() for _ in range(20)]

    assert sorted(taken) == list(range(20))
    assert len(inbox) == 0


async def test_the_reader_waits_for_an_event() -> None:
    inbox: Inbox[int] = Inbox(1)
    async with asyncio.TaskGroup() as tasks:
        reader = tasks.create_task(inbox.get())
        await asyncio.sleep(0)
        assert not reader.done()
        inbox.push(5)
    assert reader.result() == 5
