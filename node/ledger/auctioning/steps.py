"""What an auction does by time: open, close, complete its book, settle, and forget its bidders.

One entry in the queue of what is due leads from step to step. The book is completed in one block:
its bids are read, sorted and written as a ladder, in pieces. Everything that goes on for longer
takes one piece of the ladder, or as many records, a block: settling, and then forgetting the bids.

What settling a piece is, says `settling`.
"""

from collections import Counter
from typing import Final, NamedTuple, TypeAlias, assert_never

from node.codec import Record, replace
from node.ledger.auctioning.announced import auction_of, put_auction
from node.ledger.auctioning.bidders import blame
from node.ledger.auctioning.deciding import AuctionRejected, reject
from node.ledger.auctioning.deliverable import must_wait
from node.ledger.auctioning.ladder import piece_of, put_ladder
from node.ledger.auctioning.settling import Settlement, SettlementEvent
from node.ledger.auctions.ladders import competitive_ladder, noncompetitive_ladder, row_of
from node.ledger.auctions.records import (
    ROWS_PER_PIECE_MAX,
    AuctionRecord,
    AuctionStage,
    Count,
    LadderRow,
)
from node.ledger.auctions.terms import Reallotment, lines_of
from node.ledger.holdings import asset_of
from node.ledger.identifiers import AssetCode, Name
from node.ledger.state import LedgerState, R, Table
from node.ledger.tables import BIDDERS, BIDS, ENVELOPES, LADDERS, bid_key, ladder_key
from node.ledger.units import AMOUNT_MAX

STEP_WORK: Final = 5
"""Entries' worth of a step that goes through bids, besides them: it looks through their tables."""
SETTLING_WORK: Final = 20
"""And of one that settles, about 0.2 ms: what has accrued is worked out."""
ROW_WORK: Final = 4
"""Entries' worth of a row that is settled: two accounts and the register change."""
_PAGE: Final = 1_000
"""Bids read at a time while a book is completed."""


class AuctionOpened(Record, tag=86):
    """Bids may come in."""

    auction: Name


class AuctionClosed(Record, tag=87):
    """No bid comes in any more; the sealed ones can be opened."""

    auction: Name
    sealed: Count
    """How many sealed bids there are."""
    noncompetitive: Count
    """And how many without a price."""


class BookCompleted(Record, tag=88):
    """The ladder stands; what was not opened is void."""

    auction: Name
    asset: AssetCode
    competitive: int
    """Face bid for with a price; `AMOUNT_MAX` where it is more than that."""
    noncompetitive: int
    """And without one."""
    unrevealed: Count
    """How many sealed bids were not opened, and envelopes not entered."""


class EnvelopesUnentered(Record, tag=96):
    """Envelopes were not entered: void, and counted against the office that had lodged them."""

    auction: Name
    participant: Name
    count: Count


class AuctionSettled(Record, tag=92):
    """Every allotment of an auction was settled or has failed."""

    auction: Name
    asset: AssetCode
    settled: int
    """With what was re-allotted."""
    failed: int
    reallotted: int
    """Face of allotments that have failed, delivered to others."""
    paid: int
    """In minor units of the cash, which has the decimals of the asset."""
    issued: int
    """Face of the destination of a switch; 0 in any other form."""


AuctionEvent: TypeAlias = (
    AuctionOpened
    | AuctionClosed
    | BookCompleted
    | EnvelopesUnentered
    | AuctionRejected
    | SettlementEvent
    | AuctionSettled
)

Taken: TypeAlias = tuple[list[AuctionEvent], int]
"""What happened in a step, and how many entries' worth of work it was: a block has to bound it."""


class _Book(NamedTuple):
    """What the bids of an auction come to."""

    rows: list[LadderRow]
    """Those that count."""
    unrevealed: Counter[str]
    """By bidder, how many it left sealed."""
    unentered: Counter[str]
    """By office, how many it left in their envelopes."""
    work: int


def take_step(state: LedgerState, auction: str, time_ms: int) -> Taken:
    """Do what an auction has to do at the time that stands in the queue."""
    record = auction_of(state, auction)
    terms = record.terms
    match record.stage:
        case AuctionStage.ANNOUNCED:
            opened = replace(record, stage=AuctionStage.OPEN, next_ms=terms.closes_ms)
            put_auction(state, auction, opened, before=record)
            return [AuctionOpened(auction=auction)], 1
        case AuctionStage.OPEN:
            closed = replace(record, stage=AuctionStage.REVEALING, next_ms=terms.reveals_until_ms)
            put_auction(state, auction, closed, before=record)
            event = AuctionClosed(
                auction=auction,
                sealed=record.sealed,
                noncompetitive=record.noncompetitive,
            )
            return [event], 1
        case AuctionStage.REVEALING:
            return _complete(state, auction, record, time_ms)
        case AuctionStage.DECIDING:
            return [reject(state, auction, record, "not-decided", time_ms)], 1
        case AuctionStage.DECIDED:
            return _settle(state, auction, record, time_ms)
        case AuctionStage.REJECTED | AuctionStage.SETTLED:
            return _forget(state, auction, record)
        case _ as unreachable:
            assert_never(unreachable)


def _complete(state: LedgerState, auction: str, record: AuctionRecord, time_ms: int) -> Taken:
    """Make a ladder of the bids that count; count against bidders what they left sealed.

    What came on paper and was not entered counts against the office that had it.
    """
    book = _read_book(state, auction, record)
    unrevealed, unentered = book.unrevealed, book.unentered
    for bidder, count in sorted(unrevealed.items()):
        blame(
            state,
            bidder,
            time_ms=time_ms,
            exclusion_days=record.terms.unrevealed_exclusion_days,
            unrevealed=count,
        )
    for office, count in sorted(unentered.items()):
        blame(state, office, time_ms=time_ms, exclusion_days=0, unentered=count)
    unopened = unrevealed.total() + unentered.total()
    priced = competitive_ladder(book.rows, record.terms.form)
    unpriced = noncompetitive_ladder(book.rows)
    pieces = put_ladder(state, auction, priced, unpriced)
    completed = replace(
        record,
        stage=AuctionStage.DECIDING,
        next_ms=record.terms.decides_until_ms,
        competitive_pieces=pieces[0],
        noncompetitive_pieces=pieces[1],
        unrevealed=unopened,
    )
    put_auction(state, auction, completed, before=record)
    events: list[AuctionEvent] = [
        BookCompleted(
            auction=auction,
            asset=record.terms.asset,
            # Each bid is bounded, all of them together are not, and what has no encoding would
            # stop every node.
            competitive=min(sum(row.face for row in priced), AMOUNT_MAX),
            noncompetitive=min(sum(row.face for row in unpriced), AMOUNT_MAX),
            unrevealed=unopened,
        ),
        *(
            EnvelopesUnentered(auction=auction, participant=office, count=count)
            for office, count in sorted(unentered.items())
        ),
    ]
    if not priced:
        # Without a price nobody can say what the others should pay.
        events.append(reject(state, auction, completed, "no-bids", time_ms))
    return events, book.work


def _read_book(state: LedgerState, auction: str, record: AuctionRecord) -> _Book:
    """Read the bids of an auction that can be opened no more."""
    rows: list[LadderRow] = []
    unrevealed: Counter[str] = Counter()
    unentered: Counter[str] = Counter()
    envelopes = dict(_numbered(state, ENVELOPES, auction, record))
    work = STEP_WORK + len(envelopes)
    for number, bid in _numbered(state, BIDS, auction, record):
        work += 1
        if bid.bid is None and number in envelopes:
            unentered[envelopes[number].lodged_by] += 1
        elif bid.bid is None:
            unrevealed[bid.bidder] += 1
        elif not bid.void:
            rows.append(row_of(number, bid.bid))
    return _Book(rows=rows, unrevealed=unrevealed, unentered=unentered, work=work)


def _numbered(
    state: LedgerState, table: Table[R], auction: str, record: AuctionRecord
) -> list[tuple[int, R]]:
    """Return the records of a table that an auction has by number of its bids."""
    prefix = bid_key(auction, 0)[:-4]
    found: list[tuple[int, R]] = []
    start = prefix
    # No more than there can be, and one: behind a small book lie those of others.
    size = min(_PAGE, record.numbered + 1)
    while True:
        page = state.scan(table, start, size)
        for key, row in page:
            if not key.startswith(prefix):
                return found
            found.append((int.from_bytes(key[-4:], "big"), row))
        if len(page) < size:
            return found
        start = page[-1][0] + b"\0"  # the least key above the last one


def _settle(state: LedgerState, auction: str, record: AuctionRecord, time_ms: int) -> Taken:
    """Settle one piece of the ladder and forget its bids, or re-allot in one that is settled."""
    terms, ladder = record.terms, record.competitive_pieces + record.noncompetitive_pieces
    next_ms = time_ms if record.next_ms is None else record.next_ms
    if any(must_wait(state, asset_of(state, code).terms) for code in lines_of(terms)):
        put_auction(state, auction, replace(record, next_ms=next_ms), before=record)
        return [], 1
    index = record.pieces_settled % ladder  # the second time from the first on
    piece = piece_of(state, auction, index)
    settlement = Settlement(state, auction, record, time_ms)
    if record.pieces_settled < ladder:
        after, rows = settlement.settle(piece), len(piece.rows)
    else:
        after = settlement.reallot(piece)
        rows = settlement.tried
    if after != piece:
        state.put(LADDERS, ladder_key(auction, index), after)
    settled = replace(
        record,
        next_ms=next_ms,
        pieces_settled=record.pieces_settled + 1,
        settled=record.settled + settlement.settled,
        paid=record.paid + settlement.paid,
        failed=record.failed + settlement.failed,
        unpaid=record.unpaid + settlement.unpaid,
        reallotted=record.reallotted + settlement.reallotted,
        issued=record.issued + settlement.issued,
    )
    events: list[AuctionEvent] = [*settlement.events]
    if _is_settled(settled, ladder):
        settled = replace(settled, stage=AuctionStage.SETTLED)
        events.append(
            AuctionSettled(
                auction=auction,
                asset=terms.asset,
                settled=settled.settled,
                failed=settled.failed,
                reallotted=settled.reallotted,
                paid=settled.paid,
                issued=settled.issued,
            )
        )
    put_auction(state, auction, settled, before=record)
    return events, SETTLING_WORK * len(lines_of(terms)) + ROW_WORK * rows


def _is_settled(record: AuctionRecord, ladder: int) -> bool:
    """Return whether nothing is left to deliver, of a ladder of so many pieces."""
    if record.pieces_settled < ladder:
        return False
    is_over = record.pieces_settled == ladder + record.competitive_pieces
    is_left = record.unpaid > record.reallotted
    return is_over or not is_left or record.terms.reallotment is Reallotment.NONE


def _forget(state: LedgerState, auction: str, record: AuctionRecord) -> Taken:
    """Forget some of the bids and bidders that an auction which is over still has."""
    work = 0
    for table in (BIDS, ENVELOPES, BIDDERS):
        most = min(ROWS_PER_PIECE_MAX - work, record.numbered)  # nor more bidders than bids
        work += _delete(state, table, f"{auction}/".encode(), most)
    if work < ROWS_PER_PIECE_MAX:
        put_auction(state, auction, replace(record, next_ms=None), before=record)
    return [], STEP_WORK + work


def _delete(state: LedgerState, table: Table[Record], prefix: bytes, count_max: int) -> int:
    """Delete up to so many records under a prefix; return how many."""
    if not count_max:
        return 0
    keys = [key for key, _ in state.scan(table, prefix, count_max) if key.startswith(prefix)]
    for key in keys:
        state.delete(table, key)
    return len(keys)
