"""The ladder: all valid bids of an auction in the order in which they are served, without names."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final

from node.ledger.auctions.records import (
    ROWS_PER_PIECE_MAX,
    LadderRecord,
    LadderRow,
    OpenBid,
    RowState,
)
from node.ledger.auctions.terms import Form

_NUMBER: Final = attrgetter("number")


def row_of(number: int, bid: OpenBid) -> LadderRow:
    """Return the row of an opened bid, to which nothing is allotted yet."""
    return LadderRow(
        number=number,
        price_e4=bid.price_e4,
        face=bid.face,
        allotted=0,
        state=RowState.OPEN,
        reallotted=0,
    )


def competitive_ladder(rows: Iterable[LadderRow], form: Form = Form.PRICE) -> list[LadderRow]:
    """Return the bids with a price: the best for the issuer first, among equals the earlier bid."""
    sign = -1 if form is Form.PRICE else 1
    priced = [(sign * row.price_e4, row.number, row) for row in rows if row.price_e4 is not None]
    priced.sort(key=lambda each: each[:2])
    return [row for _, _, row in priced]


def noncompetitive_ladder(rows: Iterable[LadderRow]) -> list[LadderRow]:
    """Return the bids without a price, the earlier first."""
    return sorted((row for row in rows if row.price_e4 is None), key=_NUMBER)


def pieces_of(rows: Sequence[LadderRow]) -> list[LadderRecord]:
    """Cut a ladder into pieces of at most `ROWS_PER_PIECE_MAX` rows."""
    return [
        LadderRecord(
            rows=tuple(rows[start : start + ROWS_PER_PIECE_MAX]),
            accrual=None,
            destination_accrual=None,
        )
        for start in range(0, len(rows), ROWS_PER_PIECE_MAX)
    ]
