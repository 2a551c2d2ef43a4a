"""Between block time and business days: what day it is here, and when a day's business closes."""

from typing import Final

from node.ledger.dates.calendars import Calendar, add_business_days, is_business_day
from node.ledger.units import MS_PER_DAY, MS_PER_MINUTE, Day, local_day

MINUTES_OF_DAY: Final = 1_440


def moment_ms(day: Day, minute: int, utc_offset_minutes: int) -> int:
    """Return the time in ms since 1970 at which a clock at this distance from UTC shows the minute.

    Args:
        minute: of the day, 0 to 1,440; the latter is the midnight that ends it.
    """
    assert 0 <= minute <= MINUTES_OF_DAY, minute
    return day * MS_PER_DAY + (minute - utc_offset_minutes) * MS_PER_MINUTE


def business_day_at(
    calendar: Calendar, time_ms: int, *, cut_off_minute: int, utc_offset_minutes: int
) -> Day:
    """Return the business day to which what happens at this time belongs.

    From the cut-off on it is the next one. On a day of no business it is the next one, too.

    Args:
        cut_off_minute: of the local day, 0 to 1,440; the latter leaves the whole day.
    """
    today = local_day(time_ms, utc_offset_minutes)
    closed = time_ms >= moment_ms(today, cut_off_minute, utc_offset_minutes)
    return add_business_days(calendar, today, int(closed and is_business_day(calendar, today)))
