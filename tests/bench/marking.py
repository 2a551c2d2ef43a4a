"""What marking positions with another class of taxpayer costs: `python -m tests.bench.marking`.

A network is planted as for a coupon (`tests.bench.coupons`): one company has all accounts, each of
which holds a bond. Its status as a taxpayer changes, and its positions are marked, a hundred a
block, through the real chain on a real database. Blocks are otherwise empty; between two of them a
second network, in which nothing is due, decides one on the same disk: `control`.

Prints one JSON object: milliseconds of a block as `coupons` tells them, and `added_ms`, what each
takes beyond the median of control's. `last_added_ms` is the same of the last hundred blocks: the
positions that are marked leave deletions in the database, which have to be walked over.
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
from node.ledger.securities import TAXED_POSITIONS, TaxStatus, taxed_prefix
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
from tests.bench.joining import OWNER

MARKED: Final = Kind(marked=True)
LAST_BLOCKS: Final = 100


async def run(folder: Path, blocks: int) -> dict[str, Any]:
    """Let so many blocks mark positions of a planted network, and measure each."""
    async with (
        opened(folder, hurried=False) as marking,
        opened(folder / CONTROL_FOLDER, hurried=False) as beside,
    ):
        elsewhere = beside.chain.genesis.time_ms
        now = marking.chain.genesis.time_ms + MS_PER_DAY
        marked, control = [], []
        for number in range(1, blocks + 1):
            await marking.rest()
            control.append(await beside.decide(elsewhere + number * 1_000))
            marked.append(await marking.decide(now + number * 1_000))
        wanted = blocks * MARKED_PER_BLOCK_MAX
        assert marked_of(marking.chain) == wanted  # a hundred in each
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
    prefix = start = taxed_prefix(OWNER, TaxStatus.INACTIVE)
    found = 0
    while keys := [key for key, _ in chain.scan(TAXED_POSITIONS, start, SCAN_MAX)]:
        found += sum(key.startswith(prefix) for key in keys)
        start = keys[-1] + b"\0"  # the least key above the last one
    return found


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--positions", type=int, default=1_000_000)
    parser.add_argument("--blocks", type=int, default=300)
    options = parser.parse_args()
    if options.blocks * MARKED_PER_BLOCK_MAX >= options.positions:
        parser.error("so many blocks mark more positions than there are")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plant(folder, options.positions, 1, MARKED)
        (folder / CONTROL_FOLDER).mkdir()
        plant(folder / CONTROL_FOLDER, CONTROL_HOLDERS, 1)
        collector.settle()
        found = asyncio.run(run(folder, options.blocks))
    print(json.dumps({"positions": options.positions, **found}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
