"""The closing table. What it says is read from the nodes, not remembered."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from math import inf
from typing import Final

from node.cli.demo.primary import BILL
from node.cli.demo.refusals import outcome_name
from node.cli.demo.retail import latencies_ms
from node.cli.demo.stage import Actor, Stage, root_at
from node.client import Client

CALLS_AT_ONCE: Final = 8
"""For each node: it answers a caller some hundreds of times a second."""


async def close(stage: Stage) -> None:
    """Check it; leave the table with the stage, as one object."""
    narrator = stage.narrator
    height, roots = await _state_roots(stage)
    narrator.check(
        f"every node has the same state after block {height}",
        holds=len(set(roots.values())) == 1,
        found=next(iter(roots.values()))[:16],
    )
    with narrator.doing("adding up every holding"):
        assets = await _add_up(stage)
    for asset in assets:
        narrator.check(
            f"supply of {asset['asset']} is the sum of its holdings",
            holds=asset["supply"] == asset["holdings"],
            found=asset["supply"],
        )
    outcomes = Counter(stage.outcomes.values())
    stage.closing = {
        "height": height,
        "transactions": {outcome_name(code): count for code, count in sorted(outcomes.items())},
        "latency_ms": {
            "all_validators": _percentiles(
                latencies_ms(stage, after_s=-inf, before_s=stage.killed_at)
            ),
            "one_of_four_dead": _percentiles(
                latencies_ms(stage, after_s=stage.killed_at, before_s=inf)
            ),
        },
        "state_roots": roots,
        "assets": assets,
    }


async def _state_roots(stage: Stage) -> tuple[int, dict[str, str]]:
    """Return the state root of each node after the highest block that one of them has now."""
    height = max([(await client.status()).height for client in stage.clients])
    roots = {}
    for node in stage.network.nodes.values():
        async with Client(node.url, network=stage.known) as client:
            roots[node.name] = await root_at(client, height)
    return height, roots


async def _add_up(stage: Stage) -> list[dict[str, str]]:
    """Return supply and sum of holdings of each asset that nobody but those who play can have."""
    sums: dict[str, Decimal] = {}
    actors = list(stage.actors())
    async with asyncio.TaskGroup() as tasks:
        for number, client in enumerate(stage.clients):
            mine = actors[number :: len(stage.clients)]
            for lane in range(CALLS_AT_ONCE):
                tasks.create_task(
                    _add(client, mine[lane::CALLS_AT_ONCE], sums), name=f"demo-sum-{number}-{lane}"
                )
    found = [
        asset
        for asset in (await stage.client.assets()).value
        if stage.is_alone or asset.asset == BILL
    ]
    return [
        {
            "asset": asset.asset,
            "supply": str(asset.supply),
            "holdings": str(sums.get(asset.asset, Decimal(0))),
        }
        for asset in found
    ]


async def _add(client: Client, actors: Sequence[Actor], sums: dict[str, Decimal]) -> None:
    for actor in actors:
        for holding in (await client.holdings(actor.address)).value:
            sums[holding.asset] = sums.get(holding.asset, Decimal(0)) + holding.total


def _percentiles(ordered: Sequence[float]) -> dict[str, float]:
    if not ordered:
        return {}
    return {
        name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)
        for name, share in (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))
    }
