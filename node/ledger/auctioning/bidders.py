"""Who may bid, what a bidder has in an auction, and what is held against it.

What a bidder has in one auction lies in one record, so that every rule about a bidder costs one
read.
"""

from typing import Final

from node.ledger.auctions.records import BidderRecord, StandingRecord
from node.ledger.auctions.terms import AuctionTerms
from node.ledger.authority import is_active, participant_of
from node.ledger.holdings import asset_of
from node.ledger.identities import identity_of
from node.ledger.outcomes import Outcome, Reject
from node.ledger.state import LedgerState
from node.ledger.tables import (
    BIDDERS,
    LICENCES,
    STANDINGS,
    ParticipantKind,
    bidder_key,
    licence_key,
    name_key,
)
from node.ledger.units import MS_PER_DAY

_NO_BIDS: Final = BidderRecord(sealed=(), face=0, noncompetitive=None, withdrawn=(), failed=False)

_BLAMELESS: Final = StandingRecord(unrevealed=0, failed=0, excluded_until_ms=0, unentered=0)


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
        raise not_accepted(state, operation, auction, bidder)
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


def not_accepted(state: LedgerState, operation: str, auction: str, bidder: str) -> Reject:
    """Return the refusal of a bid that its bidder may not make."""
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
