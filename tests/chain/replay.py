"""A fixed history, replayed: `python -m tests.chain.replay` prints each block's id and root.

Run under other hash seeds, locales, zones and versions it must print the same.
"""

import asyncio

from tests.chain.town import make_town

BLOCKS = 12


async def replay() -> list[str]:
    """Return one line for each block."""
    town = make_town()
    await town.settle(30)
    for number in range(BLOCKS):
        raws = [
            town.transfer(f"a{each}", f"a{(each * 7 + number) % 30}", each * 1_000 + 1)
            for each in range(number, 30)
        ]
        if number == 5:
            raws.append(town.remove_validator("crypto-council"))
        if number == 7:
            raws.append(town.rotate_validator("central-bank"))
        await town.decide(*raws)
    lines = []
    for height in range(1, town.chain.head.height + 1):
        block, receipts = town.chain.block(height), town.chain.receipts(height)
        assert block is not None
        assert receipts is not None
        outcomes = ",".join(str(int(each.outcome)) for each in receipts.decoded())
        root = block.header.state_root.hex()
        lines.append(f"{height} {town.chain.certificate(height)} {root} {outcomes}")
    return lines


if __name__ == "__main__":
    print("\n".join(asyncio.run(replay())))  # noqa: T201 - a command prints.
