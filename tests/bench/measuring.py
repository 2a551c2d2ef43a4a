"""One measurement of a running network under load: warm-up, window, drain, and the checks after.

Everything is signed before the load begins, but for loads of many minutes. What the validators used
is sampled at both ends of the window.
"""

import asyncio
import contextlib
import gc
import os
import resource
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.bench import tally
from tests.bench.clients import Watcher
from tests.bench.costs import Sample, costs, sample, share_of_bound
from tests.bench.load import Load
from tests.bench.orders import ASSETS, Kind, Order
from tests.bench.town import FUNDS, Town

DRAIN_S: Final = 60.0
"""How long after the last order everything that was taken may take to become final."""
VALID_S: Final = 590.0
"""Validity of what is signed beforehand: the network takes ten minutes."""
POLL_S: Final = 0.2
TAKEN: Final = "0"
"""The answer to an order that waits for a block now."""
CHECKS: Final = ("state_roots_equal", "conserved", "holdings_exact")
"""What `check` finds: a figure that goes with a false one is none."""
SIGNED_BEFORE_S: Final = 130.0
"""A longer load signs as it goes: what is signed beforehand would expire, and fill the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send."""

    kind: Kind = Kind.TRANSFER
    size_bytes: int | None = None
    warm_up_s: float = 20.0
    window_s: float = 60.0

    @property
    def assets(self) -> tuple[str, ...]:
        """What the accounts have to hold."""
        return ASSETS if self.kind is Kind.DVP else ASSETS[:1]


@dataclass(slots=True)
class Book:
    """What was ever sent to a network, and what it applied of that: for `check`."""

    orders: list[Order] = field(default_factory=list)
    applied: set[bytes] = field(default_factory=set)
    is_complete: bool = True
    """False once orders were not kept, or some were not final when nobody waited any more."""
    measurements: int = 0
    before: list[dict[str, int]] | None = None
    """What each account held before any of it; None: what a new town gives it."""


async def measure(
    town: Town, plan: Plan, *, rate: int, verify_us: float, book: Book
) -> dict[str, Any]:
    """Send at this rate for warm-up and window; return what came of it."""
    seconds = plan.warm_up_s + plan.window_s
    count = int(rate * seconds)
    book.measurements += 1
    stock: Iterator[Order] = _signed(town, plan, count, book.measurements)
    if seconds <= SIGNED_BEFORE_S:
        orders = list(stock)
        book.orders += orders
        stock = iter(orders)
        size_bytes = sum(len(order.raw) for order in orders) / max(count, 1)
        # A stock of some 100,000 orders is no garbage: looking through it would delay the load.
        gc.collect()
        gc.freeze()
    else:
        size_bytes = len(next(_signed(town, plan, 1, 0)).raw)
        book.is_complete = False
    load = Load(town.posters, rate)
    watchers = [Watcher(poster.url, "receipts") for poster in town.posters]
    own_s = _own_cpu_s()
    async with contextlib.AsyncExitStack() as stack:
        for watcher in watchers:
            await stack.enter_async_context(watcher.follow())
        began = time.monotonic()
        start, end = began + plan.warm_up_s, began + seconds
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(_sample_at(town, start), name="sample-start")
            last = tasks.create_task(_sample_at(town, end), name="sample-end")
            tasks.create_task(load.send(stock, count), name="load")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                for watcher in watchers:
                    await watcher.until(load.answers[TAKEN])
        memory = town.memory_mb()
    own_s = _own_cpu_s() - own_s
    gc.unfreeze()
    told = [tally.read_receipts(watcher.messages) for watcher in watchers]
    final = tally.final_everywhere(load.due, told)
    applied = {order_id for order_id, outcome in told[0].outcomes.items() if not outcome}
    book.applied |= applied
    book.is_complete = book.is_complete and len(final) == load.answers[TAKEN]
    drained_s = max(0.0, max(final.values(), default=end) - end)
    row = tally.window(load.due, final, start, end)
    cores, validators = os.cpu_count() or 1, len(town.posters)
    return (
        {"rate_asked": rate}
        | row
        | {
            "sustained": tally.is_sustained(
                submitted=count, final=len(final), applied=len(applied), drained_s=drained_s
            ),
            "share_of_signature_bound": share_of_bound(
                validators=validators,
                tps=row["tps"],
                verify_us=verify_us,
                signers=plan.kind.signers,
                cores=cores,
            ),
            "submitted": count,
            "final_on_all": len(final),
            "applied": len(applied),
            "refused_in_blocks": tally.refused(told[0]),
            "told_twice": sum(each.twice for each in told),
            "answers": dict(load.answers),
            "drained_in_s": round(drained_s, 2),
            "blocks": len(told[0].blocks),
            "transactions_per_block": round(len(final) / max(len(told[0].blocks), 1), 1),
            "transaction_bytes": round(size_bytes, 1),
        }
        | _costs(first.result(), last.result(), plan, town, row, size_bytes, verify_us)
        | {
            "generator_cpu_s": round(own_s, 1),
            "generator_late_ms": round(load.late_s * 1000, 1),
            "memory_mb": memory,
        }
    )


async def check(town: Town, plan: Plan, book: Book) -> dict[str, Any]:
    """Compare the nodes with each other, and what everyone holds with what was sent."""
    statuses = await _quiet(town)
    height = min(status["height"] for status in statuses)
    blocks = [await poster.call("khz_block", height=height) for poster in town.posters]
    holdings = await town.holdings()
    conserved = True
    for asset in plan.assets:
        held = sum(each.get(asset, 0) for each in holdings) + town.held_by_others
        conserved = conserved and held == await town.supply_of(asset)
    found: dict[str, Any] = {
        "height": height,
        "state_roots_equal": len({block["header"]["state_root"] for block in blocks}) == 1,
        "conserved": conserved,
    }
    if book.is_complete:
        before = book.before or [dict.fromkeys(plan.assets, FUNDS) for _ in town.addresses]
        expected = tally.expected_holdings(before, book.orders, book.applied)
        # An order applied twice, or half, would show in what its accounts hold.
        found["holdings_exact"] = holdings == expected
    return found


def all_held(rows: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether every check of these held that was made, and nothing was told twice."""
    return all(
        all(row.get(name, True) for name in CHECKS)
        and not row.get("told_twice")
        and all_held(row.get("rows", ()))
        for row in rows
    )


async def _quiet(town: Town) -> list[dict[str, Any]]:
    """Return the nodes' statuses once they agree and nothing waits, or after a while: what is read
    while blocks come is of different heights, and cannot add up.
    """
    deadline = time.monotonic() + DRAIN_S
    while True:
        statuses = [await poster.call("khz_status") for poster in town.posters]
        waiting = sum(status["mempool"]["transactions"] for status in statuses)
        agree = len({status["height"] for status in statuses}) == 1
        if (agree and not waiting) or time.monotonic() > deadline:
            return statuses
        await asyncio.sleep(POLL_S)


async def when_idle(town: Town, *, seconds: float) -> dict[str, Any]:
    """Measure one transfer at a time, submitted to each validator in turn."""
    latencies = []
    began = time.monotonic()
    stock = town.orders(town.clerk(), 10_000, valid_s=VALID_S, seed=2)
    for number, order in enumerate(stock):
        if time.monotonic() - began > seconds:
            break
        poster = town.posters[number % len(town.posters)]
        start = time.monotonic()
        await poster.call(
            "khz_submit", transaction=order.raw.hex(), wait="final", timeout_ms=20_000
        )
        latencies.append((time.monotonic() - start) * 1000)
        await asyncio.sleep(0.1)  # Let the network fall idle again.
    return {"transactions": len(latencies), "latency_ms": tally.percentiles(latencies)}


def _signed(town: Town, plan: Plan, count: int, seed: int) -> Iterator[Order]:
    """Yield orders, a thousand signed at a time."""
    clerk = town.clerk(kind=plan.kind, size_bytes=plan.size_bytes)
    for start in range(0, count, 1_000):
        yield from town.orders(
            clerk, min(1_000, count - start), valid_s=VALID_S, seed=seed * 1_000_000 + start
        )


async def _sample_at(town: Town, moment: float) -> Sample:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
    return await sample(town)


def _costs(
    first: Sample,
    last: Sample,
    plan: Plan,
    town: Town,
    row: dict[str, Any],
    size_bytes: float,
    verify_us: float,
) -> dict[str, Any]:
    return costs(
        first,
        last,
        transactions=row["final_in_window"],
        validators=len(town.posters),
        size_bytes=size_bytes,
        verify_us=verify_us,
        signers=plan.kind.signers,
    )


def _own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
