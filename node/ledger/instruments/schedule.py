"""The payments of a security: its plan and its calendar in, numbered rows out.

What a row pays is said for one unit of the face that was issued, exactly: interest as a fraction,
principal in millionths. A holding of so many minor units is paid the floor of its share. What
floats is known as far as it is fixed: whoever asks for a schedule brings the fixed rates.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from types import MappingProxyType
from typing import Final, TypeAlias

from node.ledger.dates import (
    Calendar,
    DatesFault,
    Order,
    Period,
    Periods,
    Roll,
    add_business_days,
    date_of,
    generate,
    periods_of_year,
    roll,
)
from node.ledger.outcomes import Outcome, Reject
from node.ledger.phrases import Reason, ScheduleFault
from node.ledger.pricing.daycounts import year_fraction
from node.ledger.terms import PAR_E4, PPM, FloatingRate, PaymentPlan, ServicedTerms
from node.ledger.units import AMOUNT_MAX, Day

PAYMENTS_MAX: Final = 400
"""A hundred years of quarters, thirty-three of months."""
SCHEDULE_WORK: Final = 3
"""Of each payment that is computed, in units of 10 microseconds."""
PART_MAX: Final = (1 << 63) - 1
"""Numerator and denominator stand in a record."""
_FINEST: Final = 10**16

Rates: TypeAlias = Mapping[int, int]
"""What is paid for a year in periods whose rate is fixed, in millionths, by number of payment."""
NOTHING_FIXED: Final[Rates] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An early repayment, with the payment of whose period it is."""

    day: Day
    """By the terms, before any roll. Of all that is left: the payment comes on it; of a share: it
    is the payment's own."""
    share_ppm: int | None
    """Of a unit of face that was issued, in millionths; None: all that is left."""
    price_e4: int
    """Per hundred of what is repaid, in units of 0.0001."""


Calls: TypeAlias = Mapping[int, Call]
"""What was called, by number of payment. Nothing follows on a payment that repays all."""
NOT_CALLED: Final[Calls] = MappingProxyType({})


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
    fixing_day: Day | None
    """From the start of which the reference is known by which it is paid; None: it does not float.
    """
    rate_ppm: int | None
    """What is paid for a year, in millionths; None: not fixed yet."""
    interest: Fraction | None
    """Of a unit of face that was issued; None: not fixed yet."""
    principal_ppm: int
    """Of a unit of face that was issued."""
    price_e4: int
    """Per hundred of principal, in units of 0.0001: par, unless it was called."""
    final: bool
    """Whether the face is gone with it."""


def schedule_of(
    terms: ServicedTerms,
    calendar: Calendar,
    rates: Rates = NOTHING_FIXED,
    calls: Calls = NOT_CALLED,
) -> tuple[Payment, ...]:
    """Return all payments in order.

    Args:
        rates: those that are fixed, of what floats.
        calls: what was called.

    Raises:
        DatesFault: no schedule follows from the terms; of defined assets it does.
    """
    plan = terms.plan
    periods = periods_of(plan, calendar, calls)
    return tuple(
        _payment(plan, calendar, periods, number, rates.get(number), calls)
        for number in range(1, len(periods) + 1)
    )


def payment_of(
    terms: ServicedTerms,
    calendar: Calendar,
    number: int,
    fixed_ppm: int | None = None,
    calls: Calls = NOT_CALLED,
) -> Payment:
    """Return one payment of the schedule; it has so many.

    Args:
        fixed_ppm: its rate, of what floats, once it is fixed.
        calls: what was called.

    Raises:
        DatesFault: as `schedule_of`.
    """
    periods = periods_of(terms.plan, calendar, calls)
    return _payment(terms.plan, calendar, periods, number, fixed_ppm, calls)


def last_record_day(terms: ServicedTerms, calendar: Calendar, calls: Calls = NOT_CALLED) -> Day:
    """Return the day at the end of which the register closes: the last on which anything moves.

    Raises:
        DatesFault: as `schedule_of`.
    """
    plan = terms.plan
    last = periods_of(plan, calendar, calls)[-1]
    return add_business_days(calendar, last.payment, -plan.record_days)


def as_noted(share: Fraction) -> Fraction:
    """Return a share of a unit of face as a record can hold it.

    No definition comes to more than 63 bits, but a calendar that was amended since may, or a day in
    a long period: then it is the floor to 10^-16.
    """
    if max(abs(share.numerator), share.denominator) <= PART_MAX:
        return share
    return Fraction(share.numerator * _FINEST // share.denominator, _FINEST)


def payment_at(
    terms: ServicedTerms,
    calendar: Calendar,
    day: Day,
    calls: Calls = NOT_CALLED,
) -> int:
    """Return the number of the payment in whose period a day lies.

    Raises:
        DatesFault: it lies in none.
    """
    periods = periods_of(terms.plan, calendar, calls)
    place = bisect_right(periods, day, key=lambda period: period.end)
    if day < terms.plan.issue_day or place == len(periods):
        raise DatesFault(
            ScheduleFault.SETTLES_OUTSIDE.of(
                day=day, issue=terms.plan.issue_day, end=periods[-1].end
            )
        )
    return place + 1


def payments_at_most(plan: PaymentPlan) -> int:
    """Return how many payments a plan of any terms has at most, without looking at them."""
    if plan.months < 1:
        return 1
    days = max(0, plan.maturity_day - plan.issue_day)
    return min(PAYMENTS_MAX, days // (28 * plan.months) + 2)


def periods_of(plan: PaymentPlan, calendar: Calendar, calls: Calls = NOT_CALLED) -> Periods:
    """Return the periods of a plan, one for each payment.

    Raises:
        DatesFault: the plan has none.
    """
    periods = generate(
        plan.issue_day,
        plan.maturity_day,
        plan.months,
        end_of_month=plan.end_of_month,
        stub=plan.stub,
        roll=plan.roll,
        order=plan.order,
        calendar=calendar,
    )
    last = last_called(calls)
    if last is None:
        return periods
    period, day = periods[last - 1], calls[last].day
    if day == _nominal_day(plan, periods, last):
        return replace(periods, count=last)
    # The period that runs ends early; what it is measured by stays. As with every payment, a
    # calendar that was amended since does not take it back to before the period.
    begins = plan.issue_day if last == 1 else periods[last - 2].payment
    paid = roll(calendar, day, plan.roll)
    if paid < begins:
        paid = roll(calendar, begins, Roll.FOLLOWING)
    end = paid if plan.order is Order.SHIFT_THEN_CALCULATE else day
    return replace(periods, count=last, last=replace(period, end=end, payment=paid))


def last_called(calls: Calls) -> int | None:
    """Return with which payment all that is left is repaid early; None: with none."""
    return next((number for number, call in calls.items() if call.share_ppm is None), None)


def _nominal_day(plan: PaymentPlan, periods: Periods, number: int) -> Day:
    """Return when a payment is made by the terms, by the periods as they were agreed."""
    return plan.maturity_day if number == len(periods) else periods[number - 1].nominal_end


def rate_of(plan: PaymentPlan, period: Period, fixed_ppm: int | None) -> int | None:
    """Return what is paid for a year in a period, in millionths; None: it is not fixed yet."""
    if plan.floating is not None:
        return fixed_ppm
    if not plan.rates:
        return 0
    # The regular period beside a long first one begins later than it does.
    is_first = period.start == plan.issue_day
    begins = plan.issue_day if is_first else period.nominal_start
    return next(step.rate_ppm for step in reversed(plan.rates) if step.from_day <= begins)


def floating_rate(floating: FloatingRate, reference_ppm: int) -> int:
    """Return what is paid for a year by this reference: with the margin, within floor and cap."""
    paid_ppm = reference_ppm + floating.margin_ppm
    return max(floating.floor_ppm, min(paid_ppm, floating.cap_ppm))


def fixing_nominal(plan: PaymentPlan, periods: Periods, number: int) -> Day:
    """Return the day of the terms on which a period begins: its fixing is counted from there."""
    return plan.issue_day if number == 1 else periods[number - 2].nominal_end


def interest_of(plan: PaymentPlan, period: Period, until: Day, rate_ppm: int) -> Fraction:
    """Return what accrues from the start of the period to a day, of a unit that is not repaid."""
    # By 30E/360 ISDA, from the last of February to itself, where the plan ends, are -1 or -2 days.
    if not rate_ppm or until == period.start:
        return Fraction(0)
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


def repaid_before(plan: PaymentPlan, number: int, calls: Calls = NOT_CALLED) -> int:
    """Return how much of a unit of face was repaid before a payment, in millionths."""
    agreed = sum(each.share_ppm for each in plan.instalments if each.payment < number)
    return agreed + sum(each.share_ppm or 0 for n, each in calls.items() if n < number)


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
            raise _contradiction(ScheduleFault.TOO_MANY_PAYMENTS.of(found=count, most=PAYMENTS_MAX))
        payments = schedule_of(terms, calendar, _highest_rates(plan, count))
    except DatesFault as error:
        raise _contradiction(error.reason) from None
    if payments[0].record_day < plan.issue_day:
        raise _contradiction(
            ScheduleFault.RECORD_BEFORE_ISSUE.of(
                record=payments[0].record_day, issue=plan.issue_day
            )
        )
    for earlier, later in pairwise(payments):
        if later.record_day <= earlier.payment_day:
            raise _contradiction(
                ScheduleFault.RECORD_BEFORE_PAYMENT.of(
                    payment=later.number,
                    record=later.record_day,
                    earlier=earlier.number,
                    paid=earlier.payment_day,
                )
            )
    for instalment in plan.instalments:
        if instalment.payment >= len(payments):
            raise _contradiction(
                ScheduleFault.INSTALMENT_WITH_LAST.of(
                    payments=len(payments), payment=instalment.payment
                )
            )
    for payment in payments:
        assert payment.interest is not None  # the highest is known, of what floats too
        if max(payment.interest.numerator, payment.interest.denominator) > PART_MAX:
            raise _contradiction(ScheduleFault.INTEREST_TOO_FINE.of(payment=payment.number))
        # Half of it: a calendar that is amended can lengthen a period by some days.
        if ceiling * (payment.interest + _most_repaid(plan, payment)) > AMOUNT_MAX // 2:
            raise _contradiction(ScheduleFault.PAYMENT_TOO_LARGE.of(payment=payment.number))
    if plan.floating is None:
        return payments
    return tuple(replace(payment, rate_ppm=None, interest=None) for payment in payments)


def _most_repaid(plan: PaymentPlan, payment: Payment) -> Fraction:
    """Return the most that a payment could pay besides interest: all of it may be called."""
    if plan.call is None:
        return Fraction(payment.principal_ppm, PPM)
    return Fraction(max(PAR_E4, *(window.price_e4 for window in plan.call.windows)), PAR_E4)


def _highest_rates(plan: PaymentPlan, count: int) -> Rates:
    """Return the most that could be fixed for each payment."""
    if plan.floating is None:
        return NOTHING_FIXED
    return dict.fromkeys(range(1, count + 1), plan.floating.cap_ppm)


def _payment(
    plan: PaymentPlan,
    calendar: Calendar,
    periods: Periods,
    number: int,
    fixed_ppm: int | None,
    calls: Calls,
) -> Payment:
    period = periods[number - 1]
    rate_ppm = rate_of(plan, period, fixed_ppm)
    called = calls.get(number)
    final = number == len(periods)
    instalments = plan.instalments
    remaining = PPM - repaid_before(plan, number, calls)
    due = sum(each.share_ppm for each in instalments if each.payment == number)
    if called is not None:
        due += called.share_ppm or 0
        nominal_day = called.day
    else:
        nominal_day = plan.maturity_day if final else period.nominal_end
    return Payment(
        number=number,
        start=period.start,
        end=period.end,
        record_day=add_business_days(calendar, period.payment, -plan.record_days),
        funding_day=add_business_days(calendar, period.payment, -1),
        nominal_day=nominal_day,
        payment_day=period.payment,
        fixing_day=_fixing_day(plan, calendar, periods, number),
        rate_ppm=rate_ppm,
        interest=(
            None
            if rate_ppm is None
            else Fraction(remaining, PPM) * interest_of(plan, period, period.end, rate_ppm)
        ),
        principal_ppm=remaining if final else due,
        price_e4=PAR_E4 if called is None else called.price_e4,
        final=final,
    )


def _fixing_day(plan: PaymentPlan, calendar: Calendar, periods: Periods, number: int) -> Day | None:
    if plan.floating is None:
        return None
    begins = roll(calendar, fixing_nominal(plan, periods, number), plan.roll)
    days = plan.floating.fixing_days
    return add_business_days(calendar, begins, -days) if days else begins


def _contradiction(reason: Reason) -> Reject:
    return Reject(Outcome.SCHEDULE_NOT_VALID, reason=reason)
