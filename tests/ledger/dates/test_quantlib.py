"""QuantLib as a second opinion on calendars and schedules, over random terms."""

import warnings
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.ledger.dates import (
    Calendar,
    Order,
    Roll,
    Stub,
    add_business_days,
    civil_of,
    day_of,
    generate,
    roll,
    weekday,
)
from tests.ledger.dates.days import DAYS, calendars

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its wrapper, on import
    ql: Any = pytest.importorskip("QuantLib", reason="the second oracle is not installed")

CONVENTIONS: Final = {
    Roll.NONE: ql.Unadjusted,
    Roll.FOLLOWING: ql.Following,
    Roll.MODIFIED_FOLLOWING: ql.ModifiedFollowing,
    Roll.PRECEDING: ql.Preceding,
}
WEEKDAYS: Final = (
    ql.Monday,
    ql.Tuesday,
    ql.Wednesday,
    ql.Thursday,
    ql.Friday,
    ql.Saturday,
    ql.Sunday,
)


def theirs(day: int) -> Any:
    year, month, number = civil_of(day)
    return ql.Date(number, month, year)


def ours(date: Any) -> int:
    return day_of(date.year(), date.month(), date.dayOfMonth())


def their_calendar(calendar: Calendar) -> Any:
    """Return theirs, of a name that no other has: theirs of one name share their holidays."""
    their_calendar.made += 1  # type: ignore[attr-defined]
    made = ql.BespokeCalendar(f"drawn {their_calendar.made}")  # type: ignore[attr-defined]
    for number, name in enumerate(WEEKDAYS):
        if calendar.weekend >> number & 1:
            made.addWeekend(name)
    for holiday in calendar.holidays:
        made.addHoliday(theirs(holiday.day))
    return made


their_calendar.made = 0  # type: ignore[attr-defined]


@settings(max_examples=60)
@given(st.data(), st.sampled_from(Roll), st.integers(-30, 30))
def test_days_move_and_are_counted_as_theirs(
    data: st.DataObject, convention: Roll, count: int
) -> None:
    start = data.draw(DAYS)
    calendar = data.draw(calendars(around=start))
    day = data.draw(st.integers(start, start + 3_650))
    oracle = their_calendar(calendar)

    assert weekday(day) == (theirs(day).weekday() - 2) % 7
    assert roll(calendar, day, convention) == ours(
        oracle.adjust(theirs(day), CONVENTIONS[convention])
    )
    assert add_business_days(calendar, day, count) == ours(
        oracle.advance(theirs(day), count, ql.Days)
    )


@settings(max_examples=150)
@given(
    st.data(),
    st.sampled_from([1, 3, 6, 12]),
    st.booleans(),
    st.sampled_from([Stub.SHORT_FRONT, Stub.SHORT_BACK]),
    st.sampled_from(Roll),
)
def test_schedule_is_theirs(
    data: st.DataObject, months: int, end_of_month: bool, stub: Stub, convention: Roll
) -> None:
    """Theirs in two steps: their dates without a calendar, then their calendar on each."""
    start = data.draw(DAYS)
    end = start + data.draw(st.integers(1, 3_650))
    calendar = data.draw(calendars(around=start))
    oracle = their_calendar(calendar)
    rule = ql.DateGeneration.Backward if stub is Stub.SHORT_FRONT else ql.DateGeneration.Forward
    schedule = ql.Schedule(
        theirs(start),
        theirs(end),
        ql.Period(months, ql.Months),
        ql.NullCalendar(),
        ql.Unadjusted,
        ql.Unadjusted,
        rule,
        end_of_month,
    )
    dates = [ours(date) for date in schedule]

    periods = generate(
        start,
        end,
        months,
        end_of_month=end_of_month,
        stub=stub,
        roll=convention,
        order=Order.CALCULATE_THEN_SHIFT,
        calendar=calendar,
    )

    assert [periods[0].start, *(period.end for period in periods)] == dates
    for period in periods:
        moved = ours(oracle.adjust(theirs(period.end), CONVENTIONS[convention]))
        if moved >= start:
            assert period.payment == moved
