"""The decision of an auction: all bids rejected, or a completed book allotted at a cut-off."""

from node.codec import Record, replace
from node.hashing import Domain, tagged_hash
from node.ledger.auctioning.announced import put_auction
from node.ledger.auctioning.deliverable import why_not_deliverable
from node.ledger.auctioning.ladder import ladder_of, put_ladder
from node.ledger.auctioning.rating import why_not_accepted
from node.ledger.auctions.allotment import Allotment, allot, price_of
from node.ledger.auctions.averages import average_yield_e4
from node.ledger.auctions.problems import CutOffError
from node.ledger.auctions.records import (
    AuctionRecord,
    AuctionResult,
    AuctionStage,
    ReferenceRecord,
    YieldE4,
)
from node.ledger.auctions.terms import AuctionTerms
from node.ledger.calendars import appoint, calendar_of, today
from node.ledger.dates import MINUTES_OF_DAY, Roll, roll
from node.ledger.holdings import asset_of
from node.ledger.identifiers import Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.parameters import parameter
from node.ledger.pricing import bill_yield
from node.ledger.state import LedgerState
from node.ledger.tables import REFERENCES, DueKind, name_key
from node.ledger.terms import bill_maturity_day
from node.ledger.units import MS_PER_MINUTE, Day


class AuctionRejected(Record, tag=89):
    """All bids are rejected."""

    auction: Name
    reason: Name
    """`ministry`, `no-bids` or `not-decided`."""


def reject(
    state: LedgerState, auction: str, record: AuctionRecord, reason: str, time_ms: int
) -> AuctionRejected:
    """Reject all bids. They are forgotten from now on."""
    rejected = replace(record, stage=AuctionStage.REJECTED, next_ms=time_ms)
    put_auction(state, auction, rejected, before=record)
    return AuctionRejected(auction=auction, reason=reason)


def decide(
    state: LedgerState, auction: str, record: AuctionRecord, cut_off_e4: int, time_ms: int
) -> AuctionResult:
    """Allot a completed book at a cut-off price, and await the settlement.

    Raises:
        Reject: CUT_OFF_NOT_ACCEPTED.
    """
    terms = record.terms
    try:
        allotment = allot(terms, *ladder_of(state, auction, record), cut_off_e4)
    except CutOffError as error:
        raise Reject(
            Outcome.CUT_OFF_NOT_ACCEPTED, auction=auction, found=cut_off_e4, reason=error.reason
        ) from None
    asset = asset_of(state, terms.asset)
    settles_on = settlement_day(state, terms)
    fault = why_not_deliverable(state, terms, settles_on)
    fault = fault or why_not_accepted(state, terms.asset, asset, terms.form, cut_off_e4)
    if fault is not None:
        raise Reject(Outcome.CUT_OFF_NOT_ACCEPTED, auction=auction, found=cut_off_e4, reason=fault)
    maturity_day = bill_maturity_day(asset.terms)
    average_yield = (
        None
        if maturity_day is None
        else _average_yield(allotment, terms, maturity_day - settles_on)
    )
    result = AuctionResult(
        asset=terms.asset,
        cut_off_e4=cut_off_e4,
        average_price_e4=allotment.average_price_e4,
        average_yield_e4=average_yield,
        noncompetitive_price_e4=allotment.noncompetitive_price_e4,
        competitive=allotment.competitive_face,
        noncompetitive=allotment.noncompetitive_face,
        settlement_day=settles_on,
        decided_ms=time_ms,
    )
    put_ladder(state, auction, allotment.competitive, allotment.noncompetitive)
    # By a calendar it stands in the queue as an appointment, under the same id: entered after the
    # auction's own entry is gone, which may be of the same moment.
    next_ms = terms.settles_ms if terms.calendar is None else None
    decided = replace(record, stage=AuctionStage.DECIDED, next_ms=next_ms, result=result)
    put_auction(state, auction, decided, before=record)
    if terms.calendar is not None:
        _appoint(state, auction, terms, terms.calendar)
    _keep_reference(state, auction, terms, result)
    return result


def settlement_day(state: LedgerState, terms: AuctionTerms) -> Day:
    """Return the day of the settlement by the calendar as it is."""
    day = today(state, terms.settles_ms)
    if terms.calendar is None:
        return day
    return roll(calendar_of(state, terms.calendar), day, Roll.FOLLOWING)


def _appoint(state: LedgerState, auction: str, terms: AuctionTerms, calendar: Name) -> None:
    """Let the settlement come on a day of business of this calendar."""
    local_minute = terms.settles_ms // MS_PER_MINUTE + parameter(state, "utc-offset-minutes")
    appoint(
        state,
        calendar,
        tagged_hash(Domain.AUCTION, name_key(auction)),
        kind=DueKind.AUCTION_STEP,
        target=name_key(auction),
        subject=auction,
        nominal=today(state, terms.settles_ms),
        convention=Roll.FOLLOWING,
        minute=local_minute % MINUTES_OF_DAY,
    )


def _average_yield(allotment: Allotment, terms: AuctionTerms, days: int) -> YieldE4:
    """Return the weighted yield of a bill that has so many days left."""
    cut_off_e4 = allotment.cut_off_e4
    return average_yield_e4(
        (
            (row.allotted, price_of(terms, row, cut_off_e4))
            for row in allotment.competitive
            if row.allotted
        ),
        lambda price: bill_yield(price, days),
    )


def _keep_reference(
    state: LedgerState, auction: str, terms: AuctionTerms, result: AuctionResult
) -> None:
    """Let an average be the last of its name, unless a later auction was decided before it."""
    if terms.reference is None or result.average_yield_e4 is None:
        return
    reference = ReferenceRecord(
        auction=auction,
        day=today(state, terms.closes_ms),
        settlement_day=result.settlement_day,
        average_price_e4=result.average_price_e4,
        average_yield_e4=result.average_yield_e4,
    )
    held = state.get(REFERENCES, name_key(terms.reference))
    if held is None or held.day <= reference.day:
        state.put(REFERENCES, name_key(terms.reference), reference)
