"""Steps of months from a date, as coupon dates go."""

from datetime import date, timedelta
from typing import Final

MONTHS_OF_YEAR: Final = 12
_ONE_DAY: Final = timedelta(days=1)


def days_in_month(year: int, month: int) -> int:
    """Return 28 to 31."""
    following = date(year + month // MONTHS_OF_YEAR, month % MONTHS_OF_YEAR + 1, 1)
    return (following - _ONE_DAY).day


def is_end_of_month(day: date) -> bool:
    """Return whether this is the last day of its month."""
    return day.day == days_in_month(day.year, day.month)


def add_months(day: date, months: int, *, to_end: bool) -> date:
    """Return the date so many months later, earlier if negative.

    A day that the month does not have becomes its last one.

    Args:
        to_end: the end-of-month rule: from the last day of a month to the last day of a month.
    """
    index = day.year * MONTHS_OF_YEAR + day.month - 1 + months
    year, month = index // MONTHS_OF_YEAR, index % MONTHS_OF_YEAR + 1
    last = days_in_month(year, month)
    return date(year, month, last if to_end and is_end_of_month(day) else min(day.day, last))
