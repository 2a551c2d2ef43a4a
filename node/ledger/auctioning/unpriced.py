"""Bids without a price: one a bidder, in full on the ledger from the first moment."""

from node.codec import Record, replace
from node.ledger.auctioning.announced import check_room, put_auction
from node.ledger.auctioning.bidders import bidder_of
from node.ledger.auctions.records import AuctionRecord, BidNumber, BidRecord, OpenBid
from node.ledger.auctions.terms import NONCOMPETITIVE_BIDS_MAX, AuctionTerms
from node.ledger.identifiers import Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.state import LedgerState
from node.ledger.tables import BIDDERS, BIDS, bid_key, bidder_key


class BidsVoided(Record, tag=93):
    """A bidder made a second bid without a price, electronic or on paper: neither counts."""

    auction: Name
    number: BidNumber
    """Of the first one; the second was never entered, or is void as well."""
    bidder: Name


def check_noncompetitive(auction: str, terms: AuctionTerms, face: int) -> None:
    """Refuse a face that one person may not bid for without a price.

    Raises:
        Reject: NONCOMPETITIVE_FACE_NOT_ACCEPTED.
    """
    if not terms.noncompetitive_least <= face <= terms.noncompetitive_most:
        raise Reject(
            Outcome.NONCOMPETITIVE_FACE_NOT_ACCEPTED,
            auction=auction,
            found=face,
            lowest=terms.noncompetitive_least,
            highest=terms.noncompetitive_most,
        )


def check_place(auction: str, record: AuctionRecord) -> None:
    """Refuse a bid without a price for which there is no place.

    Raises:
        Reject: AUCTION_FULL.
    """
    check_room(auction, record, record.noncompetitive, NONCOMPETITIVE_BIDS_MAX)


def place(
    state: LedgerState,
    auction: str,
    record: AuctionRecord,
    *,
    account: bytes,
    bidder: str,
    bid: OpenBid,
) -> int:
    """Take a bid without a price that has its place, the bidder's first; return its number."""
    number = record.numbered + 1
    placed = BidRecord(account=account, bidder=bidder, commitment=None, bid=bid, void=False)
    state.put(BIDS, bid_key(auction, number), placed)
    theirs = bidder_of(state, auction, bidder)
    state.put(BIDDERS, bidder_key(auction, bidder), replace(theirs, noncompetitive=number))
    put_auction(
        state,
        auction,
        replace(record, numbered=number, noncompetitive=record.noncompetitive + 1),
        before=record,
    )
    return number


def void(state: LedgerState, auction: str, number: int) -> None:
    """Let a bid count for nothing: its bidder has made a second one without a price."""
    key = bid_key(auction, number)
    bid = state.get(BIDS, key)
    assert bid is not None  # bids without a price are not withdrawn
    state.put(BIDS, key, replace(bid, void=True))
