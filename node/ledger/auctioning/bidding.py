"""Auctions, bids, bidders and their standing. With `steps`, the only writer of these tables.

An auction has one entry in the queue of what is due, at its next step; its id is a hash of the
name. Bids are numbered as they come. What a bidder has in one auction lies in one record, so that
every rule about a bidder costs one read.
"""

from typing import Final

from node.codec import Record, replace
from node.hashing import Domain, tagged_hash
from node.ledger.auctions.records import (
    BIDS_NUMBERED_MAX,
    AuctionRecord,
    BidderRecord,
    BidNumber,
    BidRecord,
    EnvelopeRecord,
    OpenBid,
    StandingRecord,
)
from node.ledger.auctions.terms import (
    BIDS_PER_BIDDER_MAX,
    BPS,
    COMPETITIVE_BIDS_MAX,
    NONCOMPETITIVE_BIDS_MAX,
    AuctionTerms,
    bounds_of,
)
from node.ledger.authority import is_active, participant_of
from node.ledger.holdings import asset_of
from node.ledger.identifiers import Name
from node.ledger.identities import identity_of
from node.ledger.outcomes import Outcome, Reject
from node.ledger.state import LedgerState
from node.ledger.tables import (
    AUCTIONS,
    BIDDERS,
    BIDS,
    DUE,
    ENVELOPES,
    LICENCES,
    STANDINGS,
    DueKind,
    DueRecord,
    ParticipantKind,
    bid_key,
    bidder_key,
    due_key,
    licence_key,
    name_key,
)
from node.ledger.units import MS_PER_DAY

_NO_BIDS: Final = BidderRecord(sealed=(), face=0, noncompetitive=None, withdrawn=(), failed=False)
_BLAMELESS: Final = StandingRecord(unrevealed=0, failed=0, excluded_until_ms=0, unentered=0)


class BidsVoided(Record, tag=93):
    """A bidder made a second bid without a price, electronic or on paper: neither counts."""

    auction: Name
    number: BidNumber
    """Of the first one; the second was never entered, or is void as well."""
    bidder: Name


# --- auctions ------------------------------------------------------------------------------------


def auction_of(state: LedgerState, auction: str) -> AuctionRecord:
    """Return an announced auction, whatever its stage.

    Raises:
        Reject: AUCTION_UNKNOWN.
    """
    record = state.get(AUCTIONS, name_key(auction))
    if record is None:
        raise Reject(Outcome.AUCTION_UNKNOWN, auction=auction)
    return record


def put_auction(
    state: LedgerState, auction: str, record: AuctionRecord, *, before: AuctionRecord | None
) -> None:
    """Write an auction, and move its entry in the queue where its next step has another time."""
    state.put(AUCTIONS, name_key(auction), record)
    earlier = None if before is None else before.next_ms
    if record.next_ms != earlier:
        due_id = tagged_hash(Domain.AUCTION, name_key(auction))
        if earlier is not None:
            state.delete(DUE, due_key(earlier, due_id))
        if record.next_ms is not None:
            due = DueRecord(kind=DueKind.AUCTION_STEP, target=name_key(auction))
            state.put(DUE, due_key(record.next_ms, due_id), due)


def check_time(
    operation: str, auction: str, *, now_ms: int, earliest_ms: int, before_ms: int
) -> None:
    """Refuse what comes before its time or after it.

    The block's time says it, not the stage: the step that changes the stage may still wait in a
    queue that is longer than what one block takes from it.

    Raises:
        Reject: AUCTION_STEP_TOO_EARLY, AUCTION_STEP_TOO_LATE.
    """
    if now_ms < earliest_ms:
        raise Reject(
            Outcome.AUCTION_STEP_TOO_EARLY,
            auction=auction,
            operation=operation,
            found=now_ms,
            expected=earliest_ms,
        )
    if now_ms >= before_ms:
        raise Reject(
            Outcome.AUCTION_STEP_TOO_LATE,
            auction=auction,
            operation=operation,
            found=now_ms,
            expected=before_ms,
        )


def check_asset(auction: str, terms: AuctionTerms, asset: str) -> None:
    """Refuse a bid for something else than what is sold.

    Raises:
        Reject: AUCTION_ASSET_DIFFERS.
    """
    if asset != terms.asset:
        raise Reject(
            Outcome.AUCTION_ASSET_DIFFERS, auction=auction, found=asset, expected=terms.asset
        )


def check_face(auction: str, terms: AuctionTerms, face: int) -> None:
    """Refuse a face that is not a positive multiple.

    Raises:
        Reject: FACE_NOT_A_MULTIPLE.
    """
    if face <= 0 or face % terms.multiple:
        raise Reject(
            Outcome.FACE_NOT_A_MULTIPLE, auction=auction, found=face, expected=terms.multiple
        )


# --- bidders -------------------------------------------------------------------------------------


def check_bidder(
    state: LedgerState,
    operation: str,
    auction: str,
    terms: AuctionTerms,
    bidder: str,
    *,
    time_ms: int,
    priced: bool,
) -> None:
    """Refuse who may not bid so: of another class, the issuer itself, excluded, or nobody known.

    Whatever an auction limits, it limits by bidder: a person who could be several would bid in each
    name, and after an exclusion in the next. So only persons bid of whom it is known who they are;
    it is asked when a bid is handed in.

    Raises:
        Reject: BIDDER_NOT_ACCEPTED, BIDDER_EXCLUDED, BIDDER_NOT_IDENTIFIED.
    """
    names_a_price = competes(state, terms, bidder, time_ms=time_ms)
    kind = participant_of(state, bidder).kind
    accepted = names_a_price if priced else not names_a_price and kind in terms.noncompetitive_kinds
    if not accepted or bidder == asset_of(state, terms.asset).issuer:
        raise _not_accepted(state, operation, auction, bidder)
    standing = state.get(STANDINGS, name_key(bidder))
    if standing is not None and time_ms < standing.excluded_until_ms:
        raise Reject(
            Outcome.BIDDER_EXCLUDED,
            participant=bidder,
            found=time_ms,
            expected=standing.excluded_until_ms,
            unrevealed=standing.unrevealed,
            failed=standing.failed,
        )
    if kind is ParticipantKind.PERSON and identity_of(state, bidder) is None:
        raise Reject(Outcome.BIDDER_NOT_IDENTIFIED, participant=bidder)


def competes(state: LedgerState, terms: AuctionTerms, bidder: str, *, time_ms: int) -> bool:
    """Return whether a participant is of those who may bid with a price, and not without one."""
    kind = participant_of(state, bidder).kind.value
    return kind in terms.kinds or _is_licensed(state, terms, bidder, time_ms)


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
        raise _not_accepted(state, operation, auction, bid.bidder)


def bidder_of(state: LedgerState, auction: str, participant: str) -> BidderRecord:
    """Return what a participant has in an auction; nothing where there is no record."""
    return state.get(BIDDERS, bidder_key(auction, participant)) or _NO_BIDS


def blame(
    state: LedgerState,
    participant: str,
    *,
    time_ms: int,
    exclusion_days: int,
    unrevealed: int = 0,
    failed: int = 0,
    unentered: int = 0,
) -> None:
    """Count against a bidder, or an office, what it did not do; exclude it for so many days."""
    standing = state.get(STANDINGS, name_key(participant)) or _BLAMELESS
    until_ms = time_ms + exclusion_days * MS_PER_DAY if exclusion_days else 0
    state.put(
        STANDINGS,
        name_key(participant),
        StandingRecord(
            unrevealed=standing.unrevealed + unrevealed,
            failed=standing.failed + failed,
            excluded_until_ms=max(standing.excluded_until_ms, until_ms),
            unentered=standing.unentered + unentered,
        ),
    )


def _not_accepted(state: LedgerState, operation: str, auction: str, bidder: str) -> Reject:
    kind = participant_of(state, bidder).kind.value
    return Reject(
        Outcome.BIDDER_NOT_ACCEPTED,
        auction=auction,
        participant=bidder,
        kind=kind,
        operation=operation,
    )


def _is_licensed(state: LedgerState, terms: AuctionTerms, bidder: str, time_ms: int) -> bool:
    for activity in terms.licences:
        licence = state.get(LICENCES, licence_key(bidder, activity))
        if licence is not None and is_active(licence, time_ms):
            return True
    return False


# --- bids ----------------------------------------------------------------------------------------


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
        _check_room(auction, record, record.sealed, COMPETITIVE_BIDS_MAX)
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


def check_place(auction: str, record: AuctionRecord) -> None:
    """Refuse a bid without a price for which there is no place.

    Raises:
        Reject: AUCTION_FULL.
    """
    _check_room(auction, record, record.noncompetitive, NONCOMPETITIVE_BIDS_MAX)


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


def _check_room(auction: str, record: AuctionRecord, count: int, count_max: int) -> None:
    if count >= count_max or record.numbered >= BIDS_NUMBERED_MAX:
        raise Reject(Outcome.AUCTION_FULL, auction=auction, expected=count_max)
