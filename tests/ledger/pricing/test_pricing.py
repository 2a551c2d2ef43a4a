"""Prices and yields: published figures, properties beside a stupid twin, and what is refused."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.ledger.pricing import (
    Bond,
    DayCount,
    FirstPeriod,
    Floater,
    PricingError,
    accrued_interest,
    add_months,
    bill_discount_rate,
    bill_price_from_discount,
    bill_price_from_yield,
    bill_yield,
    bond_price,
    bond_yield,
    floater_price,
    half_up,
    investment_rate,
    is_end_of_month,
    percent,
    position,
    text,
    year_fraction,
)
from node.ledger.pricing.radicals import Radical, integer_root

PIB: Final = Bond(date(2020, 8, 20), date(2023, 8, 20), Fraction(7, 100))
"""The 3-year bond of the State Bank of Pakistan, reopened on 3 March 2021, settled a day later."""
SETTLEMENT: Final = date(2021, 3, 4)


@pytest.mark.parametrize(
    ("price", "printed"),
    [("98.3879", "7.1197"), ("98.3857", "7.1296"), ("98.3815", "7.1485"), ("98.3735", "7.1844")],
)
def test_bids_for_a_bill(price: str, printed: str) -> None:
    """State Bank of Pakistan, 574th auction of 3-month bills, 9 September 2020."""
    assert text(half_up(100 * bill_yield(Fraction(price), 84), 4), 4) == printed


@pytest.mark.parametrize(
    ("price", "printed"),
    [("95.6713", "8.9934"), ("95.6574", "9.0000"), ("95.0711", "9.2790"), ("95.0062", "9.3100")],
)
def test_bids_for_a_bond(price: str, printed: str) -> None:
    """State Bank of Pakistan, 51st auction of bonds, 3 March 2021."""
    assert text(bond_yield(PIB, SETTLEMENT, Fraction(price), decimals=4), 4) == printed
    assert accrued_interest(PIB, SETTLEMENT, decimals=4) == 2_320  # 3.5 · 12/181


def test_bond_of_the_united_states() -> None:
    """31 CFR 356 appendix B, example II.A."""
    bond = Bond(
        dated=date(1990, 5, 15),
        maturity=date(2020, 5, 15),
        coupon=percent(875, 2),
        first_period=FirstPeriod.SIMPLE,
    )
    assert bond_price(bond, bond.dated, percent(884, 2), decimals=6) == 99_057_893


def test_bill_of_the_united_states() -> None:
    """31 CFR 356 appendix B, examples VI.A, VI.C and VI.D.2."""
    assert half_up(bill_price_from_discount(percent(7_610, 3), 90), 6) == 98_097_500
    assert half_up(100 * bill_discount_rate(Fraction("95.934567"), 182), 3) == 8_042
    assert investment_rate(Fraction("92.265"), 364, year=365, decimals=3) == 8_237


def test_reopened_floater_of_the_united_states() -> None:
    """31 CFR 356 appendix B, example IV.C."""
    note = Floater(
        reference=Fraction("0.00105027876"),
        spread=percent(120, 3),
        payments=tuple(
            add_months(date(2014, 7, 31), -3 * k, to_end=True) for k in range(7, -1, -1)
        ),
    )
    accrued = Fraction("0.019432992")
    price = floater_price(note, date(2012, 8, 31), percent(100, 3), accrued=accrued, decimals=6)
    assert price == 100_038_740


@pytest.mark.parametrize(
    ("convention", "start", "end", "expected"),
    [
        (DayCount.ACT_365F, "2024-02-01", "2024-03-01", Fraction(29, 365)),
        (DayCount.ACT_360, "2024-02-01", "2024-03-01", Fraction(29, 360)),
        (DayCount.ACT_ACT_ISDA, "2003-11-01", "2004-05-01", Fraction(61, 365) + Fraction(121, 366)),
        (DayCount.ACT_ACT_AFB, "2003-11-01", "2004-05-01", Fraction(182, 366)),
        (DayCount.ACT_ACT_AFB, "2004-02-28", "2008-02-29", 4 + Fraction(1, 365)),
        (DayCount.THIRTY_360, "2006-08-31", "2007-02-28", Fraction(178, 360)),
        (DayCount.THIRTY_360, "2006-09-30", "2006-10-31", Fraction(30, 360)),
        (DayCount.THIRTY_E_360, "2008-02-28", "2008-08-31", Fraction(182, 360)),
        (DayCount.THIRTY_E_360_ISDA, "2006-02-28", "2006-08-31", Fraction(180, 360)),
    ],
)
def test_day_counts(convention: DayCount, start: str, end: str, expected: Fraction) -> None:
    """ISDA 1998 and 2008."""
    found = year_fraction(convention, date.fromisoformat(start), date.fromisoformat(end))
    assert found == expected


def test_thirty_days_a_month_end_with_the_instrument() -> None:
    """The last day of February is the 30th, but not where the instrument ends. ISDA 2008."""
    start, end = date(2007, 8, 31), date(2008, 2, 29)
    isda = DayCount.THIRTY_E_360_ISDA
    assert year_fraction(isda, start, end) == Fraction(180, 360)
    assert year_fraction(isda, start, end, termination=end) == Fraction(179, 360)


def test_odd_period_is_split_at_quasi_coupon_dates() -> None:
    """ISDA 1998: a long first period of a semi-annual bond."""
    found = year_fraction(
        DayCount.ACT_ACT_ICMA,
        date(2002, 8, 15),
        date(2003, 7, 15),
        reference=(date(2003, 1, 15), date(2003, 7, 15)),
        frequency=2,
    )
    assert found == Fraction(153, 2 * 184) + Fraction(181, 2 * 181)


def test_long_first_period_accrues_by_both_periods() -> None:
    """31 CFR 356 appendix B, example II.G."""
    bond = Bond(
        dated=date(1988, 10, 15),
        maturity=date(1994, 12, 15),
        coupon=percent(975, 2),
        first_payment=date(1989, 6, 15),
        first_period=FirstPeriod.SIMPLE,
        accrued_decimals=6,
    )
    assert accrued_interest(bond, date(1988, 11, 15), decimals=6) == 825_820
    assert bond_price(bond, date(1988, 11, 15), percent(979, 2), decimals=6) == 99_738_045


def test_month_ends_stay_month_ends_where_asked() -> None:
    end = date(2024, 2, 29)
    assert is_end_of_month(end)
    assert add_months(end, 6, to_end=True) == date(2024, 8, 31)
    assert add_months(end, 6, to_end=False) == date(2024, 8, 29)
    assert add_months(date(2024, 8, 31), -6, to_end=False) == end
    assert add_months(date(2024, 12, 31), 2, to_end=False) == date(2025, 2, 28)


# Properties.


def twin_price(bond: Bond, settlement: date, yield_: Fraction, decimals: int) -> int:
    """The formula of the book, in decimals of sixty digits: all but always the same."""
    place = position(bond, settlement)
    with localcontext() as context:
        context.prec = 60
        each = 1 + Decimal(yield_.numerator) / yield_.denominator / bond.frequency
        left = sum(place.periods_left, Fraction(0))
        w = Decimal(left.numerator) / left.denominator
        full = sum(
            Decimal(flow.numerator) / flow.denominator * each ** -(w + k)
            for k, flow in enumerate(place.flows)
        )
        clean = full - Decimal(place.accrued.numerator) / place.accrued.denominator
        return int((clean * 10**decimals).quantize(Decimal(1), rounding=ROUND_HALF_UP))


bonds: Final = st.builds(
    lambda dated, years, extra, coupon, frequency, accrual, pricing: Bond(
        dated=dated,
        maturity=add_months(dated, 12 * years, to_end=False) + timedelta(days=extra),
        coupon=percent(coupon, 2),
        frequency=frequency,
        accrual=accrual,
        pricing=pricing,
    ),
    st.dates(date(1990, 1, 1), date(2050, 12, 31)),
    st.integers(1, 15),
    st.integers(0, 40),
    st.integers(0, 2_000),
    st.sampled_from([1, 2, 4, 12]),
    st.sampled_from(list(DayCount)),
    st.sampled_from(list(DayCount)),
)
yields: Final = st.integers(-5_000, 400_000).map(lambda units: percent(units, 4))


@settings(max_examples=50)
@given(bonds, yields, st.integers(0, 10_000))
def test_price_is_that_of_the_twin(bond: Bond, yield_: Fraction, after: int) -> None:
    settlement = bond.dated + timedelta(days=after % (bond.maturity - bond.dated).days)
    assert bond_price(bond, settlement, yield_, decimals=6) == twin_price(
        bond, settlement, yield_, 6
    )


@settings(max_examples=50)
@given(bonds, yields, st.integers(0, 10_000), st.sampled_from(list(FirstPeriod)))
def test_yield_of_a_price_leads_back_to_it(
    bond: Bond, yield_: Fraction, after: int, first_period: FirstPeriod
) -> None:
    """A price with 12 digits belongs to the yield that it came from, to 4 digits."""
    if first_period is FirstPeriod.SIMPLE:
        bond = Bond(
            bond.dated, bond.maturity, bond.coupon, bond.frequency, first_period=first_period
        )
    settlement = bond.dated + timedelta(days=after % (bond.maturity - bond.dated).days)
    units = bond_price(bond, settlement, yield_, decimals=12)
    found = bond_yield(bond, settlement, Fraction(units, 10**12), decimals=4)
    assert found == half_up(100 * yield_, 4)


@given(st.integers(1, 400_000), st.integers(1, 3_660))
def test_bill_leads_back_exactly(units: int, days: int) -> None:
    rate = percent(units, 4)
    assert bill_yield(bill_price_from_yield(rate, days), days) == rate
    assert bill_discount_rate(bill_price_from_discount(rate, days), days) == rate


@given(st.integers(0, 10**400), st.integers(1, 400))
def test_integer_root_is_the_largest(value: int, root: int) -> None:
    found = integer_root(value, root)
    assert found**root <= value < (found + 1) ** root


@given(
    st.fractions(Fraction(1, 3), Fraction(3), max_denominator=10_000),
    st.integers(0, 184),
    st.integers(1, 184),
)
def test_bracket_holds_the_radical(base: Fraction, power: int, root: int) -> None:
    radical = Radical(base, power, root)
    low, high = radical.bracket()
    assert radical.reaches(low)
    assert not radical.reaches(high)
    assert high - low <= Fraction(1, 10**40)


def test_tie_is_decided_by_powers() -> None:
    """(9/16)^(1/2) is 3/4: a price of 75.00 exactly half-way between two of the grid."""
    radical = Radical(Fraction(9, 16), 1, 2)
    assert radical.reaches(Fraction(3, 4))
    assert not radical.reaches(Fraction(3, 4) + Fraction(1, 10**80))


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        ("0.5", 0, 1),
        ("-0.5", 0, -1),
        ("1.00005", 4, 10_001),
        ("1.00004999", 4, 10_000),
        ("0", 2, 0),
    ],
)
def test_half_goes_away_from_zero(value: str, decimals: int, expected: int) -> None:
    assert half_up(Fraction(value), decimals) == expected


@pytest.mark.parametrize(
    ("units", "decimals", "shown"),
    [(983_815, 4, "98.3815"), (5, 4, "0.0005"), (-5, 2, "-0.05"), (7, 0, "7"), (0, 2, "0.00")],
)
def test_figures_are_printed_with_their_decimals(units: int, decimals: int, shown: str) -> None:
    assert text(units, decimals) == shown


# Refusals.


DAY: Final = date(2024, 1, 31)


@pytest.mark.parametrize(
    ("act", "found"),
    [
        (lambda: Bond(DAY, DAY, Fraction(0)), "the end comes first"),
        (lambda: Bond(DAY, date(2030, 1, 31), Fraction(-1, 100)), "cannot be below 0"),
        (lambda: Bond(DAY, date(2030, 1, 31), Fraction(0), 3), "3 coupons a year"),
        (lambda: Bond(DAY, date(2130, 1, 31), Fraction(0)), "at most 100 years"),
        (lambda: Bond(date(1850, 1, 1), date(1860, 1, 1), Fraction(0)), "from 1900 on"),
        (
            lambda: Bond(DAY, date(2030, 1, 31), Fraction(0), first_payment=date(2025, 1, 30)),
            "no date of the schedule",
        ),
        (lambda: position(PIB, PIB.maturity), "settlement on 2023-08-20"),
        (lambda: position(PIB, date(2020, 8, 19)), "expected from 2020-08-20"),
        (lambda: bond_price(PIB, SETTLEMENT, Fraction(-2), decimals=4), "a yield of -2"),
        (lambda: bond_price(PIB, SETTLEMENT, Fraction(101), decimals=4), "at most 100"),
        (lambda: bond_price(PIB, SETTLEMENT, Fraction(0), decimals=13), "13 decimals"),
        (lambda: bond_yield(PIB, SETTLEMENT, Fraction(-1), decimals=4), "belongs to no yield"),
        (lambda: bill_yield(Fraction(0), 84), "must be above 0"),
        (lambda: bill_yield(Fraction(98), 0), "0 days to maturity"),
        (lambda: bill_price_from_yield(Fraction(-10), 365), "has no price"),
        (lambda: year_fraction(DayCount.ACT_365F, DAY, date(2023, 1, 1)), "the end comes first"),
        (lambda: year_fraction(DayCount.ACT_ACT_ICMA, DAY, DAY), "needs a regular period"),
        (
            lambda: floater_price(
                Floater(Fraction(0), Fraction(0), (DAY,)), DAY, Fraction(0), accrued=Fraction(0),
                decimals=6,
            ),
            "must ascend",
        ),
    ],
)  # fmt: skip
def test_what_has_no_price_is_refused(act: Callable[[], object], found: str) -> None:
    with pytest.raises(PricingError, match=found):
        act()
