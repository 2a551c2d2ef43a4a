"""QuantLib as a second opinion on what fixed securities pay: each day count, frequency and stub."""

import warnings
from typing import Any, Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from node.ledger.dates import (
    SATURDAY_SUNDAY,
    Calendar,
    Order,
    Roll,
    Stub,
    add_months,
    civil_of,
    day_of,
)
from node.ledger.instruments import accrued_share, schedule_of
from node.ledger.pricing.daycounts import DayCount
from node.ledger.terms import BondTerms, RateStep
from tests.ledger.dates.days import DAYS
from tests.ledger.dates.test_quantlib import ours, theirs
from tests.ledger.debt import plan

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its wrapper, on import
    ql: Any = pytest.importorskip("QuantLib", reason="the second oracle is not installed")

NO_HOLIDAYS: Final = Calendar(version=1, weekend=SATURDAY_SUNDAY, holidays=())
MONTHS: Final = (1, 2, 3, 4, 6, 12)
_EVERY_MONTH_HAS: Final = 28


def last_of_month(day: int) -> int:
    year, month, _ = civil_of(day)
    return add_months(day_of(year, month, 1), 1, end_of_month=False) - 1


EDGES: Final = st.one_of(
    DAYS, DAYS.map(last_of_month), st.integers(1972, 2098).map(lambda y: day_of(y, 3, 1) - 1)
)


def their_count(count: DayCount, schedule: Any, end: int) -> Any:
    return {
        DayCount.ACT_365F: lambda: ql.Actual365Fixed(),
        DayCount.ACT_360: lambda: ql.Actual360(),
        DayCount.ACT_ACT_ICMA: lambda: ql.ActualActual(ql.ActualActual.ISMA, schedule),
        DayCount.ACT_ACT_ISDA: lambda: ql.ActualActual(ql.ActualActual.ISDA),
        DayCount.ACT_ACT_AFB: lambda: ql.ActualActual(ql.ActualActual.AFB),
        DayCount.THIRTY_360: lambda: ql.Thirty360(ql.Thirty360.BondBasis),
        DayCount.THIRTY_E_360: lambda: ql.Thirty360(ql.Thirty360.EurobondBasis),
        DayCount.THIRTY_E_360_ISDA: lambda: ql.Thirty360(ql.Thirty360.ISDA, theirs(end)),
    }[count]()


@pytest.mark.parametrize("count", DayCount)
@settings(max_examples=25, deadline=None)
@given(
    st.data(),
    st.sampled_from(MONTHS),
    st.sampled_from(Stub),
    st.booleans(),
    st.integers(2, 6),
)
def test_what_a_bond_pays_and_accrues_is_theirs(
    count: DayCount, data: st.DataObject, months: int, stub: Stub, end_of_month: bool, steps: int
) -> None:
    start = data.draw(EDGES)
    regular = add_months(start, steps * months, end_of_month=end_of_month)
    end = regular if stub is Stub.NONE else regular + data.draw(st.integers(1, 27 * months))
    if stub is Stub.NONE:  # counted from the end: the 28th leads to no 31st
        assume(add_months(end, -steps * months, end_of_month=end_of_month) == start)
    elif data.draw(st.booleans()):
        end = last_of_month(end)
    backwards = stub in {Stub.NONE, Stub.SHORT_FRONT, Stub.LONG_FRONT}
    if count is DayCount.ACT_ACT_ICMA:
        # Theirs steps from day to day and loses the 31st: the whole step beside a stub is shorter.
        anchor = end if backwards else start
        is_last = end_of_month and anchor == last_of_month(anchor)
        assume(is_last or civil_of(anchor).day <= _EVERY_MONTH_HAS)
    terms = BondTerms(
        face_currency="PKR",
        plan=plan(
            issue_day=start,
            maturity_day=end,
            months=months,
            rates=(RateStep(from_day=start, rate_ppm=100_000),),
            day_count=count,
            roll=Roll.NONE,
            order=Order.CALCULATE_THEN_SHIFT,
            end_of_month=end_of_month,
            stub=stub,
        ),
    )
    payments = schedule_of(terms, NO_HOLIDAYS)
    inner = [payment.end for payment in payments[:-1]]
    # Theirs knows short stubs alone: of a long one it is told where the steps end.
    first = theirs(inner[0]) if inner and stub is Stub.LONG_FRONT else ql.Date()
    last = theirs(inner[-1]) if inner and stub is Stub.LONG_BACK else ql.Date()
    schedule = ql.Schedule(
        theirs(start),
        theirs(end),
        ql.Period(months, ql.Months),
        ql.NullCalendar(),
        ql.Unadjusted,
        ql.Unadjusted,
        ql.DateGeneration.Backward if backwards else ql.DateGeneration.Forward,
        end_of_month,
        first,
        last,
    )
    assert [ours(day) for day in schedule] == [start, *inner, end]
    bond = ql.FixedRateBond(0, 1.0, schedule, [0.1], their_count(count, schedule, end))
    coupons = [each for flow in bond.cashflows() if (each := ql.as_coupon(flow))]
    for payment, coupon in zip(payments, coupons, strict=True):
        assert float(payment.interest or 0) == pytest.approx(coupon.amount(), abs=1e-12)
    day = data.draw(st.integers(start, end - 1))
    ql.Settings.instance().evaluationDate = theirs(start)
    share = accrued_share(terms, NO_HOLIDAYS, day, recorded=0)
    assert float(share) == pytest.approx(bond.accruedAmount(theirs(day)) / 100, abs=1e-12)
