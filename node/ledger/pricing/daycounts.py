"""Day counts: which share of a year lies between two dates.

Source: ISDA 2006 Definitions, 4.16; ICMA Rule 251; the ISDA memorandum on EMU and market
conventions (1998) for the forms of ACT/ACT; the ISDA paper on 30/360 conventions (2008).
"""

from datetime import date
from enum import Enum
from fractions import Fraction
from itertools import pairwise
from typing import Final

from node.ledger.pricing.periods import MONTHS_OF_YEAR, add_months, is_end_of_month
from node.ledger.pricing.problems import PricingError

_FEBRUARY: Final = 2
_MONTH: Final = 30
_YEAR: Final = 365
_LEAP_YEAR: Final = 366
_BANKERS_YEAR: Final = 360


class DayCount(Enum):
    """The conventions, by the names of the market. The values are permanent."""

    ACT_365F = "ACT/365F"
    ACT_360 = "ACT/360"
    ACT_ACT_ICMA = "ACT/ACT ICMA"
    ACT_ACT_ISDA = "ACT/ACT ISDA"
    ACT_ACT_AFB = "ACT/ACT AFB"
    THIRTY_360 = "30/360"
    THIRTY_E_360 = "30E/360"
    THIRTY_E_360_ISDA = "30E/360 ISDA"


def year_fraction(
    convention: DayCount,
    start: date,
    end: date,
    *,
    reference: tuple[date, date] | None = None,
    frequency: int | None = None,
    end_of_month: bool = False,
    termination: date | None = None,
) -> Fraction:
    """Return the share of a year from `start` to `end`, exactly.

    Args:
        end: not before `start`.
        reference: of ICMA, the regular period beside which the dates lie: first and last day.
        frequency: of ICMA, regular periods in a year: 1, 2, 3, 4, 6 or 12.
        end_of_month: of ICMA, whether periods from the last day of a month keep to last days.
        termination: of 30E/360 ISDA, the end of the instrument, where the end of February stays.

    Raises:
        PricingError: the dates are in the wrong order, or ICMA has no regular period.
    """
    if end < start:
        raise PricingError(f"a period from {start} to {end}: the end comes first")
    match convention:
        case DayCount.ACT_365F:
            return Fraction((end - start).days, _YEAR)
        case DayCount.ACT_360:
            return Fraction((end - start).days, _BANKERS_YEAR)
        case DayCount.ACT_ACT_ISDA:
            return _isda(start, end)
        case DayCount.ACT_ACT_AFB:
            return _afb(start, end)
        case DayCount.ACT_ACT_ICMA:
            if reference is None or frequency is None:
                raise PricingError("ACT/ACT ICMA needs a regular period and its frequency")
            return _icma(start, end, reference, frequency, end_of_month=end_of_month)
        case _:
            days = days_30_360(convention, start, end, termination=termination)
            return Fraction(days, _BANKERS_YEAR)


def days_30_360(
    convention: DayCount, start: date, end: date, *, termination: date | None = None
) -> int:
    """Return the days between two dates where a month has thirty.

    Raises:
        PricingError: the convention counts the days of the calendar.
    """
    first, last = start.day, end.day
    match convention:
        case DayCount.THIRTY_360:
            first = min(first, _MONTH)
            last = min(last, _MONTH) if first == _MONTH else last
        case DayCount.THIRTY_E_360:
            first, last = min(first, _MONTH), min(last, _MONTH)
        case DayCount.THIRTY_E_360_ISDA:
            first = _MONTH if is_end_of_month(start) else first
            if is_end_of_month(end) and not (end == termination and end.month == _FEBRUARY):
                last = _MONTH
        case _:
            raise PricingError(f"{convention.value} counts the days of the calendar")
    months = (end.year - start.year) * 12 + end.month - start.month
    return months * _MONTH + last - first


def _isda(start: date, end: date) -> Fraction:
    """Return days in leap years over 366, the others over 365."""
    total = Fraction(0)
    for year in range(start.year, end.year + 1):
        begins, ends = max(start, date(year, 1, 1)), min(end, date(year + 1, 1, 1))
        total += Fraction((ends - begins).days, _LEAP_YEAR if _is_leap(year) else _YEAR)
    return total


def _afb(start: date, end: date) -> Fraction:
    """Return whole years counted back from the end, and the rest over 366 if it holds 29 February.

    A step back from 28 February of a common year stays on the last day: the 29th in a leap year.
    """
    years, anchor = 0, end
    while True:
        before = _year_before(end, years + 1)
        if before < start:
            break
        years, anchor = years + 1, before
    has_leap_day = any(
        start <= date(year, _FEBRUARY, 29) < anchor
        for year in range(start.year, anchor.year + 1)
        if _is_leap(year)
    )
    return years + Fraction((anchor - start).days, _LEAP_YEAR if has_leap_day else _YEAR)


def _year_before(end: date, years: int) -> date:
    year = end.year - years
    if end.month == _FEBRUARY and is_end_of_month(end):
        return date(year, _FEBRUARY, 29 if _is_leap(year) else 28)
    return date(year, end.month, end.day)


def _icma(
    start: date,
    end: date,
    reference: tuple[date, date],
    frequency: int,
    *,
    end_of_month: bool,
) -> Fraction:
    """Return the days in each quasi-coupon period over its length times the frequency.

    Periods after the reference go on from its end, those before it back from its start.

    Source: ICMA Rule 251.1(iii).
    """
    if MONTHS_OF_YEAR % frequency:
        raise PricingError(f"{frequency} periods a year: a divisor of 12 was expected")
    first, last = reference
    if last <= first:
        raise PricingError(f"a regular period from {first} to {last}: the end comes first")
    months = MONTHS_OF_YEAR // frequency
    bounds = [first, last]
    while bounds[0] > start:
        back = len(bounds) - 1
        bounds.insert(0, add_months(first, -months * back, to_end=end_of_month))
    before = len(bounds) - 2
    while bounds[-1] < end:
        onward = len(bounds) - 1 - before
        bounds.append(add_months(last, months * onward, to_end=end_of_month))
    total = Fraction(0)
    for begins, ends in pairwise(bounds):
        inside = (min(end, ends) - max(start, begins)).days
        if inside > 0:
            total += Fraction(inside, frequency * (ends - begins).days)
    return total


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
