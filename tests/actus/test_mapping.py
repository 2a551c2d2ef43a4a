"""Our terms as contracts, and what both sides say of them: the ledger's schedule, ACTUS' events."""

from fractions import Fraction
from typing import Any, Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from node.actus import MappingError, contract_of
from node.codec import replace
from node.ledger.dates import (
    SATURDAY_SUNDAY,
    Calendar,
    Holiday,
    Order,
    Roll,
    Stub,
    day_of,
    is_business_day,
)
from node.ledger.instruments import check_schedule, floating_rate, schedule_of
from node.ledger.outcomes import Reject
from node.ledger.pricing import DayCount
from node.ledger.terms import (
    MONTHS,
    PPM,
    AssetTerms,
    BillTerms,
    BondTerms,
    CashTerms,
    Instalment,
    PaymentPlan,
    RateStep,
    ServicedTerms,
    check_terms,
)
from tests.actus.contracts import Contract
from tests.actus.engine import Happened, cash_flows
from tests.actus.timelines import EventType
from tests.actus.times import Moment
from tests.ledger.debt import (
    KARACHI,
    amortising,
    callable_bond,
    define_bond,
    define_sukuk,
    floating,
    plan,
    zero_coupon,
)

WEEKENDS: Final = Calendar(version=1, weekend=SATURDAY_SUNDAY, holidays=())
FACE: Final = 1_000_000_00
ISSUED: Final = day_of(2025, 1, 6)


def bond(**changes: Any) -> BondTerms:
    terms = define_bond(
        **({"issue_day": ISSUED, "maturity_day": day_of(2027, 1, 6)} | changes)
    ).terms
    assert isinstance(terms, BondTerms)
    return terms


def told(terms: AssetTerms, calendar: Calendar | None = WEEKENDS, **given: Any) -> dict[str, Any]:
    return dict(
        contract_of(
            terms,
            calendar,
            asset="PIB-2Y-100",
            currency="PKR",
            face=FACE,
            decimals=2,
            today=ISSUED + 9,
            **given,
        )
    )


def theirs(terms: AssetTerms, calendar: Calendar = WEEKENDS) -> list[Happened]:
    contract = Contract(
        told(terms, calendar),
        calendars={KARACHI: lambda day: is_business_day(calendar, day)},
    )
    return cash_flows(contract, market={})


def by_day(rows: list[Happened]) -> dict[int, Fraction]:
    """Return what is paid on each day after the issue, in minor units."""
    found: dict[int, Fraction] = {}
    for row in rows[1:]:
        found[row.moment.day] = found.get(row.moment.day, Fraction(0)) + row.payoff * 100
    return {day: paid for day, paid in found.items() if paid}


def ours(terms: ServicedTerms, calendar: Calendar = WEEKENDS) -> dict[int, Fraction]:
    return {
        payment.payment_day: FACE * ((payment.interest or 0) + Fraction(payment.principal_ppm, PPM))
        for payment in schedule_of(terms, calendar)
        if payment.interest or payment.principal_ppm
    }


def steps(*rates: tuple[int, int]) -> tuple[RateStep, ...]:
    return tuple(RateStep(from_day=day, rate_ppm=rate) for day, rate in rates)


def parts(*pairs: tuple[int, int]) -> tuple[Instalment, ...]:
    return tuple(Instalment(payment=payment, share_ppm=share) for payment, share in pairs)


@pytest.mark.parametrize(
    ("terms", "kind"),
    [
        (CashTerms(), "CSH"),
        (
            BillTerms(issue_day=ISSUED, maturity_day=ISSUED + 91, face_currency="PKR"),
            "PAM",
        ),
        (bond(), "PAM"),
        (bond(**zero_coupon()), "PAM"),
        (bond(**amortising()), "LAM"),
        (bond(rates=steps((ISSUED, 60_000), (ISSUED + 366, 80_000))), "LAX"),
        (bond(instalments=parts((1, 100_000), (3, 200_000))), "LAX"),
        (define_sukuk().terms, "PAM"),
    ],
)
def test_each_kind_of_asset_is_a_type_of_contract(terms: AssetTerms, kind: str) -> None:
    contract = told(terms)

    assert contract["contractType"] == kind
    assert contract["notionalPrincipal"] == "1000000"


def test_fixed_bond_is_told_in_the_words_of_the_dictionary() -> None:
    contract = told(bond(), discount=1_234_50)

    assert contract == {
        "contractType": "PAM",
        "contractID": "PIB-2Y-100",
        "contractRole": "RPA",
        "contractDealDate": "2025-01-05T00:00:00",
        "statusDate": "2025-01-05T00:00:00",
        "initialExchangeDate": "2025-01-06T00:00:00",
        "maturityDate": "2027-01-06T00:00:00",
        "currency": "PKR",
        "notionalPrincipal": "1000000",
        "premiumDiscountAtIED": "-1234.5",
        "nominalInterestRate": "0.07",
        "dayCountConvention": "30E360",
        "cycleAnchorDateOfInterestPayment": "2025-07-06T00:00:00",
        "cycleOfInterestPayment": "P6ML1",
        "calendar": "MF",
        "businessDayConvention": "CSF",
        "endOfMonthConvention": "SD",
    }


def test_bill_pays_its_face_and_costs_what_it_was_sold_for() -> None:
    bill = BillTerms(issue_day=ISSUED, maturity_day=ISSUED + 91, face_currency="PKR")

    rows = cash_flows(Contract(told(bill, None, discount=FACE // 40)), market={})

    assert [row.kind for row in rows] == ["IED", "MD"]
    assert [row.payoff for row in rows] == [-975_000, 1_000_000]


CLIPPED: Final[tuple[tuple[int, int, int, dict[str, Any]], ...]] = (
    (2026, 8, 31, {}),
    (2026, 8, 31, {"end_of_month": True}),
    (2026, 8, 30, {"end_of_month": True}),
    (2026, 8, 29, {"instalments": parts((1, 100_000), (2, 100_000), (3, 100_000))}),
    (2025, 12, 31, {"order": Order.SHIFT_THEN_CALCULATE}),
    (2026, 11, 30, {"months": 3, "instalments": parts((1, 100_000), (3, 200_000))}),
    (
        2026,
        11,
        30,
        {"months": 3, "rates": steps((day_of(2026, 11, 30), 60_000), (day_of(2027, 6, 1), 80_000))},
    ),
)
"""Issued on days that not every month has: the first payment, or another, is on a month's last."""


@pytest.mark.parametrize("changes", [{}, {"end_of_month": True}])
def test_a_bond_that_is_paid_at_the_end_of_february_steps_from_its_issue(
    changes: dict[str, Any],
) -> None:
    days = {"issue_day": day_of(2026, 8, 31), "maturity_day": day_of(2031, 8, 31)}

    contract = told(bond(**days, **changes, day_count=DayCount.ACT_365F))

    is_eom = "end_of_month" in changes
    anchor = "2027-02-28T00:00:00" if is_eom else "2026-08-31T00:00:00"
    assert contract["cycleAnchorDateOfInterestPayment"] == anchor
    assert contract["endOfMonthConvention"] == ("EOM" if is_eom else "SD")


@pytest.mark.parametrize(
    "terms",
    [
        bond(),
        bond(**zero_coupon()),
        bond(**amortising()),
        bond(rates=steps((ISSUED, 60_000), (ISSUED + 366, 80_000))),
        bond(instalments=parts((1, 100_000), (3, 200_000))),
        bond(issue_day=day_of(2025, 2, 6), stub=Stub.LONG_FRONT, day_count=DayCount.ACT_365F),
        bond(maturity_day=day_of(2027, 2, 20), stub=Stub.LONG_BACK, day_count=DayCount.ACT_360),
        bond(maturity_day=day_of(2027, 2, 20), stub=Stub.SHORT_BACK, day_count=DayCount.ACT_360),
        bond(day_count=DayCount.ACT_365F, order=Order.SHIFT_THEN_CALCULATE),
        *(
            bond(
                issue_day=day_of(year, month, of_month),
                maturity_day=day_of(year + 2, month, of_month),
                day_count=DayCount.ACT_365F,
                **changes,
            )
            for year, month, of_month, changes in CLIPPED
        ),
    ],
)
def test_contract_pays_what_the_ledger_pays(terms: BondTerms) -> None:
    assert by_day(theirs(terms)) == ours(terms)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"issue_day": ISSUED + 9, "stub": Stub.SHORT_FRONT}, "ACT/ACT ICMA is no day count"),
        ({"order": Order.SHIFT_THEN_CALCULATE}, "ACT/ACT ICMA is no day count"),
        (
            {
                "issue_day": day_of(2024, 9, 10),
                "maturity_day": day_of(2027, 8, 31),
                "stub": Stub.SHORT_FRONT,
            },
            "step back from maturity over the end of a month",
        ),
        (
            {  # a Saturday: the interest of two days would be paid on it
                "issue_day": day_of(2024, 8, 31),
                "maturity_day": day_of(2026, 8, 31),
                "order": Order.SHIFT_THEN_CALCULATE,
            },
            "step back from maturity over the end of a month",
        ),
        (
            {"issue_day": day_of(2026, 8, 31), "maturity_day": day_of(2028, 8, 31), **floating()},
            "step back from maturity over the end of a month",
        ),
        (callable_bond(), "it may be called by its issuer"),
        (floating(), "its rate floats by mtb-6m, and a contract names its first rate"),
    ],
)
def test_terms_that_actus_has_no_words_for_are_refused(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(MappingError, match=reason):
        told(bond(**changes))


def test_security_without_its_calendar_is_refused() -> None:
    with pytest.raises(MappingError, match=f"the calendar of PIB-2Y-100 was expected: {KARACHI}"):
        told(bond(), None)


def test_calendar_with_holidays_goes_by_its_name() -> None:
    eid = Holiday(day=day_of(2025, 7, 7), provisional=True)
    calendar = replace(WEEKENDS, holidays=(eid,))
    terms = bond(day_count=DayCount.ACT_365F, order=Order.SHIFT_THEN_CALCULATE)

    assert told(terms, calendar)["calendar"] == KARACHI
    assert min(by_day(theirs(terms, calendar))) == day_of(2025, 7, 8)
    assert by_day(theirs(terms, calendar)) == ours(terms, calendar)


QUOTED: Final = tuple(range(60_000, 260_000, 1_701))
"""What auctions left as their averages, one a period."""


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "PAM"),
        (amortising(), "LAM"),
        ({"instalments": parts((1, 100_000), (3, 200_000))}, "LAX"),
        ({"issue_day": day_of(2025, 2, 6), "stub": Stub.LONG_FRONT}, "PAM"),
        ({"maturity_day": day_of(2027, 2, 20), "stub": Stub.LONG_BACK}, "PAM"),
    ],
)
@pytest.mark.parametrize(
    "rate",
    [{}, {"margin_ppm": -20_000}, {"floor_ppm": 63_000}, {"cap_ppm": 64_000, "margin_ppm": 1}],
)
def test_what_floats_is_reset_by_what_was_quoted(
    changes: dict[str, Any], kind: str, rate: dict[str, int]
) -> None:
    terms = bond(day_count=DayCount.ACT_365F, **floating(**rate), **changes)
    plan = terms.plan
    assert plan.floating is not None
    count = len(schedule_of(terms, WEEKENDS))
    rates = {
        number: floating_rate(plan.floating, QUOTED[number - 1]) for number in range(1, count + 1)
    }
    payments = schedule_of(terms, WEEKENDS, rates)

    contract = told(terms, first_rate_ppm=rates[1])
    market = [
        (Moment(before.nominal_day), Fraction(QUOTED[before.number], PPM))
        for before in payments[:-1]
    ]
    rows = cash_flows(Contract(contract), market={plan.floating.reference: market})

    assert contract["contractType"] == kind
    assert by_day(rows) == {
        payment.payment_day: FACE * ((payment.interest or 0) + Fraction(payment.principal_ppm, PPM))
        for payment in payments
    }


@st.composite
def plans(draw: st.DrawFn) -> PaymentPlan:
    issued = draw(st.integers(day_of(2024, 1, 1), day_of(2028, 12, 31)))
    matures = issued + draw(st.integers(40, 6 * 366))
    later = draw(st.lists(st.integers(issued + 1, matures - 1), unique=True, max_size=4))
    bare = plan(
        issue_day=issued,
        maturity_day=matures,
        months=draw(st.sampled_from(sorted(MONTHS))),
        rates=steps(*((day, draw(st.integers(0, 200_000))) for day in [issued, *sorted(later)])),
        day_count=draw(st.sampled_from(DayCount)),
        roll=draw(st.sampled_from(Roll)),
        order=draw(st.sampled_from(Order)),
        end_of_month=draw(st.booleans()),
        stub=draw(st.sampled_from([stub for stub in Stub if stub is not Stub.NONE])),
    )
    last = len(schedule_of(BondTerms(face_currency="PKR", plan=bare), WEEKENDS)) - 1
    return replace(bare, instalments=draw(instalments(last))) if last else bare


@st.composite
def instalments(draw: st.DrawFn, last: int) -> tuple[Instalment, ...]:
    """Return none, equal parts with every payment from one on, or some of any size with some."""
    shares = st.integers(1, PPM // (last + 1))
    if draw(st.booleans()):
        share = draw(shares)
        return parts(*((number, share) for number in range(draw(st.integers(1, last)), last + 1)))
    numbers = draw(st.sets(st.integers(1, last), max_size=5))
    return parts(*((number, draw(shares)) for number in sorted(numbers)))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    days = draw(
        st.lists(st.integers(day_of(2024, 1, 1), day_of(2034, 12, 31)), unique=True, max_size=60)
    )
    return Calendar(
        version=1,
        weekend=draw(st.sampled_from([0, SATURDAY_SUNDAY, 1 << 4])),
        holidays=tuple(Holiday(day=day, provisional=False) for day in sorted(days)),
    )


@given(plans(), calendars())
def test_any_security_that_can_be_told_pays_the_same_to_the_last_fraction(
    drawn: PaymentPlan, calendar: Calendar
) -> None:
    terms = BondTerms(face_currency="PKR", plan=drawn)
    assume(can_be_told(terms, calendar))

    rows = theirs(terms, calendar)

    assert by_day(rows) == ours(terms, calendar)
    assert rows[-1].kind is EventType.MD


def can_be_told(terms: BondTerms, calendar: Calendar) -> bool:
    try:
        check_terms(terms)
        check_schedule(terms, calendar)
        told(terms, calendar)
    except (Reject, MappingError):
        return False
    return True
