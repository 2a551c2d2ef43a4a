"""Calendars of business days: a weekend and holidays, as data; and how a day moves off a holiday.

A holiday may be provisional: expected by calculation, until an office has confirmed that it is one
or put it on another day (moon sighting). It counts as a holiday meanwhile. A calendar is exact for
the days for which it has holidays and knows weekends for all others.
"""

from bisect import bisect_left
from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.dates.civil import civil_of, weekday
from node.ledger.dates.problems import DatesFault
from node.ledger.phrases import CalendarFault
from node.ledger.units import Day

HOLIDAYS_MAX: Final = 1_024
"""Of one calendar: forty years of twenty-five. What one act may have to write."""
CLOSED_MAX: Final = 31
"""Days in a row without business: what one move off a holiday may have to look at."""
WEEKEND_MAX: Final = (1 << 7) - 2
"""As a mask: one more would be all seven days."""
SATURDAY_SUNDAY: Final = 1 << 5 | 1 << 6


class Holiday(Record):
    """A day on which no business is done, whatever weekday it is."""

    day: Day
    provisional: bool
    """Expected, and to be confirmed or corrected."""


class Calendar(Record):
    """One version of what is known about the business days of a place."""

    version: Annotated[int, msgspec.Meta(ge=1)]
    """1 as it was defined, and one more with each change."""
    weekend: Annotated[int, msgspec.Meta(ge=0, le=WEEKEND_MAX)]
    """Mask: bit 0 is Monday, bit 6 Sunday; never all seven."""
    holidays: Annotated[tuple[Holiday, ...], msgspec.Meta(max_length=HOLIDAYS_MAX)]
    """Ascending by day, each day once."""


def check_ascending(days: Iterable[Day]) -> None:
    """Refuse days that are not in order, each once.

    Raises:
        DatesFault: names the first two that are not.
    """
    for earlier, later in pairwise(days):
        if earlier >= later:
            raise DatesFault(CalendarFault.DAYS_OUT_OF_ORDER.of(later=later, earlier=earlier))


def check_calendar(calendar: Calendar) -> None:
    """Refuse a calendar that is not in order, or by which no business could be done for long.

    Raises:
        DatesFault: holidays not ascending or too many, or more days in a row without business than
            `CLOSED_MAX`.
    """
    check_ascending(holiday.day for holiday in calendar.holidays)
    if len(calendar.holidays) > HOLIDAYS_MAX:
        raise DatesFault(
            CalendarFault.TOO_MANY_HOLIDAYS.of(found=len(calendar.holidays), most=HOLIDAYS_MAX)
        )
    closed = -1
    for holiday in calendar.holidays:
        if holiday.day <= closed:
            continue  # of the same days in a row
        first, closed = holiday.day, holiday.day
        while not is_business_day(calendar, first - 1) and closed - first < CLOSED_MAX:
            first -= 1
        while not is_business_day(calendar, closed + 1) and closed - first < CLOSED_MAX:
            closed += 1
        if closed - first >= CLOSED_MAX:
            raise DatesFault(CalendarFault.CLOSED_TOO_LONG.of(most=CLOSED_MAX, about=holiday.day))


class Roll(StrEnum):
    """Where a day moves that is no business day. The text is encoded and permanent."""

    NONE = "none"
    FOLLOWING = "following"
    MODIFIED_FOLLOWING = "modified-following"
    """The following one, unless that is in the next month: then the preceding one."""
    PRECEDING = "preceding"


def holiday_on(calendar: Calendar, day: Day) -> Holiday | None:
    """Return the holiday on this day, or None."""
    holidays = calendar.holidays
    index = bisect_left(holidays, day, key=lambda holiday: holiday.day)
    if index < len(holidays) and holidays[index].day == day:
        return holidays[index]
    return None


def is_weekend(calendar: Calendar, day: Day) -> bool:
    """Return whether this weekday is never one of business."""
    return bool(calendar.weekend >> weekday(day) & 1)


def is_business_day(calendar: Calendar, day: Day) -> bool:
    """Return whether business is done on this day."""
    return not is_weekend(calendar, day) and holiday_on(calendar, day) is None


def roll(calendar: Calendar, day: Day, convention: Roll) -> Day:
    """Return the day itself if it is one of business, or else where the convention moves it."""
    match convention:
        case Roll.NONE:
            return day
        case Roll.FOLLOWING:
            return _seek(calendar, day, 1)
        case Roll.PRECEDING:
            return _seek(calendar, day, -1)
        case Roll.MODIFIED_FOLLOWING:
            following = _seek(calendar, day, 1)
            if civil_of(following).month == civil_of(day).month:
                return following
            return _seek(calendar, day, -1)


def add_business_days(calendar: Calendar, day: Day, count: int) -> Day:
    """Return the business day that is so many after the day, before it if negative.

    None after a day is the day itself, or the following one if business is not done on it.
    """
    if count == 0:
        return _seek(calendar, day, 1)
    # As `_seek` does from one day to the next: every record and payment counts its days here.
    weekend, holidays = calendar.weekend, calendar.holidays
    step, left = (1, count) if count > 0 else (-1, -count)
    while left:
        day += step
        if not weekend >> weekday(day) & 1 and not (holidays and holiday_on(calendar, day)):
            left -= 1
    return day


def _seek(calendar: Calendar, day: Day, step: int) -> Day:
    """Return the first business day from this one on.

    It ends: there are finitely many holidays, and every week has a day that is no weekend. By a
    calendar that was checked it takes at most `CLOSED_MAX` steps.
    """
    while not is_business_day(calendar, day):
        day += step
    return day
