"""What the simulation needs of its loop, and so of asyncio's private parts."""

import asyncio
import contextvars

import pytest

from tests.sim.loop import MACHINE, SimDeadlock, SimLoop


def context_of(machine: str) -> contextvars.Context:
    context = contextvars.copy_context()
    context.run(MACHINE.set, machine)
    return context


def order_of(seed: int) -> list[str]:
    """Two machines say five things each."""
    said: list[str] = []

    async def speak(name: str) -> None:
        for number in range(5):
            said.append(f"{name}{number}")
            await asyncio.sleep(0)

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            for name in ("a", "b"):
                tasks.create_task(speak(name), context=context_of(name))

    loop = SimLoop(seed)
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
    return said


def test_a_year_takes_no_time_and_timers_come_in_order() -> None:
    loop = SimLoop(0)
    fired: list[str] = []

    async def main() -> None:
        loop.call_later(2.0, fired.append, "second")
        loop.call_later(1.0, fired.append, "first")
        loop.call_later(2.0, fired.append, "third")
        cancelled = loop.call_later(1.5, fired.append, "never")
        cancelled.cancel()
        await asyncio.sleep(365 * 86_400)

    loop.run_until_complete(main())

    assert fired == ["first", "second", "third"]
    assert loop.time() == 365 * 86_400
    loop.close()


def test_order_follows_the_seed_and_each_machine_keeps_its_own() -> None:
    orders = {seed: order_of(seed) for seed in range(8)}

    assert all(order_of(seed) == order for seed, order in orders.items())
    assert len({tuple(order) for order in orders.values()}) > 1
    for order in orders.values():
        assert [said for said in order if said[0] == "a"] == [f"a{n}" for n in range(5)]


def test_a_held_machine_stands_still_and_goes_on_where_it_stood() -> None:
    loop = SimLoop(0)
    ticks: dict[str, int] = {"a": 0, "b": 0}

    async def tick(name: str) -> None:
        while True:
            await asyncio.sleep(1)
            ticks[name] += 1

    async def main() -> None:
        tasks = [loop.create_task(tick(name), context=context_of(name)) for name in ticks]
        await asyncio.sleep(5.5)
        loop.hold("a")
        await asyncio.sleep(10)
        assert ticks == {"a": 5, "b": 15}
        loop.release("a")
        await asyncio.sleep(1.7)
        assert ticks == {"a": 7, "b": 17}
        for task in tasks:
            task.cancel()

    loop.run_until_complete(main())
    loop.close()


def test_calls_in_a_thread_take_time_and_keep_their_order() -> None:
    loop = SimLoop(0)
    delays = iter([3.0, 1.0])
    loop.thread_delay_s = lambda: next(delays)
    done: list[str] = []

    async def main() -> None:
        thread = object()
        first = loop.run_in_executor(thread, done.append, "first")
        second = loop.run_in_executor(thread, done.append, "second")
        await asyncio.gather(first, second)

    loop.run_until_complete(main())

    assert done == ["first", "second"]
    assert loop.time() == 3.0
    loop.close()


def test_a_loop_where_nothing_can_happen_says_so() -> None:
    loop = SimLoop(0)

    async def main() -> None:
        await loop.create_future()

    with pytest.raises(SimDeadlock):
        loop.run_until_complete(main())
    loop.set_exception_handler(lambda *_: None)
    loop.close()
