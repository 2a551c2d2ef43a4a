"""Civil dates as days counted from 1970-01-01, in the Gregorian calendar, by integers alone.

Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013): years begin in March,
so that the leap day is the last one, and repeat after 400.
"""

import re
from datetime import date
from typing import Final, NamedTuple

from node.ledger.dates.problems import DatesError
from node.ledger.units import Day

MONTHS_OF_YEAR: Final = 12
DAYS_OF_WEEK: Final = 7

_DAYS_OF_ERA: Final = 146_097
_YEARS_OF_ERA: Final = 400
_FROM_MARCH_0000: Final = 719_468
"""Days from 0000-03-01 to 1970-01-01."""
_THURSDAY: Final = 3
"""The weekday of 1970-01-01, where Monday is 0."""
_ORDINAL: Final = date(1970, 1, 1).toordinal()
_ISO: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SHOWN_MAX: Final = 40


class Civil(NamedTuple):
    """A day as people write it."""

    year: int
    month: int
    """1 to 12."""
    day: int
    """1 to 31."""


def civil_of(day: Day) -> Civil:
    """Return year, month and day of the month."""
    era, day_of_era = divmod(day + _FROM_MARCH_0000, _DAYS_OF_ERA)
    year_of_era = (
        day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    year = era * _YEARS_OF_ERA + year_of_era + (month <= 2)
    return Civil(year, month, day_of_year - (153 * month_from_march + 2) // 5 + 1)


def day_of(year: int, month: int, day: int) -> Day:
    """Return the day that people write so. The month has it."""
    assert 1 <= month <= MONTHS_OF_YEAR, month
    assert 1 <= day <= days_in_month(year, month), (year, month, day)
    year -= month <= 2
    era, year_of_era = divmod(year, _YEARS_OF_ERA)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * _DAYS_OF_ERA + day_of_era - _FROM_MARCH_0000


def date_of(day: Day) -> date:
    """Return the day as the standard library has it, for `pricing` and for whoever shows it."""
    return date.fromordinal(day + _ORDINAL)


def from_date(value: date) -> Day:
    """Return the day of a date of the standard library."""
    return value.toordinal() - _ORDINAL


def parse_date(text: str) -> date:
    """Return the date that is written as YYYY-MM-DD (ISO 8601, the extended calendar form).

    `date.fromisoformat` takes more than that, and in Python 3.11 drops what follows a basic form.

    Raises:
        DatesError: it is written otherwise, or no such day exists.
    """
    try:
        if _ISO.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise DatesError(f"{text[:_SHOWN_MAX]!r} is no day: expected one such as 2026-11-20")


def weekday(day: Day) -> int:
    """Return 0 for Monday to 6 for Sunday."""
    return (day + _THURSDAY) % DAYS_OF_WEEK


def is_leap_year(year: int) -> bool:
    """Return whether the year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    """Return 28 to 31."""
    if month == 2:
        return 29 if is_leap_year(year) else 28
    return 30 if month in {4, 6, 9, 11} else 31


def is_end_of_month(day: Day) -> bool:
    """Return whether this is the last day of its month."""
    return civil_of(day + 1).day == 1


def add_months(day: Day, months: int, end_of_month: bool) -> Day:
    """Return the day so many months later, earlier if negative.

    A day that the month does not have becomes its last one.

    Args:
        end_of_month: the rule of that name: from the last day of a month to the last of a month.
    """
    found = civil_of(day)
    index = found.year * MONTHS_OF_YEAR + found.month - 1 + months
    year, month = index // MONTHS_OF_YEAR, index % MONTHS_OF_YEAR + 1
    last = days_in_month(year, month)
    to_last = end_of_month and is_end_of_month(day)
    return day_of(year, month, last if to_last else min(found.day, last))
