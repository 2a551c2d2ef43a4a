"""The accounts of stages: nested, over awaits, on a thread, and in a node that works."""

import asyncio
import threading
import time
from collections.abc import Generator
from typing import Any

import pytest

from node.clock import SystemClock
from node.metrics import Metrics
from node.stages import Shared, Stages
from node.storage import StorageThread


class Hand:
    """A clock that stands still but for `work`."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def work(self, seconds: float) -> None:
        self.now_s += seconds


def charged(stages: Stages) -> dict[str, float]:
    """Return what is not zero, by name."""
    return {stage.name: stage.seconds for stage in stages if stage.seconds}


def test_a_stage_within_a_stage_is_charged_to_the_inner_one_only() -> None:
    hand = Hand()
    stages = Stages(hand)

    hand.work(100)
    with stages.proposal:
        hand.work(1)
        with stages.apply:
            hand.work(2)
            with stages.commitment:
                hand.work(4)
            hand.work(8)
        hand.work(16)
    hand.work(100)

    assert charged(stages) == {"proposal": 17, "apply": 10, "commitment": 4}


def test_what_one_of_many_takes_of_a_stage_is_told_but_for_what_others_take_within() -> None:
    hand = Hand()
    stages = Stages(hand)
    told: list[float] = []
    one, other = Shared(stages.serve, told.append), Shared(stages.serve, lambda _: None)

    async def work(shared: Shared, first: float) -> None:
        async def serve() -> None:
            hand.work(first)
            with stages.admission:
                hand.work(10)
            await asyncio.sleep(0)
            hand.work(2 * first)

        await shared.of(serve)

    async def both() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(work(one, 1), name="one")
            tasks.create_task(work(other, 100), name="other")

    asyncio.run(both())
    with one:
        hand.work(5)

    assert told == [1, 2, 5]
    assert charged(stages) == {"serve": 308, "admission": 20}


def test_a_stage_that_fails_is_left() -> None:
    hand = Hand()
    stages = Stages(hand)

    def refuse() -> None:
        with stages.apply:
            hand.work(1)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        refuse()
    with stages.store:
        hand.work(2)

    assert charged(stages) == {"apply": 1, "store": 2}


async def test_what_others_do_while_a_coroutine_waits_is_not_charged_to_it() -> None:
    hand = Hand()
    stages = Stages(hand)
    asked, answered = asyncio.Event(), asyncio.Event()

    async def waits(seconds: float) -> str:
        hand.work(seconds)
        asked.set()
        await answered.wait()
        with stages.apply:
            hand.work(4)
        hand.work(seconds)
        return "done"

    async def answers() -> None:
        await asked.wait()
        hand.work(100)
        answered.set()

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(stages.proposal.of(waits, 1), name="waits")
        tasks.create_task(answers(), name="answers")

    assert waiting.result() == "done"
    assert charged(stages) == {"proposal": 2, "apply": 4}


async def test_a_coroutine_is_cancelled_as_if_it_were_not_charged() -> None:
    hand = Hand()
    stages = Stages(hand)
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            hand.work(1)
            await asyncio.sleep(0)
            ended.append("in order")

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(stages.serve.of(waits), name="waits")
        await asyncio.sleep(0)
        task.cancel()

    assert (task.cancelled(), ended, charged(stages)) == (True, ["in order"], {"serve": 1})


async def test_a_timeout_within_a_charged_coroutine_ends_as_one() -> None:
    stages = Stages(Hand())

    async def waits() -> str:
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            return "late"
        return "never"

    assert await stages.gossip.of(waits) == "late"


def test_a_charged_coroutine_that_is_dropped_ends_what_it_held() -> None:
    ended: list[bool] = []

    class Held:
        def __await__(self) -> Generator[None, None, None]:
            try:
                yield
            finally:
                ended.append(True)

    async def holds() -> None:
        await Held()

    coroutine: Any = Stages(Hand()).serve.of(holds)
    coroutine.send(None)
    coroutine.close()

    assert ended == [True]


async def test_a_thread_is_charged_by_its_own_clock() -> None:
    spent = {threading.get_ident(): 100.0}
    stages = Stages(lambda: spent.setdefault(threading.get_ident(), 0.0))

    def write() -> str:
        spent[threading.get_ident()] += 3
        return "written"

    async with StorageThread(stages.store) as thread:
        with stages.store:
            spent[threading.get_ident()] += 1
        assert await thread.run(write) == "written"

    assert charged(stages) == {"store": 4}


def test_the_system_clock_counts_processor_time_of_this_thread_only() -> None:
    clock = SystemClock()
    metrics = Metrics(clock.cpu_s)
    began_s = time.thread_time()

    with metrics.stages.apply:
        sum(range(200_000))
        slept = threading.Thread(target=sum, args=(range(2_000_000),))
        slept.start()
        slept.join()
    ours_s = time.thread_time() - began_s

    assert 0 < metrics.value("khazana_stage_seconds_total", stage="apply") <= ours_s
    assert metrics.value("khazana_stage_seconds_total", stage="serve") == 0
