"""What floats: fixings by the ledger's own auctions, or by offices with a source, and coupons."""

from fractions import Fraction
from typing import Any, Final

import pytest

from node.codec import replace
from node.ledger.acts.lifecycle.fix_rate import FIXING_WORK
from node.ledger.auctions import SealedBid, commitment_of
from node.ledger.courses import rates_of
from node.ledger.dates import SATURDAY_SUNDAY, Calendar, Holiday
from node.ledger.errors import InvariantViolation
from node.ledger.events import (
    PaymentSettled,
    RateAwaited,
    RateFixed,
    RecordTaken,
    RecordWaits,
)
from node.ledger.instruments import Payment, schedule_of
from node.ledger.operations import (
    AmendCalendar,
    AnnounceAuction,
    CommitBid,
    DecideAuction,
    DefineAsset,
    RevealBid,
)
from node.ledger.outcomes import Outcome
from node.ledger.securities import FIXINGS, FixingRecord, PaymentStatus, payment_key
from node.ledger.state import LedgerState
from node.ledger.terms import BillTerms, BondTerms
from tests.ledger.auctions.books import TERMS
from tests.ledger.debt import (
    BOND,
    FIVE_HOURS_MS,
    ISSUED,
    KARACHI,
    REFERENCE,
    SOURCE,
    SUKUK,
    define_bond,
    define_calendar,
    define_sukuk,
    fix,
    fixing,
    floating,
    issue,
    payment,
    plan,
    service,
    to_day,
)
from tests.ledger.world import (
    CB,
    DAY_MS,
    FM,
    PKR,
    World,
    address,
    define_bill,
    issue_cash,
    make_market,
    transfer,
    with_check_digit,
)

FACE: Final = 1_000_061
CASH: Final = 10**9
STEP: Final = 500_000
HOUR_MS: Final = 3_600_000
PRICE_E4: Final = 947_600
"""Of a bill of 182 days, per hundred: (100 / 94.76 - 1) · 365 / 182 is 11.0899 per cent a year."""
YIELD_PPM: Final = 110_899
ONE: Final = floating(fixing_days=1)


def auction(
    world: World,
    day: int,
    name: str = "mtb-6m-1",
    price_e4: int = PRICE_E4,
    bill: DefineAsset | None = None,
) -> None:
    """Hold an auction of a new bill of half a year on a day, all of it for one bank at a price."""
    at_ms = day * DAY_MS - FIVE_HOURS_MS
    asset = name.upper()
    bill = bill or replace(
        define_bill(asset, with_check_digit(f"PK{asset.encode().hex()[-9:].upper()}")),
        terms=BillTerms(issue_day=day, maturity_day=day + 183, face_currency="PKR"),
    )
    terms = replace(
        TERMS,
        asset=asset,
        cash=PKR,
        proceeds=address(FM),
        target=10 * STEP,
        opens_ms=at_ms + HOUR_MS,
        closes_ms=at_ms + 2 * HOUR_MS,
        reveals_until_ms=at_ms + 3 * HOUR_MS,
        decides_until_ms=at_ms + 4 * HOUR_MS,
        settles_ms=at_ms + DAY_MS,
        noncompetitive_kinds=(),
        noncompetitive_share_bps=0,
        noncompetitive_least=0,
        noncompetitive_most=0,
        reference=REFERENCE,
    )
    bid = SealedBid(
        auction=name,
        account=address("first-bank"),
        price_e4=price_e4,
        face=10 * STEP,
        salt=bytes(32),
    )
    announce = AnnounceAuction(
        account=address(FM), approvers=(address(CB),), auction=name, terms=terms
    )
    to_day(world, day)
    world.do(bill, announce, issue_cash(CASH, to="first-bank"), by=(CB, FM))
    to_day(world, day, minute=60)
    commit = CommitBid(account=bid.account, auction=name, commitment=commitment_of(bid))
    world.do(commit, by=("first-bank",))
    to_day(world, day, minute=120)
    reveal = RevealBid(
        account=bid.account,
        cash_account=bid.account,
        auction=name,
        number=1,
        asset=asset,
        price_e4=price_e4,
        face=bid.face,
        salt=bid.salt,
    )
    world.do(reveal, by=("first-bank",))
    to_day(world, day, minute=180)
    decide = DecideAuction(account=address(FM), approvers=(), auction=name, cut_off_e4=price_e4)
    world.do(decide, by=(FM,))


def rows(**changes: Any) -> tuple[Payment, ...]:
    """Return the schedule of the bond that floats."""
    calendar = Calendar(version=1, weekend=SATURDAY_SUNDAY, holidays=())
    terms = BondTerms(face_currency="PKR", plan=plan(**{**ONE, **changes}))
    return schedule_of(terms, calendar)


def debt(*definitions: Any, auction_day: int | None = ISSUED - 3) -> World:
    """Return a bond that floats, of which Amina and the ministry hold all, on its day of issue.

    Args:
        auction_day: of the bill whose yield counts; None: there is none.
    """
    definitions = definitions or (define_bond(**ONE),)
    world = make_market()
    world.do(define_calendar(), *definitions, by=(CB, FM))
    if auction_day is not None:
        auction(world, auction_day)
    to_day(world, ISSUED)
    asset = definitions[0].asset
    world.do(
        issue(FACE, asset=asset),
        transfer(FM, "amina", 400_017, asset),
        issue_cash(CASH, to=FM),
        by=(CB, FM),
    )
    world.check()
    return world


def of_kind(kind: type[Any], *events: Any) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_rate_is_fixed_by_the_last_auction_before_its_day() -> None:
    world = make_market()
    world.do(define_calendar(), define_bond(**ONE), by=(CB, FM))
    auction(world, ISSUED - 4, "mtb-6m-0", 950_000)
    auction(world, ISSUED - 3)

    assert of_kind(RateFixed, *to_day(world, ISSUED - 2)) == []
    (fixed,) = of_kind(RateFixed, *to_day(world, ISSUED - 1))

    assert fixed == RateFixed(
        asset=BOND,
        payment=1,
        day=ISSUED - 1,
        reference=REFERENCE,
        reference_ppm=YIELD_PPM,
        margin_ppm=15_000,
        rate_ppm=YIELD_PPM + 15_000,
        auction="mtb-6m-1",
        source=None,
    )
    world.check()
    state = LedgerState(world.records)
    assert rates_of(state, BOND, define_bond(**ONE).terms) == {1: YIELD_PPM + 15_000}  # type: ignore[arg-type]  # a bond
    assert rates_of(state, BOND, define_bond().terms) == {}  # type: ignore[arg-type]  # likewise


def test_auction_of_the_fixing_day_counts_for_the_next_period() -> None:
    world = debt()
    first, second = rows()[:2]
    assert second.fixing_day is not None
    auction(world, second.fixing_day - 7, "mtb-6m-2", 960_000)
    auction(world, second.fixing_day, "mtb-6m-3", 970_000)

    fixed = fixing(world, 2)

    assert fixed is not None
    assert fixed.auction == "mtb-6m-2"
    assert fixed.day == second.fixing_day < first.payment_day


def test_coupon_is_what_was_fixed() -> None:
    world = debt()
    first = rows()[0]

    (taken,) = of_kind(RecordTaken, *to_day(world, first.record_day + 1))
    (settled,) = of_kind(PaymentSettled, *to_day(world, first.payment_day))

    rate_ppm = YIELD_PPM + 15_000
    assert taken.interest_due == FACE * rate_ppm // 2_000_000
    assert settled.paid + settled.residue == taken.interest_due
    assert world.get(FIXINGS, payment_key(BOND, 2)) is not None, "its own day has come by then"
    world.check()


@pytest.mark.parametrize(
    ("changes", "rate_ppm"),
    [
        ({"cap_ppm": 120_000}, 120_000),
        ({"floor_ppm": 130_000}, 130_000),
        ({"margin_ppm": -200_000}, 0),
    ],
)
def test_coupon_keeps_to_cap_and_floor_and_nothing_is_taken_from_a_holder(
    changes: dict[str, int], rate_ppm: int
) -> None:
    world = debt(define_bond(**floating(**changes)))

    (taken,) = of_kind(RecordTaken, *to_day(world, rows()[0].record_day + 1))

    assert taken.interest_due == FACE * rate_ppm // 2_000_000
    to_day(world, rows()[0].payment_day)
    world.check()


def test_variable_rental_of_a_sukuk_goes_by_the_same_rule() -> None:
    world = debt(define_sukuk(**ONE))

    (settled,) = of_kind(PaymentSettled, *to_day(world, rows()[0].payment_day))

    assert settled.asset == SUKUK
    assert settled.paid + settled.residue == FACE * (YIELD_PPM + 15_000) // 2_000_000
    world.check()


def test_quarterly_bond_is_fixed_four_times_a_year() -> None:
    world = debt(define_bond(months=3, **ONE))
    quarters = rows(months=3)

    for number in range(1, 5):
        fixing_day = quarters[number].fixing_day
        assert fixing_day is not None
        auction(world, fixing_day - 3, f"mtb-3m-{number}", 960_000)
        to_day(world, quarters[number].start + 1)

    assert of_fixings(world) == [1, 2, 3, 4, 5]
    assert [payment(world, n).status for n in range(1, 5)] == [PaymentStatus.SETTLED] * 4
    world.check()


def of_fixings(world: World) -> list[int]:
    """Return the numbers of the payments that are fixed."""
    return [n for n in range(1, 10) if (each := fixing(world, n)) and each.rate_ppm is not None]


def test_fixings_of_a_block_are_counted_refused_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.ledger.acting.WORK_PER_BLOCK_MAX", FIXING_WORK)
    world = debt(auction_day=None)

    receipts = world.block(
        world.body(fix(9), by=(CB, FM)), world.body(fix(1), by=(CB, FM))
    ).receipts

    assert [receipt.outcome for receipt in receipts] == [
        Outcome.FIXING_NOT_AWAITED,
        Outcome.BLOCK_CROWDED,
    ]
    world.time_ms += 1
    world.do(fix(1), by=(CB, FM))


def test_without_an_auction_the_rate_is_awaited_and_two_offices_fix_it_with_a_source() -> None:
    world = debt(auction_day=None)
    awaited = RateAwaited(asset=BOND, payment=1, day=ISSUED - 1, reference=REFERENCE, reason="none")

    assert fixing(world, 1) == fixing_of_event(awaited)
    (fixed,) = world.do(fix(1), by=(CB, FM))

    assert isinstance(fixed, RateFixed)
    assert (fixed.rate_ppm, fixed.auction, fixed.source) == (127_500, None, SOURCE)
    again = world.submit(fix(1, 1), by=(CB, FM))
    assert again.outcome is Outcome.RATE_ALREADY_FIXED
    assert dict(again.details)["source"] == SOURCE
    (taken,) = of_kind(RecordTaken, *to_day(world, rows()[0].record_day + 1))
    assert taken.interest_due == FACE * 127_500 // 2_000_000
    world.check()


def fixing_of_event(event: RateAwaited) -> FixingRecord:
    return FixingRecord(day=event.day, reference_ppm=None, rate_ppm=None, auction=None, source=None)


def test_what_is_awaited_is_said() -> None:
    world = make_market()
    world.do(define_calendar(), define_bond(**ONE), by=(CB, FM))

    (awaited,) = of_kind(RateAwaited, *to_day(world, ISSUED - 1))

    assert awaited == RateAwaited(
        asset=BOND, payment=1, day=ISSUED - 1, reference=REFERENCE, reason="none"
    )


def test_auction_held_too_long_before_does_not_count() -> None:
    world = debt()
    second = rows()[1]
    assert second.fixing_day is not None

    (awaited,) = of_kind(RateAwaited, *to_day(world, second.fixing_day))

    assert (awaited.payment, awaited.reason) == (2, "stale")
    kept = debt(define_bond(**floating(stale_days=366)))
    (fixed,) = of_kind(RateFixed, *to_day(kept, second.fixing_day))
    assert (fixed.payment, fixed.auction) == (2, "mtb-6m-1")


@pytest.mark.parametrize("spare", [0, -1])
def test_auction_counts_until_it_is_as_old_as_the_terms_say(spare: int) -> None:
    second = rows()[1]
    assert second.fixing_day is not None
    old = second.fixing_day - (ISSUED - 3)  # when the auction was held
    world = debt(define_bond(**floating(stale_days=old + spare)))

    events = to_day(world, second.fixing_day)

    assert len(of_kind(RateFixed, *events)) == 1 + spare
    assert len(of_kind(RateAwaited, *events)) == -spare


def test_auction_decided_after_the_fixing_day_says_nothing_about_it() -> None:
    """A security that is defined after its fixing day: what was known then is no more."""
    world = make_market()
    auction(world, ISSUED - 3)
    to_day(world, ISSUED - 1)
    world.do(define_calendar(), define_bond(**floating(fixing_days=5)), by=(CB, FM))
    assert rows(**floating(fixing_days=5))[0].fixing_day == ISSUED - 7

    world.time_ms += 1
    (awaited,) = of_kind(RateAwaited, *world.block().events)

    assert awaited.reason == "decided-later"
    earlier = make_market()
    auction(earlier, ISSUED - 5)
    to_day(earlier, ISSUED - 1)
    earlier.do(define_calendar(), define_bond(**floating(fixing_days=3)), by=(CB, FM))
    earlier.time_ms += 1
    (fixed,) = of_kind(RateFixed, *earlier.block().events)
    assert (fixed.day, fixed.auction) == (ISSUED - 3, "mtb-6m-1"), "no other came in between"


def test_record_waits_for_a_rate_and_takes_the_holders_of_the_day_on_which_it_is_fixed() -> None:
    world = debt(auction_day=None)
    first = rows()[0]

    (waits,) = of_kind(RecordWaits, *to_day(world, first.record_day + 1))
    assert waits == RecordWaits(asset=BOND, payment=1, reason="unfixed")
    assert to_day(world, first.payment_day + 2) == ()
    world.check()
    world.do(transfer("amina", "bilal", 400_017, BOND), by=("amina",))
    before = {label: world.holding(label)[0] for label in ("amina", "bilal")}
    world.do(fix(1), by=(CB, FM))
    events = to_day(world, first.payment_day + 2)

    (taken,) = of_kind(RecordTaken, *events)
    assert taken.interest_due == FACE * 127_500 // 2_000_000
    assert payment(world, 1).status is PaymentStatus.SETTLED
    assert world.holding("bilal")[0] - before["bilal"] == 400_017 * 127_500 // 2_000_000
    assert world.holding("amina")[0] == before["amina"]
    world.check()


def test_rate_that_is_fixed_after_its_row_was_planned_is_entered() -> None:
    """The row of a payment is planned with the record of the one before, two days before."""
    world = debt(define_bond(**floating(fixing_days=0)))
    first = rows()[0]
    auction(world, first.record_day - 2, "mtb-6m-2")
    to_day(world, first.record_day + 1)
    planned = service(world).next
    assert planned is not None
    assert planned.interest_numerator == 0

    (fixed,) = of_kind(RateFixed, *to_day(world, first.payment_day))

    assert fixed.payment == 2
    planned = service(world).next
    assert planned is not None
    interest = Fraction(planned.interest_numerator, planned.interest_denominator)
    assert interest == Fraction(fixed.rate_ppm, 2_000_000)
    world.check()


def test_holiday_that_is_added_moves_the_fixing() -> None:
    world = debt()
    day = rows()[1].fixing_day
    assert day is not None
    world.do(amend(holiday=day), by=(CB,))
    auction(world, day - 10, "mtb-6m-2")
    before = to_day(world, day - 2)

    fixed = of_kind(RateFixed, *before, *to_day(world, day - 1))

    assert [each.day for each in fixed] == [day - 1]
    assert of_kind(RateFixed, *to_day(world, day)) == []
    world.check()


def amend(holiday: int) -> AmendCalendar:
    return AmendCalendar(
        account=address(CB),
        approvers=(),
        calendar=KARACHI,
        version=1,
        withdrawn=(),
        holidays=(Holiday(day=holiday, provisional=False),),
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rate_ppm": 1}, "not what follows"),
        ({"source": "?"}, "not of one auction or source"),
        ({"auction": None}, "not of one auction or source"),
        ({"reference_ppm": None}, "neither awaited nor fixed"),
    ],
)
def test_fixing_that_is_none_is_found(changes: dict[str, object], said: str) -> None:
    world = debt()
    good = fixing(world, 1)
    assert good is not None

    put(world, 1, replace(good, **changes))

    with pytest.raises(InvariantViolation, match=said):
        world.check()


def test_record_at_a_rate_that_is_not_fixed_is_found() -> None:
    world = debt()
    to_day(world, rows()[0].record_day + 1)
    good = fixing(world, 1)
    assert good is not None

    put(world, 1, None)
    with pytest.raises(InvariantViolation, match="never fixed"):
        world.check()
    put(world, 1, replace(good, reference_ppm=None, rate_ppm=None, auction=None))
    with pytest.raises(InvariantViolation, match="its rate is awaited"):
        world.check()


def test_fixing_of_what_does_not_float_is_found() -> None:
    world = debt()
    good = fixing(world, 1)
    put(world, 1, good, asset=PKR)

    with pytest.raises(InvariantViolation, match="does not float"):
        world.check()


def put(world: World, number: int, record: FixingRecord | None, asset: str = BOND) -> None:
    state = LedgerState(world.records)
    state.put(FIXINGS, payment_key(asset, number), record)
    world.records.write(state.changes())
