"""Gathered rows into the database: one transaction, with the checkpoint that says how far it goes.

Whoever writes says which block the rows begin with; where the checkpoint stands elsewhere, somebody
else has written, and nothing is. So a transaction of which it is not known whether it was done can
be done again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from sqlalchemy import bindparam, select

from node.index.database import Session
from node.index.errors import IndexUnusable, RebuildNeeded
from node.index.projection import HoldingKey, Rows, TotalKey
from node.index.recent import add_history
from node.index.schema import (
    CHECKPOINT,
    CLASSES,
    EVENTS,
    FORMAT,
    HOLDERS,
    TEXTS,
    TOTALS,
)

ClassOf: TypeAlias = Callable[[bytes], str]
"""Whose kind of participant an account is; never another for one address."""
HolderRow: TypeAlias = tuple[str, bytes, str, str]

READ_CHECKPOINT: Final = select(CHECKPOINT)
TOTALS_OF: Final = select(TOTALS).where(
    TOTALS.c.asset == bindparam("asset"), TOTALS.c.day >= bindparam("first")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Which blocks are in an index."""

    network: bytes
    from_height: int
    """The first whose events are in it; earlier ones were no longer kept when it began."""
    holders_from: int
    """Its holders began as the state had them after this height; 0: with nobody."""
    height: int
    """The last; `from_height` - 1 where there is none yet."""
    block_id: bytes
    time_ms: int


async def read_checkpoint(session: Session) -> Checkpoint | None:
    """Return where an index stands; None: nothing was ever written into it.

    Raises:
        RebuildNeeded: it has another form.
    """
    return checkpoint_of(await session.select(READ_CHECKPOINT, {}))


def checkpoint_of(rows: Iterable[tuple[object, ...]]) -> Checkpoint | None:
    """Return the same from the rows of `READ_CHECKPOINT`."""
    for row in rows:
        _, form, network, from_height, holders_from, height, block_id, time_ms = row
        if form != FORMAT:
            raise RebuildNeeded(f"the index has the form {form}, this release writes {FORMAT}")
        assert isinstance(network, bytes)
        assert isinstance(block_id, bytes)
        return Checkpoint(
            network=network,
            from_height=_number(from_height),
            holders_from=_number(holders_from),
            height=_number(height),
            block_id=block_id,
            time_ms=_number(time_ms),
        )
    return None


def check_network(checkpoint: Checkpoint, network: bytes) -> None:
    """Refuse an index of other blocks than those of the network with this genesis hash.

    Raises:
        IndexUnusable: it is of another network.
    """
    if checkpoint.network != network:
        raise IndexUnusable(
            f"the index is of the network {checkpoint.network.hex()}, this node's is"
            f" {network.hex()}: give each its own database"
        )


async def add_holdings(
    session: Session, holdings: Mapping[HoldingKey, int], class_of: ClassOf
) -> None:
    """Write what some accounts hold where an index begins, before its first checkpoint."""
    await _move(session, holdings, class_of)


async def put_checkpoint(session: Session, checkpoint: Checkpoint) -> None:
    """Write where an index stands."""
    row = (
        0,
        FORMAT,
        checkpoint.network,
        checkpoint.from_height,
        checkpoint.holders_from,
        checkpoint.height,
        checkpoint.block_id,
        checkpoint.time_ms,
    )
    await session.put(CHECKPOINT, [row])


async def write_rows(session: Session, rows: Rows, class_of: ClassOf) -> Checkpoint:
    """Write what some blocks say, and that they are written; return the checkpoint after it.

    Raises:
        IndexUnusable: the checkpoint is not before the first of them.
    """
    before = await read_checkpoint(session)
    if before is None or before.height != rows.first - 1:
        found = "at no block" if before is None else f"at block {before.height}"
        raise IndexUnusable(
            f"the index stands {found} where block {rows.first} was to follow: another process"
            " writes into it. One index has one node"
        )
    await session.add(EVENTS, rows.events)
    await add_history(session, rows.history)
    await session.add(TEXTS, rows.texts)
    await _move(session, rows.moves, class_of)
    await add_totals(session, rows.totals)
    after = replace(before, height=rows.height, block_id=rows.block_id, time_ms=rows.time_ms)
    await put_checkpoint(session, after)
    return after


async def add_totals(session: Session, totals: Mapping[TotalKey, list[int]]) -> None:
    """Let the totals of days grow."""
    days: defaultdict[str, set[int]] = defaultdict(set)
    for asset, day, _ in totals:
        days[asset].add(day)
    put: list[tuple[str, int, str, int, str]] = []
    for asset in sorted(days):
        rows = await session.select(TOTALS_OF, {"asset": asset, "first": min(days[asset])})
        found = {(day, kind): (count, int(amount)) for _, day, kind, count, amount in rows}
        for (of, day, kind), (more, moved) in sorted(totals.items()):
            if of == asset:
                count, amount = found.get((day, kind), (0, 0))
                put.append((asset, day, kind, count + more, str(amount + moved)))
    await session.put(TOTALS, put)


def lacking(asset: str, account: bytes, has: int) -> RebuildNeeded:
    """Return why nothing can be written by which an account would have less than nothing."""
    return RebuildNeeded(
        f"by the index account {account.hex()} would have {has} of {asset}: it is not that of this"
        " chain"
    )


async def _move(session: Session, moves: Mapping[HoldingKey, int], class_of: ClassOf) -> None:
    """Let holdings grow and shrink, and the sums of their classes with them."""
    by_asset: defaultdict[str, dict[bytes, int]] = defaultdict(dict)
    for (asset, account), amount in moves.items():
        if amount:
            by_asset[asset][account] = amount
    put: list[HolderRow] = []
    gone: list[tuple[str, bytes]] = []
    for asset in sorted(by_asset):
        changes = by_asset[asset]
        accounts = sorted(changes)
        found = {
            row[1]: (row[2], int(row[3])) for row in await session.pick(HOLDERS, asset, accounts)
        }
        holders: defaultdict[str, int] = defaultdict(int)
        totals: defaultdict[str, int] = defaultdict(int)
        for account in accounts:
            amount = changes[account]
            known = found.get(account)
            kind, had = (class_of(account), 0) if known is None else known
            has = had + amount
            if has < 0:
                raise lacking(asset, account, has)
            totals[kind] += amount
            if known is None:
                holders[kind] += 1
            if has:
                put.append((asset, account, kind, str(has)))
            else:
                gone.append((asset, account))
                holders[kind] -= 1
        await _add_classes(session, asset, holders, totals)
    await session.put(HOLDERS, put)
    await session.drop(HOLDERS, gone)


async def _add_classes(
    session: Session, asset: str, holders: Mapping[str, int], totals: Mapping[str, int]
) -> None:
    kinds = sorted(totals)
    found = {row[1]: (row[2], int(row[3])) for row in await session.pick(CLASSES, asset, kinds)}
    put: list[tuple[str, str, int, str]] = []
    gone: list[tuple[str, str]] = []
    for kind in kinds:
        count, total = found.get(kind, (0, 0))
        count += holders.get(kind, 0)
        if count:
            put.append((asset, kind, count, str(total + totals[kind])))
        else:
            gone.append((asset, kind))
    await session.put(CLASSES, put)
    await session.drop(CLASSES, gone)


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value
