"""QuantLib as a second opinion on price, yield, accrued interest and day counts: random terms.

Theirs are floats: a figure of ours, which is exact on its grid, may differ by half a unit of the
grid and what a float leaves out.
"""

import warnings
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from node.ledger.pricing import (
    Bond,
    DayCount,
    accrued_interest,
    add_months,
    bill_discount_rate,
    bill_price_from_discount,
    bill_price_from_yield,
    bill_yield,
    bond_price,
    bond_yield,
    half_up,
    position,
    year_fraction,
)
from node.ledger.pricing.periods import is_end_of_month

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its wrapper, on import
    ql: Any = pytest.importorskip("QuantLib", reason="the second oracle is not installed")

DATES: Final = st.dates(min_value=date(1975, 1, 1), max_value=date(2090, 12, 31))
DECIMALS: Final = 10
HALF: Final = 0.5 / 10**DECIMALS
FLOATS: Final = 1e-9
"""What a price of some hundreds loses in a float, with room for a long sum."""
COUNTS: Final = {
    DayCount.ACT_365F: ql.Actual365Fixed(),
    DayCount.ACT_360: ql.Actual360(),
    DayCount.ACT_ACT_ISDA: ql.ActualActual(ql.ActualActual.ISDA),
    DayCount.ACT_ACT_AFB: ql.ActualActual(ql.ActualActual.AFB),
    DayCount.THIRTY_360: ql.Thirty360(ql.Thirty360.BondBasis),
    DayCount.THIRTY_E_360: ql.Thirty360(ql.Thirty360.EurobondBasis),
}


def theirs(day: date) -> Any:
    return ql.Date(day.day, day.month, day.year)


def figure(units: int) -> float:
    return float(Fraction(units, 10**DECIMALS))


@st.composite
def bonds(draw: st.DrawFn) -> tuple[Bond, date]:
    """Draw a bond of whole periods and a day on which it is settled.

    How the market reckons a first period that is none is in the published auctions.
    """
    maturity = draw(DATES)
    frequency = draw(st.sampled_from((1, 2, 4, 12)))
    end_of_month = draw(st.booleans())
    back = -12 // frequency * draw(st.integers(1, 24))
    dated = add_months(maturity, back, to_end=end_of_month and is_end_of_month(maturity))
    bond = Bond(
        dated=dated,
        maturity=maturity,
        coupon=Fraction(draw(st.integers(0, 250_000)), 1_000_000),
        frequency=frequency,
        end_of_month=end_of_month,
    )
    return bond, dated + timedelta(days=draw(st.integers(0, (maturity - dated).days - 1)))


def their_bond(bond: Bond) -> tuple[Any, Any]:
    months = 12 // bond.frequency
    schedule = ql.Schedule(
        theirs(bond.dated),
        theirs(bond.maturity),
        ql.Period(months, ql.Months),
        ql.NullCalendar(),
        ql.Unadjusted,
        ql.Unadjusted,
        ql.DateGeneration.Backward,
        bond.end_of_month,
    )
    count = ql.ActualActual(ql.ActualActual.ISMA, schedule)
    return ql.FixedRateBond(0, 100.0, schedule, [float(bond.coupon)], count), count


@settings(max_examples=40, deadline=None)
@given(bonds(), st.integers(1, 400_000))
def test_price_yield_and_accrued_interest_of_bonds_are_theirs(
    drawn: tuple[Bond, date], yield_ppm: int
) -> None:
    bond, settlement = drawn
    other, count = their_bond(bond)
    ql.Settings.instance().evaluationDate = theirs(bond.dated)
    frequency = {1: ql.Annual, 2: ql.Semiannual, 4: ql.Quarterly, 12: ql.Monthly}[bond.frequency]
    terms = (count, ql.Compounded, frequency)
    rate = yield_ppm / 1_000_000

    accrued = other.accruedAmount(theirs(settlement))
    assert figure(accrued_interest(bond, settlement, decimals=DECIMALS)) == pytest.approx(
        accrued, abs=HALF + FLOATS
    )
    price = bond_price(bond, settlement, Fraction(yield_ppm, 1_000_000), decimals=DECIMALS)
    expected = ql.BondFunctions.cleanPrice(other, rate, *terms, theirs(settlement))
    assert figure(price) == pytest.approx(expected, abs=HALF + FLOATS, rel=1e-11)
    # Four decimals, as the market prints: a day before the end a price says little about a yield.
    if (bond.maturity - settlement).days > 30:
        found = bond_yield(bond, settlement, Fraction(price, 10**DECIMALS), decimals=4)
        assert found / 1_000_000 == pytest.approx(rate, abs=0.5e-6 + 1e-9)


EDGES: Final = (
    date(2020, 8, 31),  # the first day
    date(2020, 9, 1),
    date(2021, 2, 27),
    date(2021, 2, 28),  # a coupon's day: nothing has accrued
    date(2021, 3, 1),
    date(2023, 8, 30),  # a day before the end
)


@pytest.mark.parametrize("settlement", EDGES)
@pytest.mark.parametrize("coupon", [Fraction(0), Fraction(7, 100), Fraction(1)])
@pytest.mark.parametrize(
    "rate", [Fraction(0), Fraction(-3, 100), Fraction(-9, 10), Fraction(-19, 10), Fraction(5)]
)
def test_prices_at_the_edges_are_theirs(settlement: date, coupon: Fraction, rate: Fraction) -> None:
    """Yields of nothing, below it and far above, on the first day, a coupon's day and the last."""
    bond = Bond(
        dated=date(2020, 8, 31), maturity=date(2023, 8, 31), coupon=coupon, end_of_month=True
    )
    other, count = their_bond(bond)
    ql.Settings.instance().evaluationDate = theirs(bond.dated)
    expected = ql.BondFunctions.cleanPrice(
        other, float(rate), count, ql.Compounded, ql.Semiannual, theirs(settlement)
    )

    price = bond_price(bond, settlement, rate, decimals=DECIMALS)

    assert figure(price) == pytest.approx(expected, abs=HALF + FLOATS, rel=1e-11)
    place = position(bond, settlement)
    if not rate:
        assert price == half_up(sum(place.flows) - place.accrued, DECIMALS)
    if settlement == date(2021, 2, 28):
        assert place.accrued == 0


@settings(max_examples=15, deadline=None)
@given(bonds())
def test_a_bond_that_accrues_otherwise_is_priced_the_same_but_for_what_has_accrued(
    drawn: tuple[Bond, date],
) -> None:
    """What is paid in all follows from the yield, however the interest in it is reckoned."""
    bond, settlement = drawn
    other = Bond(
        dated=bond.dated,
        maturity=bond.maturity,
        coupon=bond.coupon,
        frequency=bond.frequency,
        end_of_month=bond.end_of_month,
        accrual=DayCount.ACT_365F,
    )
    rate = Fraction(1, 9)
    whole, apart = (
        bond_price(each, settlement, rate, decimals=DECIMALS)
        + accrued_interest(each, settlement, decimals=DECIMALS)
        for each in (bond, other)
    )
    assert abs(whole - apart) <= 2  # each of four figures is half up


@settings(max_examples=30, deadline=None)
@given(bonds(), st.sampled_from(sorted(COUNTS, key=lambda each: each.value)), st.integers(1, 400))
@example(
    (
        Bond(
            dated=date(1999, 3, 1),
            maturity=date(2000, 3, 1),
            coupon=Fraction(0),
            frequency=1,
        ),
        date(1999, 3, 2),
    ),
    DayCount.ACT_ACT_AFB,
    1,
)
def test_what_is_left_of_a_period_is_discounted_by_the_day_count_that_prices(
    drawn: tuple[Bond, date], count: DayCount, rate_permille: int
) -> None:
    """Whole periods count as such: where they are by theirs too, all of it is their price."""
    bond, settlement = drawn
    other = replace(bond, pricing=count)
    frequency, rate = bond.frequency, rate_permille / 1_000
    ends = next(
        each
        for each in (
            add_months(bond.maturity, -12 // frequency * k, to_end=_to_end(bond))
            for k in range(24, -1, -1)
        )
        if each > settlement
    )
    left = COUNTS[count].yearFraction(theirs(settlement), theirs(ends))
    place = position(other, settlement)
    worth = sum(
        float(flow) * (1 + rate / frequency) ** -(left * frequency + k)
        for k, flow in enumerate(place.flows)
    )
    found = bond_price(other, settlement, Fraction(rate_permille, 1_000), decimals=DECIMALS)
    assert figure(found) == pytest.approx(
        worth - float(place.accrued), abs=HALF + FLOATS, rel=1e-11
    )
    named, _ = their_bond(bond)
    begins = next(
        each.accrualStartDate()
        for each in map(ql.as_coupon, named.cashflows())
        if each is not None and each.accrualEndDate() > theirs(settlement)
    )
    passed, whole = (COUNTS[count].yearFraction(begins, theirs(to)) for to in (settlement, ends))
    # Theirs is the whole period without what has passed: not what is left, where a leap day counts
    # for one of them only.
    if len(place.flows) == 1 and whole - passed == pytest.approx(left, abs=1e-12):
        step = {1: ql.Annual, 2: ql.Semiannual, 4: ql.Quarterly, 12: ql.Monthly}[frequency]
        dirty = ql.BondFunctions.cleanPrice(
            named, rate, COUNTS[count], ql.Compounded, step, theirs(settlement)
        )
        assert figure(found) == pytest.approx(dirty, abs=HALF + FLOATS, rel=1e-11)
    if (bond.maturity - settlement).days > 30:
        back = bond_yield(other, settlement, Fraction(found, 10**DECIMALS), decimals=4)
        assert back / 1_000_000 == pytest.approx(rate, abs=0.5e-6 + 1e-9)


def _to_end(bond: Bond) -> bool:
    return bond.end_of_month and is_end_of_month(bond.maturity)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 730), st.integers(1, 500_000))
def test_prices_and_yields_of_bills_are_theirs(days: int, rate_ppm: int) -> None:
    rate = Fraction(rate_ppm, 1_000_000)
    start = ql.Date(26, 11, 2026)
    simple = ql.InterestRate(float(rate), ql.Actual365Fixed(), ql.Simple, ql.Annual)
    price = bill_price_from_yield(rate, days)
    expected = 100 * simple.discountFactor(start, start + days)
    assert float(price) == pytest.approx(expected, rel=1e-12)
    implied = ql.InterestRate.impliedRate(
        100 / float(price), ql.Actual365Fixed(), ql.Simple, ql.Annual, start, start + days
    )
    assert float(bill_yield(price, days)) == pytest.approx(implied.rate(), rel=1e-9)
    discounted = bill_price_from_discount(rate, days)
    expected = 100 * (1 - float(rate) * ql.Actual360().yearFraction(start, start + days))
    assert float(discounted) == pytest.approx(expected, abs=1e-10)
    assert bill_discount_rate(discounted, days) == rate


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(COUNTS, key=lambda each: each.value)), DATES, st.integers(0, 4_000))
def test_day_counts_are_theirs(count: DayCount, start: date, days: int) -> None:
    end = start + timedelta(days=days)
    found = year_fraction(count, start, end)
    assert float(found) == pytest.approx(
        COUNTS[count].yearFraction(theirs(start), theirs(end)), abs=1e-12
    )


@settings(max_examples=60, deadline=None)
@given(DATES, st.integers(0, 4_000), st.integers(0, 2_000))
def test_30e_360_isda_knows_the_end_as_theirs(start: date, days: int, more: int) -> None:
    end = start + timedelta(days=days)
    termination = end + timedelta(days=more)
    count = ql.Thirty360(ql.Thirty360.ISDA, theirs(termination))
    found = year_fraction(DayCount.THIRTY_E_360_ISDA, start, end, termination=termination)
    assert float(found) == pytest.approx(count.yearFraction(theirs(start), theirs(end)), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(DATES, st.sampled_from((1, 2, 4, 12)), st.integers(0, 370))
def test_act_act_icma_of_a_regular_period_is_theirs(start: date, frequency: int, into: int) -> None:
    end = add_months(start, 12 // frequency, to_end=False)
    day = min(start + timedelta(days=into), end)
    found = year_fraction(
        DayCount.ACT_ACT_ICMA, start, day, reference=(start, end), frequency=frequency
    )
    count = ql.ActualActual(ql.ActualActual.ISMA)
    expected = count.yearFraction(theirs(start), theirs(day), theirs(start), theirs(end))
    assert float(found) == pytest.approx(expected, abs=1e-12)
