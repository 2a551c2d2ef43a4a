"""Chains with something of everything, drawn by a seed, and indexes of them to compare."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any, Final

from sqlalchemy import select

from node.codec import Record, replace
from node.index.database import Database
from node.index.follower import Follower
from node.index.schema import METADATA
from node.ledger.operations import HoldAccount, Issue, PlaceHold, Redeem, ReleaseAccount, Transfer
from node.log import Logger, silent_log
from node.metrics import Metrics
from node.storage import MemoryStore
from tests.chain.town import BANK, CASH, Town, address_of, make_record, make_town

CENTRAL: Final = address_of("central-bank", "central-bank")
MEMOS: Final = ("", "", "rent", "برائے فصل", "caffè à", "\u00e0", "ends in \u0420", "x" * 140)
"""Some end with the byte that an empty memo is."""


async def random_town(*, keep_blocks: int = 0) -> Town:
    """Return a town that can grow."""
    record = make_record(validators=1, protocol_version=3, window_ms=10_000)
    town = make_town(MemoryStore(), record=record, keep_blocks=keep_blocks)
    await town.settle(8)
    return town


async def grow(town: Town, chance: Random, *, blocks: int) -> None:
    """Decide blocks of whatever comes."""
    for _ in range(blocks):
        raws = [_transaction(town, chance) for _ in range(chance.choice((0, 1, 3, 12)))]
        await town.decide(*raws)


def _transaction(town: Town, chance: Random) -> bytes:
    names = [f"a{number}" for number in range(8)]
    signers: list[str] = []
    operations: list[Record] = []
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        sender, receiver = chance.sample(names, 2)
        account, to = address_of(BANK, sender), address_of(BANK, receiver)
        amount = chance.choice((1, 255, 160, 70_000, 900_000, 10**9))
        drawn = chance.random()
        if drawn < 0.7:
            operations.append(Transfer(account=account, to=to, asset=CASH, amount=amount))
            signers.append(sender)
            continue
        signers.append("central-bank")
        common: dict[str, Any] = {"account": CENTRAL, "approvers": ()}
        if drawn < 0.78:
            operations.append(Issue(asset=CASH, amount=amount, to=to, **common))
        elif drawn < 0.82:
            operations.append(Redeem(asset=CASH, amount=1, holder=CENTRAL, **common))
        elif drawn < 0.92:
            operations.append(
                PlaceHold(
                    holder=account,
                    asset=CASH,
                    amount=1,
                    reason="Inquiry into a harvest",
                    legal_reference=f"C-{amount}/2026",
                    expires_ms=town.clock.now_ms() + 5_000,
                    **common,
                )
            )
        elif drawn < 0.96:
            operations.append(
                HoldAccount(target=account, reason="تفتیش", legal_reference="F-9", **common)
            )
        else:
            operations.append(ReleaseAccount(target=account, **common))
    body = replace(town.body(operations, list(dict.fromkeys(signers))), memo=chance.choice(MEMOS))
    return town.sign(body, list(dict.fromkeys(signers)))


REBUILD = "khazana index rebuild --home town"


def follower_of(database: Database, town: Town, log: Logger | None = None) -> Follower:
    """Return what keeps an index of a town; it is not told of its blocks yet."""
    return Follower(
        database,
        town.store,
        town.genesis,
        head=lambda: town.chain.head.height,
        metrics=Metrics(),
        log=log or silent_log(),
        rebuild=REBUILD,
        rest=0.0,
    )


@contextlib.asynccontextmanager
async def following(follower: Follower) -> AsyncIterator[None]:
    """Let it run while the block is in, and end it."""
    try:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(follower.run(), name="index")
            try:
                yield
            finally:
                task.cancel()
    finally:
        await follower.close()


async def rows_of(database: Database) -> dict[str, Sequence[tuple[Any, ...]]]:
    """Return every row of an index, by table; what waits to be put into `history` as if it were."""
    rows: dict[str, Sequence[tuple[Any, ...]]] = {
        table.name: sorted(await database.read(select(table), {}), key=repr)
        for table in METADATA.sorted_tables
    }
    waiting = rows.pop("recent")
    counted = Counter(bucket for bucket, *_ in waiting)
    assert {bucket: count for bucket, count in rows.pop("buckets") if count} == counted
    assert all(bucket == account[0] for bucket, _, _, account in waiting)
    history = [(account, height, item) for _, height, item, account in waiting]
    rows["history"] = sorted([*rows["history"], *history], key=repr)
    return rows
