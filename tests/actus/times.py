"""Times of a contract: days, cycles, schedules, business days; ACTUS' rules, not ours.

This is the part of a second opinion that shares nothing with `node.ledger.dates.schedules`: it
steps forwards from an anchor, as the specification does, and knows stubs at the end alone.

Source: ACTUS technical specification, 3.1 to 3.5.
"""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from node.ledger.dates import add_months, civil_of, from_date, weekday

_MOMENT: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:T(00:00(?::00)?|23:59:59))?")
_CYCLE: Final = re.compile(r"P(\d{1,4})([DWMQHY])(?:L([01]))?")
_DAYS: Final = {"D": 1, "W": 7}
_MONTHS: Final = {"M": 1, "Q": 3, "H": 6, "Y": 12}
_SATURDAY: Final = 5
STEPS_MAX: Final = 10_000


class ActusError(ValueError):
    """A contract that the engine cannot compute; says what was found and what was expected."""


class Moment(NamedTuple):
    """Midnight at the beginning of a day, or at its end: 23:59:59 counts as the next day."""

    day: int
    at_end: bool = False

    @property
    def date(self) -> int:
        """The day that year fractions count."""
        return self.day + self.at_end


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """How far it is from one time to the next."""

    days: int
    months: int
    short_stub: bool
    """Whether what is left at the end is a period of its own, not part of the one before it."""


def parse_moment(text: str) -> Moment:
    """Return the time that is written so."""
    match = _MOMENT.fullmatch(text)
    try:
        date = datetime.date(*(int(match[part]) for part in (1, 2, 3))) if match else None
    except ValueError:
        date = None
    if match is None or date is None:
        raise ActusError(f"{text!r} is no date with 00:00 or 23:59:59")
    return Moment(from_date(date), match[4] == "23:59:59")


def parse_cycle(text: str) -> Cycle:
    """Return the cycle that is written so: P3ML1 is three months, with a short stub at the end."""
    match = _CYCLE.fullmatch(text)
    if match is None or (int(match[1]) == 0 and match[2] not in _DAYS):
        raise ActusError(f"{text!r} is no cycle such as P3ML1")
    count, unit = int(match[1]), match[2]
    return Cycle(
        days=count * _DAYS.get(unit, 0),
        months=count * _MONTHS.get(unit, 0),
        short_stub=match[3] != "0",
    )


def after(anchor: Moment, cycle: Cycle, count: int, *, end_of_month: bool) -> Moment:
    """Return the time so many cycles after the anchor, each counted from the anchor."""
    if cycle.months:
        moved = add_months(anchor.day, cycle.months * count, end_of_month)
        return Moment(moved, anchor.at_end)
    return Moment(anchor.day + cycle.days * count, anchor.at_end)


def schedule(
    anchor: Moment, cycle: Cycle | None, end: Moment, *, end_of_month: bool, with_end: bool
) -> list[Moment]:
    """Return the times from an anchor to an end, ascending.

    A last period that is no whole cycle is one of its own, or, with a long stub, goes into the one
    before it: then the last time before the end is left out.
    """
    times: list[Moment] = []
    following = anchor
    while following < end and (cycle is not None or not times):
        times.append(following)
        if cycle is None:
            following = end
        else:
            following = after(anchor, cycle, len(times), end_of_month=end_of_month)
            if following <= times[-1] or len(times) > STEPS_MAX:
                raise ActusError(f"a cycle of {cycle} takes more than {STEPS_MAX} steps")
    has_stub = following != end
    if has_stub and cycle is not None and not cycle.short_stub and len(times) > 1:
        times.pop()
    return [*times, end] if with_end else times


def every_day(day: int) -> bool:  # noqa: ARG001  # the calendar NC: business is done on every day
    """Return whether business is done on a day where it always is: NC."""
    return True


def monday_to_friday(day: int) -> bool:
    """Return whether business is done on a day where it is on weekdays: MF."""
    return weekday(day) < _SATURDAY


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessDays:
    """Where events move that are on no day of business, and whether interest moves with them."""

    convention: str
    """Of the dictionary: SCF is shift, then calculate, following; empty where nothing moves."""
    is_open: Callable[[int], bool]
    """Whether business is done on a day."""

    def shifted(self, moment: Moment) -> Moment:
        """Return when an event happens that is scheduled for this time."""
        rule = self.convention[2:]
        if not self.convention or self.is_open(moment.day):
            return moment
        step = 1 if rule.endswith("F") else -1
        found = self._seek(moment.day, step)
        if rule.startswith("M") and civil_of(found).month != civil_of(moment.day).month:
            found = self._seek(moment.day, -step)
        return Moment(found, moment.at_end)

    def calculated(self, moment: Moment) -> Moment:
        """Return up to when interest is counted of an event that is scheduled for this time."""
        return self.shifted(moment) if self.convention.startswith("SC") else moment

    def _seek(self, day: int, step: int) -> int:
        while not self.is_open(day):
            day += step
        return day
