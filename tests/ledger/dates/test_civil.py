"""Days as numbers, beside the standard library's dates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.ledger.dates import (
    DatesError,
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
from node.ledger.pricing import periods
from node.ledger.units import DAY_MAX
from tests.ledger.dates.days import DAYS, d


@given(st.integers(0, DAY_MAX))
def test_day_is_what_the_standard_library_makes_of_it(day: int) -> None:
    twin = date_of(day)

    assert civil_of(day) == (twin.year, twin.month, twin.day)
    assert day_of(*civil_of(day)) == day == from_date(twin)
    assert weekday(day) == twin.weekday()


def test_first_and_last_day_are_those_of_the_ledger() -> None:
    assert civil_of(0) == (1970, 1, 1)
    assert civil_of(DAY_MAX) == (9999, 12, 31)


@pytest.mark.parametrize(
    ("year", "leap"), [(1900, False), (2000, True), (2023, False), (2024, True), (2100, False)]
)
def test_leap_years_are_those_of_the_gregorian_calendar(year: int, leap: bool) -> None:
    assert is_leap_year(year) is leap
    assert days_in_month(year, 2) == 28 + leap
    assert civil_of(day_of(year, 2, 28) + 1) == ((year, 2, 29) if leap else (year, 3, 1))


@pytest.mark.parametrize(
    ("start", "months", "end_of_month", "expected"),
    [
        ("2024-01-31", 1, False, "2024-02-29"),
        ("2023-01-31", 1, False, "2023-02-28"),
        ("2023-02-28", 6, False, "2023-08-28"),
        ("2023-02-28", 6, True, "2023-08-31"),
        ("2024-02-28", 6, True, "2024-08-28"),  # not the last day of that month
        ("2024-02-29", 12, False, "2025-02-28"),
        ("2024-02-29", 48, False, "2028-02-29"),
        ("2024-04-30", -2, True, "2024-02-29"),
        ("2024-04-30", -2, False, "2024-02-29"),
        ("2024-12-15", 1, False, "2025-01-15"),
        ("2024-01-15", -1, False, "2023-12-15"),
        ("2024-08-31", 0, True, "2024-08-31"),
        ("2024-03-15", 18, True, "2025-09-15"),
    ],
)
def test_months_are_added_with_and_without_the_end_of_month_rule(
    start: str, months: int, end_of_month: bool, expected: str
) -> None:
    assert add_months(d(start), months, end_of_month) == d(expected)


@given(DAYS, st.integers(-12, 1_200), st.booleans())
def test_months_are_added_as_pricing_adds_them(day: int, months: int, end_of_month: bool) -> None:
    expected = periods.add_months(date_of(day), months, to_end=end_of_month)

    assert add_months(day, months, end_of_month) == from_date(expected)
    assert is_end_of_month(day) == periods.is_end_of_month(date_of(day))


@given(st.integers(day_of(1, 1, 1), DAY_MAX))
def test_day_as_it_is_written_is_read_back(day: int) -> None:
    assert from_date(parse_date(date_of(day).isoformat())) == day


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20270210",
        "20270210AB",
        "2027-W06-3",
        "2027-02-30",
        "0000-01-01",
        "2027-2-10",
        "2027-02-10T00:00",
        "2027-02-10\n",
        "٢٠٢٧-٠٢-١٠",
        pytest.param("1" * 1_000_000, id="long"),
    ],
)
def test_day_that_is_written_otherwise_is_refused(text: str) -> None:
    with pytest.raises(DatesError, match="is no day: expected one such as") as refused:
        parse_date(text)

    assert len(str(refused.value)) < 100
