"""Schedules: the periods from one day to another, as coupons go.

Two sets of days are told apart. Those of the terms step by whole months from one end, and know no
holidays; those of business are what the calendar makes of them. Which of them interest is
calculated between is the order: shift-then-calculate takes those of business, calculate-then-shift
those of the terms. Payment is on a day of business either way, unless nothing rolls.

Source: ISDA 2006 Definitions, 4.12 and 4.14; ACTUS Applied, business day conventions SCF and CSF.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from node.ledger.dates.calendars import Calendar, Roll, roll
from node.ledger.dates.civil import MONTHS_OF_YEAR, add_months
from node.ledger.dates.problems import DatesError
from node.ledger.units import Day

PERIODS_MAX: Final = 1_200
"""Of one schedule: a hundred years of months."""


class Stub(StrEnum):
    """Where the rest goes that is no whole number of steps. The text is encoded and permanent."""

    NONE = "none"
    """There must be none. Steps count from the end."""
    SHORT_FRONT = "short-front"
    """A first period of its own. Steps count from the end."""
    LONG_FRONT = "long-front"
    """Part of the first period, which is then longer than the others."""
    SHORT_BACK = "short-back"
    """A last period of its own. Steps count from the start."""
    LONG_BACK = "long-back"
    """Part of the last period."""


class Order(StrEnum):
    """Whether interest follows the calendar. The text is encoded and permanent."""

    SHIFT_THEN_CALCULATE = "shift-then-calculate"
    """Days move first; a period that a holiday lengthens earns more."""
    CALCULATE_THEN_SHIFT = "calculate-then-shift"
    """Interest is that of the terms' days; only the payment moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What is calculated and paid at once."""

    start: Day
    """From this day on interest accrues, as the order says."""
    end: Day
    """Up to this day, itself left out; the start of the next period."""
    nominal_start: Day
    """The regular period of the terms beside which this one lies, for ACT/ACT ICMA: the same days,
    not moved; for a stub a whole step."""
    nominal_end: Day
    payment: Day
    """The day of business on which it is paid."""


def generate(
    start: Day,
    end: Day,
    months: int,
    *,
    end_of_month: bool,
    stub: Stub,
    roll: Roll,
    order: Order,
    calendar: Calendar,
) -> tuple[Period, ...]:
    """Return the periods from `start` to `end`, in order; together they cover it.

    The start is where it is: interest runs from the day of issue whatever day that is. A stub that
    holidays swallow becomes a period of no days, so that the number of periods depends on the terms
    alone, and a correction of the calendar never adds or removes one.

    Args:
        months: of a regular period; 0 makes a single period of it all.
        end_of_month: from the last day of a month, step to last days of months.

    Raises:
        DatesError: the end is not after the start, there are too many periods, or there is a rest
            where `stub` says none.
    """
    if end <= start:
        raise DatesError(f"from day {start} to day {end}: the end must come after the start")
    if months < 0:
        raise DatesError(f"steps of {months} months: at least 0 were expected")
    if months == 0:
        nominal = [(start, end)]
        ends = [end]
    else:
        bounds, regular = _steps(start, end, months, end_of_month=end_of_month, stub=stub)
        ends = bounds[1:]
        nominal = [regular.get(pair, pair) for pair in pairwise(bounds)]
    payments = _rolled(start, ends, roll, calendar)
    accrual = payments if order is Order.SHIFT_THEN_CALCULATE else ends
    return tuple(
        Period(
            start=begins,
            end=finishes,
            nominal_start=nominal_start,
            nominal_end=nominal_end,
            payment=payment,
        )
        for (begins, finishes), (nominal_start, nominal_end), payment in zip(
            pairwise([start, *accrual]), nominal, payments, strict=True
        )
    )


def _steps(
    start: Day, end: Day, months: int, *, end_of_month: bool, stub: Stub
) -> tuple[list[Day], dict[tuple[Day, Day], tuple[Day, Day]]]:
    """Return the days of the terms, first and last included, and the regular period of the stub.

    Each is counted from the anchor, not from its neighbour: 31 January is not lost in February.
    """
    backwards = stub in {Stub.NONE, Stub.SHORT_FRONT, Stub.LONG_FRONT}
    anchor, limit, sign = (end, start, -1) if backwards else (start, end, 1)
    steps = [anchor]
    while (limit - steps[-1]) * sign > 0:
        if len(steps) > PERIODS_MAX:
            raise DatesError(
                f"from day {start} to day {end} in steps of {months} months: more than"
                f" {PERIODS_MAX} periods"
            )
        steps.append(add_months(anchor, sign * months * len(steps), end_of_month))
    regular: dict[tuple[Day, Day], tuple[Day, Day]] = {}
    if steps[-1] != limit:
        if stub is Stub.NONE:
            raise DatesError(
                f"from day {start} to day {end} is no whole number of steps of {months} months,"
                " and the terms have no stub"
            )
        inner, outer = steps[-2], steps[-1]
        if stub in {Stub.LONG_FRONT, Stub.LONG_BACK} and len(steps) > 2:
            inner, outer = steps[-3], steps[-2]
            del steps[-2]
        steps[-1] = limit
        if backwards:
            regular[limit, inner] = outer, inner
        else:
            regular[inner, limit] = inner, outer
    return (steps[::-1] if backwards else steps), regular


def _rolled(start: Day, ends: list[Day], convention: Roll, calendar: Calendar) -> list[Day]:
    """Return where the ends move to; none before the start, none before the one before it."""
    rolled: list[Day] = []
    latest = start
    for end in ends:
        moved = roll(calendar, end, convention)
        if moved < start:
            moved = roll(calendar, start, Roll.FOLLOWING)
        latest = max(latest, moved)
        rolled.append(latest)
    return rolled


def periods_of_year(months: int) -> int:
    """Return how many regular periods a year has, for ACT/ACT ICMA.

    Raises:
        DatesError: a year has no whole number of them.
    """
    if months < 1 or MONTHS_OF_YEAR % months:
        raise DatesError(f"periods of {months} months: a divisor of 12 was expected")
    return MONTHS_OF_YEAR // months
