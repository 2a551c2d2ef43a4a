"""Calendars: business days on the ledger."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "CALENDAR_UNKNOWN": (
        "No calendar is defined as '{calendar}'. Check the name, or define it first."
    ),
    "CALENDAR_EXISTS": (
        "A calendar is already defined as '{calendar}', in version {version}. Amend it instead."
    ),
    "CALENDAR_VERSION_PASSED": (
        "The amendment is of version {found} of the calendar '{calendar}'; version {expected}"
        " rules. Look at what has changed, and amend that one."
    ),
    "CALENDAR_NOT_VALID": (
        "The calendar '{calendar}' would not be in order: {reason}. Days stand in ascending order,"
        " each once."
    ),
    "HOLIDAY_UNKNOWN": (
        "Day {day} (counted from 1970-01-01) is no holiday of the calendar '{calendar}'. Nothing to"
        " withdraw."
    ),
    "CALENDAR_UNCHANGED": (
        "The calendar '{calendar}' already says all this, in version {version}. Nothing to change."
    ),
    "CALENDAR_DAY_PAST": (
        "Day {found} (counted from 1970-01-01) cannot become or cease to be a holiday of the"
        " calendar '{calendar}': today is day {today}, and only days after it change. Give the"
        " change for a later day."
    ),
    "CALENDAR_DAY_USED": (
        "Day {found} (counted from 1970-01-01) cannot become or cease to be a holiday of the"
        " calendar '{calendar}': what was paid already relied on its days up to day {expected}."
        " Give the change for a later day."
    ),
}
