"""Calendars of business days."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSummary:
    """A calendar of business days, in short."""

    calendar: str
    title: str
    version: int
    holidays: int
    """How many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A day on which no business is done."""

    day: date
    provisional: bool
    """Expected, and to be confirmed or put on another day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The ruling version of a calendar."""

    calendar: str
    title: str
    version: int
    weekend: tuple[str, ...]
    """Days of the week, in English, from Monday on."""
    holidays: tuple[Holiday, ...]
    used_until: date | None
    """What was paid relied on days up to this one: they do not change any more."""
    moving: bool
    """Whether what hangs on it is being looked at after an amendment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessDay:
    """A day by a calendar."""

    calendar: str
    version: int
    day: date
    business: bool
    why: str
    """`business day`, `weekend`, `holiday` or `provisional holiday`."""
    following: date | None
    """Where each convention moves it; None: beyond the year 9999."""
    modified_following: date | None
    preceding: date | None
    business_days: int
    """That were counted from it."""
    counted: date | None
