"""Ten times as much as a network can take: `python -m tests.bench.overload --capacity 2000`. JSON.

Four validators as processes, as for `tests.bench.cluster`; the load comes from a process of its
own, over many kept connections, in an open loop: lists of transfers at a fixed rate to the
validators in turn. First at capacity, then at ten times that. What a node refuses for want of time
is offered again later, as a client does; what was refused is counted, and so is when it was told to
come back. The latency of a transfer runs from the moment the list that was taken was sent to the
moment a validator told of its block.

Both loads are measured alike: from three seconds after their first list on, to their last. Those
first seconds are when a network that was idle finds out that it is offered too much, so the latency
and its ratio are given once more with them, for whoever asks what the change itself costs.

The generator shares the processors with the nodes: `offered` says how much it really sent. With
`--factor` higher than it can send, that is the limit.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from node.codec import encode
from node.rpc.submissions import ItemStatus
from tests.bench.clients import Poster, Watcher
from tests.bench.measuring import DRAIN_S, VALID_S, Book, Plan, check
from tests.bench.tally import percentiles, read_receipts
from tests.bench.town import Town, running_town

LIST: Final = 50
"""Transfers of one request."""
AT_ONCE_MAX: Final = 64
"""Requests under way at one node, each with a connection of its own; no more are sent."""
WARM_UP_S: Final = 3.0
SAMPLE_S: Final = 1.0


@dataclass
class Sent:
    """What a generator did."""

    taken: dict[bytes, float] = field(default_factory=dict)
    """Moment of sending, by id, of what was taken."""
    offered: int = 0
    unsent: int = 0
    """Lists that were due while as many were under way as may be."""
    answers: Counter[str] = field(default_factory=Counter)
    retry_after_ms: list[int] = field(default_factory=list)
    cpu_s: float = 0.0


class Generator:
    """Sends lists at a fixed rate; what is refused goes to the back of the stock."""

    def __init__(self, urls: Sequence[str], stock: Sequence[tuple[bytes, bytes]]) -> None:
        self._posters = [Poster(url) for url in urls]
        self._under_way = [0] * len(urls)
        self._stock = deque(stock)
        self.sent = Sent()

    async def run(self, rate: int, seconds: float) -> None:
        """Send for so long; returns when each list has been answered."""
        began, pause_s = time.monotonic(), LIST / rate
        async with asyncio.TaskGroup() as tasks:
            for turn in range(int(seconds / pause_s)):
                await asyncio.sleep(max(0.0, began + turn * pause_s - time.monotonic()))
                node = turn % len(self._posters)
                if self._under_way[node] >= AT_ONCE_MAX or len(self._stock) < LIST:
                    self.sent.unsent += 1
                    continue
                orders = [self._stock.popleft() for _ in range(LIST)]
                self._under_way[node] += 1
                tasks.create_task(self._post(node, orders), name=f"post-{turn}")
        for poster in self._posters:
            poster.close()

    async def _post(self, node: int, orders: list[tuple[bytes, bytes]]) -> None:
        moment, sent = time.monotonic(), self.sent
        sent.offered += len(orders)
        body = encode(tuple(raw for _, raw in orders))
        try:
            status, answer = await self._posters[node].post(
                "/transactions", "application/msgpack", body
            )
        finally:
            self._under_way[node] -= 1
        if status != 200:
            sent.answers[f"http-{status}"] += len(orders)
            found = msgspec.json.decode(answer)
            sent.retry_after_ms.append(found["error"]["data"]["retry_after_ms"])
            self._stock.extend(orders)
            return
        items: list[tuple[Any, int, Any, Any]] = msgspec.msgpack.decode(answer)
        for order, (_, item, _, retry_after_ms) in zip(orders, items, strict=True):
            sent.answers[ItemStatus(item).name.lower()] += 1
            if item == ItemStatus.BUSY:
                sent.retry_after_ms.append(retry_after_ms)
                self._stock.append(order)
            else:
                sent.taken[order[0]] = moment


def generate(
    urls: Sequence[str], stock: Sequence[tuple[bytes, bytes]], rate: int, seconds: float
) -> Sent:
    """Run a generator; called in a process of its own."""
    began = time.process_time()
    generator = Generator(urls, stock)
    asyncio.run(generator.run(rate, seconds))
    generator.sent.cpu_s = time.process_time() - began
    return generator.sent


async def phase(
    town: Town, pool: ProcessPoolExecutor, *, rate: int, capacity: int, seconds: float, seed: int
) -> dict[str, Any]:
    """Load the network at a rate; return what became of it."""
    count = int(2 * capacity * seconds) + 20 * AT_ONCE_MAX * LIST
    stock = list(town.transfers(count, valid_s=VALID_S, seed=seed))
    watcher = Watcher(town.posters[0].url, "receipts")
    urls = [poster.url for poster in town.posters]
    memory: list[float] = []
    used = town.cpu_s()
    async with watcher.follow(), asyncio.TaskGroup() as tasks:
        sampling = tasks.create_task(_sample(town, memory), name="memory")
        began = time.monotonic()
        sent = await asyncio.get_running_loop().run_in_executor(
            pool, generate, urls, stock, rate, seconds
        )
        ended = time.monotonic()
        sampling.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await watcher.until(len(sent.taken))
    used = town.cpu_s() - used
    final = read_receipts(watcher.messages).moments
    # The process that sends takes a moment to begin: the first list says when it did.
    began = min(sent.taken.values(), default=began) + WARM_UP_S
    all_waits = [
        (moment, (final[identifier] - moment) * 1000)
        for identifier, moment in sent.taken.items()
        if identifier in final
    ]
    waits = [wait_ms for moment, wait_ms in all_waits if began <= moment]
    return {
        "rate_asked": rate,
        "offered": round(sent.offered / seconds, 1),
        "unsent_lists": sent.unsent,
        "tps": round(
            sum(began <= moment < ended for moment in final.values()) / max(ended - began, 0.1), 1
        ),
        "latency_of_taken_ms": percentiles(waits),
        "latency_from_the_first_ms": percentiles([wait_ms for _, wait_ms in all_waits]),
        "taken": len(sent.taken),
        "taken_and_not_final": sum(identifier not in final for identifier in sent.taken),
        "answers": dict(sent.answers),
        "retry_after_ms": percentiles(sent.retry_after_ms),
        "memory_mb": {"first": memory[0], "highest": max(memory), "last": memory[-1]},
        "validators_cpu_s": round(used, 1),
        "generator_cpu_s": round(sent.cpu_s, 1),
    }


async def _sample(town: Town, memory: list[float]) -> None:
    while True:
        memory.append(max(town.memory_mb().values()))
        await asyncio.sleep(SAMPLE_S)


async def _run(arguments: argparse.Namespace) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        async with running_town(accounts=arguments.accounts) as town:
            phases = []
            for seed, factor in enumerate((1, arguments.factor), start=1):
                phases.append(
                    await phase(
                        town,
                        pool,
                        rate=factor * arguments.capacity,
                        capacity=arguments.capacity,
                        seconds=arguments.seconds,
                        seed=seed,
                    )
                )
            found = await check(town, Plan(), Book(is_complete=False))
    usual, over = phases
    return {
        "processors": os.cpu_count(),
        "at_capacity": usual,
        "overloaded": over,
        "rate_kept": round(over["tps"] / max(usual["tps"], 0.1), 3),
        "latency_ratio": _ratios(usual, over, "latency_of_taken_ms"),
        "latency_ratio_from_the_first": _ratios(usual, over, "latency_from_the_first_ms"),
    } | found


def _ratios(usual: dict[str, Any], over: dict[str, Any], of: str) -> dict[str, float]:
    return {
        share: round(over[of][share] / max(usual[of][share], 0.1), 2) for share in ("p50", "p95")
    }


def main() -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--capacity", type=int, default=2_000, help="transfers a second")
    parser.add_argument("--factor", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each of the two loads")
    parser.add_argument("--accounts", type=int, default=1_000)
    print(json.dumps(asyncio.run(_run(parser.parse_args())), indent=2))


if __name__ == "__main__":
    main()
