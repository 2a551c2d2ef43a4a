"""A history that is a function of its seed: `python -m tests.chain.replay` prints block by block.

    python -m tests.chain.replay [--blocks 14] [--seed 1] [--twins]

Each line has height, id, state root and outcomes. Run under other hash seeds, locales, zones and
versions, and with the slow twins in the place of what is fast, it must print the same; `python -m
tests.chain.determinism` holds several against each other.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from random import Random

from node.ledger.tables import HOLDINGS, holding_key
from tests.chain.town import BANK, CASH, Town, address_of, make_town
from tests.twins import install_twins

ACCOUNTS = 30
ROTATED_EVERY = 97
"""Blocks from one change of a validator's key to the next."""


async def replay(blocks: int = 14, seed: int = 1) -> AsyncIterator[str]:
    """Yield one line for each block."""
    town = make_town()
    random = Random(seed)
    await town.settle(ACCOUNTS)
    for height in range(1, town.chain.head.height + 1):
        yield _line(town, height)
    for number in range(blocks):
        await town.decide(*_transactions(town, random, number))
        yield _line(town, town.chain.head.height)


def _transactions(town: Town, random: Random, number: int) -> list[bytes]:
    """Return the transactions of a block: transfers, some of which another one makes impossible."""
    raws = []
    for _ in range(random.randint(0, 3)):
        source, target = random.sample(range(ACCOUNTS), 2)
        amount = random.randint(1, 1_000)
        if _available(town, source) >= amount:  # Otherwise it is refused at the door.
            raws.append(town.transfer(f"a{source}", f"a{target}", amount))
    if number % 5 == 0:
        # All that an account has, twice: only the first can be applied.
        source, first, second = random.sample(range(ACCOUNTS), 3)
        everything = _available(town, source)
        if everything:
            raws += [
                town.transfer(f"a{source}", f"a{each}", everything) for each in (first, second)
            ]
    if number % ROTATED_EVERY == 7:
        raws.append(town.rotate_validator("central-bank"))
    return raws


def _available(town: Town, number: int) -> int:
    holding = town.chain.record(HOLDINGS, holding_key(address_of(BANK, f"a{number}"), CASH))
    return 0 if holding is None else holding.available


def _line(town: Town, height: int) -> str:
    block, receipts = town.chain.block(height), town.chain.receipts(height)
    certificate = town.chain.certificate(height)
    assert block is not None
    assert receipts is not None
    assert certificate is not None
    outcomes = ",".join(str(int(each.outcome)) for each in receipts.decoded())
    root = block.header.state_root.hex()
    return f"{height} {certificate.block_id.hex()} {root} {outcomes or '-'}"


async def _print(blocks: int, seed: int) -> None:
    async for line in replay(blocks, seed):
        print(line, flush=True)  # noqa: T201 - a command prints.


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=14)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--twins", action="store_true", help="the slow twins of what is fast")
    arguments = parser.parse_args()
    if arguments.twins:
        install_twins()
    asyncio.run(_print(arguments.blocks, arguments.seed))
