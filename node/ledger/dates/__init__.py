"""Days, business days and schedules: pure, integers in and out.

A day is a number: how many after 1970-01-01, in the ledger's local time. Which of them are days of
business, a calendar says, which is data; nothing here knows a country.
"""

from node.ledger.dates.calendars import (
    CLOSED_MAX,
    HOLIDAYS_MAX,
    SATURDAY_SUNDAY,
    WEEKEND_MAX,
    Calendar,
    Holiday,
    Roll,
    add_business_days,
    check_ascending,
    check_calendar,
    holiday_on,
    is_business_day,
    is_weekend,
    roll,
)
from node.ledger.dates.civil import (
    DAYS_OF_WEEK,
    MONTHS_OF_YEAR,
    Civil,
    add_months,
    civil_of,
    date_of,
    day_of,
    days_in_month,
    from_date,
    is_end_of_month,
    is_leap_year,
    parse_date,
    weekday,
)
from node.ledger.dates.moments import MINUTES_OF_DAY, business_day_at, moment_ms
from node.ledger.dates.problems import DatesError
from node.ledger.dates.schedules import (
    PERIODS_MAX,
    Order,
    Period,
    Periods,
    Stub,
    generate,
    periods_of_year,
)

__all__ = [
    "CLOSED_MAX",
    "DAYS_OF_WEEK",
    "HOLIDAYS_MAX",
    "MINUTES_OF_DAY",
    "MONTHS_OF_YEAR",
    "PERIODS_MAX",
    "SATURDAY_SUNDAY",
    "WEEKEND_MAX",
    "Calendar",
    "Civil",
    "DatesError",
    "Holiday",
    "Order",
    "Period",
    "Periods",
    "Roll",
    "Stub",
    "add_business_days",
    "add_months",
    "business_day_at",
    "check_ascending",
    "check_calendar",
    "civil_of",
    "date_of",
    "day_of",
    "days_in_month",
    "from_date",
    "generate",
    "holiday_on",
    "is_business_day",
    "is_end_of_month",
    "is_leap_year",
    "is_weekend",
    "moment_ms",
    "parse_date",
    "periods_of_year",
    "roll",
    "weekday",
]
