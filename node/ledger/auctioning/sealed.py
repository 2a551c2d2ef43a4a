"""Sealed bids, from the bidder's own key or in an envelope: handed in, withdrawn, opened.

Bids are numbered as they come, sealed or not. An envelope may hold a bid without a price, whose
place is counted when it is lodged.
"""

from node.codec import replace
from node.ledger.auctioning.announced import check_room, put_auction
from node.ledger.auctioning.bidders import bidder_of, not_accepted
from node.ledger.auctioning.unpriced import check_place, void
from node.ledger.auctions.records import (
    AuctionRecord,
    BidderRecord,
    BidRecord,
    EnvelopeRecord,
    OpenBid,
)
from node.ledger.auctions.terms import (
    BIDS_PER_BIDDER_MAX,
    BPS,
    COMPETITIVE_BIDS_MAX,
    AuctionTerms,
    bounds_of,
)
from node.ledger.outcomes import Outcome, Reject
from node.ledger.state import LedgerState
from node.ledger.tables import BIDDERS, BIDS, ENVELOPES, bid_key, bidder_key


def seal(
    state: LedgerState,
    auction: str,
    record: AuctionRecord,
    *,
    account: bytes,
    bidder: str,
    commitment: bytes,
    envelope: EnvelopeRecord | None = None,
) -> int:
    """Take a sealed bid of an accepted bidder; return its number.

    Args:
        envelope: that it came on paper; None: by the bidder's own key.

    Raises:
        Reject: BIDS_FULL_FOR_BIDDER, AUCTION_FULL, SEALED_BID_EXISTS, ENVELOPE_WITHDRAWN.
    """
    theirs = bidder_of(state, auction, bidder)
    if len(theirs.sealed) >= record.terms.bids_per_bidder:
        raise Reject(
            Outcome.BIDS_FULL_FOR_BIDDER,
            auction=auction,
            participant=bidder,
            expected=record.terms.bids_per_bidder,
        )
    if envelope is None or envelope.priced:
        check_room(auction, record, record.sealed, COMPETITIVE_BIDS_MAX)
        counted = replace(record, sealed=record.sealed + 1)
    else:
        check_place(auction, record)
        counted = replace(record, noncompetitive=record.noncompetitive + 1)
    _check_fresh(state, auction, theirs, commitment)
    if envelope is not None:
        _check_not_withdrawn(auction, theirs, account, commitment)
    number = record.numbered + 1
    sealed = BidRecord(account=account, bidder=bidder, commitment=commitment, bid=None, void=False)
    state.put(BIDS, bid_key(auction, number), sealed)
    state.put(
        BIDDERS,
        bidder_key(auction, bidder),
        replace(theirs, sealed=(*theirs.sealed, number)),
    )
    if envelope is not None:
        state.put(ENVELOPES, bid_key(auction, number), envelope)
    put_auction(state, auction, replace(counted, numbered=number), before=record)
    return number


def envelope_of(state: LedgerState, auction: str, number: int) -> EnvelopeRecord | None:
    """Return what is known of a bid that came on paper; None: it did not."""
    return state.get(ENVELOPES, bid_key(auction, number))


def sealed_bid_of(state: LedgerState, auction: str, number: int, account: bytes) -> BidRecord:
    """Return a sealed bid of this account, that nobody has opened.

    Raises:
        Reject: SEALED_BID_UNKNOWN, SEALED_BID_OPENED.
    """
    bid = state.get(BIDS, bid_key(auction, number))
    if bid is None or bid.commitment is None or bid.account != account:
        raise Reject(Outcome.SEALED_BID_UNKNOWN, auction=auction, number=number, account=account)
    if bid.bid is not None:
        raise Reject(Outcome.SEALED_BID_OPENED, auction=auction, number=number)
    return bid


def bid_on_paper(state: LedgerState, auction: str, number: int) -> tuple[EnvelopeRecord, BidRecord]:
    """Return an envelope, and the bid that it is, that nobody has opened.

    Raises:
        Reject: ENVELOPE_UNKNOWN, SEALED_BID_OPENED.
    """
    envelope = envelope_of(state, auction, number)
    bid = state.get(BIDS, bid_key(auction, number))
    if envelope is None or bid is None:
        raise Reject(Outcome.ENVELOPE_UNKNOWN, auction=auction, number=number)
    if bid.bid is not None:
        raise Reject(Outcome.SEALED_BID_OPENED, auction=auction, number=number)
    return envelope, bid


def check_part(
    state: LedgerState, operation: str, auction: str, number: int, *, priced: bool
) -> None:
    """Refuse that an envelope is opened with a price where its bidder bids without, or the reverse.

    Raises:
        Reject: BIDDER_NOT_ACCEPTED.
    """
    envelope = envelope_of(state, auction, number)
    if envelope is not None and envelope.priced is not priced:
        bid = state.get(BIDS, bid_key(auction, number))
        assert bid is not None  # an envelope is one
        raise not_accepted(state, operation, auction, bid.bidder)


def check_opening(
    auction: str,
    terms: AuctionTerms,
    number: int,
    sealed: BidRecord,
    price_e4: int | None,
    commitment: bytes,
) -> None:
    """Refuse what is not what was sealed, or a price off the quantum.

    Raises:
        Reject: SEALED_BID_DIFFERS, PRICE_OFF_QUANTUM.
    """
    if commitment != sealed.commitment:
        raise Reject(
            Outcome.SEALED_BID_DIFFERS,
            auction=auction,
            number=number,
            found=commitment,
            expected=sealed.commitment or b"",
        )
    if price_e4 is not None and price_e4 % terms.quantum_e4:
        raise Reject(
            Outcome.PRICE_OFF_QUANTUM, auction=auction, found=price_e4, expected=terms.quantum_e4
        )


def withdraw(
    state: LedgerState,
    auction: str,
    record: AuctionRecord,
    number: int,
    bid: BidRecord,
    *,
    by_bidder: bool,
) -> None:
    """Forget a sealed bid. Its number is not given again.

    Args:
        by_bidder: its own key has signed. Of an envelope the hash is remembered: the office that
            has the paper could lodge it again, and whoever took it back would be bound by it.
    """
    state.delete(BIDS, bid_key(auction, number))
    theirs = bidder_of(state, auction, bid.bidder)
    left = tuple(each for each in theirs.sealed if each != number)
    key = bidder_key(auction, bid.bidder)
    envelope = envelope_of(state, auction, number)
    withdrawn = theirs.withdrawn
    if envelope is not None:
        state.delete(ENVELOPES, bid_key(auction, number))
        if by_bidder and len(withdrawn) < BIDS_PER_BIDDER_MAX:
            assert bid.commitment is not None, "an envelope without a hash"
            withdrawn = (*withdrawn, bid.commitment)
    # Where nothing is left, the record goes too: who comes and goes leaves nothing behind. What was
    # bid without a price, before a licence let it name one, stays the bidder's only such bid.
    nothing = not left and theirs.noncompetitive is None and not withdrawn
    state.put(BIDDERS, key, None if nothing else replace(theirs, sealed=left, withdrawn=withdrawn))
    if envelope is None or envelope.priced:
        counted = replace(record, sealed=record.sealed - 1)
    else:
        counted = replace(record, noncompetitive=record.noncompetitive - 1)
    put_auction(state, auction, counted, before=record)


def open_bid(
    state: LedgerState,
    auction: str,
    terms: AuctionTerms,
    number: int,
    sealed: BidRecord,
    bid: OpenBid,
) -> None:
    """Open a sealed bid with a price, whose hash fits.

    Raises:
        Reject: BIDDER_LIMIT_EXCEEDED; BID_OUT_OF_RANGE: a price or rate of nothing or less, or a
            margin of more than the whole.
    """
    theirs = bidder_of(state, auction, sealed.bidder)
    face = theirs.face + bid.face
    most = terms.target * terms.bidder_share_bps // BPS  # down
    if face > most:
        raise Reject(
            Outcome.BIDDER_LIMIT_EXCEEDED,
            auction=auction,
            participant=sealed.bidder,
            found=face,
            expected=most,
        )
    assert bid.price_e4 is not None
    lowest, highest = bounds_of(terms.form)
    if not lowest <= bid.price_e4 <= highest:
        raise Reject(
            Outcome.BID_OUT_OF_RANGE,
            auction=auction,
            found=bid.price_e4,
            lowest=lowest,
            highest=highest,
        )
    state.put(BIDS, bid_key(auction, number), replace(sealed, bid=bid))
    state.put(BIDDERS, bidder_key(auction, sealed.bidder), replace(theirs, face=face))


def open_unpriced(
    state: LedgerState, auction: str, number: int, sealed: BidRecord, bid: OpenBid
) -> int | None:
    """Open an envelope without a price, whose hash fits.

    Returns:
        the number of the bid without a price that its bidder had already: both are void. None: it
        is the only one.
    """
    theirs = bidder_of(state, auction, sealed.bidder)
    first = theirs.noncompetitive
    state.put(BIDS, bid_key(auction, number), replace(sealed, bid=bid, void=first is not None))
    if first is not None:
        void(state, auction, first)
        return first
    key = bidder_key(auction, sealed.bidder)
    state.put(BIDDERS, key, replace(theirs, noncompetitive=number))
    return None


def _check_fresh(state: LedgerState, auction: str, theirs: BidderRecord, commitment: bytes) -> None:
    """Refuse a hash that the bidder has in the auction already.

    Whoever has seen one of the two opened could open the other, and it would be bid for twice. A
    hash covers its account, so a copy opens nothing for other bidders.
    """
    for number in theirs.sealed:
        held = state.get(BIDS, bid_key(auction, number))
        if held is not None and held.commitment == commitment:
            raise Reject(Outcome.SEALED_BID_EXISTS, auction=auction, number=number)


def _check_not_withdrawn(
    auction: str, theirs: BidderRecord, account: bytes, commitment: bytes
) -> None:
    """Refuse an envelope that its bidder took back, and any where it took back too many to know."""
    if commitment in theirs.withdrawn or len(theirs.withdrawn) >= BIDS_PER_BIDDER_MAX:
        raise Reject(
            Outcome.ENVELOPE_WITHDRAWN,
            auction=auction,
            account=account,
            expected=BIDS_PER_BIDDER_MAX,
        )
