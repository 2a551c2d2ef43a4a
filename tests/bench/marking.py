"""What marking positions with another class of taxpayer costs: `python -m tests.bench.marking`.

A network is planted as for a coupon (`tests.bench.coupons`): one company has all accounts, each of
which holds a bond. Its status as a taxpayer changes, and its positions are marked, as many a block
as may be, through the real chain on a real database; with `--listed` each account is that of a
taxpayer of its own, all on one list. Blocks are otherwise empty; between two of them a second
network, in which nothing is due, decides one on the same disk: `control`. With `--hurried` a block
comes at once, and nothing of it is rehearsed.

Prints one JSON object: milliseconds of a block as `coupons` tells them, and `added_ms`, what each
takes beyond the median of control's. `last_added_ms` is the same of the last hundred blocks:
whether what is next is found as fast at the end.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from node.app import collector
from node.chain import Chain
from node.chain.records import SCAN_MAX
from node.ledger.due import MARKED_PER_BLOCK_MAX
from node.ledger.securities import POSITIONS, TaxStatus
from node.ledger.taxpayers import status_in
from node.ledger.units import MS_PER_DAY
from tests.bench.coupons import (
    CONTROL_FOLDER,
    CONTROL_HOLDERS,
    Kind,
    added_to,
    opened,
    plant,
    spread_of,
)

MARKED: Final = Kind(marked=True)
LISTED: Final = Kind(listed=True)
LAST_BLOCKS: Final = 100


async def run(folder: Path, blocks: int, *, hurried: bool) -> dict[str, Any]:
    """Let so many blocks mark positions of a planted network, and measure each."""
    async with (
        opened(folder, hurried=hurried) as marking,
        opened(folder / CONTROL_FOLDER, hurried=hurried) as beside,
    ):
        elsewhere = beside.chain.genesis.time_ms
        now = marking.chain.genesis.time_ms + MS_PER_DAY
        marked, control = [], []
        for number in range(1, blocks + 1):
            await marking.rest()
            control.append(await beside.decide(elsewhere + number * 1_000))
            marked.append(await marking.decide(now + number * 1_000))
        wanted = blocks * MARKED_PER_BLOCK_MAX
        assert marked_of(marking.chain) == wanted  # as many as may be in each
        added = added_to(marked, control)
        return {
            "blocks": blocks,
            "marked": wanted,
            "marking_block_ms": spread_of(marked),
            "control_block_ms": spread_of(control),
            "added_ms": spread_of(added),
            "last_added_ms": spread_of(added[-LAST_BLOCKS:]),
            "state_root": marking.chain.head.state_root.hex(),
        }


def marked_of(chain: Chain) -> int:
    """Return how many positions are marked with the new status."""
    start, found = b"", 0
    while entries := chain.scan(POSITIONS, start, SCAN_MAX):
        found += sum(status_in(each.taxpayer) is TaxStatus.INACTIVE for _, each in entries)
        start = entries[-1][0] + b"\0"  # the least key above the last one
    return found


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--positions", type=int, default=1_000_000)
    parser.add_argument("--blocks", type=int, default=300)
    parser.add_argument(
        "--listed", action="store_true", help="each position is that of a taxpayer of its own"
    )
    parser.add_argument("--hurried", action="store_true", help="leave no time between blocks")
    options = parser.parse_args()
    if options.blocks * MARKED_PER_BLOCK_MAX >= options.positions:
        parser.error("so many blocks mark more positions than there are")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plant(folder, options.positions, 1, LISTED if options.listed else MARKED)
        (folder / CONTROL_FOLDER).mkdir()
        plant(folder / CONTROL_FOLDER, CONTROL_HOLDERS, 1)
        collector.settle()
        found = asyncio.run(run(folder, options.blocks, hurried=options.hurried))
    print(json.dumps({"positions": options.positions, **found}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
