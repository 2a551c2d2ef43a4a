"""What must hold of all auctions together: nothing beyond what was offered, allotted or paid for.

1. No auction allots more than it offers, nor delivers more than it allots.
2. What was paid is face times price of what was delivered, and the interest accrued: row by row.
3. Bids belong to an auction that is not over, and of one person at most one without a price counts.
4. What came on paper is a bid, and mandates for it are of open accounts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from node.codec import Record
from node.ledger.auctions.allotment import reallotment_fault
from node.ledger.auctions.records import (
    AuctionRecord,
    AuctionStage,
    BidRecord,
    EnvelopeRecord,
    LadderRecord,
    RowState,
)
from node.ledger.auctions.switches import given_for
from node.ledger.state import StateRows, Table
from node.ledger.tables import (
    ACCOUNTS,
    ASSETS,
    AUCTIONS,
    BIDDERS,
    BIDS,
    ENVELOPES,
    LADDERS,
    MANDATES,
    AccountStatus,
    ladder_key,
    name_key,
)


def contradictions_of_auctions(rows: StateRows) -> Iterator[str]:
    """Yield what is wrong with auctions, their bids and their ladders, one sentence each."""
    bids, bidders = _by_auction(rows, BIDS), _by_auction(rows, BIDDERS)
    envelopes = _by_auction(rows, ENVELOPES)
    yield from _paper(rows)
    for key, record in rows.items(AUCTIONS):
        name = key.decode()
        yield from contradictions_of_sums(key, record)
        yield from _delivered(name, record, _ladder(rows, key), _multiple(rows, record))
        theirs, paper = bids.pop(key, []), envelopes.pop(key, [])
        if record.stage < AuctionStage.DECIDING:
            # Until then none is forgotten.
            unpriced = sum(isinstance(each, EnvelopeRecord) and not each.priced for each in paper)
            sealed = sum(
                isinstance(bid, BidRecord) and bid.commitment is not None for bid in theirs
            )
            counted = (sealed - unpriced, len(theirs) - sealed + unpriced)
            if counted != (record.sealed, record.noncompetitive):
                yield f"auction {name} does not have the bids that it counts"
        counting = Counter(
            bid.bidder
            for bid in theirs
            if isinstance(bid, BidRecord)
            and not bid.void
            and bid.bid is not None
            and bid.bid.price_e4 is None
        )
        if counting and max(counting.values()) > 1:
            yield f"in auction {name} two bids without a price of one bidder count"
        over = record.stage > AuctionStage.DECIDED and record.next_ms is None
        if over and (theirs or paper or key in bidders):
            yield f"auction {name} is over and has bids or bidders"
        bidders.pop(key, None)
    for key in sorted({*bids, *bidders, *envelopes}):
        yield f"there are bids or bidders of the auction {key.decode()}, which was not announced"


def contradictions_of_sums(key: bytes, record: AuctionRecord) -> Iterator[str]:
    """Yield where the sums of an auction contradict each other."""
    result = record.result
    allotted = 0 if result is None else result.competitive + result.noncompetitive
    if allotted > record.terms.target:
        yield f"auction {key.decode()} allots {allotted} of {record.terms.target}"
    # Who paid for what others did not has twice gone through the sums.
    gone = record.settled + record.failed - record.reallotted
    whole = record.stage is AuctionStage.SETTLED
    if not 0 <= record.reallotted <= record.unpaid <= record.failed:
        yield (
            f"auction {key.decode()} re-allots {record.reallotted} of {record.unpaid}, which"
            f" bidders did not pay; {record.failed} failed"
        )
    if min(record.settled, record.failed, record.paid) < 0 or gone > allotted:
        yield f"auction {key.decode()} allots {allotted}, of which {gone} settled or failed"
    elif whole and gone != allotted:
        yield f"auction {key.decode()} is over, and {allotted - gone} neither settled nor failed"


def _paper(rows: StateRows) -> Iterator[str]:
    """Yield what came on paper and is no bid, and mandates that are of no open account."""
    for place, _ in rows.items(ENVELOPES):
        auction, bid = rows.get(AUCTIONS, place[:-5]), rows.get(BIDS, place)
        # Afterwards bids are forgotten one after the other, and before their envelopes.
        all_there = auction is not None and auction.stage < AuctionStage.DECIDED
        if all_there and (bid is None or bid.commitment is None):
            yield f"envelope {place.hex()} is no sealed bid"
    for address, _ in rows.items(MANDATES):
        account = rows.get(ACCOUNTS, address)
        if account is None or account.status is AccountStatus.CLOSED:
            yield f"a mandate is of {address.hex()}, which is no open account"


def _multiple(rows: StateRows, record: AuctionRecord) -> int:
    """Return in what the destination of a switch is issued; 1 in any other form."""
    given = record.terms.destination
    asset = None if given is None else rows.get(ASSETS, name_key(given.asset))
    return 1 if asset is None else asset.multiple


def _delivered(
    name: str, record: AuctionRecord, ladder: list[LadderRecord], multiple: int
) -> Iterator[str]:
    """Yield where the sums of an auction contradict the rows of its ladder."""
    result = record.result
    rows = [(row, piece) for piece in ladder for row in piece.rows]
    if result is None:
        if any(row.allotted or row.state is not RowState.OPEN for row, _ in rows):
            yield f"auction {name} is not decided, and something is allotted"
        return
    sums = {RowState.OPEN: 0, RowState.SETTLED: 0, RowState.FAILED: 0}
    priced = paid = issued = more = 0
    fault = reallotment_fault(record.terms, result, [row for row, _ in rows])
    if fault is not None:
        yield f"in auction {name} {fault}"
    for row, piece in rows:
        if not 0 <= row.allotted <= row.face:
            yield f"auction {name} allots {row.allotted} to a bid for {row.face}"
        sums[row.state] += row.allotted
        more += row.reallotted
        if row.price_e4 is not None:
            priced += row.allotted
        if row.state is RowState.SETTLED:
            given = given_for(record.terms, result, row, piece, multiple)
            paid += given.remainder
            issued += given.face
    gone = (sums[RowState.SETTLED] + more, sums[RowState.FAILED], more, paid, issued)
    found = (priced, sum(sums.values()), *gone)
    allotted = result.competitive + result.noncompetitive
    gone = (record.settled, record.failed, record.reallotted, record.paid, record.issued)
    expected = (result.competitive, allotted, *gone)
    if found != expected:
        yield f"the ladder of auction {name} comes to {found}, the auction to {expected}"


def _ladder(rows: StateRows, auction: bytes) -> list[LadderRecord]:
    record = rows.get(AUCTIONS, auction)
    assert record is not None  # the caller has it from there
    pieces = range(record.competitive_pieces + record.noncompetitive_pieces)
    found = (rows.get(LADDERS, ladder_key(auction.decode(), piece)) for piece in pieces)
    return [piece for piece in found if piece is not None]


def _by_auction(rows: StateRows, table: Table[Record]) -> dict[bytes, list[Record]]:
    found: defaultdict[bytes, list[Record]] = defaultdict(list)
    for key, record in rows.items(table):
        found[key.partition(b"/")[0]].append(record)
    return dict(found)
