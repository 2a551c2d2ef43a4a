"""What a whole network does on this machine: `python -m tests.bench.cluster`. Prints JSON.

Four validators as processes of their own, with TLS and LevelDB, on the processors that the load
shares with them. Transfers are signed beforehand and sent in an open loop: at a fixed rate, a
fortieth of a second's worth at a time, to the four validators in turn, whatever they answer. A
transfer counts when it is final and applied on **all four**; its latency runs from the moment it
was due to be sent to the moment the last validator told of the block that holds it.

    --rate 2000 --seconds 60            the figure the project has to reach
    --idle --seconds 20                 one transaction at a time on an idle network
    --accounts 100000 --minutes 10 --rate 300     memory of a validator under load

Afterwards the state roots of every height are compared, and the supply with the sum of holdings.
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tests.bench.clients import Poster, Watcher, percentiles
from tests.bench.town import Town, running_town

TICK_S = 0.025
DRAIN_S = 30.0
"""How long after the last submission everything may take to become final."""
WINDOW_S = 590.0
"""Validity of what is signed beforehand: the network takes ten minutes."""


class Load:
    """Sends at a fixed rate and remembers when each transfer was due."""

    def __init__(self, posters: Sequence[Poster], rate: int) -> None:
        self._posters = posters
        self._rate = rate
        self.due: dict[bytes, float] = {}
        self.answers: Counter[str] = Counter()
        self.late_s = 0.0
        """The furthest that a batch left behind its time."""

    async def send(self, stock: Iterator[tuple[bytes, bytes]], count: int) -> None:
        """Send so many transfers; returns when each has been answered."""
        began = time.monotonic()
        sent = 0
        async with asyncio.TaskGroup() as tasks:
            for tick in range(1_000_000):
                due = began + tick * TICK_S
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                self.late_s = max(self.late_s, time.monotonic() - due)
                wanted = min(count, int((tick + 1) * TICK_S * self._rate))
                batch = [next(stock) for _ in range(wanted - sent)]
                sent = wanted
                self.due |= {identifier: due for identifier, _ in batch}
                poster = self._posters[tick % len(self._posters)]
                raws = [raw for _, raw in batch]
                tasks.create_task(self._post(poster, raws), name=f"post-{tick}")
                if sent == count:
                    return

    async def _post(self, poster: Poster, raws: list[bytes]) -> None:
        if not raws:
            return
        try:
            items = await poster.transactions(raws)
        except OSError as error:
            self.answers[type(error).__name__] += len(raws)
            return
        for _, status, outcome, _ in items:
            self.answers[f"{status}" if outcome is None else f"{status}/{outcome}"] += 1


async def under_load(town: Town, *, rate: int, seconds: float) -> dict[str, Any]:
    """Measure the network at a fixed rate."""
    count = int(rate * seconds)
    # A long run signs as it goes: what is signed beforehand would expire, and fill the memory.
    beforehand = seconds <= 120
    stock: Iterator[tuple[bytes, bytes]] = (
        iter(list(town.transfers(count, valid_s=WINDOW_S, seed=1)))
        if beforehand
        else _fresh(town, count)
    )
    load = Load(town.posters, rate)
    watchers = [Watcher(poster.url, "receipts") for poster in town.posters]
    used, ours = town.cpu_s(), _own_cpu_s()
    began = time.monotonic()
    async with contextlib.AsyncExitStack() as stack:
        for watcher in watchers:
            await stack.enter_async_context(watcher.follow())
        await load.send(stock, count)
        took = time.monotonic() - began
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                for watcher in watchers:
                    await watcher.until(count)
        memory = town.memory_mb()
        used, ours = town.cpu_s() - used, _own_cpu_s() - ours
    return _evaluate(load, watchers, count, began, took) | {
        "rate_asked": rate,
        "seconds_of_load": round(took, 1),
        "validators_cpu_s": round(used, 1),
        "generator_cpu_s": round(ours, 1),
        "memory_mb": memory,
    }


def _evaluate(
    load: Load, watchers: Sequence[Watcher], count: int, began: float, took: float
) -> dict[str, Any]:
    final: list[dict[bytes, float]] = []
    outcomes: Counter[int] = Counter()
    heights = 0
    for watcher in watchers:
        seen = {}
        blocks = watcher.items()
        heights = len(blocks)
        for moment, item in blocks:
            for identifier, outcome in item["receipts"]:
                seen[bytes.fromhex(identifier)] = moment
                outcomes[outcome] += watcher is watchers[0]
        final.append(seen)
    everywhere = {
        identifier: max(seen[identifier] for seen in final)
        for identifier in load.due
        if all(identifier in seen for seen in final)
    }
    last = max(everywhere.values(), default=began)
    latencies = [
        (moment - load.due[identifier]) * 1000 for identifier, moment in everywhere.items()
    ]
    return {
        "submitted": count,
        "final_on_all": len(everywhere),
        "applied": outcomes.get(0, 0),
        "refused": {str(code): n for code, n in outcomes.items() if code},
        "answers": dict(load.answers),
        "tps": round(len(everywhere) / max(last - began, 0.001), 1),
        "latency_ms": percentiles(latencies),
        "blocks": heights,
        "transactions_per_block": round(count / max(heights, 1), 1),
        "generator_late_ms": round(load.late_s * 1000, 1),
        "drained_in_s": round(last - began - took, 2),
    }


async def when_idle(town: Town, *, seconds: float) -> dict[str, Any]:
    """Measure one transaction at a time, submitted to each validator in turn."""
    latencies = []
    began = time.monotonic()
    for number, (_, raw) in enumerate(town.transfers(10_000, valid_s=WINDOW_S, seed=2)):
        if time.monotonic() - began > seconds:
            break
        poster = town.posters[number % len(town.posters)]
        start = time.monotonic()
        await poster.call("khz_submit", transaction=raw.hex(), wait="final", timeout_ms=20_000)
        latencies.append((time.monotonic() - start) * 1000)
        await asyncio.sleep(0.1)  # Let the network fall idle again.
    return {"transactions": len(latencies), "latency_ms": percentiles(latencies)}


async def same_everywhere(town: Town) -> dict[str, Any]:
    """Compare the state roots of the last common height, and supply with holdings."""
    statuses = [await poster.call("khz_status") for poster in town.posters]
    height = min(status["height"] for status in statuses)
    blocks = [await poster.call("khz_block", height=height) for poster in town.posters]
    roots = {block["header"]["state_root"] for block in blocks}
    supply, held = await town.supply()
    return {
        "height": height,
        "state_roots_equal": len(roots) == 1,
        "supply_paisa": supply,
        "holdings_paisa": held,
        "conserved": supply == held,
    }


def _fresh(town: Town, count: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield transfers signed shortly before they are sent."""
    for start in range(0, count, 1_000):
        yield from town.transfers(min(1_000, count - start), valid_s=WINDOW_S, seed=start + 3)


def _own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _run(arguments: argparse.Namespace) -> dict[str, Any]:
    seconds = arguments.minutes * 60 if arguments.minutes else arguments.seconds
    async with running_town(accounts=arguments.accounts) as town:
        measured = (
            await when_idle(town, seconds=seconds)
            if arguments.idle
            else await under_load(town, rate=arguments.rate, seconds=seconds)
        )
        measured |= await same_everywhere(town)
    return {
        "accounts": arguments.accounts,
        "processors": os.cpu_count(),
        "mode": "idle" if arguments.idle else "load",
    } | measured


def main() -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=int, default=2_000, help="transfers a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--minutes", type=float, default=0.0, help="instead of --seconds")
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--idle", action="store_true", help="one transaction at a time")
    print(json.dumps(asyncio.run(_run(parser.parse_args())), indent=2))


if __name__ == "__main__":
    main()
