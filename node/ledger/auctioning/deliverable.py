"""Whether a security can be delivered on a day, and what has accrued on it by then.

On what is reopened the interest that has accrued is paid as well, on the day of the block that
settles. After the record of a payment that payment is not the buyer's, who is compensated for it;
the service says which records were taken.
"""

from typing import assert_never

from node.ledger.auctions.records import Accrual
from node.ledger.auctions.terms import AuctionTerms, lines_of
from node.ledger.calendars import calendar_of
from node.ledger.courses import calls_of, fixed_rate
from node.ledger.dates import DatesError
from node.ledger.holdings import asset_of
from node.ledger.instruments import (
    NOTHING_FIXED,
    accrued_share,
    as_noted,
    last_record_day,
    payment_at,
)
from node.ledger.outcomes import Outcome, Reject
from node.ledger.phrases import CashFault, LineFault, Reason
from node.ledger.positions import service_of
from node.ledger.state import LedgerState
from node.ledger.tables import BACKLOG, BACKLOG_KEY
from node.ledger.terms import (
    AssetTerms,
    BillTerms,
    BondTerms,
    CashTerms,
    ServicedBillTerms,
    ServicedTerms,
    StripTerms,
    SukukTerms,
    is_serviced,
)
from node.ledger.units import Day


def must_wait(state: LedgerState, terms: AssetTerms) -> bool:
    """Return whether a security cannot be delivered in this block, and can be in a later one."""
    # While records wait for a later block, whoever is on them must not change.
    return accrues(terms) is not None and state.get(BACKLOG, BACKLOG_KEY) is not None


def why_not_deliverable(state: LedgerState, terms: AuctionTerms, day: Day) -> Reason | None:
    """Return why an auction cannot be settled on a day, of any of its lines; None: it can."""
    for code in lines_of(terms):
        fault = _why_undeliverable(state, code, asset_of(state, code).terms, day)
        if fault is not None:
            return fault
    return None


def _why_undeliverable(
    state: LedgerState, asset: str, terms: AssetTerms, day: Day
) -> Reason | None:
    """Return why a security of these terms cannot be delivered on a day; None: it can."""
    match terms:
        case BillTerms():
            if day >= terms.maturity_day:
                return LineFault.SETTLES_AFTER_MATURITY.of(
                    asset=asset, day=day, maturity=terms.maturity_day
                )
        case BondTerms() | SukukTerms() | ServicedBillTerms():
            if day < terms.plan.issue_day:
                return LineFault.SETTLES_BEFORE_ISSUE.of(
                    asset=asset, day=day, issue=terms.plan.issue_day
                )
            calendar, calls = calendar_of(state, terms.plan.calendar), calls_of(state, asset, terms)
            last_day = last_record_day(terms, calendar, calls)
            if day > last_day:
                return LineFault.SETTLES_AFTER_REGISTER.of(asset=asset, day=day, last=last_day)
        case CashTerms():
            return CashFault.CASH_AUCTIONED.of(asset=asset)
        case StripTerms():
            return LineFault.STRIP_NOT_SOLD.of(asset=asset)
        case _ as unreachable:
            assert_never(unreachable)
    return None


def accrual_of(state: LedgerState, asset: str, terms: ServicedTerms, day: Day) -> Accrual:
    """Return what has accrued on a unit of face for whoever comes on the register now.

    Raises:
        Reject: REGISTER_CLOSED, RECORDS_PENDING, ACCRUAL_NOT_KNOWN: nobody comes on it, a record
            that is overdue would count who does, or the rate of the period is not fixed.
    """
    service = service_of(state, asset)
    if service.closed:
        raise Reject(Outcome.REGISTER_CLOSED, asset=asset)
    if service.waits:
        raise Reject(Outcome.RECORDS_PENDING, asset=asset)
    plan = terms.plan
    calendar, calls = calendar_of(state, plan.calendar), calls_of(state, asset, terms)
    day = max(day, plan.issue_day)  # before the issue nothing has accrued
    try:
        # Of what floats, one rate is read and not all that were ever fixed.
        number = payment_at(terms, calendar, day, calls)
        fixed_ppm = fixed_rate(state, asset, terms, number)
        share = accrued_share(
            terms,
            calendar,
            day,
            recorded=service.recorded,
            rates=NOTHING_FIXED if fixed_ppm is None else {number: fixed_ppm},
            calls=calls,
        )
    except DatesError:
        raise Reject(Outcome.ACCRUAL_NOT_KNOWN, asset=asset, found=day) from None
    share = as_noted(share)
    return Accrual(day=day, numerator=share.numerator, denominator=share.denominator)


def accrues(terms: AssetTerms) -> ServicedTerms | None:
    """Return the terms, if interest accrues on what has them; None: it does not."""
    return terms if is_serviced(terms) else None
