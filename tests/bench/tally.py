"""What came of a load: when each order was final on every node, and what follows from that. Pure.

An order counts at the moment when the last of the nodes told of the block that holds it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from tests.bench.orders import ASSETS, Order

IdT = TypeVar("IdT", bytes, str)

DRAINED_S: Final = 2.0
"""A rate is sustained if everything is final so soon after the last order was due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one node's stream of receipts told."""

    moments: Mapping[bytes, float]
    """When each order was first told of."""
    outcomes: Mapping[bytes, int]
    blocks: Sequence[tuple[float, int]]
    """Moment and number of orders, by height."""
    twice: int
    """Receipts of orders that had one already."""


def read_receipts(messages: Iterable[tuple[float, str]]) -> Told:
    """Read what a watcher has kept of the topic `receipts`."""
    moments: dict[bytes, float] = {}
    outcomes: dict[bytes, int] = {}
    blocks, twice = [], 0
    for moment, text in messages:
        params = json.loads(text)["params"]
        if params["type"] != "items":
            continue
        for item in params["items"]:
            receipts = item["value"]["receipts"]
            blocks.append((moment, len(receipts)))
            for identifier, outcome in receipts:
                order_id = bytes.fromhex(identifier)
                if order_id in moments:
                    twice += 1
                    continue
                moments[order_id] = moment
                outcomes[order_id] = outcome
    return Told(moments=moments, outcomes=outcomes, blocks=blocks, twice=twice)


def final_everywhere(due: Mapping[bytes, float], told: Sequence[Told]) -> dict[bytes, float]:
    """Return for each order that every node has told of when the last one did."""
    return {
        order_id: max(each.moments[order_id] for each in told)
        for order_id in due
        if all(order_id in each.moments for each in told)
    }


def window(
    due: Mapping[IdT, float], final: Mapping[IdT, float], start: float, end: float
) -> dict[str, Any]:
    """Return the rate of orders final between two moments, and the latency of those due then."""
    count = sum(start <= moment < end for moment in final.values())
    latencies = [
        (moment - due[order_id]) * 1000
        for order_id, moment in final.items()
        if start <= due[order_id] < end
    ]
    return {
        "final_in_window": count,
        "tps": round(count / (end - start), 1),
        "latency_ms": percentiles(latencies),
    }


def is_sustained(*, submitted: int, final: int, applied: int, drained_s: float) -> bool:
    """Whether the network kept up: everything final and applied, soon after the end."""
    return submitted == final == applied and drained_s <= DRAINED_S


def expected_holdings(
    before: Sequence[Mapping[str, int]], orders: Iterable[Order], applied: set[bytes]
) -> list[dict[str, int]]:
    """Return what each account must hold after these orders, each applied once or not at all.

    Args:
        before: what each held, by asset.
    """
    holdings = [dict(each) for each in before]
    for order in orders:
        if order.id in applied:
            for move in order.moves:
                holdings[move.payer][ASSETS[move.asset]] -= 1
                holdings[move.payee][ASSETS[move.asset]] += 1
    return holdings


def refused(told: Told) -> dict[str, int]:
    """Return how many orders came into a block and were refused there, by code."""
    return {str(code): count for code, count in Counter(told.outcomes.values()).items() if code}


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Return p50, p95, p99 and the largest, in the unit of the values; zeros where none are."""
    ordered = sorted(values)
    if not ordered:
        return {"p50": 0.0, "p95": 0.0, "p99": 0.0, "max": 0.0}

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)

    return {"p50": at(0.50), "p95": at(0.95), "p99": at(0.99), "max": round(ordered[-1], 1)}
