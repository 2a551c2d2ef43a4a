"""The storage thread: in order, to the end, one at a time."""

import asyncio
import threading

import pytest

from node.storage import StorageThread
from node.storage.thread import PENDING_MAX


async def test_work_runs_in_the_order_of_the_calls_on_one_thread() -> None:
    order: list[int] = []
    threads = set()

    def work(number: int) -> int:
        order.append(number)
        threads.add(threading.get_ident())
        return number

    async with StorageThread() as thread:
        pending = [thread.run(lambda number=number: work(number)) for number in range(100)]  # type: ignore[misc]
        results = [await result for result in reversed(pending)]

    assert order == list(range(100)) == results[::-1]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_failure_reaches_whoever_waits_and_the_next_work_runs() -> None:
    def fail() -> None:
        raise LookupError

    async with StorageThread() as thread:
        failing, working = thread.run(fail), thread.run(lambda: 7)
        with pytest.raises(LookupError):
            await failing
        assert await working == 7


async def test_cancelling_does_not_take_work_out_of_the_order() -> None:
    gate = threading.Event()
    order: list[str] = []

    async with StorageThread() as thread:
        first = thread.run(gate.wait)
        second = thread.run(lambda: order.append("second"))
        third = thread.run(lambda: order.append("third"))
        second.cancel()
        gate.set()
        await third
        await first

    assert second.cancelled()
    assert order == ["second", "third"]


async def test_closing_waits_for_everything() -> None:
    done: list[int] = []
    thread = StorageThread()

    for number in range(50):
        thread.run(lambda number=number: done.append(number))  # type: ignore[misc]
    await thread.close()

    assert done == list(range(50))
    with pytest.raises(RuntimeError):
        thread.run(lambda: None)


async def test_loop_goes_on_while_work_blocks() -> None:
    gate = threading.Event()

    async with StorageThread() as thread:
        blocked = thread.run(lambda: gate.wait(10))
        await asyncio.sleep(0)
        gate.set()
        assert await blocked


async def test_pending_work_is_bounded() -> None:
    gate = threading.Event()

    async with StorageThread() as thread:
        for _ in range(PENDING_MAX):
            thread.run(gate.wait)
        with pytest.raises(AssertionError):
            thread.run(gate.wait)
        gate.set()


async def test_draining_waits_for_what_was_handed_over_and_ends_nothing() -> None:
    done: list[int] = []

    async with StorageThread() as thread:
        pending = [thread.run(lambda n=n: done.append(n)) for n in range(20)]  # type: ignore[misc]
        await thread.drain()

        assert done == list(range(20))
        assert await thread.run(lambda: 7) == 7
        await asyncio.gather(*pending)
