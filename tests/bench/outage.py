"""One validator of four killed under load, and started again: `python -m tests.bench.outage`. JSON.

    --rate 2000 --killed-s 20 --back-s 40 --seconds 70

Real processes, as for `tests.bench.cluster`. The load is an open loop at a fixed rate, to the four
validators in turn; what finds no node goes to the next, as a client does that knows more than one.
What counts is read at a validator that lives on: how many transfers became final a second before
the kill, while one was away, and after its return; how long after the kill the first block came;
the longest time without a block. The returned one has caught up when it has committed what the
other has, a block less at most; that is counted from the start of its process. Afterwards roots,
sums and holdings are compared as in `cluster`; exit code 1 when a check did not hold.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.bench.clients import Poster, Watcher
from tests.bench.load import TICK_S
from tests.bench.measuring import DRAIN_S, TAKEN, VALID_S, Book, Plan, all_held, check
from tests.bench.tally import read_receipts
from tests.bench.town import Town, running_town

WARM_UP_S = 5.0
POLL_S = 0.05
CATCH_UP_S = 60.0
"""Given up after so long."""


class Rerouted:
    """Sends at a fixed rate to whichever node is there."""

    def __init__(self, posters: list[Poster], rate: int) -> None:
        self._posters = posters
        self._rate = rate
        self.answers: Counter[str] = Counter()
        self.rerouted = 0

    async def send(self, stock: Iterator[bytes], seconds: float) -> None:
        """Send for so long; returns when each has been answered."""
        began, sent = time.monotonic(), 0
        async with asyncio.TaskGroup() as tasks:
            for tick in range(int(seconds / TICK_S)):
                await asyncio.sleep(max(0.0, began + tick * TICK_S - time.monotonic()))
                wanted = int((tick + 1) * TICK_S * self._rate)
                raws = [next(stock) for _ in range(wanted - sent)]
                sent = wanted
                tasks.create_task(self._post(tick, raws), name=f"post-{tick}")

    async def _post(self, tick: int, raws: list[bytes]) -> None:
        for attempt in range(len(self._posters)):
            poster = self._posters[(tick + attempt) % len(self._posters)]
            try:
                items = await poster.transactions(raws)
            except (OSError, EOFError):
                self.rerouted += len(raws)
                continue
            self.answers.update(str(status) for _, status, _, _ in items)
            return


@dataclass(kw_only=True)
class Moments:
    """When what happened, on the monotonic clock."""

    began: float = 0.0
    killed: float = 0.0
    started: float = 0.0
    ready: float = 0.0
    caught_up: float = 0.0
    ended: float = 0.0


async def outage(
    town: Town, *, rate: int, killed_s: float, back_s: float, seconds: float, book: Book
) -> dict[str, Any]:
    """Kill the last validator under load and start it again.

    Args:
        book: told what was sent and what of it was applied.
    """
    count = int(rate * seconds)
    book.orders += town.orders(town.clerk(), count, valid_s=VALID_S, seed=1)
    stock = iter([order.raw for order in book.orders])
    load, watcher = Rerouted(town.posters, rate), Watcher(town.posters[0].url, "receipts")
    moments = Moments()
    async with watcher.follow(), asyncio.TaskGroup() as tasks:
        moments.began = time.monotonic()
        sending = tasks.create_task(_send(load, stock, seconds, moments), name="load")
        await asyncio.sleep(killed_s)
        await _kill(town, moments)
        await asyncio.sleep(moments.began + back_s - time.monotonic())
        await _bring_back(town, moments)
        await sending
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await watcher.until(load.answers[TAKEN])
    told = read_receipts(watcher.messages)
    lost = max(0, load.answers[TAKEN] - len(told.moments))
    book.applied |= {order_id for order_id, outcome in told.outcomes.items() if not outcome}
    book.is_complete = not lost
    return _evaluate(watcher, moments) | {
        "rate_asked": rate,
        "answers": dict(load.answers),
        "rerouted": load.rerouted,
        "taken_and_not_final": lost,
        "told_twice": told.twice,
    }


async def _send(load: Rerouted, stock: Iterator[bytes], seconds: float, moments: Moments) -> None:
    """Note also when it ended: blocks are no longer due then, whoever still catches up."""
    await load.send(stock, seconds)
    moments.ended = time.monotonic()


async def _kill(town: Town, moments: Moments) -> None:
    process = town.network.process(town.network.validators[-1].name)
    assert process is not None
    process.signal(signal.SIGKILL)
    moments.killed = time.monotonic()
    await process.kill()


async def _bring_back(town: Town, moments: Moments) -> None:
    victim = town.network.validators[-1].name
    moments.started = time.monotonic()
    town.network.start(victim, leashed=True)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CATCH_UP_S):
            while not await _has_caught_up(town):  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
            moments.caught_up = time.monotonic()
            await town.network.wait_ready(victim)
            moments.ready = time.monotonic()


async def _has_caught_up(town: Town) -> bool:
    try:
        there = (await town.posters[0].call("khz_status"))["height"]
        here = (await town.posters[-1].call("khz_status"))["height"]
    except (OSError, EOFError, RuntimeError):
        return False
    return bool(here >= there - 1)


def _evaluate(watcher: Watcher, moments: Moments) -> dict[str, Any]:
    blocks = [(moment, text.count('["')) for moment, text in watcher.messages]
    times = [moment for moment, _ in blocks]

    def rate(start: float, end: float) -> float:
        found = sum(count for moment, count in blocks if start <= moment < end)
        return round(found / (end - start), 1)

    def longest_gap_ms(start: float, end: float) -> float:
        inside = [start, *(moment for moment in times if start < moment < end), end]
        gaps = (after - before for before, after in itertools.pairwise(inside))
        return round(max(gaps) * 1000, 1)

    before = rate(moments.began + WARM_UP_S, moments.killed)
    away = rate(moments.killed, moments.started)
    first = min((moment for moment in times if moment > moments.killed), default=moments.ended)
    return {
        "rate": {
            "before": before,
            "away": away,
            "share": round(away / max(before, 0.1), 3),
            "back": rate(moments.started, moments.ended),
        },
        "first_block_after_kill_ms": round((first - moments.killed) * 1000, 1),
        "longest_without_a_block_ms": {
            "before": longest_gap_ms(moments.began + WARM_UP_S, moments.killed),
            "away": longest_gap_ms(moments.killed, moments.started),
            "back": longest_gap_ms(moments.started, moments.ended),
        },
        "caught_up_s": round(moments.caught_up - moments.started, 2),
        "ready_s": round(moments.ready - moments.started, 2),
    }


async def _run(arguments: argparse.Namespace) -> dict[str, Any]:
    book = Book()
    async with running_town(accounts=arguments.accounts) as town:
        found = await outage(
            town,
            rate=arguments.rate,
            killed_s=arguments.killed_s,
            back_s=arguments.back_s,
            seconds=arguments.seconds,
            book=book,
        )
        found |= await check(town, Plan(), book)
    return {"processors": os.cpu_count()} | found


def main() -> int:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=int, default=2_000, help="transfers a second")
    parser.add_argument("--killed-s", type=float, default=20.0)
    parser.add_argument("--back-s", type=float, default=40.0)
    parser.add_argument("--seconds", type=float, default=70.0)
    parser.add_argument("--accounts", type=int, default=1_000)
    found = asyncio.run(_run(parser.parse_args()))
    print(json.dumps(found, indent=2))
    return 0 if all_held([found]) else 1


if __name__ == "__main__":
    sys.exit(main())
