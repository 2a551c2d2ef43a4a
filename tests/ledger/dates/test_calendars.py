"""Business days: which they are, where other days move, and which calendars are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.codec import replace
from node.ledger.dates import (
    CLOSED_MAX,
    Calendar,
    DatesError,
    Holiday,
    Roll,
    add_business_days,
    business_day_at,
    check_calendar,
    civil_of,
    holiday_on,
    is_business_day,
    is_weekend,
    moment_ms,
    roll,
    weekday,
)
from node.ledger.units import MS_PER_DAY, MS_PER_MINUTE, local_day
from tests.ledger.dates.days import DAYS, calendar_of, calendars, d

PLAIN = calendar_of()
EID = calendar_of("2026-05-27", "2026-05-28", "2026-05-29", "2027-12-31")
"""Wednesday to Friday before a weekend at the end of a month; and the last day of a year."""
PAKISTAN_MINUTES = 300


@pytest.mark.parametrize(
    ("day", "none", "following", "modified", "preceding"),
    [
        ("2026-05-26", "2026-05-26", "2026-05-26", "2026-05-26", "2026-05-26"),
        ("2026-05-27", "2026-05-27", "2026-06-01", "2026-05-26", "2026-05-26"),
        ("2026-05-30", "2026-05-30", "2026-06-01", "2026-05-26", "2026-05-26"),
        ("2026-05-31", "2026-05-31", "2026-06-01", "2026-05-26", "2026-05-26"),
        ("2026-06-06", "2026-06-06", "2026-06-08", "2026-06-08", "2026-06-05"),
        ("2027-12-31", "2027-12-31", "2028-01-03", "2027-12-30", "2027-12-30"),
    ],
)
def test_day_rolls_as_its_convention_says(
    day: str, none: str, following: str, modified: str, preceding: str
) -> None:
    moved = {convention: roll(EID, d(day), convention) for convention in Roll}

    assert moved == {
        Roll.NONE: d(none),
        Roll.FOLLOWING: d(following),
        Roll.MODIFIED_FOLLOWING: d(modified),
        Roll.PRECEDING: d(preceding),
    }


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        ("2026-05-25", 1, "2026-05-26"),
        ("2026-05-26", 1, "2026-06-01"),
        ("2026-05-26", 2, "2026-06-02"),
        ("2026-05-28", 0, "2026-06-01"),
        ("2026-05-26", 0, "2026-05-26"),
        ("2026-05-28", 1, "2026-06-01"),
        ("2026-05-28", -1, "2026-05-26"),
        ("2026-06-01", -1, "2026-05-26"),
        ("2026-06-02", -2, "2026-05-26"),
        ("2026-06-05", 1, "2026-06-08"),
    ],
)
def test_business_days_are_counted_over_weekends_and_holidays(
    day: str, count: int, expected: str
) -> None:
    assert add_business_days(EID, d(day), count) == d(expected)


@pytest.mark.parametrize("friday", ["2026-11-27", "2026-12-04"])
def test_weekend_is_what_the_calendar_says(friday: str) -> None:
    emirates = calendar_of(weekend=1 << 4 | 1 << 5)  # Friday and Saturday

    assert [is_business_day(emirates, d(friday) + step) for step in range(4)] == [
        False,
        False,
        True,
        True,
    ]
    assert [is_business_day(PLAIN, d(friday) + step) for step in range(4)] == [
        True,
        False,
        False,
        True,
    ]


def test_provisional_holiday_is_a_holiday() -> None:
    day = d("2027-03-10")
    calendar = replace(PLAIN, holidays=(Holiday(day=day, provisional=True),))

    assert not is_business_day(calendar, day)
    assert holiday_on(calendar, day) == Holiday(day=day, provisional=True)
    assert holiday_on(calendar, day + 1) is None


@given(st.data())
def test_days_off_are_those_of_a_search_by_hand(data: st.DataObject) -> None:
    start = data.draw(DAYS)
    calendar = data.draw(calendars(around=start))
    day = data.draw(st.integers(start - 30, start + 3_700))
    days_off = {holiday.day for holiday in calendar.holidays}

    weekend = f"{calendar.weekend:07b}"[::-1][weekday(day)] == "1"
    assert is_weekend(calendar, day) is weekend
    assert is_business_day(calendar, day) is not (weekend or day in days_off)


@given(st.data(), st.sampled_from(Roll))
def test_rolling_lands_on_business_days_and_moves_no_further_than_it_must(
    data: st.DataObject, convention: Roll
) -> None:
    start = data.draw(DAYS)
    calendar = data.draw(calendars(around=start))
    day = data.draw(st.integers(start, start + 3_650))

    moved = roll(calendar, day, convention)

    if convention is Roll.NONE:
        assert moved == day
        return
    assert is_business_day(calendar, moved)
    between = range(min(day, moved), max(day, moved) + 1)
    assert [found for found in between if is_business_day(calendar, found)] == [moved]
    if convention is Roll.FOLLOWING:
        assert moved >= day
    if convention is Roll.PRECEDING:
        assert moved <= day
    if convention is Roll.MODIFIED_FOLLOWING and moved < day:
        following = roll(calendar, day, Roll.FOLLOWING)
        assert civil_of(following).month != civil_of(day).month


@given(st.data(), st.integers(0, 400))
def test_business_days_count_back_to_where_they_began(data: st.DataObject, count: int) -> None:
    start = data.draw(DAYS)
    calendar = data.draw(calendars(around=start))
    begun = add_business_days(calendar, start, 0)

    reached = add_business_days(calendar, begun, count)

    between = [day for day in range(begun, reached) if is_business_day(calendar, day)]
    assert len(between) == count
    if count:
        assert add_business_days(calendar, reached, -count) == begun


# --- moments -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("local", "cut_off", "expected"),
    [
        (("2026-11-26", 0), 900, "2026-11-26"),
        (("2026-11-26", 899), 900, "2026-11-26"),
        (("2026-11-26", 900), 900, "2026-11-27"),
        (("2026-11-26", 1_439), 1_440, "2026-11-26"),
        (("2026-11-27", 900), 900, "2026-11-30"),  # Friday, after hours
        (("2026-11-28", 0), 900, "2026-11-30"),
        (("2026-11-28", 901), 900, "2026-11-30"),  # a Saturday has no hours to be after
        (("2026-11-26", 0), 0, "2026-11-27"),
    ],
)
def test_what_comes_after_the_cut_off_belongs_to_the_next_business_day(
    local: tuple[str, int], cut_off: int, expected: str
) -> None:
    time_ms = moment_ms(d(local[0]), local[1], PAKISTAN_MINUTES)

    found = business_day_at(
        PLAIN, time_ms, cut_off_minute=cut_off, utc_offset_minutes=PAKISTAN_MINUTES
    )

    assert found == d(expected)


@given(DAYS, st.integers(0, 1_439), st.integers(-720, 840))
def test_moment_is_within_its_local_day(day: int, minute: int, offset: int) -> None:
    time_ms = moment_ms(day, minute, offset)

    assert local_day(time_ms, offset) == day
    assert local_day(time_ms + MS_PER_DAY, offset) == day + 1
    assert local_day(moment_ms(day, 0, offset) - 1, offset) == day - 1
    assert (time_ms - moment_ms(day, 0, offset)) == minute * MS_PER_MINUTE


# --- calendars that are none ---------------------------------------------------------------------


def closed(first: str, days: int) -> Calendar:
    return replace(
        PLAIN,
        holidays=tuple(Holiday(day=d(first) + step, provisional=False) for step in range(days)),
    )


@pytest.mark.parametrize(
    "calendar",
    [
        PLAIN,
        EID,
        closed("2026-11-30", 29),  # with the weekend before it 31 days
        closed("1970-01-01", 2),
        replace(PLAIN, weekend=0b1111110),
    ],
)
def test_calendar_in_order_is_accepted(calendar: Calendar) -> None:
    check_calendar(calendar)


@pytest.mark.parametrize(
    ("calendar", "reason"),
    [
        (closed("2026-11-30", 30), "no business would be done for more than 31 days in a row"),
        (closed("2026-11-28", 1_024), "no business would be done for more than 31 days in a row"),
        (
            replace(PLAIN, holidays=EID.holidays[1::-1]),
            f"day {d('2026-05-27')} stands after day {d('2026-05-28')}",
        ),
        (
            replace(PLAIN, holidays=EID.holidays[:1] * 2),
            f"day {d('2026-05-27')} stands after day {d('2026-05-27')}",
        ),
    ],
)
def test_calendar_that_is_none_is_refused(calendar: Calendar, reason: str) -> None:
    with pytest.raises(DatesError, match=reason):
        check_calendar(calendar)


@given(st.data())
def test_checked_calendar_never_moves_a_day_far(data: st.DataObject) -> None:
    start = data.draw(DAYS)
    calendar = data.draw(calendars(around=start))
    try:
        check_calendar(calendar)
    except DatesError:
        return
    for holiday in calendar.holidays:
        for convention in Roll:
            assert abs(roll(calendar, holiday.day, convention) - holiday.day) <= CLOSED_MAX
