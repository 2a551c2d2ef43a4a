"""Lines whose rate or margin an auction decides: what may be one, and how it gets its rate.

Such a line is defined with a single rate of nothing and has no holders. The cut-off becomes that
rate; the schedule, which everybody could see with nothing in it, pays it from then on. One whose
margin is bid for is defined with a margin of nothing, and no record of it was taken: its margin is
given to it beside its fixings (`servicing.fixer`).
"""

from typing import assert_never

from node.codec import replace
from node.ledger.auctions.terms import Form
from node.ledger.calendars import calendar_of
from node.ledger.courses import calls_of
from node.ledger.holdings import asset_of
from node.ledger.instruments import check_schedule, payment_of
from node.ledger.outcomes import Reject
from node.ledger.phrases import CutOffFault, LineFault, Reason
from node.ledger.positions import service_of
from node.ledger.securities import SERVICES, PaymentRow
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, AssetRecord, name_key
from node.ledger.terms import PPM, RateStep, ServicedTerms, is_serviced


def why_not_bid_for(state: LedgerState, code: str, asset: AssetRecord, form: Form) -> Reason | None:
    """Return why a line cannot be sold by what such an auction is of; None: it can."""
    match form:
        case Form.RATE:
            return _why_unrated(asset)
        case Form.MARGIN:
            return _why_without_margin(state, code, asset)
        case Form.PRICE | Form.BUYBACK | Form.SWITCH:
            return None
        case _ as unreachable:
            assert_never(unreachable)


def _why_without_margin(state: LedgerState, code: str, asset: AssetRecord) -> Reason | None:
    floating = asset.terms.plan.floating if is_serviced(asset.terms) else None
    if floating is None:
        return LineFault.MARGIN_OF_FIXED.of()
    if floating.margin_ppm:
        return LineFault.MARGIN_GIVEN.of()
    if asset.supply:
        return LineFault.MARGIN_HELD.of(supply=asset.supply)
    service = service_of(state, code)
    if service.decided:
        return LineFault.MARGIN_DECIDED.of()
    if service.recorded:  # Its rate is settled without a margin, and a line has one margin.
        return LineFault.MARGIN_RECORD_OVER.of(payment=service.recorded)
    return None


def _why_unrated(asset: AssetRecord) -> Reason | None:
    """Return why an auction cannot decide the rate of a line; None: it can."""
    if not is_serviced(asset.terms):
        return LineFault.RATE_OF_NO_COUPON.of()
    if [step.rate_ppm for step in asset.terms.plan.rates] != [0]:
        return LineFault.RATE_GIVEN.of()
    if asset.supply:
        return LineFault.RATE_HELD.of(supply=asset.supply)
    return None


def why_not_accepted(
    state: LedgerState, code: str, asset: AssetRecord, form: Form, cut_off_e4: int
) -> Reason | None:
    """Return why a line cannot have this rate or margin; None: it can, or its terms stay."""
    fault = why_not_bid_for(state, code, asset, form)
    # Within the bounds of bids every margin can be paid: floor and cap hold what it comes to.
    return _why_no_rate(state, asset, cut_off_e4) if not fault and form is Form.RATE else fault


def _why_no_rate(state: LedgerState, asset: AssetRecord, rate_ppm: int) -> Reason | None:
    if rate_ppm > PPM:
        return CutOffFault.RATE_TOO_HIGH.of(most=PPM)
    assert is_serviced(asset.terms)  # an unrated line is
    terms = _rated(asset.terms, rate_ppm)
    try:
        check_schedule(terms, calendar_of(state, terms.plan.calendar), asset.ceiling)
    except Reject as problem:
        fault = problem.reason
    else:
        return None
    assert fault is not None  # the outcome of a schedule has one
    return fault


def set_rate(state: LedgerState, code: str, rate_ppm: int) -> None:
    """Let a line that can have this rate pay it."""
    asset = asset_of(state, code)
    assert is_serviced(asset.terms)  # an unrated line is
    terms = _rated(asset.terms, rate_ppm)
    state.put(ASSETS, name_key(code), replace(asset, terms=terms))
    service = service_of(state, code)
    if service.next is not None:
        calendar = calendar_of(state, terms.plan.calendar)
        interest = payment_of(
            terms, calendar, service.recorded + 1, calls=calls_of(state, code, terms)
        ).interest
        assert interest is not None  # it does not float
        row: PaymentRow = replace(
            service.next,
            interest_numerator=interest.numerator,
            interest_denominator=interest.denominator,
        )
        state.put(SERVICES, name_key(code), replace(service, next=row))


def _rated(terms: ServicedTerms, rate_ppm: int) -> ServicedTerms:
    step = RateStep(from_day=terms.plan.issue_day, rate_ppm=rate_ppm)
    return replace(terms, plan=replace(terms.plan, rates=(step,)))
