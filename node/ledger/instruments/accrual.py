"""Accrued interest in money: what a buyer owes the seller for the part of a period that is over."""

from fractions import Fraction

from node.ledger.dates import Calendar, DatesFault
from node.ledger.instruments.schedule import (
    NOT_CALLED,
    NOTHING_FIXED,
    Calls,
    Rates,
    interest_of,
    payment_at,
    payment_of,
    periods_of,
    repaid_before,
)
from node.ledger.phrases import ScheduleFault
from node.ledger.pricing.grid import half_up
from node.ledger.terms import PPM, ServicedTerms
from node.ledger.units import Day


def accrued_interest(
    terms: ServicedTerms,
    calendar: Calendar,
    settlement: Day,
    face: int,
    rates: Rates = NOTHING_FIXED,
) -> int:
    """Return the interest accrued on so many minor units of face, half up to a minor unit.

    Args:
        rates: those that are fixed, of what floats.

    Raises:
        DatesFault: as `accrued_share`.
    """
    return half_up(accrued_share(terms, calendar, settlement, rates=rates) * face, 0)


def accrued_share(
    terms: ServicedTerms,
    calendar: Calendar,
    settlement: Day,
    *,
    recorded: int | None = None,
    rates: Rates = NOTHING_FIXED,
    calls: Calls = NOT_CALLED,
) -> Fraction:
    """Return the interest accrued on a unit of face as it was issued.

    After the record day of a payment its interest stays with the seller: what accrues from there
    to the end of the period is then owed to the buyer, and the figure is below zero.

    Args:
        recorded: how many records were taken, where that is known better than by their days: a
            calendar that was amended since moves the payment and not the record.
        rates: those that are fixed, of what floats.
        calls: what was called.

    Raises:
        DatesFault: the settlement is not between the issue and the end of the last period, or in a
            period, after its first day, whose rate is not fixed yet.
    """
    number = payment_at(terms, calendar, settlement, calls)
    payment = payment_of(terms, calendar, number, rates.get(number), calls)
    period = periods_of(terms.plan, calendar, calls)[number - 1]
    is_taken = settlement > payment.record_day if recorded is None else number <= recorded
    if settlement <= period.start and not is_taken:
        return Fraction(0)  # whatever the rate will be: a new line is delivered before it is fixed
    if payment.rate_ppm is None or payment.interest is None:
        raise DatesFault(ScheduleFault.RATE_NOT_FIXED.of(day=settlement, payment=number))
    left = Fraction(PPM - repaid_before(terms.plan, number, calls), PPM)
    accrued = left * interest_of(terms.plan, period, settlement, payment.rate_ppm)
    return accrued - payment.interest if is_taken else accrued
