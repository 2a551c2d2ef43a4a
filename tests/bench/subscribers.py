"""What subscribers cost consensus: `python -m tests.bench.subscribers --subscribers 1000`. JSON.

Four validators as processes under a steady load. The first is followed by nobody, then by so many
WebSocket subscribers of blocks and receipts, held by a process of their own that reads and drops
what comes. What is compared is told by another validator: the intervals between blocks, and the
time from the sending of a transfer to its block. The first validator's processor time says what
serving them takes.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from typing import Any, Final

import aiohttp

from tests.bench.clients import Watcher
from tests.bench.load import Load
from tests.bench.machine import cpu_seconds
from tests.bench.measuring import VALID_S
from tests.bench.tally import percentiles, read_receipts
from tests.bench.town import Town, running_town

PER_ADDRESS: Final = 250
"""A node serves no more subscribers of one address: these come from 127.0.0.2 and following."""
JOIN_S: Final = 20.0
"""In which all have to be subscribed."""


async def _follow(url: str, count: int, seconds: float) -> dict[str, int]:
    request = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "khz_subscribe",
        "params": {"topics": ["blocks", "receipts"]},
    }
    told = {"subscribed": 0, "messages": 0, "bytes": 0}

    async def one(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(url, max_msg_size=0) as socket:
            await socket.send_json(request)
            async for message in socket:
                if '"result"' in message.data[:60]:
                    told["subscribed"] += 1
                told["messages"] += 1
                told["bytes"] += len(message.data)

    sessions = []
    tasks = []
    for first in range(0, count, PER_ADDRESS):
        address = (f"127.0.0.{2 + first // PER_ADDRESS}", 0)
        connector = aiohttp.TCPConnector(limit=0, local_addr=address)
        session = aiohttp.ClientSession(connector=connector)
        sessions.append(session)
        tasks += [one(session) for _ in range(min(PER_ADDRESS, count - first))]
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(*tasks)
    except TimeoutError:
        pass
    finally:
        for session in sessions:
            await session.close()
    return told


def follow(url: str, count: int, seconds: float) -> dict[str, int]:
    """Subscribe so many times and read for so long; called in a process of its own."""
    return asyncio.run(_follow(url, count, seconds))


async def loaded(town: Town, *, rate: int, seconds: float, seed: int) -> dict[str, Any]:
    """Load the network; return what the second validator tells of it."""
    clerk = town.clerk()
    orders = list(town.orders(clerk, int(rate * seconds), valid_s=VALID_S, seed=seed))
    load, watcher = Load(town.posters, rate), Watcher(town.posters[1].url, "receipts")
    process = town.network.process(town.network.validators[0].name)
    assert process is not None
    used = cpu_seconds(process.pid)
    async with watcher.follow():
        await load.send(iter(orders), len(orders))
        async with asyncio.timeout(60):
            await watcher.until(len(orders))
    told = read_receipts(watcher.messages)
    times = [moment for moment, _ in told.blocks]
    waits = [(told.moments[each] - due) * 1000 for each, due in load.due.items()]
    return {
        "blocks": len(times),
        "block_interval_ms": percentiles([(b - a) * 1000 for a, b in pairwise(times)]),
        "latency_ms": percentiles(waits),
        "cpu_s_of_the_followed": round(cpu_seconds(process.pid) - used, 2),
    }


async def _run(arguments: argparse.Namespace) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    rate, seconds, count = arguments.rate, arguments.seconds, arguments.subscribers
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        async with running_town(accounts=100) as town:
            alone = await loaded(town, rate=rate, seconds=seconds, seed=1)
            url = town.posters[0].url.replace("http", "ws", 1) + "/ws"
            following = asyncio.get_running_loop().run_in_executor(
                pool, follow, url, count, JOIN_S + seconds
            )
            await _until_subscribed(town, count)
            followed = await loaded(town, rate=rate, seconds=seconds, seed=2)
            told = await following
    return {
        "processors": os.cpu_count(),
        "rate": rate,
        "without": alone,
        "with": followed | {"subscribers": count} | told,
    }


async def _until_subscribed(town: Town, count: int) -> None:
    deadline = time.monotonic() + JOIN_S
    wanted = f"khazana_subscribers {count}".encode()
    while wanted not in await town.posters[0].get("/metrics"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not {count} subscribers within {JOIN_S} s")
        await asyncio.sleep(0.2)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--subscribers", type=int, default=1_000)
    parser.add_argument("--rate", type=int, default=500, help="transfers a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each of the two loads")
    print(json.dumps(asyncio.run(_run(parser.parse_args(arguments))), indent=2))


if __name__ == "__main__":
    main()
