"""QuantLib as a second opinion on what floats: fixing days and coupons, over random terms."""

import warnings
from typing import Any, Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from node.ledger.dates import Order, Roll, Stub, add_months
from node.ledger.instruments import floating_rate, schedule_of
from node.ledger.pricing.daycounts import DayCount
from node.ledger.terms import PPM, BondTerms
from tests.ledger.dates.days import DAYS, calendars
from tests.ledger.dates.test_quantlib import CONVENTIONS, ours, their_calendar, theirs
from tests.ledger.debt import floating, plan

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its wrapper, on import
    ql: Any = pytest.importorskip("QuantLib", reason="the second oracle is not installed")

DAY_COUNTS: Final = {
    DayCount.ACT_365F: ql.Actual365Fixed(),
    DayCount.ACT_360: ql.Actual360(),
    DayCount.THIRTY_E_360: ql.Thirty360(ql.Thirty360.European),
    DayCount.ACT_ACT_ISDA: ql.ActualActual(ql.ActualActual.ISDA),
}
LATER: Final = ql.Date(31, 12, 2190)
SHARES: Final = st.integers(0, 200_000)


@settings(max_examples=25, deadline=None)
@given(
    st.data(),
    st.sampled_from(sorted(DAY_COUNTS, key=lambda each: each.value)),
    st.sampled_from((1, 3, 6, 12)),
    st.sampled_from((Roll.FOLLOWING, Roll.NONE)),
    st.integers(1, 10),
    st.tuples(SHARES, SHARES).map(sorted),
    st.integers(-100_000, 100_000),
    st.lists(st.integers(-50_000, 300_000), min_size=4, max_size=4),
)
def test_coupons_are_theirs(
    data: st.DataObject,
    day_count: DayCount,
    months: int,
    convention: Roll,
    fixing_days: int,
    bounds: list[int],
    margin_ppm: int,
    references: list[int],
) -> None:
    start = data.draw(DAYS)
    end = add_months(start, 4 * months, end_of_month=False)
    calendar = data.draw(calendars(around=start))
    terms = plan(
        issue_day=start,
        maturity_day=end,
        months=months,
        day_count=day_count,
        roll=convention,
        order=Order.SHIFT_THEN_CALCULATE,
        stub=Stub.SHORT_BACK,
        **floating(
            margin_ppm=margin_ppm, floor_ppm=bounds[0], cap_ppm=bounds[1], fixing_days=fixing_days
        ),
    )
    assert terms.floating is not None
    rates = {n: floating_rate(terms.floating, each) for n, each in enumerate(references, 1)}
    payments = schedule_of(BondTerms(face_currency="PKR", plan=terms), calendar, rates)
    # What is fixed twice on one day has one fixing of theirs.
    assume(len({payment.fixing_day for payment in payments}) == len(payments))
    their_days, their_count = their_calendar(calendar), DAY_COUNTS[day_count]
    schedule = ql.Schedule(
        theirs(start),
        theirs(end),
        ql.Period(months, ql.Months),
        their_days,
        CONVENTIONS[convention],
        CONVENTIONS[convention],
        ql.DateGeneration.Forward,
        False,
    )
    index = ql.IborIndex(
        f"reference {their_calendar.made}",  # type: ignore[attr-defined]  # no other's fixings
        ql.Period(months, ql.Months),
        fixing_days,
        ql.PKRCurrency(),
        their_days,
        ql.Following,
        False,
        their_count,
    )
    ql.Settings.instance().evaluationDate = LATER
    bond = ql.FloatingRateBond(
        0,
        1.0,
        schedule,
        index,
        their_count,
        CONVENTIONS[convention],
        fixing_days,
        [1.0],
        [margin_ppm / PPM],
        [bounds[1] / PPM],
        [bounds[0] / PPM],
        False,
    )
    coupons = [each for flow in bond.cashflows() if (each := ql.as_floating_rate_coupon(flow))]
    volatility = ql.ConstantOptionletVolatility(0, their_days, ql.Following, 0.0, their_count)
    pricer = ql.BlackIborCouponPricer(ql.OptionletVolatilityStructureHandle(volatility))
    ql.setCouponPricer(bond.cashflows(), pricer)
    for coupon, reference_ppm in zip(coupons, references, strict=True):
        index.addFixing(coupon.fixingDate(), reference_ppm / PPM, True)

    # Theirs begins with a moved start, ours with the day of issue.
    for payment, coupon in zip(payments[1:], coupons[1:], strict=True):
        assert payment.fixing_day == ours(coupon.fixingDate())
        assert float(payment.interest or 0) == pytest.approx(coupon.amount(), abs=1e-12)
