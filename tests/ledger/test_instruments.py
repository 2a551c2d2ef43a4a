"""Schedules and accrued interest from terms, and terms from which none follows."""

from datetime import date
from fractions import Fraction
from typing import Any, Final

import pytest

from node.codec import replace
from node.ledger.dates import (
    SATURDAY_SUNDAY,
    Calendar,
    DatesError,
    Holiday,
    Order,
    Roll,
    Stub,
    add_business_days,
    date_of,
    from_date,
)
from node.ledger.instruments import (
    accrued_interest,
    check_schedule,
    floating_rate,
    payment_of,
    schedule_of,
)
from node.ledger.instruments import schedule as schedule_module
from node.ledger.instruments.schedule import PAYMENTS_MAX
from node.ledger.outcomes import Outcome, Reject
from node.ledger.pricing.daycounts import DayCount
from node.ledger.terms import (
    LIFE_DAYS_MAX,
    BondTerms,
    Instalment,
    PoolAsset,
    RateStep,
    SukukTerms,
    check_terms,
    first_redemption_day,
)
from tests.ledger.debt import ISSUED, amortising, floating, plan, two_years_after, zero_coupon

WEEKENDS: Final = Calendar(version=1, weekend=SATURDAY_SUNDAY, holidays=())


def day(year: int, month: int, of_month: int) -> int:
    return from_date(date(year, month, of_month))


def bond(**changes: Any) -> BondTerms:
    return BondTerms(face_currency="PKR", plan=plan(**changes))


def lived(start: int, end: int, rate_ppm: int, **changes: Any) -> BondTerms:
    """Return a bond of these days at one rate."""
    rates = (RateStep(from_day=start, rate_ppm=rate_ppm),)
    return bond(issue_day=start, maturity_day=end, rates=rates, **changes)


def test_fixed_bond_pays_half_its_coupon_whatever_the_days_are() -> None:
    payments = schedule_of(bond(), WEEKENDS)

    assert [payment.interest for payment in payments] == [Fraction(7, 200)] * 4
    assert [payment.principal_ppm for payment in payments] == [0, 0, 0, 1_000_000]
    assert [payment.final for payment in payments] == [False, False, False, True]
    assert [payment.number for payment in payments] == [1, 2, 3, 4]
    assert payments == tuple(payment_of(bond(), WEEKENDS, number) for number in range(1, 5))


def test_days_move_off_holidays_and_record_days_count_business_days() -> None:
    start, end = day(2025, 1, 6), day(2027, 1, 6)
    eid = from_date(date(2025, 7, 4))  # a Friday; the payment of Sunday the 6th goes to Monday
    calendar = replace(
        WEEKENDS,
        holidays=(Holiday(day=eid, provisional=True), Holiday(day=eid + 3, provisional=True)),
    )

    first = schedule_of(lived(start, end, 70_000), calendar)[0]

    assert date_of(first.nominal_day) == date(2025, 7, 6)
    assert date_of(first.payment_day) == date(2025, 7, 8)
    assert date_of(first.funding_day) == date(2025, 7, 3)
    assert date_of(first.record_day) == date(2025, 7, 2)
    assert first.interest == Fraction(7, 200)


def test_rentals_by_actual_days_follow_the_calendar_where_the_terms_say_so() -> None:
    start, end = day(2025, 1, 6), day(2027, 1, 6)
    shifted = lived(
        start, end, 100_000, day_count=DayCount.ACT_365F, order=Order.SHIFT_THEN_CALCULATE
    )
    unshifted = lived(start, end, 100_000, day_count=DayCount.ACT_365F)

    days = [
        [(payment.interest or 0) * 3_650 for payment in schedule_of(terms, WEEKENDS)]
        for terms in (shifted, unshifted)
    ]

    assert days[1] == [181, 184, 181, 184]
    assert days[0] == [182, 183, 181, 184]


def test_step_up_pays_by_the_rate_of_the_period() -> None:
    steps = (
        RateStep(from_day=ISSUED, rate_ppm=60_000),
        RateStep(from_day=ISSUED + 366, rate_ppm=80_000),
    )

    interest = [payment.interest for payment in schedule_of(bond(rates=steps), WEEKENDS)]

    assert interest == [Fraction(3, 100)] * 3 + [Fraction(4, 100)]


def test_long_first_period_is_paid_by_the_rate_of_the_day_of_issue() -> None:
    start, end = day(2025, 2, 6), day(2027, 1, 6)
    raised = (
        RateStep(from_day=start, rate_ppm=70_000),
        RateStep(from_day=day(2025, 3, 1), rate_ppm=90_000),
    )
    one = lived(start, end, 70_000, stub=Stub.LONG_FRONT)
    stepped = bond(issue_day=start, maturity_day=end, rates=raised, stub=Stub.LONG_FRONT)

    flat, steps = (
        [payment.interest for payment in schedule_of(terms, WEEKENDS)] for terms in (one, stepped)
    )

    assert steps == [flat[0], Fraction(9, 200), Fraction(9, 200)]


def test_amortising_bond_pays_interest_on_what_is_left() -> None:
    payments = schedule_of(bond(**amortising()), WEEKENDS)

    assert [payment.principal_ppm for payment in payments] == [250_000] * 4
    assert [payment.interest for payment in payments] == [
        Fraction(7, 200) * quarters / 4 for quarters in (4, 3, 2, 1)
    ]


def test_zero_coupon_bond_pays_its_face_alone() -> None:
    (payment,) = schedule_of(bond(**zero_coupon()), WEEKENDS)

    assert payment.interest == 0
    assert (payment.principal_ppm, payment.final) == (1_000_000, True)


def test_first_period_that_is_short_pays_its_share() -> None:
    terms = lived(day(2025, 2, 6), day(2027, 1, 6), 70_000, stub=Stub.SHORT_FRONT)

    first, second = schedule_of(terms, WEEKENDS)[:2]

    assert first.interest == Fraction(7, 200) * Fraction(150, 181)
    assert second.interest == Fraction(7, 200)


def test_last_period_that_holidays_swallow_pays_no_interest_and_takes_none() -> None:
    matures = day(2028, 2, 29)
    terms = bond(
        issue_day=day(2026, 2, 12),
        maturity_day=matures,
        stub=Stub.SHORT_BACK,
        order=Order.SHIFT_THEN_CALCULATE,
        day_count=DayCount.THIRTY_E_360_ISDA,
    )
    closed = range(day(2028, 2, 12), matures)
    holidays = tuple(Holiday(day=each, provisional=False) for each in closed)

    last = schedule_of(terms, replace(WEEKENDS, holidays=holidays))[-1]

    assert (last.start, last.end) == (matures, matures)
    assert last.interest == 0


def test_accrued_interest_is_the_share_of_the_period() -> None:
    """Source: the bid sheet of 4 March 2021, of a bond of 7 per cent: 3.5 x 12/181 per hundred."""
    terms = lived(day(2020, 8, 20), day(2023, 8, 20), 70_000, roll=Roll.NONE)

    found = accrued_interest(terms, WEEKENDS, day(2021, 3, 4), 100 * 10**6)

    assert found == round(Fraction(35, 10) * 12 / 181 * 10**6)


def test_interest_of_an_instalment_bond_accrues_on_what_is_left() -> None:
    terms = bond(**amortising())
    second = schedule_of(terms, WEEKENDS)[1]

    found = accrued_interest(terms, WEEKENDS, second.start + 10, 10**9)

    assert found == round(
        Fraction(3, 4) * Fraction(7, 200) * 10**9 * Fraction(10, second.end - second.start)
    )


def test_after_the_record_the_rest_of_the_period_is_the_buyers() -> None:
    first = schedule_of(bond(), WEEKENDS)[0]

    before, after = (
        accrued_interest(bond(), WEEKENDS, first.record_day + days, 10**9) for days in (0, 1)
    )

    assert before > 0
    assert after < 0
    assert after - before == pytest.approx(-35 * 10**6, rel=0.01)


@pytest.mark.parametrize("settlement", [ISSUED - 1, plan().maturity_day])
def test_nothing_accrues_outside_of_its_life(settlement: int) -> None:
    with pytest.raises(DatesError, match=f"settlement on day {settlement}"):
        accrued_interest(bond(), WEEKENDS, settlement, 1)


def test_what_floats_is_known_as_far_as_it_is_fixed() -> None:
    terms = bond(**floating(fixing_days=2))

    payments = schedule_of(terms, WEEKENDS, {1: 127_500, 2: 0})

    assert [each.rate_ppm for each in payments] == [127_500, 0, None, None]
    assert [each.interest for each in payments] == [Fraction(6_375, 100_000), 0, None, None]
    begins = [ISSUED, *(each.payment_day for each in payments[:-1])]
    assert [each.fixing_day for each in payments] == [
        add_business_days(WEEKENDS, day, -2) for day in begins
    ]
    assert schedule_of(bond(), WEEKENDS)[0].fixing_day is None
    assert payments[0] == payment_of(terms, WEEKENDS, 1, 127_500)


def test_fixing_without_days_in_between_is_on_the_day_of_business_on_which_the_period_begins() -> (
    None
):
    saturday = ISSUED + 2
    terms = bond(
        issue_day=saturday, maturity_day=two_years_after(saturday), **floating(fixing_days=0)
    )

    first, second, *_ = schedule_of(terms, WEEKENDS)

    assert first.fixing_day == saturday + 2
    assert second.fixing_day == first.payment_day


def test_interest_that_floats_accrues_once_its_rate_is_fixed() -> None:
    terms = bond(**floating(), day_count=DayCount.ACT_365F)

    accrued = accrued_interest(terms, WEEKENDS, ISSUED + 10, 365 * 10**6, {1: 127_500})

    assert accrued == 1_275_000
    with pytest.raises(DatesError, match="the rate of payment 1 is not fixed yet"):
        accrued_interest(terms, WEEKENDS, ISSUED + 10, 10**9, {2: 127_500})
    # On the first day of a period nothing has accrued, whatever will be paid.
    assert accrued_interest(terms, WEEKENDS, ISSUED, 10**9, {}) == 0


@pytest.mark.parametrize(
    ("reference_ppm", "paid_ppm"),
    [
        (112_500, 127_500),
        (-20_000, 30_000),
        (15_000, 30_000),
        (145_000, 160_000),
        (1 << 53, 160_000),
    ],
)
def test_rate_is_reference_and_margin_within_floor_and_cap(
    reference_ppm: int, paid_ppm: int
) -> None:
    rate = floating(floor_ppm=30_000, cap_ppm=160_000)["floating"]

    assert floating_rate(rate, reference_ppm) == paid_ppm


def test_what_floats_is_bounded_by_its_cap() -> None:
    ceiling = 7 * 10**18

    with pytest.raises(Reject, match="SCHEDULE_NOT_VALID"):
        check_schedule(bond(**floating()), WEEKENDS, ceiling=ceiling)

    payments = check_schedule(bond(**floating(cap_ppm=70_000)), WEEKENDS, ceiling=ceiling)
    assert [each.interest for each in payments] == [None] * 4


def instalments(*pairs: tuple[int, int]) -> tuple[Instalment, ...]:
    return tuple(Instalment(payment=payment, share_ppm=share) for payment, share in pairs)


def steps(*days: int) -> tuple[RateStep, ...]:
    return tuple(RateStep(from_day=each, rate_ppm=1) for each in days)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"maturity_day": ISSUED}, "not after the day of issue"),
        ({"maturity_day": ISSUED + LIFE_DAYS_MAX + 1}, "more than 36600"),
        ({"maturity_day": 2_932_896, "issue_day": 2_932_000}, "the last that can be"),
        ({"months": 0}, "no months from one payment to the next"),
        ({"months": 5}, "every 5 months"),
        ({"rates": ()}, "neither rates nor instalments"),
        ({"rates": steps(ISSUED + 1)}, "not from the day of issue"),
        ({"rates": steps(ISSUED, ISSUED + 9, ISSUED + 9)}, "not in ascending order of day"),
        ({"rates": steps(ISSUED, ISSUED + 9_999)}, "not in ascending order of day"),
        ({"instalments": instalments((2, 1), (1, 1))}, "not in ascending order of payment"),
        ({"instalments": instalments((1, 600_000), (2, 400_000))}, "leave nothing to mature"),
        ({**floating(), "months": 0}, "no months from one payment to the next"),
        ({**floating(), "rates": steps(ISSUED)}, "rates of its own and a reference"),
        (floating(reference="MTB 6M"), "its reference 'MTB 6M' is no name"),
        (floating(floor_ppm=120_001, cap_ppm=120_000), "above its cap"),
    ],
)
def test_terms_that_contradict_themselves_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Reject) as refused:
        check_terms(bond(**changes))

    assert refused.value.outcome is Outcome.TERMS_NOT_VALID
    assert reason in dict(refused.value.details)["reason"]  # type: ignore[operator]  # text


def test_pool_with_an_asset_twice_is_refused() -> None:
    pool = (PoolAsset(name="M-2", document_hash=bytes(32)),) * 2

    with pytest.raises(Reject, match="TERMS_NOT_VALID"):
        check_terms(SukukTerms(face_currency="PKR", plan=plan(), pool=pool))


def test_serviced_terms_that_are_sound_are_accepted_and_redeem_at_maturity() -> None:
    check_terms(bond())

    assert first_redemption_day(bond()) == plan().maturity_day


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"maturity_day": ISSUED + 400}, "no whole number of steps"),
        (
            {"months": 1, "maturity_day": day(2060, 4, 11), "stub": Stub.SHORT_FRONT},
            str(PAYMENTS_MAX),
        ),
        (
            {"maturity_day": ISSUED + 20, "stub": Stub.SHORT_FRONT, "record_days": 30},
            "before its issue",
        ),
        (
            {"months": 1, "record_days": 30, "maturity_day": ISSUED + 900, "stub": Stub.LONG_FRONT},
            "the record of payment 2",
        ),
        ({"instalments": instalments((4, 1))}, "the last one repays the rest"),
    ],
)
def test_terms_from_which_no_schedule_follows_are_refused(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Reject) as refused:
        check_schedule(bond(**changes), WEEKENDS)

    assert refused.value.outcome is Outcome.SCHEDULE_NOT_VALID
    assert reason in dict(refused.value.details)["reason"]  # type: ignore[operator]  # text


def test_security_whose_payments_could_be_more_than_an_amount_is_refused() -> None:
    with pytest.raises(Reject, match="SCHEDULE_NOT_VALID"):
        check_schedule(bond(), WEEKENDS, ceiling=(1 << 64) - 1)

    assert len(check_schedule(bond(), WEEKENDS, ceiling=1 << 62)) == 4


def test_interest_that_no_record_can_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No terms come to it: what is beyond 63 bits takes days that no period has."""
    monkeypatch.setattr(schedule_module, "PART_MAX", 100)

    with pytest.raises(Reject, match="SCHEDULE_NOT_VALID"):
        check_schedule(bond(), WEEKENDS)
