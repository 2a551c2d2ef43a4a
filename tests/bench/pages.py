"""How long a page takes, from request to last byte, and how large it is: each, in both languages.

python -m tests.bench.pages [--accounts 10000] [--blocks 20] [--rounds 40]

One node with its pages in this process, on a chain of so many accounts and blocks of a thousand
transfers; a client in the same process asks for each page in turn, so that what is measured holds
the client's part too. Prints the median and the 95th percentile in milliseconds, and the processor
time of one, client included; exit code 1 when a page is above 50 ms at the 95th percentile or above
100 kB.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from statistics import median
from typing import Final

from node.explorer import Explorer
from node.explorer.limits import PAGE_BYTES_MAX
from node.rpc import RpcLimits
from tests.chain.town import make_record
from tests.explorer.stage import Stage, populate
from tests.rpc.solo import solo_node

P95_MS_MAX: Final = 50.0
TRANSFERS: Final = 1_000


async def main(arguments: argparse.Namespace) -> int:
    """Measure and print; 1 when a page is too slow or too large."""
    async with solo_node(
        settled=False,
        record=make_record(validators=1),
        limits=RpcLimits(calls_per_second=None),
        pages=Explorer,
    ) as solo:
        began = time.perf_counter()
        shown = await populate(solo, accounts=arguments.accounts)
        for _ in range(arguments.blocks):
            await solo.town.decide(
                *(
                    solo.town.transfer(f"a{2 + n % (arguments.accounts - 2)}", "a0")
                    for n in range(TRANSFERS)
                )
            )
        print(
            f"{arguments.accounts:,} accounts, {arguments.blocks} blocks of {TRANSFERS:,} transfers"
            f" (made in {time.perf_counter() - began:.0f} s)"
        )
        print(f"{'page':24} {'p50 ms':>8} {'p95 ms':>8} {'cpu ms':>8} {'bytes':>8}")
        failed = False
        for root in ("", "/ur"):
            for name, path in _paths(shown).items():
                cpu_began = time.process_time()
                times_ms, size = await _measure(shown, root + path, arguments.rounds)
                cpu_ms = (time.process_time() - cpu_began) * 1000 / arguments.rounds
                p95 = sorted(times_ms)[int(0.95 * len(times_ms))]
                shown_ms = f"{median(times_ms):8.1f} {p95:8.1f} {cpu_ms:8.1f}"
                print(f"{root + ' ' + name:24} {shown_ms} {size:8,}")
                failed |= p95 > P95_MS_MAX or size > PAGE_BYTES_MAX
    return int(failed)


def _paths(shown: Stage) -> dict[str, str]:
    head = shown.solo.town.chain.head.height
    return {**shown.paths, "block-large": f"/blocks/{head}", "blocks-old": "/blocks?before=9"}


async def _measure(shown: Stage, path: str, rounds: int) -> tuple[Sequence[float], int]:
    times_ms, size = [], 0
    for _ in range(rounds):
        began = time.perf_counter()
        _, text = await shown.get(path)
        times_ms.append((time.perf_counter() - began) * 1000)
        size = len(text.encode())
    return times_ms, size


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pages")
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--blocks", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=40)
    sys.exit(asyncio.run(main(parser.parse_args())))
