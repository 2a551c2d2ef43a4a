"""What readers get of one observer, and cost: `python -m tests.bench.reading`. Prints JSON.

Four validators and an observer as processes, under a steady load of transfers. First nobody reads;
then readers ask the observer for `khz_holdings` of random accounts at a fixed rate, in an open
loop, once in each form (`tests/bench/readers.py`): `single`, an HTTP request for each call;
`batch`, fifty calls in one; `socket`, a WebSocket message for each, many under way. All within the
node's own limits, from as many addresses as they ask for.

For each form: answers a second and their latency, from the moment when a call was due; the
observer's processor time for a call, beyond what following takes; how long after a validator the
observer told of each transfer; and what a validator told of blocks and transfers meanwhile.
Readers, load and nodes share the processors.

    --rates 2000,5000          calls a second, each in each form
    --forms batch,socket
    --load 500                 transfers a second meanwhile
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any, Final

from tests.bench.clients import Watcher
from tests.bench.load import Load
from tests.bench.measuring import VALID_S
from tests.bench.readers import Form, Read, read
from tests.bench.tally import percentiles, read_receipts
from tests.bench.town import Town, running_town

LEAD_S: Final = 3.0
"""From the beginning of the load to the first call: the readers have to connect."""
BOUND_MS: Final = 20.0
"""Of the 99th percentile: a rate at which it is larger is not counted as served."""


async def follow(
    town: Town, *, load: int, seconds: float, seed: int, pool: ProcessPoolExecutor, reads: Any
) -> tuple[dict[str, Any], Read | None]:
    """Load the network for so long, and read meanwhile.

    Args:
        reads: what readers do, given `begin`; None: nobody reads.
    """
    (observer,) = town.observers
    count = int(load * (LEAD_S + seconds))
    orders = list(town.orders(town.clerk(), count, valid_s=VALID_S, seed=seed))
    sender = Load(town.posters, load)
    voting = Watcher(town.posters[0].url, "receipts")
    observing = Watcher(observer.url, "receipts")
    async with voting.follow(), observing.follow(), asyncio.TaskGroup() as tasks:
        begin = time.monotonic() + LEAD_S
        end = begin + seconds
        sending = tasks.create_task(sender.send(iter(orders), count), name="load")
        using = tasks.create_task(_share_used(town, begin, end), name="share")
        found = None
        if reads is not None:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(pool, partial(reads, begin=begin))
        await sending
        async with asyncio.timeout(60):
            await voting.until(count)
            await observing.until(count)
    told, seen = read_receipts(voting.messages), read_receipts(observing.messages)
    due = {order: moment for order, moment in sender.due.items() if begin <= moment < end}
    times = [moment for moment, _ in told.blocks if begin <= moment < end]
    return {
        "observer_cpu_share": round(using.result(), 3),
        "observer_behind_ms": percentiles(
            [(seen.moments[order] - told.moments[order]) * 1000 for order in due]
        ),
        "block_interval_ms": percentiles([(b - a) * 1000 for a, b in pairwise(times)]),
        "transfer_latency_ms": percentiles(
            [(told.moments[order] - moment) * 1000 for order, moment in due.items()]
        ),
    }, found


async def _share_used(town: Town, begin: float, end: float) -> float:
    """Return which share of one processor the observer uses between two moments."""
    await asyncio.sleep(max(0.0, begin - time.monotonic()))
    used_s, began = town.cpu_s(*town.observers), time.monotonic()
    await asyncio.sleep(max(0.0, end - time.monotonic()))
    return (town.cpu_s(*town.observers) - used_s) / (time.monotonic() - began)


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    loaded = {"load": options.load, "seconds": options.seconds}
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        async with running_town(accounts=options.accounts, observers=1) as town:
            accounts = [town.client.render_address(address) for address in town.addresses]
            alone, _ = await follow(town, **loaded, seed=1, pool=pool, reads=None)
            rows: list[dict[str, Any]] = []
            for form in options.forms:
                for rate in options.rates:
                    reads = partial(
                        read,
                        town.observers[0].url,
                        form,
                        accounts,
                        rate=rate,
                        seconds=options.seconds,
                    )
                    seed = 2 + len(rows)
                    row, found = await follow(town, **loaded, seed=seed, pool=pool, reads=reads)
                    assert found is not None
                    beyond = row["observer_cpu_share"] - alone["observer_cpu_share"]
                    rows.append(_answers(form, rate, found, options.seconds, beyond) | row)
    return {
        "processors": os.cpu_count(),
        "accounts": options.accounts,
        "transfers_per_second": options.load,
        "without_readers": alone,
        "rows": rows,
    }


def _answers(form: Form, rate: int, found: Read, seconds: float, beyond: float) -> dict[str, Any]:
    answered = len(found.latencies_ms)
    latency_ms = percentiles(found.latencies_ms)
    return {
        "form": str(form),
        "calls_per_second": rate,
        "answered_per_second": round(answered / seconds, 1),
        "latency_ms": latency_ms,
        "served": answered == found.asked and latency_ms["p99"] <= BOUND_MS,
        "errors": found.errors,
        "refused_or_late": found.asked - answered - found.errors,
        "observer_us_per_call": round(beyond * 1e6 / max(answered / seconds, 0.1), 1),
        "readers_cpu_s": round(found.cpu_s, 1),
    }


def _numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def _forms(text: str) -> list[Form]:
    return [Form(each) for each in text.split(",")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rates", type=_numbers, default=[5_000], help="calls a second")
    parser.add_argument("--forms", type=_forms, default=list(Form))
    parser.add_argument("--load", type=int, default=500, help="transfers a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each of the loads")
    parser.add_argument("--accounts", type=int, default=1_000)
    print(json.dumps(asyncio.run(_run(parser.parse_args(arguments))), indent=2))


if __name__ == "__main__":
    main()
