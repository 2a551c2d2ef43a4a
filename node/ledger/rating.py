"""Lines whose rate an auction decides: what may be one, and how it gets its rate.

Such a line is defined with a single rate of nothing and has no holders. The cut-off becomes that
rate; the schedule, which everybody could see with nothing in it, pays it from then on.
"""

from node.codec import replace
from node.ledger.calendars import calendar_of
from node.ledger.courses import calls_of
from node.ledger.holdings import asset_of
from node.ledger.instruments import check_schedule, payment_of
from node.ledger.outcomes import Reject
from node.ledger.positions import service_of
from node.ledger.securities import SERVICES, PaymentRow
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, AssetRecord, name_key
from node.ledger.terms import PPM, RateStep, ServicedTerms, is_serviced


def why_unrated(asset: AssetRecord) -> str | None:
    """Return why an auction cannot decide the rate of a line; None: it can."""
    if not is_serviced(asset.terms):
        return "what is sold by rate pays coupons or rentals, and this does not"
    if [step.rate_ppm for step in asset.terms.plan.rates] != [0]:
        return "what is sold by rate is defined with a single rate of 0, and this is not"
    if asset.supply:
        return f"its rate is not decided any more: {asset.supply} minor units of it are held"
    return None


def why_no_rate(state: LedgerState, asset: AssetRecord, rate_ppm: int) -> str | None:
    """Return why a line cannot have this rate; None: it can."""
    fault = why_unrated(asset)
    if fault is not None:
        return fault
    if rate_ppm > PPM:
        return f"a rate is at most {PPM}"
    assert is_serviced(asset.terms)  # an unrated line is
    terms = _rated(asset.terms, rate_ppm)
    try:
        check_schedule(terms, calendar_of(state, terms.plan.calendar), asset.ceiling)
    except Reject as problem:
        return str(dict(problem.details)["reason"])
    return None


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
