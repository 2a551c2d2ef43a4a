"""Schedules by tables, and what holds for all of them."""

from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.ledger.dates import (
    PERIODS_MAX,
    Calendar,
    DatesError,
    Order,
    Period,
    Roll,
    Stub,
    add_months,
    date_of,
    generate,
    is_business_day,
    periods_of_year,
    roll,
)
from node.ledger.pricing import DayCount, year_fraction
from tests.ledger.dates.days import DAYS, calendar_of, calendars, d
from tests.ledger.dates.schedules_twin import all_periods

PLAIN: Final = calendar_of()
ALWAYS_OPEN: Final = calendar_of(weekend=0)
FRONT: Final = (Stub.SHORT_FRONT, Stub.LONG_FRONT)


def schedule(
    start: str,
    end: str,
    months: int = 6,
    *,
    end_of_month: bool = False,
    stub: Stub = Stub.SHORT_FRONT,
    convention: Roll = Roll.NONE,
    order: Order = Order.CALCULATE_THEN_SHIFT,
    calendar: Calendar = ALWAYS_OPEN,
) -> tuple[Period, ...]:
    return tuple(
        generate(
            d(start),
            d(end),
            months,
            end_of_month=end_of_month,
            stub=stub,
            roll=convention,
            order=order,
            calendar=calendar,
        )
    )


def shown(days: list[int]) -> list[str]:
    return [date_of(day).isoformat() for day in days]


@pytest.mark.parametrize(
    ("start", "end", "months", "end_of_month", "stub", "bounds", "reference"),
    [
        # Nothing is left over: whichever stub the terms name.
        *(
            (
                "2025-01-15",
                "2026-01-15",
                6,
                False,
                stub,
                ["2025-01-15", "2025-07-15", "2026-01-15"],
                [("2025-01-15", "2025-07-15"), ("2025-07-15", "2026-01-15")],
            )
            for stub in Stub
        ),
        (
            "2025-03-01",
            "2026-01-15",
            6,
            False,
            Stub.SHORT_FRONT,
            ["2025-03-01", "2025-07-15", "2026-01-15"],
            [("2025-01-15", "2025-07-15"), ("2025-07-15", "2026-01-15")],
        ),
        (
            "2025-03-01",
            "2026-07-15",
            6,
            False,
            Stub.LONG_FRONT,
            ["2025-03-01", "2026-01-15", "2026-07-15"],
            [("2025-07-15", "2026-01-15"), ("2026-01-15", "2026-07-15")],
        ),
        (
            "2025-01-15",
            "2025-10-01",
            6,
            False,
            Stub.SHORT_BACK,
            ["2025-01-15", "2025-07-15", "2025-10-01"],
            [("2025-01-15", "2025-07-15"), ("2025-07-15", "2026-01-15")],
        ),
        (
            "2025-01-15",
            "2026-04-01",
            6,
            False,
            Stub.LONG_BACK,
            ["2025-01-15", "2025-07-15", "2026-04-01"],
            [("2025-01-15", "2025-07-15"), ("2025-07-15", "2026-01-15")],
        ),
        # Shorter than one step: a single short period, whatever the stub's length was to be.
        *(
            (
                "2025-03-01",
                "2025-07-15",
                6,
                False,
                stub,
                ["2025-03-01", "2025-07-15"],
                [("2025-01-15", "2025-07-15")],
            )
            for stub in FRONT
        ),
        *(
            (
                "2025-01-15",
                "2025-05-15",
                6,
                False,
                stub,
                ["2025-01-15", "2025-05-15"],
                [("2025-01-15", "2025-07-15")],
            )
            for stub in (Stub.SHORT_BACK, Stub.LONG_BACK)
        ),
        # Between one step and two, long: one period.
        (
            "2025-03-01",
            "2026-01-15",
            6,
            False,
            Stub.LONG_FRONT,
            ["2025-03-01", "2026-01-15"],
            [("2025-07-15", "2026-01-15")],
        ),
        # Ends of months, in a leap year and out of one.
        (
            "2023-08-31",
            "2025-02-28",
            6,
            True,
            Stub.NONE,
            ["2023-08-31", "2024-02-29", "2024-08-31", "2025-02-28"],
            [
                ("2023-08-31", "2024-02-29"),
                ("2024-02-29", "2024-08-31"),
                ("2024-08-31", "2025-02-28"),
            ],
        ),
        (
            "2023-08-31",
            "2025-02-28",
            6,
            False,
            Stub.SHORT_BACK,
            ["2023-08-31", "2024-02-29", "2024-08-31", "2025-02-28"],
            [
                ("2023-08-31", "2024-02-29"),
                ("2024-02-29", "2024-08-31"),
                ("2024-08-31", "2025-02-28"),
            ],
        ),
        (
            "2024-01-31",
            "2024-05-31",
            1,
            False,
            Stub.NONE,
            ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"],
            None,
        ),
        (
            "2024-02-29",
            "2026-02-28",
            12,
            False,
            Stub.SHORT_BACK,
            ["2024-02-29", "2025-02-28", "2026-02-28"],
            None,
        ),
        ("2024-02-29", "2027-06-01", 0, False, Stub.NONE, ["2024-02-29", "2027-06-01"], None),
    ],
)
def test_steps_are_those_of_the_table(
    start: str,
    end: str,
    months: int,
    end_of_month: bool,
    stub: Stub,
    bounds: list[str],
    reference: list[tuple[str, str]] | None,
) -> None:
    periods = schedule(start, end, months, end_of_month=end_of_month, stub=stub)

    assert shown([periods[0].start, *(period.end for period in periods)]) == bounds
    expected = list(pairwise(bounds)) if reference is None else reference
    nominal = [(period.nominal_start, period.nominal_end) for period in periods]
    assert nominal == [(d(first), d(last)) for first, last in expected]


@pytest.mark.parametrize(
    ("convention", "order", "accrual", "payments"),
    [
        # 15 August 2026 is a Saturday, 15 February 2027 a Monday, 15 August 2027 a Sunday.
        (
            Roll.NONE,
            Order.SHIFT_THEN_CALCULATE,
            ["2026-02-15", "2026-08-15", "2027-02-15", "2027-08-15"],
            ["2026-08-15", "2027-02-15", "2027-08-15"],
        ),
        (
            Roll.FOLLOWING,
            Order.SHIFT_THEN_CALCULATE,
            ["2026-02-15", "2026-08-17", "2027-02-15", "2027-08-16"],
            ["2026-08-17", "2027-02-15", "2027-08-16"],
        ),
        (
            Roll.FOLLOWING,
            Order.CALCULATE_THEN_SHIFT,
            ["2026-02-15", "2026-08-15", "2027-02-15", "2027-08-15"],
            ["2026-08-17", "2027-02-15", "2027-08-16"],
        ),
        (
            Roll.PRECEDING,
            Order.SHIFT_THEN_CALCULATE,
            ["2026-02-15", "2026-08-14", "2027-02-15", "2027-08-13"],
            ["2026-08-14", "2027-02-15", "2027-08-13"],
        ),
        (
            Roll.MODIFIED_FOLLOWING,
            Order.CALCULATE_THEN_SHIFT,
            ["2026-02-15", "2026-08-15", "2027-02-15", "2027-08-15"],
            ["2026-08-17", "2027-02-15", "2027-08-16"],
        ),
    ],
)
def test_days_move_as_roll_and_order_say(
    convention: Roll, order: Order, accrual: list[str], payments: list[str]
) -> None:
    periods = schedule(
        "2026-02-15", "2027-08-15", convention=convention, order=order, calendar=PLAIN
    )

    assert shown([periods[0].start, *(period.end for period in periods)]) == accrual
    assert shown([period.payment for period in periods]) == payments


def test_correction_of_a_holiday_moves_the_payment_and_nothing_else() -> None:
    expected, seen = (
        schedule(
            "2026-05-20",
            "2027-05-20",
            convention=Roll.FOLLOWING,
            calendar=calendar_of(*holidays),
        )
        for holidays in (["2026-11-20"], ["2026-11-19"])
    )

    assert shown([period.payment for period in expected]) == ["2026-11-23", "2027-05-20"]
    assert shown([period.payment for period in seen]) == ["2026-11-20", "2027-05-20"]
    assert [(period.start, period.end) for period in seen] == [
        (period.start, period.end) for period in expected
    ]


def test_stub_that_holidays_swallow_is_a_period_of_no_days() -> None:
    """So the number of payments is the same by every calendar."""
    periods = schedule(
        "2026-05-30",
        "2026-11-30",
        stub=Stub.SHORT_BACK,
        months=1,
        convention=Roll.PRECEDING,
        order=Order.SHIFT_THEN_CALCULATE,
        calendar=calendar_of("2026-06-29", "2026-06-30"),
    )
    swallowed = schedule(
        "2026-05-28",
        "2026-11-30",
        months=6,
        convention=Roll.PRECEDING,
        order=Order.SHIFT_THEN_CALCULATE,
        calendar=calendar_of("2026-05-28", "2026-05-29"),
    )

    assert shown([periods[0].end]) == ["2026-06-26"]
    first, second = swallowed
    assert shown([first.start, first.end, first.payment]) == [
        "2026-05-28",
        "2026-06-01",  # the start is not one of business, and nothing is paid before it
        "2026-06-01",
    ]
    assert second.start == first.end


@pytest.mark.parametrize(
    ("start", "end", "months", "stub", "reason"),
    [
        ("2026-01-01", "2026-01-01", 6, Stub.NONE, "the end must come after the start"),
        ("2026-01-02", "2026-01-01", 6, Stub.NONE, "the end must come after the start"),
        ("2026-01-01", "2027-01-01", -1, Stub.NONE, "at least 0 were expected"),
        ("2026-01-02", "2027-01-01", 6, Stub.NONE, "no whole number of steps of 6 months"),
        ("2026-01-01", "2126-01-02", 1, Stub.SHORT_BACK, f"more than {PERIODS_MAX} periods"),
        ("1970-01-01", "9999-12-31", 1, Stub.LONG_FRONT, f"more than {PERIODS_MAX} periods"),
    ],
)
def test_dates_that_make_no_schedule_are_refused(
    start: str, end: str, months: int, stub: Stub, reason: str
) -> None:
    with pytest.raises(DatesError, match=reason):
        schedule(start, end, months, stub=stub)


def test_longest_schedule_has_as_many_periods_as_there_may_be() -> None:
    assert len(schedule("2026-01-01", "2126-01-01", 1)) == PERIODS_MAX


@given(
    st.data(),
    st.sampled_from([1, 2, 3, 4, 6, 12, 18]),
    st.booleans(),
    st.sampled_from([stub for stub in Stub if stub is not Stub.NONE]),
    st.sampled_from(Roll),
    st.sampled_from(Order),
)
def test_periods_are_contiguous_and_cover_and_never_go_back(
    data: st.DataObject, months: int, end_of_month: bool, stub: Stub, convention: Roll, order: Order
) -> None:
    start = data.draw(DAYS)
    end = start + data.draw(st.integers(1, 4_000))
    calendar = data.draw(calendars(around=start))

    periods = generate(
        start,
        end,
        months,
        end_of_month=end_of_month,
        stub=stub,
        roll=convention,
        order=order,
        calendar=calendar,
    )

    assert periods[0].start == start
    assert all(a.end == b.start for a, b in pairwise(periods))
    assert all(period.start <= period.end for period in periods)
    payments = [period.payment for period in periods]
    assert payments == sorted(payments)
    assert payments[0] >= start
    if order is Order.SHIFT_THEN_CALCULATE:
        assert [period.end for period in periods] == payments
    else:
        assert periods[-1].end == end
        assert all(period.start < period.end for period in periods)
    if convention is not Roll.NONE:
        assert all(is_business_day(calendar, day) for day in payments)
    lengths = [period.nominal_end - period.nominal_start for period in periods]
    assert all(months * 28 <= length <= months * 31 + 1 for length in lengths)
    plain = generate(
        start,
        end,
        months,
        end_of_month=end_of_month,
        stub=stub,
        roll=Roll.NONE,
        order=order,
        calendar=calendar,
    )
    assert len(plain) == len(periods)
    for period, nominal in zip(periods, plain, strict=True):
        if roll(calendar, nominal.payment, convention) >= start:
            assert period.payment == roll(calendar, nominal.payment, convention)


@given(
    st.data(),
    st.sampled_from([0, 1, 2, 3, 4, 6, 12, 18]),
    st.booleans(),
    st.sampled_from(Stub),
    st.sampled_from(Roll),
    st.sampled_from(Order),
)
def test_each_period_by_itself_is_that_of_the_whole_schedule(
    data: st.DataObject, months: int, end_of_month: bool, stub: Stub, convention: Roll, order: Order
) -> None:
    start = data.draw(DAYS)
    whole = st.integers(1, 100).map(lambda count: add_months(start, count * months, end_of_month))
    end = data.draw(st.one_of(st.integers(start - 5, start + 4_000), whole))
    calendar = data.draw(calendars(around=start))

    def run(made: Any) -> tuple[Period, ...] | str:
        try:
            return tuple(
                made(
                    start,
                    end,
                    months,
                    end_of_month=end_of_month,
                    stub=stub,
                    roll=convention,
                    order=order,
                    calendar=calendar,
                )
            )
        except DatesError as error:
            return str(error)

    assert run(generate) == run(all_periods)


def test_periods_are_a_sequence() -> None:
    periods = generate(
        d("2026-01-01"),
        d("2027-01-01"),
        3,
        end_of_month=False,
        stub=Stub.NONE,
        roll=Roll.NONE,
        order=Order.CALCULATE_THEN_SHIFT,
        calendar=ALWAYS_OPEN,
    )

    assert len(periods) == 4
    assert periods[-1] == periods[3]
    assert list(periods) == [periods[index] for index in range(4)]
    for index in (4, -5):
        with pytest.raises(IndexError):
            periods[index]


@given(DAYS, st.sampled_from([1, 2, 3, 4, 6, 12]), st.integers(1, 40), st.booleans())
def test_whole_number_of_steps_has_no_stub_from_either_end(
    start: int, months: int, count: int, end_of_month: bool
) -> None:
    end = add_months(start, months * count, end_of_month)

    back = generate(
        start,
        end,
        months,
        end_of_month=end_of_month,
        stub=Stub.SHORT_BACK,
        roll=Roll.NONE,
        order=Order.CALCULATE_THEN_SHIFT,
        calendar=ALWAYS_OPEN,
    )

    assert len(back) == count
    for period in back:
        fraction = year_fraction(
            DayCount.ACT_ACT_ICMA,
            date_of(period.start),
            date_of(period.end),
            reference=(date_of(period.nominal_start), date_of(period.nominal_end)),
            frequency=periods_of_year(months),
            end_of_month=end_of_month,
        )
        assert fraction * periods_of_year(months) == 1


@pytest.mark.parametrize("months", [0, -6, 5, 24])
def test_year_without_a_whole_number_of_periods_is_refused(months: int) -> None:
    with pytest.raises(DatesError, match="a divisor of 12"):
        periods_of_year(months)
