"""An empty index filled with a whole past: what is in no order is sorted first, and written once.

Events, texts and the totals of days come in the order of their keys. Who is named in what, and who
holds what, does not; where there are millions of accounts, each of its rows would read a page and
write it again. So it is sorted on disk and written at the end, in the order of its keys. The
checkpoint is written last: an index that was not filled to its end has none, and begins anew.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from struct import Struct
from typing import Final

from node.index.database import Session
from node.index.errors import IndexUnusable
from node.index.projection import HistoryRow, HoldingKey, Rows
from node.index.runs import Piece, Runs
from node.index.schema import CLASSES, EVENTS, HISTORY, HOLDERS, TEXTS
from node.index.writing import (
    Checkpoint,
    ClassOf,
    HolderRow,
    add_totals,
    lacking,
    put_checkpoint,
    read_checkpoint,
)

ROWS_AT_ONCE: Final = 50_000
"""Rows of one transaction of those that are written at the end: some 10 MiB."""

_HISTORY: Final = Struct(">20sqi")
_MOVE: Final = Struct(">32s20s16s")
"""Asset, account, and by how much: of amounts of 64 bits any sum that there may be."""
_AMOUNT_SIZE: Final = 16


class Filling:
    """What of a filling waits on disk to be in order. Not for the event loop; close it."""

    def __init__(self, folder: Path, class_of: ClassOf) -> None:
        """Begin with nothing.

        Args:
            folder: on whose disk it waits: some 200 bytes a transfer.
            class_of: whose kind of participant an account is.
        """
        self._history = Runs(folder, _HISTORY.size)
        self._moves = Runs(folder, _MOVE.size)
        self._class_of = class_of
        self._counts: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._totals: defaultdict[tuple[str, str], int] = defaultdict(int)

    def take(self, rows: Rows) -> None:
        """Take of some blocks what comes in no order."""
        self._history.add([_HISTORY.pack(*row) for row in rows.history])
        self.hold(rows.moves)

    def hold(self, moves: Mapping[HoldingKey, int]) -> None:
        """Take by how much holdings change, or what they are where an index begins."""
        self._moves.add(
            [
                _MOVE.pack(asset.encode(), account, amount.to_bytes(_AMOUNT_SIZE, signed=True))
                for (asset, account), amount in moves.items()
                if amount
            ]
        )

    def history(self) -> Iterator[Sequence[HistoryRow]]:
        """Yield the rows of `history`, as many as one transaction has."""
        for piece in _gathered(self._history.merged()):
            yield list(_HISTORY.iter_unpack(b"".join(piece)))

    def holders(self) -> Iterator[Sequence[HolderRow]]:
        """Yield the rows of `holders`, as many as one transaction has.

        Raises:
            IndexUnusable: somebody would have less than nothing.
        """
        rows: list[HolderRow] = []
        moves = chain.from_iterable(map(_MOVE.iter_unpack, map(b"".join, self._moves.merged())))
        for (code, account), changes in groupby(moves, itemgetter(0, 1)):
            has = sum(int.from_bytes(amount, signed=True) for _, _, amount in changes)
            asset = code.rstrip(b"\0").decode()
            if has < 0:
                raise lacking(asset, account, has)
            if not has:
                continue
            kind = self._class_of(account)
            self._counts[asset, kind] += 1
            self._totals[asset, kind] += has
            rows.append((asset, account, kind, str(has)))
            if len(rows) == ROWS_AT_ONCE:
                yield rows
                rows = []
        yield rows

    def classes(self) -> Sequence[tuple[str, str, int, str]]:
        """Return the rows of `holder_classes`, once all of `holders` was gone through."""
        return [
            (*key, count, str(self._totals[key])) for key, count in sorted(self._counts.items())
        ]

    def close(self) -> None:
        """Let go of the disk."""
        self._history.close()
        self._moves.close()


async def fill(session: Session, rows: Rows) -> None:
    """Write of some blocks what comes in order.

    Raises:
        IndexUnusable: the index is not one that is filled.
    """
    await _check_empty(session)
    await session.add(EVENTS, rows.events)
    await session.add(TEXTS, rows.texts)
    await add_totals(session, rows.totals)


async def fill_history(session: Session, rows: Sequence[HistoryRow]) -> None:
    """Write of the history what follows on what was written."""
    await session.add(HISTORY, rows)


async def fill_holders(session: Session, rows: Sequence[HolderRow]) -> None:
    """Write of the holders those that follow on the ones that were written."""
    await session.add(HOLDERS, rows)


async def end(session: Session, filling: Filling, checkpoint: Checkpoint) -> None:
    """Write what is left, and that all of it is there.

    Raises:
        IndexUnusable: the index is not one that is filled.
    """
    await _check_empty(session)
    await session.add(CLASSES, filling.classes())
    await put_checkpoint(session, checkpoint)


def after(checkpoint: Checkpoint, rows: Rows) -> Checkpoint:
    """Return where an index stands that has these rows too."""
    return replace(checkpoint, height=rows.height, block_id=rows.block_id, time_ms=rows.time_ms)


async def _check_empty(session: Session) -> None:
    found = await read_checkpoint(session)
    if found is not None:
        raise IndexUnusable(
            f"the index stands at block {found.height} while it is filled: another process writes"
            " into it. One index has one node"
        )


def _gathered(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield the same, as many at once as one transaction has."""
    some: list[bytes] = []
    for piece in pieces:
        some += piece
        for _ in range(len(some) // ROWS_AT_ONCE):
            yield some[:ROWS_AT_ONCE]
            some = some[ROWS_AT_ONCE:]
    yield some
