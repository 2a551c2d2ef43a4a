"""Schedules: the periods from one day to another, as coupons go.

Two sets of days are told apart. Those of the terms step by whole months from one end, and know no
holidays; those of business are what the calendar makes of them. Which of them interest is
calculated between is the order: shift-then-calculate takes those of business, calculate-then-shift
those of the terms. Payment is on a day of business either way, unless nothing rolls.

Source: ISDA 2006 Definitions, 4.12 and 4.14; ACTUS Applied, business day conventions SCF and CSF.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.ledger.dates.calendars import Calendar, Roll, roll
from node.ledger.dates.civil import MONTHS_OF_YEAR, add_months, civil_of
from node.ledger.dates.problems import DatesFault
from node.ledger.phrases import ScheduleFault
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Periods in order, each computed when it is asked for.

    A schedule may have hundreds; whoever needs one of them, in a block that looks at many
    schedules, pays for one. Each day of the terms is counted from the anchor, not from its
    neighbour: 31 January is not lost in February.
    """

    start: Day
    """Of the first; where it is, whatever day that is."""
    anchor: Day
    """From which steps are counted."""
    limit: Day
    """Where the last one counted from there ends."""
    months: int
    """Of a step; below zero where they are counted from the end, 0 where there is none."""
    steps: int
    """How many periods there are by the terms."""
    end_of_month: bool
    roll: Roll
    order: Order
    calendar: Calendar
    count: int
    """How many of them there are now: the rest is gone where all was repaid early."""
    last: Period | None
    """In place of the last one, where that is not as it was agreed."""

    def __len__(self) -> int:
        """Return how many periods there are."""
        return self.count

    def __iter__(self) -> Iterator[Period]:
        """Yield all of them."""
        return map(self.__getitem__, range(self.count))

    def __getitem__(self, index: int) -> Period:
        """Return one period: the first at 0, the last at -1."""
        place = index + self.count if index < 0 else index
        if not 0 <= place < self.count:
            raise IndexError(index)
        if self.last is not None and place == self.count - 1:
            return self.last
        ends = self._bound(place + 1)
        payment = self._rolled(ends)
        if self.order is Order.SHIFT_THEN_CALCULATE:
            begins = self._rolled(self._bound(place)) if place else self.start
            ends = payment
        else:
            begins = self._bound(place)
        nominal_start, nominal_end = self._regular(place)
        return Period(
            start=begins,
            end=ends,
            nominal_start=nominal_start,
            nominal_end=nominal_end,
            payment=payment,
        )

    def _bound(self, place: int) -> Day:
        """Return a day of the terms: 0 is the start, and the end comes after the last period."""
        step = self.steps - place if self.months < 0 else place
        return self.limit if step == self.steps else self._step(step)

    def _step(self, step: int) -> Day:
        return add_months(self.anchor, self.months * step, self.end_of_month)

    def _regular(self, place: int) -> tuple[Day, Day]:
        """Return the whole step beside which a period lies: itself, if it is no stub."""
        if not self.months:
            return self.start, self.limit
        if self.months < 0:
            return self._step(self.steps - place), self._step(self.steps - place - 1)
        return self._step(place), self._step(place + 1)

    def _rolled(self, end: Day) -> Day:
        """Return where an end moves to, not before the start.

        No convention moves an earlier day past a later one, so the order of ends stays.
        """
        moved = roll(self.calendar, end, self.roll)
        return moved if moved >= self.start else roll(self.calendar, self.start, Roll.FOLLOWING)


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
) -> Periods:
    """Return the periods from `start` to `end`, in order; together they cover it.

    The start is where it is: interest runs from the day of issue whatever day that is. A stub that
    holidays swallow becomes a period of no days, so that the number of periods depends on the terms
    alone, and a correction of the calendar never adds or removes one.

    Args:
        months: of a regular period; 0 makes a single period of it all.
        end_of_month: from the last day of a month, step to last days of months.

    Raises:
        DatesFault: the end is not after the start, there are too many periods, or there is a rest
            where `stub` says none.
    """
    if end <= start:
        raise DatesFault(ScheduleFault.ENDS_BEFORE_START.of(start=start, end=end))
    if months < 0:
        raise DatesFault(ScheduleFault.STEPS_BACKWARDS.of(months=months))
    backwards = stub in {Stub.NONE, Stub.SHORT_FRONT, Stub.LONG_FRONT} and months > 0
    anchor, limit, sign = (end, start, -1) if backwards else (start, end, 1)
    steps = 1
    if months:
        steps = _count_steps(anchor, limit, sign * months, end_of_month=end_of_month)
        if steps > PERIODS_MAX:
            raise DatesFault(
                ScheduleFault.TOO_MANY_PERIODS.of(
                    start=start, end=end, months=months, most=PERIODS_MAX
                )
            )
        if add_months(anchor, sign * months * steps, end_of_month) != limit:
            if stub is Stub.NONE:
                raise DatesFault(
                    ScheduleFault.REST_WITHOUT_STUB.of(start=start, end=end, months=months)
                )
            if stub in {Stub.LONG_FRONT, Stub.LONG_BACK} and steps > 1:
                steps -= 1  # the rest becomes part of the period beside it
    return Periods(
        start=start,
        anchor=anchor,
        limit=limit,
        months=sign * months,
        steps=steps,
        end_of_month=end_of_month,
        roll=roll,
        order=order,
        calendar=calendar,
        count=steps,
        last=None,
    )


def _count_steps(anchor: Day, limit: Day, months: int, *, end_of_month: bool) -> int:
    """Return how many steps it takes from the anchor to reach the limit or to pass it."""
    first, last = civil_of(anchor), civil_of(limit)
    apart = (last.year - first.year) * MONTHS_OF_YEAR + last.month - first.month
    # One step fewer ends in an earlier month than the limit's, so it does not reach it.
    steps = max(1, abs(apart) // abs(months))
    if steps > PERIODS_MAX:
        return steps
    sign = 1 if months > 0 else -1
    while (limit - add_months(anchor, months * steps, end_of_month)) * sign > 0:
        steps += 1
    return steps


def periods_of_year(months: int) -> int:
    """Return how many regular periods a year has, for ACT/ACT ICMA.

    Raises:
        DatesFault: a year has no whole number of them.
    """
    if months < 1 or MONTHS_OF_YEAR % months:
        raise DatesFault(ScheduleFault.PERIODS_DO_NOT_DIVIDE.of(months=months))
    return MONTHS_OF_YEAR // months
