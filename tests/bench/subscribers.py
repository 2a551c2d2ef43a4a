"""What subscribers cost consensus: `python -m tests.bench.subscribers --subscribers 1000`. JSON.

Four validators and an observer as processes under a steady load. First nobody follows; then so many
WebSocket subscribers follow blocks and receipts at the observer, which is where subscribers belong,
or with `--on validator` at the first validator. They are held by a process of their own that reads
and counts what comes. What is compared is told by another validator: the intervals between blocks,
and the time from the sending of a transfer to its block. The processor time of the followed node,
beyond what it takes with nobody, says what telling one subscriber of one block costs; `told_after`
is how long after that validator the subscribers were told of each block. Readers, load and nodes
share the processors.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from typing import Any, Final

from node.provision.local import LocalNode
from tests.bench.clients import Poster, Watcher
from tests.bench.followers import Followed, follow
from tests.bench.load import Load
from tests.bench.measuring import VALID_S
from tests.bench.tally import percentiles, read_receipts
from tests.bench.town import Town, running_town

JOIN_S: Final = 20.0
"""In which all have to be subscribed."""

_HEIGHT: Final = re.compile(r'"cursor":"(\d+)-1","topic":"receipts"')


async def loaded(
    town: Town, node: LocalNode, *, rate: int, seconds: float, seed: int
) -> tuple[dict[str, Any], dict[int, float]]:
    """Load the network; return what the second validator tells of it, and when of each height.

    Args:
        node: whose processor time is told.
    """
    clerk = town.clerk()
    orders = list(town.orders(clerk, int(rate * seconds), valid_s=VALID_S, seed=seed))
    load, watcher = Load(town.posters, rate), Watcher(town.posters[1].url, "receipts")
    used = town.cpu_s(node)
    async with watcher.follow():
        await load.send(iter(orders), len(orders))
        async with asyncio.timeout(60):
            await watcher.until(len(orders))
    told = read_receipts(watcher.messages)
    times = [moment for moment, _ in told.blocks]
    waits = [(told.moments[each] - due) * 1000 for each, due in load.due.items()]
    moments = {
        int(height): moment for moment, text in watcher.messages for height in _HEIGHT.findall(text)
    }
    return {
        "blocks": len(times),
        "block_interval_ms": percentiles([(b - a) * 1000 for a, b in pairwise(times)]),
        "latency_ms": percentiles(waits),
        "cpu_s_of_the_followed": round(town.cpu_s(node) - used, 2),
    }, moments


async def _run(arguments: argparse.Namespace) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    rate, seconds, count = arguments.rate, arguments.seconds, arguments.subscribers
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        async with running_town(accounts=100, observers=1) as town:
            (observer,) = town.observers
            node = observer if arguments.on == "observer" else town.network.validators[0]
            alone, _ = await loaded(town, node, rate=rate, seconds=seconds, seed=1)
            following = asyncio.get_running_loop().run_in_executor(
                pool, follow, node.url, count, JOIN_S + seconds
            )
            await _until_subscribed(node, count)
            followed, moments = await loaded(town, node, rate=rate, seconds=seconds, seed=2)
            told = await following
    return {
        "processors": os.cpu_count(),
        "rate": rate,
        "on": arguments.on,
        "subscribers": count,
        "without": alone,
        "with": followed | _serving(alone, followed, told, moments, count),
    }


def _serving(
    alone: dict[str, Any],
    followed: dict[str, Any],
    told: Followed,
    moments: dict[int, float],
    count: int,
) -> dict[str, Any]:
    beyond_s = followed["cpu_s_of_the_followed"] - alone["cpu_s_of_the_followed"]
    tellings = sum(told.blocks[height] for height in moments)
    return {
        "told_of_every_block": all(told.blocks[height] == count for height in moments),
        "us_per_block_and_subscriber": round(beyond_s * 1e6 / max(tellings, 1), 1),
        "told_after_ms": percentiles(
            [
                (moment - moments[height]) * 1000
                for height, moment in told.moments
                if height in moments
            ]
        ),
        "messages": told.messages,
        "bytes": told.bytes,
        "subscribers_cpu_s": round(told.cpu_s, 1),
    }


async def _until_subscribed(node: LocalNode, count: int) -> None:
    deadline = time.monotonic() + JOIN_S
    wanted, poster = f"khazana_subscribers {count}".encode(), Poster(node.url)
    while wanted not in await poster.get("/metrics"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not {count} subscribers within {JOIN_S} s")
        await asyncio.sleep(0.2)
    poster.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--subscribers", type=int, default=1_000)
    parser.add_argument("--on", choices=("observer", "validator"), default="observer")
    parser.add_argument("--rate", type=int, default=500, help="transfers a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each of the two loads")
    print(json.dumps(asyncio.run(_run(parser.parse_args(arguments))), indent=2))


if __name__ == "__main__":
    main()
