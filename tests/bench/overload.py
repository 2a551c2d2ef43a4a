"""Ten times as much as a network can take: `python -m tests.bench.overload --capacity 2000`. JSON.

Four validators as processes, as for `tests.bench.cluster`; the load comes from a process of its
own, over many kept connections, in an open loop: lists of transfers at a fixed rate to the
validators in turn (`flood.py`). Four loads, one after the other on one network:

`at_capacity`     what it can take, which `--capacity` says
`refused_beside`  as much, and nine times that in the same bytes to a process beside the nodes that
                  refuses all of it at once: what sending and receiving so much takes by itself
`overloaded`      ten times as much to the nodes, from clients who send on whatever they are told
`obeyed`          the same due, from clients who come back when they were told to and not before

What was refused is offered again later; how often it was is counted, and when it was told to come
back. The latency of a transfer runs from the moment the list that was taken was sent to the moment
a validator told of its block.

All loads are measured alike: from three seconds after their first list on, to their last. Those
first seconds are when a network that was idle finds out that it is offered too much, so the latency
and its ratio are given once more with them, for whoever asks what the change itself costs.

The generator shares the processors with the nodes: `offered` says how much it really sent,
`generator_cpu_s` what that took. `rate_kept` compares with `at_capacity`, `rate_kept_beside` is how
much of it is left where the flood is refused by others, and `rate_kept_of_that` what refusing takes
of the rest. Afterwards the state roots of the validators are compared, the supply with the sum of
holdings, what each account holds with what it must hold, and everything that was taken has to be
final, once. Exit code 1 when one of these does not hold.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from tests.bench.clients import Watcher
from tests.bench.costs import budget_table, costs, sample
from tests.bench.flood import AT_ONCE_MAX, LIST, generate, refusing
from tests.bench.machine import verify_us
from tests.bench.measuring import DRAIN_S, VALID_S, Book, Plan, all_held, check
from tests.bench.tally import percentiles, read_receipts
from tests.bench.town import Town, running_town

WARM_UP_S: Final = 3.0
SAMPLE_S: Final = 1.0
STOCK_SHARE: Final = 1.5
"""Of what can be taken in the time, is signed beforehand; and what may be under way twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One load."""

    name: str
    factor: int = 1
    beside: bool = False
    """Whether all but the first part of it goes to the refuser."""
    obeys: bool = False


async def load(
    town: Town,
    pool: ProcessPoolExecutor,
    phase: Phase,
    *,
    capacity: int,
    seconds: float,
    verification_us: float,
    book: Book,
) -> dict[str, Any]:
    """Load the network; return what became of it."""
    count = int(STOCK_SHARE * capacity * seconds) + 2 * 5 * AT_ONCE_MAX * LIST
    book.measurements += 1
    orders = list(town.orders(town.clerk(), count, valid_s=VALID_S, seed=book.measurements))
    book.orders += orders
    watcher = Watcher(town.posters[0].url, "receipts")
    memory: list[float] = []
    before = await sample(town)
    async with watcher.follow(), refusing() as refuser, asyncio.TaskGroup() as tasks:
        sampling = tasks.create_task(_sample(town, memory), name="memory")
        sent = await asyncio.get_running_loop().run_in_executor(
            pool,
            partial(
                generate,
                [poster.url for poster in town.posters],
                [(order.id, order.raw) for order in orders],
                rate=phase.factor * capacity,
                seconds=seconds,
                factor=phase.factor,
                refuser=refuser if phase.beside else None,
                obeys=phase.obeys,
            ),
        )
        sampling.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await watcher.until(len(sent.taken))
    after = await sample(town)
    told = read_receipts(watcher.messages)
    final = told.moments
    book.applied |= {order_id for order_id, outcome in told.outcomes.items() if not outcome}
    unfinished = sum(identifier not in final for identifier in sent.taken)
    book.is_complete = book.is_complete and not unfinished
    # The process that sends takes a moment to begin: the first list says when it did.
    first = min(sent.taken.values(), default=0.0)
    began, ended = first + WARM_UP_S, first + seconds
    all_waits = [
        (moment, (final[identifier] - moment) * 1000)
        for identifier, moment in sent.taken.items()
        if identifier in final
    ]
    waits = [wait_ms for moment, wait_ms in all_waits if began <= moment]
    return {
        "rate_asked": phase.factor * capacity,
        "offered": round(sent.offered / seconds, 1),
        "refused_beside": round(sent.elsewhere * LIST / seconds, 1),
        "unsent_lists": sent.unsent,
        "tps": _rate(final, began, ended),
        "tps_from_the_first": _rate(final, first, ended),
        "latency_of_taken_ms": percentiles(waits),
        "latency_from_the_first_ms": percentiles([wait_ms for _, wait_ms in all_waits]),
        "taken": len(sent.taken),
        "taken_and_not_final": unfinished,
        "told_twice": told.twice,
        "answers": dict(sent.answers),
        "retry_after_ms": percentiles(sent.retry_after_ms),
        "memory_mb": {"first": memory[0], "highest": max(memory), "last": memory[-1]},
        "blocks": len(told.blocks),
        "transactions_per_block": round(len(final) / max(len(told.blocks), 1), 1),
        "validators_cpu_s": round(after.cpu_s - before.cpu_s, 1),
        "generator_cpu_s": round(sent.cpu_s, 2),
        "generator_late_ms": round(sent.late_s * 1000, 1),
    } | costs(
        before,
        after,
        transactions=len(final),
        validators=len(town.posters),
        size_bytes=sum(len(order.raw) for order in orders) / count,
        verify_us=verification_us,
        signers=1,
    )


def _rate(final: Mapping[bytes, float], began: float, ended: float) -> float:
    return round(sum(began <= moment < ended for moment in final.values()) / (ended - began), 1)


async def _sample(town: Town, memory: list[float]) -> None:
    while True:
        memory.append(max(town.memory_mb().values()))
        await asyncio.sleep(SAMPLE_S)


async def _run(arguments: argparse.Namespace) -> dict[str, Any]:
    factor = arguments.factor
    phases = (
        Phase(name="at_capacity"),
        Phase(name="refused_beside", factor=factor, beside=True),
        Phase(name="overloaded", factor=factor),
        Phase(name="obeyed", factor=factor, obeys=True),
    )
    book, found, verification_us = Book(), {}, verify_us()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        async with running_town(accounts=arguments.accounts) as town:
            for phase in phases:
                found[phase.name] = await load(
                    town,
                    pool,
                    phase,
                    capacity=arguments.capacity,
                    seconds=arguments.seconds,
                    verification_us=verification_us,
                    book=book,
                )
            checks = await check(town, Plan(), book)
    usual, beside, over, obeyed = found.values()
    return (
        {"processors": os.cpu_count(), "verify_us": verification_us}
        | found
        | {
            "rate_kept": _share(over, usual, "tps"),
            "rate_kept_from_the_first": _share(over, usual, "tps_from_the_first"),
            "rate_kept_beside": _share(beside, usual, "tps"),
            "rate_kept_of_that": _share(over, beside, "tps"),
            "rate_kept_obeyed": _share(obeyed, usual, "tps"),
            "latency_ratio": _ratios(usual, over, "latency_of_taken_ms"),
            "latency_ratio_from_the_first": _ratios(usual, over, "latency_from_the_first_ms"),
            "latency_ratio_beside": _ratios(usual, beside, "latency_of_taken_ms"),
            "latency_ratio_obeyed": _ratios(usual, obeyed, "latency_of_taken_ms"),
            "told_twice": sum(each["told_twice"] for each in found.values()),
            "taken_and_not_final": sum(each["taken_and_not_final"] for each in found.values()),
        }
        | checks
    )


def holds(found: dict[str, Any]) -> bool:
    """Return whether every check held, and everything that was taken became final, once."""
    return all_held([found]) and not found["taken_and_not_final"]


def _share(of: dict[str, Any], against: dict[str, Any], name: str) -> float:
    share: float = of[name] / max(against[name], 0.1)
    return round(share, 3)


def _ratios(usual: dict[str, Any], over: dict[str, Any], of: str) -> dict[str, float]:
    return {
        share: round(over[of][share] / max(usual[of][share], 0.1), 2) for share in ("p50", "p95")
    }


def main() -> int:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--capacity", type=int, default=2_000, help="transfers a second")
    parser.add_argument("--factor", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each of the four loads")
    parser.add_argument("--accounts", type=int, default=1_000)
    found = asyncio.run(_run(parser.parse_args()))
    print(json.dumps(found, indent=2))
    rows = [found[name] for name in ("at_capacity", "refused_beside", "overloaded", "obeyed")]
    print(budget_table(rows), file=sys.stderr)
    return 0 if holds(found) else 1


if __name__ == "__main__":
    sys.exit(main())
