"""The payments of a security: its plan and its calendar in, numbered rows out.

What a row pays is said for one unit of the face that was issued, exactly: interest as a fraction,
principal in millionths. A holding of so many minor units is paid the floor of its share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from node.ledger.dates import (
    Calendar,
    DatesError,
    Period,
    add_business_days,
    date_of,
    generate,
    periods_of_year,
)
from node.ledger.outcomes import Outcome, Reject
from node.ledger.pricing.daycounts import year_fraction
from node.ledger.terms import PPM, PaymentPlan, ServicedTerms
from node.ledger.units import AMOUNT_MAX, Day

PAYMENTS_MAX: Final = 400
"""A hundred years of quarters, thirty-three of months."""
PART_MAX: Final = (1 << 63) - 1
"""Numerator and denominator stand in a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What is paid on one day."""

    number: int
    """1 for the first of the schedule."""
    start: Day
    """Interest accrues from this day on, up to `end`, itself left out."""
    end: Day
    record_day: Day
    """Whoever holds at the end of this day is paid."""
    funding_day: Day
    """When the paying agent's cash is looked at: the business day before the payment."""
    nominal_day: Day
    """When it is paid by the terms, before any roll."""
    payment_day: Day
    interest: Fraction
    """Of a unit of face that was issued."""
    principal_ppm: int
    """Of a unit of face that was issued."""
    final: bool
    """Whether the face is gone with it."""


def schedule_of(terms: ServicedTerms, calendar: Calendar) -> tuple[Payment, ...]:
    """Return all payments in order.

    Raises:
        DatesError: no schedule follows from the terms; of defined assets it does.
    """
    plan = terms.plan
    periods = periods_of(plan, calendar)
    return tuple(_payment(plan, calendar, periods, number) for number in range(1, len(periods) + 1))


def payment_of(terms: ServicedTerms, calendar: Calendar, number: int) -> Payment:
    """Return one payment of the schedule; it has so many.

    Raises:
        DatesError: as `schedule_of`.
    """
    return _payment(terms.plan, calendar, periods_of(terms.plan, calendar), number)


def periods_of(plan: PaymentPlan, calendar: Calendar) -> tuple[Period, ...]:
    """Return the periods of a plan, one for each payment.

    Raises:
        DatesError: the plan has none.
    """
    return generate(
        plan.issue_day,
        plan.maturity_day,
        plan.months,
        end_of_month=plan.end_of_month,
        stub=plan.stub,
        roll=plan.roll,
        order=plan.order,
        calendar=calendar,
    )


def interest_of(plan: PaymentPlan, period: Period, until: Day) -> Fraction:
    """Return what accrues from the start of the period to a day, of a unit that is not repaid."""
    if not plan.rates:
        return Fraction(0)
    # The regular period beside a long first one begins later than it does.
    is_first = period.start == plan.issue_day
    begins = plan.issue_day if is_first else period.nominal_start
    rate_ppm = next(step.rate_ppm for step in reversed(plan.rates) if step.from_day <= begins)
    share = year_fraction(
        plan.day_count,
        date_of(period.start),
        date_of(until),
        reference=(date_of(period.nominal_start), date_of(period.nominal_end)),
        frequency=periods_of_year(plan.months),
        end_of_month=plan.end_of_month,
        termination=date_of(plan.maturity_day),
    )
    return Fraction(rate_ppm, PPM) * share


def check_schedule(
    terms: ServicedTerms, calendar: Calendar, ceiling: int = 0
) -> tuple[Payment, ...]:
    """Return the payments of terms that are to be defined.

    Args:
        ceiling: the most face that may ever exist.

    Raises:
        Reject: SCHEDULE_NOT_VALID: no schedule follows from them, or none that can be kept.
    """
    plan = terms.plan
    try:
        # What each pays takes ten times as long as counting them.
        count = len(periods_of(plan, calendar))
        if count > PAYMENTS_MAX:
            raise _contradiction(f"it has {count} payments, more than {PAYMENTS_MAX}")
        payments = schedule_of(terms, calendar)
    except DatesError as error:
        raise _contradiction(error.args[0]) from None
    if payments[0].record_day < plan.issue_day:
        raise _contradiction(
            f"the record of its first payment would be taken on day {payments[0].record_day},"
            f" before its issue on day {plan.issue_day}"
        )
    for earlier, later in pairwise(payments):
        if later.record_day <= earlier.payment_day:
            raise _contradiction(
                f"the record of payment {later.number} would be taken on day {later.record_day},"
                f" and payment {earlier.number} is made on day {earlier.payment_day}"
            )
    for instalment in plan.instalments:
        if instalment.payment >= len(payments):
            raise _contradiction(
                f"it has {len(payments)} payments, and an instalment with payment"
                f" {instalment.payment}; the last one repays the rest"
            )
    for payment in payments:
        if max(payment.interest.numerator, payment.interest.denominator) > PART_MAX:
            raise _contradiction(
                f"the interest of payment {payment.number} is a fraction of more than 63 bits"
            )
        # Half of it: a calendar that is amended can lengthen a period by some days.
        if ceiling * (payment.interest + Fraction(payment.principal_ppm, PPM)) > AMOUNT_MAX // 2:
            raise _contradiction(
                f"payment {payment.number} on the whole ceiling would be more than half of what an"
                " amount can be"
            )
    return payments


def _payment(
    plan: PaymentPlan, calendar: Calendar, periods: Sequence[Period], number: int
) -> Payment:
    period = periods[number - 1]
    final = number == len(periods)
    instalments = plan.instalments
    remaining = PPM - sum(each.share_ppm for each in instalments if each.payment < number)
    due = sum(each.share_ppm for each in instalments if each.payment == number)
    return Payment(
        number=number,
        start=period.start,
        end=period.end,
        record_day=add_business_days(calendar, period.payment, -plan.record_days),
        funding_day=add_business_days(calendar, period.payment, -1),
        nominal_day=plan.maturity_day if final else period.nominal_end,
        payment_day=period.payment,
        interest=Fraction(remaining, PPM) * interest_of(plan, period, period.end),
        principal_ppm=remaining if final else due,
        final=final,
    )


def _contradiction(reason: str) -> Reject:
    return Reject(Outcome.SCHEDULE_NOT_VALID, reason=reason)
