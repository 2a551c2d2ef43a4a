"""The ladder of an auction as it is kept: in pieces, that are never deleted."""

from collections.abc import Sequence

from node.ledger.auctions.ladders import pieces_of
from node.ledger.auctions.records import AuctionRecord, LadderRecord, LadderRow
from node.ledger.state import LedgerState
from node.ledger.tables import LADDERS, ladder_key


def ladder_of(
    state: LedgerState, auction: str, record: AuctionRecord
) -> tuple[list[LadderRow], list[LadderRow]]:
    """Return the rows with a price and those without one, as served."""
    rows: list[LadderRow] = []
    split = 0
    for piece in range(record.competitive_pieces + record.noncompetitive_pieces):
        if piece == record.competitive_pieces:
            split = len(rows)
        rows += piece_of(state, auction, piece).rows
    if not record.noncompetitive_pieces:
        split = len(rows)
    return rows[:split], rows[split:]


def put_ladder(
    state: LedgerState, auction: str, priced: Sequence[LadderRow], unpriced: Sequence[LadderRow]
) -> tuple[int, int]:
    """Write a ladder; return how many pieces of each kind it has."""
    first, second = pieces_of(priced), pieces_of(unpriced)
    for index, piece in enumerate([*first, *second]):
        state.put(LADDERS, ladder_key(auction, index), piece)
    return len(first), len(second)


def piece_of(state: LedgerState, auction: str, piece: int) -> LadderRecord:
    """Return a piece of the ladder of an auction that is completed."""
    record = state.get(LADDERS, ladder_key(auction, piece))
    assert record is not None  # pieces are never deleted
    return record
