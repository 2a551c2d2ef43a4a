"""Sums of what is owed: worked by hand, and whole whatever the lines are."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.debt import (
    KINDS,
    LADDER_MONTHS,
    DebtLine,
    DebtPayment,
    Span,
    auction_yields,
    average_yield_at,
    cost,
    curve,
    ladder,
    read_sales,
    service,
    wall,
    yield_at,
)
from node.ledger.dates import date_of
from node.ledger.tables import ASSETS, name_key
from node.rpc.views import Views
from tests.ledger.debt import BOND as BOND_CODE
from tests.ledger.debt import (
    ISSUED,
    SERVICED_BILL,
    SUKUK,
    define_bond,
    define_serviced_bill,
    define_sukuk,
    floating,
    make_debt,
    zero_coupon,
)
from tests.ledger.world import BILL as BILL_CODE

TODAY = date(2026, 11, 26)


def payment(day: date, principal: int, interest: int = 0, status: str = "planned") -> DebtPayment:
    return DebtPayment(
        number=1,
        payment_day=day,
        interest=Decimal(interest),
        principal=Decimal(principal),
        status=status,
    )


def line(
    asset: str,
    kind: str,
    *payments: DebtPayment,
    rate: str | None = None,
    currency: str = "PKR",
) -> DebtLine:
    return DebtLine(
        asset=asset,
        kind=kind,
        name=asset,
        issuer="finance-ministry",
        currency=currency,
        issue_day=TODAY - timedelta(days=100),
        maturity_day=payments[-1].payment_day,
        outstanding=sum((each.principal for each in payments), Decimal(0)),
        stripped=Decimal(0),
        rate=None if rate is None else Decimal(rate),
        payments_a_year=0 if rate is None else 2,
        plain=True,
        brought_back=False,
        payments=payments,
    )


BILL = line("MTB", "bill", payment(date(2027, 1, 26), 300))
LATE = line("MTB-OLD", "bill", payment(TODAY, 100, status="due"))
BOND = line(
    "PIB",
    "bond",
    payment(date(2027, 5, 26), 0, 35),
    payment(date(2027, 11, 26), 250, 35),
    payment(date(2029, 11, 26), 350, 17),
    rate="11.5",
)
DOLLARS = line("EURO", "bond", payment(date(2036, 11, 26), 40), currency="USD")


def test_yield_of_a_price_is_that_of_bill_or_street() -> None:
    day = date(2021, 3, 4)
    bill = {"maturity_day": "2021-05-27"}
    plan = {
        "issue_day": "2020-08-20",
        "maturity_day": "2023-08-20",
        "months": 6,
        "rates": [{"from_day": "2020-08-20", "rate_ppm": 70_000}],
        "floating": None,
        "instalments": [],
        "day_count": "ACT/ACT ICMA",
        "pricing_day_count": "ACT/ACT ICMA",
    }
    bond = {"plan": plan}
    floating = {"plan": plan | {"rates": [], "floating": {}}}
    zero = {"plan": plan | {"rates": [], "months": 0}}
    serviced = {"plan": plan | {"maturity_day": "2021-05-27"}}

    # State Bank of Pakistan: a bill of 84 days, and the bond sold on 3 March 2021.
    assert yield_at("bill", bill, day, Decimal("98.3815")) == Decimal("7.1485")
    assert yield_at("bill", serviced, day, Decimal("98.3815")) == Decimal("7.1485")
    assert yield_at("bond", bond, day, Decimal("95.0711")) == Decimal("9.2790")
    # 169 of 181 days are left: by ACT/365F 338/365 of a period, which is less.
    otherwise = {"plan": plan | {"pricing_day_count": "ACT/365F"}}
    assert yield_at("bond", otherwise, day, Decimal("95.0711")) == Decimal("9.2949")
    assert yield_at("bond", zero, day, Decimal("80")) is not None
    assert yield_at("bond", floating, day, Decimal("95.0711")) is None
    assert yield_at("bill", bill, date(2021, 5, 27), Decimal("98.3815")) is None


def test_average_yield_of_a_bond_is_weighted_by_face_as_it_is_printed() -> None:
    """State Bank of Pakistan, 3 March 2021: the first bids for the 3-year bond of 7 per cent."""
    bids = (
        (1, 956_713, "8.9934"),
        (2_000, 956_574, "9.0000"),
        (250, 950_711, "9.0310"),
        (1_000, 950_481, "9.1106"),
        (500, 950_271, "9.1359"),
        (100, 950_271, "9.1402"),
        (500, 950_062, "9.1597"),
    )
    plan = {
        "issue_day": "2020-08-20",
        "maturity_day": "2023-08-20",
        "months": 6,
        "rates": [{"from_day": "2020-08-20", "rate_ppm": 70_000}],
        "floating": None,
        "instalments": [],
        "day_count": "ACT/ACT ICMA",
        "pricing_day_count": "ACT/ACT ICMA",
    }
    day = date(2021, 3, 4)

    for count, (_, _, printed) in enumerate(bids, 1):
        allotted = [(face, price) for face, price, _ in bids[:count]]
        assert average_yield_at({"plan": plan}, day, allotted) == Decimal(printed)
    floating = {"plan": plan | {"rates": [], "floating": {}}}
    assert average_yield_at(floating, day, [(1, 956_713)]) is None
    assert average_yield_at({"plan": plan}, date(2023, 8, 20), [(1, 956_713)]) is None


def test_yield_of_a_price_is_worked_out_of_what_the_interface_shows() -> None:
    prices = {
        BILL_CODE: 96,
        SERVICED_BILL: 96,
        BOND_CODE: 101,
        SUKUK: 101,
        "ZERO-100": 80,
        "FLOATER-1": 100,
    }
    world = make_debt(
        define_serviced_bill(),
        define_bond(),
        define_sukuk(),
        define_bond("ZERO-100", **zero_coupon()),
        define_bond("FLOATER-1", **floating()),
    )
    views = Views(test=True, decimals_of=lambda _: 2, sold_by=lambda _: None)
    for code, price in prices.items():
        record = world.get(ASSETS, name_key(code))
        assert record is not None
        shown = views.asset(code, record)
        found = yield_at(shown.kind, shown.terms, date_of(ISSUED), Decimal(price))
        assert (found is None) is (code == "FLOATER-1"), code


def test_steps_of_the_ladder_begin_on_their_day_and_end_before_the_next() -> None:
    steps = {step.name: step for step in ladder([BILL, LATE, BOND], TODAY)}

    assert list(steps) == [
        "due",
        "up to 1 month",
        "1 month to 3 months",
        "3 months to 6 months",
        "6 months to 1 year",
        "1 year to 2 years",
        "2 years to 3 years",
        "3 years to 5 years",
        "5 years to 10 years",
        "over 10 years",
    ]
    assert {name: int(step.total) for name, step in steps.items() if step.total} == {
        "due": 100,
        "1 month to 3 months": 300,
        "1 year to 2 years": 250,
        "3 years to 5 years": 350,
    }
    assert steps["1 year to 2 years"].by_kind["bond"] == 250
    assert steps["3 years to 5 years"].share == "35.00"


def test_currencies_are_never_added() -> None:
    steps = ladder([BILL, DOLLARS], TODAY)

    assert Counter(step.currency for step in steps) == dict.fromkeys(
        ("PKR", "USD"), len(LADDER_MONTHS) + 2
    )
    assert [(each.period, each.currency) for each in service([BILL, DOLLARS], Span.YEAR)] == [
        ("2027", "PKR"),
        ("2036", "USD"),
    ]
    assert {(each.currency, each.kind) for each in cost([BILL, DOLLARS], TODAY, {})} == {
        ("PKR", "bill"),
        ("PKR", "all"),
        ("USD", "bond"),
        ("USD", "all"),
    }


@pytest.mark.parametrize(
    ("span", "first"),
    [
        (Span.DAY, "2026-11-26"),
        (Span.MONTH, "2026-11"),
        (Span.QUARTER, "2026-Q4"),
        (Span.YEAR, "2026"),
    ],
)
def test_service_is_added_up_by_what_was_asked_for(span: Span, first: str) -> None:
    periods = service([BILL, LATE, BOND], span)

    assert periods[0].period == first
    assert sum(each.interest for each in periods) == 87
    assert sum(each.principal for each in periods) == 1_000
    assert sum(each.payments for each in periods) == 5
    assert all(each.total == each.interest + each.principal for each in periods)


def test_cost_is_weighted_by_face_and_says_of_how_much() -> None:
    step_up = line("GIS", "sukuk", payment(date(2028, 11, 25), 200), rate="14.5")
    bill, bond, sukuk, everything = cost([BILL, BOND, step_up], TODAY, {"MTB": Fraction("15.25")})

    assert (bill.coupon, bill.coupon_share) == (None, "0.00")
    assert (bill.auction_yield, bill.yield_share) == ("15.2500", "100.00")
    assert (bond.coupon, bond.coupon_share, bond.auction_yield) == ("11.5000", "100.00", None)
    # (600 x 11.5 + 200 x 14.5) / 800, of 800 of 1,100.
    assert (everything.coupon, everything.coupon_share) == ("12.2500", "72.73")
    assert (everything.auction_yield, everything.yield_share) == ("15.2500", "27.27")
    assert sukuk.years == "2.00"  # 730 days
    assert bond.years == "2.17"  # (250 x 365 + 350 x 1096) / 600 / 365
    assert everything.lines == 3


def test_yields_of_several_auctions_are_weighted_by_what_was_delivered() -> None:
    sales = read_sales(
        [
            auction("a", "MTB", "300.00", "98.1", "7", "2026-10-01"),
            auction("b", "MTB", "100.00", "98.2", "8", "2026-10-02"),
            auction("c", "MTB", "0.00", "98.3", "9", "2026-10-03"),
            auction("d", "MTB-GONE", "100.00", "98.4", "9", "2026-10-03"),
            {"auction": "e", "asset": "PIB", "form": "price", "settled": "0.00", "result": None},
        ],
        [BILL, BOND],
    )

    assert auction_yields(sales) == {"MTB": Fraction("7.25")}
    assert [sale.auction for sale in sales] == ["a", "b", "c"]


def auction(
    name: str, asset: str, settled: str, price: str, rate: str | None, day: str
) -> dict[str, object]:
    result = {"average_price": price, "average_yield": rate, "settlement_day": day}
    return {
        "auction": name,
        "asset": asset,
        "form": "price",
        "settled": settled,
        "result": result,
    }


def test_a_bond_has_the_yield_of_its_price_where_a_price_is_quoted_for_it() -> None:
    # Source: the auction sheet of 3 March 2021, as in tests/cli/test_quote.py.
    bond = replace(
        line("PIB", "bond", payment(date(2023, 8, 20), 100), rate="7"),
        issue_day=date(2020, 8, 20),
    )
    step_up = replace(bond, asset="PIB-UP", plain=False)
    zero = replace(bond, asset="PIB-Z", rate=None, payments_a_year=0)

    sales = read_sales(
        [
            auction("a", "PIB", "1", "95.0711", None, "2021-03-04"),
            auction("b", "PIB-UP", "1", "95.0711", None, "2021-03-04"),
            auction("c", "PIB-Z", "1", "75", None, "2021-03-04"),
            auction("d", "PIB-Z", "1", "9999", None, "2023-08-21"),
        ],
        [bond, step_up, zero],
    )

    assert [sale.rate for sale in sales] == [Decimal("9.2790"), None, Decimal("12.0086"), None]


def test_the_curve_is_the_last_sale_of_each_tenor() -> None:
    year = line("MTB-12M", "bill", payment(date(2027, 10, 7), 100))
    sales = read_sales(
        [
            auction("old", "MTB-12M", "1", "90", "12", "2026-10-08"),
            auction("new", "MTB-12M", "1", "91", "11", "2026-10-09"),
            auction("none", "MTB", "1", "98", None, "2026-11-03"),
            auction("short", "MTB", "1", "98", "10", "2026-11-03"),
        ],
        [year, replace(BILL, plain=False)],
    )

    assert [(sale.months, sale.auction) for sale in curve(sales)] == [(3, "short"), (12, "new")]


def test_a_wall_has_no_gaps_and_ends_with_the_rest() -> None:
    by_quarter = wall([BILL, BOND], TODAY, columns_max=6)
    assert [(each.period, int(each.principal)) for each in by_quarter] == [
        ("2027-Q1", 300),
        ("2027-Q2", 0),
        ("2027-Q3", 0),
        ("2027-Q4", 250),
        ("2028-Q1", 0),
        ("2028-Q2", 0),
        ("2028-Q3+", 350),
    ]
    far = line("FAR", "bond", payment(date(2031, 1, 1), 5))
    assert [each.period for each in wall([BILL, far], TODAY, columns_max=9)] == [
        "2027",
        "2028",
        "2029",
        "2030",
        "2031",
    ]
    unclaimed = line("OLD", "bill", payment(date(TODAY.year - 6, 12, 3), 5))
    assert [each.period for each in wall([BILL, unclaimed], TODAY, columns_max=9)] == [
        str(year) for year in range(TODAY.year - 6, 2028)
    ]
    assert wall([], TODAY, columns_max=3) == ()


DAYS = st.integers(-40, 9_000).map(lambda days: TODAY + timedelta(days=days))
LINES = st.builds(
    line,
    st.sampled_from(["A", "B"]),
    st.sampled_from(KINDS),
    st.builds(payment, DAYS, st.integers(0, 10**15), st.integers(0, 10**12)),
    st.builds(payment, DAYS, st.integers(1, 10**15)),
)


@given(st.lists(LINES, max_size=6), st.sampled_from(Span))
def test_nothing_is_lost_or_counted_twice(lines: list[DebtLine], span: Span) -> None:
    owed = sum(each.principal for one in lines for each in one.payments)

    assert sum(step.total for step in ladder(lines, TODAY)) == owed
    assert sum(each.principal for each in wall(lines, TODAY, columns_max=5)) == owed
    assert sum(each.principal for each in service(lines, span)) == owed
    assert sum(each.outstanding for each in cost(lines, TODAY, {}) if each.kind == "all") == owed
