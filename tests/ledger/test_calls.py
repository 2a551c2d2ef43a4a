"""Calling a security: whole and in part, within the terms, and what its holders are paid."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any, Final

import pytest

from node.ledger.calendars import calendar_of, today
from node.ledger.courses import calls_of, rates_of
from node.ledger.dates import Holiday, Order, Roll, from_date
from node.ledger.errors import InvariantViolation
from node.ledger.events import (
    Event,
    HoldersPaid,
    HoldRedeemed,
    PaymentSettled,
    RateFixed,
    RecordTaken,
    SecurityCalled,
)
from node.ledger.instruments import Payment, accrued_share, schedule_of
from node.ledger.operations import AmendCalendar
from node.ledger.outcomes import Outcome, Reject
from node.ledger.pricing.daycounts import DayCount
from node.ledger.securities import CALLS, CalledRecord, CallsRecord
from node.ledger.servicing import caller
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, DUE, RECORDS_DUE
from node.ledger.terms import PAR_E4, BondTerms, CallWindow
from tests.ledger.debt import (
    BOND,
    ISSUED,
    KARACHI,
    amortising,
    call,
    callable_bond,
    define_bond,
    define_serviced_bill,
    fix,
    floating,
    issue,
    make_debt,
    payment,
    service,
    to_day,
    two_years_after,
    zero_coupon,
)
from tests.ledger.world import (
    CB,
    FM,
    VAR,
    World,
    address,
    issue_cash,
    place_hold,
    transfer,
)

FACE: Final = 1_000_061
CASH: Final = 10 * FACE
MIDDLE: Final = ISSUED + 420
"""A day of business between the second payment and the third."""
PREMIUM: Final = 1_010_000


def debt(**changes: Any) -> World:
    """Return a bond that may be called, which Amina and the bank hold, on its day of issue."""
    world = make_debt(define_bond(**{**callable_bond(), **changes}))
    to_day(world, ISSUED)
    world.do(
        issue(FACE),
        transfer(FM, "amina", 400_017, BOND),
        transfer(FM, "first-bank", FACE - 400_017, BOND),
        issue_cash(CASH, to=FM),
        by=(CB, FM),
    )
    world.check()
    return world


def terms_of(world: World) -> BondTerms:
    asset = LedgerState(world.records).get(ASSETS, BOND.encode())
    assert asset is not None
    assert isinstance(asset.terms, BondTerms)
    return asset.terms


def rows(world: World) -> tuple[Payment, ...]:
    """Return the schedule as it is now."""
    state, terms = LedgerState(world.records), terms_of(world)
    calendar = calendar_of(state, KARACHI)
    return schedule_of(terms, calendar, rates_of(state, BOND, terms), calls_of(state, BOND, terms))


def amend(*days: int) -> AmendCalendar:
    holidays = tuple(Holiday(day=day, provisional=False) for day in days)
    return AmendCalendar(
        account=address(CB),
        approvers=(),
        calendar=KARACHI,
        version=1,
        withdrawn=(),
        holidays=holidays,
    )


def settled(events: Sequence[Event]) -> list[int]:
    return [event.payment for event in events if isinstance(event, PaymentSettled)]


def test_call_of_the_whole_pays_interest_until_the_day_and_the_price_and_is_the_last() -> None:
    world = debt(day_count=DayCount.ACT_365F)
    for row in rows(world)[:2]:
        to_day(world, row.payment_day)

    (called,) = world.do(call(MIDDLE), by=(CB, FM))

    assert called == SecurityCalled(
        asset=BOND, payment=3, day=MIDDLE, share_ppm=None, price_e4=PREMIUM
    )
    schedule = rows(world)
    assert len(schedule) == 3
    last = schedule[-1]
    assert (last.nominal_day, last.payment_day, last.final) == (MIDDLE, MIDDLE, True)
    assert last.interest == pytest.approx(0.07 * (MIDDLE - last.start) / 365, rel=1e-12)
    world.check()
    before = world.holding("amina")[0]
    to_day(world, last.record_day + 1)
    moved = world.submit(transfer("amina", "bilal", 1, BOND), by=("amina",))
    assert moved.outcome is Outcome.REGISTER_CLOSED
    events = to_day(world, MIDDLE)
    assert settled(events) == [3]
    assert last.interest is not None
    interest = int(last.interest * 400_017)
    assert world.holding("amina")[0] - before == interest + 400_017 * 101 // 100
    assert world.holding("amina", BOND) == (0, 0)
    made = payment(world, 3)
    assert made.principal_due == FACE * 101 // 100
    assert made.paid + made.residue == made.interest_due + made.principal_due
    assert world.records.scan(DUE, b"", 1) == []
    assert world.records.scan(RECORDS_DUE, b"", 1) == []
    world.check()


@pytest.mark.parametrize("order", list(Order))
def test_call_on_a_payment_day_pays_the_coupon_whole(order: Order) -> None:
    world = debt(order=order)
    third = rows(world)[2]

    world.do(call(third.nominal_day), by=(CB, FM))

    last = rows(world)[-1]
    assert (last.number, last.interest, last.price_e4) == (3, third.interest, PAR_E4)
    for row in rows(world):
        to_day(world, row.payment_day)
    assert service(world).closed
    world.check()


def test_call_in_part_repays_a_share_of_everybodys_face_and_interest_counts_what_is_left() -> None:
    world = debt()
    second = rows(world)[1]
    to_day(world, rows(world)[0].payment_day)

    (called,) = world.do(call(second.nominal_day, 250_000), by=(CB, FM))
    events = to_day(world, second.payment_day)

    assert isinstance(called, SecurityCalled)
    assert (called.payment, called.price_e4) == (2, PREMIUM)
    assert settled(events) == [2]
    made = payment(world, 2)
    assert made.principal_due == FACE * 101 // 400
    assert made.interest_due == FACE * 35 // 1_000
    assert world.holding("amina", BOND) == (400_017, 0), "as with instalments, the face stays"
    world.check()
    third, fourth = rows(world)[2:]
    before = world.holding("amina")[0]
    to_day(world, third.payment_day)
    assert world.holding("amina")[0] - before == 400_017 * 35 * 3 // 4_000
    assert (third.principal_ppm, fourth.principal_ppm) == (0, 750_000)
    to_day(world, fourth.payment_day)
    assert world.holding("amina", BOND) == (0, 0)
    paid = [payment(world, n).principal_due for n in (2, 4)]
    assert paid == [FACE * 101 // 400, FACE * 3 // 4]
    world.check()


@pytest.mark.parametrize(
    ("share_ppm", "principal"), [(250_000, FACE * 101 // 400), (None, FACE * 101 // 100)]
)
def test_call_on_the_day_of_a_payment_moves_with_it_where_no_business_is_done(
    share_ppm: int | None, principal: int
) -> None:
    world = debt()
    second = rows(world)[1]
    to_day(world, rows(world)[0].payment_day)
    world.do(amend(second.nominal_day), by=(CB,))
    moved = rows(world)[1]
    assert moved.payment_day > moved.nominal_day == second.nominal_day

    (called,) = world.do(call(second.nominal_day, share_ppm), by=(CB, FM))

    assert isinstance(called, SecurityCalled)
    assert (called.payment, rows(world)[1].payment_day) == (2, moved.payment_day)
    assert settled(to_day(world, moved.payment_day)) == [2]
    made = payment(world, 2)
    assert (made.interest_due, made.principal_due) == (FACE * 35 // 1_000, principal)
    world.check()


def test_what_is_left_after_a_part_can_be_called_too() -> None:
    world = debt()
    second, third = rows(world)[1:3]
    world.do(call(second.nominal_day, 999_999), by=(CB, FM))

    world.do(call(third.nominal_day), by=(CB, FM))

    assert [row.principal_ppm for row in rows(world)] == [0, 999_999, 1]
    for row in rows(world):
        to_day(world, row.payment_day)
    assert world.holding("amina", BOND) == (0, 0)
    world.check()


def test_what_is_on_hold_is_repaid_at_the_price_into_cash_on_hold() -> None:
    world = debt(**{**callable_bond(in_part=False), **zero_coupon()})
    world.do(place_hold("amina", 100_001, asset=BOND), by=(VAR,))
    world.do(call(MIDDLE), by=(CB, FM))

    events = to_day(world, MIDDLE)

    assert [e.amount for e in events if isinstance(e, HoldRedeemed)] == [100_001 * 101 // 100]
    assert [e.redeemed for e in events if isinstance(e, HoldersPaid)] == [FACE]
    world.check()


def test_share_that_is_called_of_face_on_hold_is_on_hold_at_the_price() -> None:
    world = debt(**callable_bond())
    world.do(place_hold("amina", 100_001, asset=BOND), by=(VAR,))
    third = rows(world)[2]
    world.do(call(third.nominal_day, 250_000), by=(CB, FM))

    for row in rows(world)[:3]:
        to_day(world, row.payment_day)

    price_e4 = next(row.price_e4 for row in rows(world)[2:])
    assert world.holding("amina")[1] == 100_001 * 250_000 * price_e4 // 10**12
    world.check()


def test_amortising_bond_repays_all_that_its_instalments_left() -> None:
    world = debt(**callable_bond(in_part=False), **amortising())
    third = rows(world)[2]

    world.do(call(third.nominal_day), by=(CB, FM))

    assert [row.principal_ppm for row in rows(world)] == [250_000, 250_000, 500_000]
    for row in rows(world):
        to_day(world, row.payment_day)
    world.check()


def test_no_rate_is_fixed_after_the_last_payment() -> None:
    world = debt(**floating(fixing_days=1))
    to_day(world, ISSUED + 60)
    for number in (1, 2, 3):
        world.do(fix(number), by=(CB, FM))
        to_day(world, rows(world)[number - 1].payment_day)
        if number == 2:
            world.do(call(MIDDLE), by=(CB, FM))

    assert service(world).closed
    assert not any(isinstance(e, RateFixed) for e in to_day(world, ISSUED + 800))
    assert world.records.scan(DUE, b"", 1) == []
    world.check()


def test_accrued_interest_knows_what_was_called() -> None:
    world = debt(day_count=DayCount.ACT_365F)
    second, third = rows(world)[1:3]
    world.do(call(second.nominal_day, 250_000), by=(CB, FM))
    state = LedgerState(world.records)
    asset = state.get(ASSETS, BOND.encode())
    assert asset is not None
    assert isinstance(asset.terms, BondTerms)

    share = accrued_share(
        asset.terms,
        calendar_of(state, KARACHI),
        third.start + 10,
        calls=calls_of(state, BOND, asset.terms),
    )

    assert share == Fraction(3 * 10 * 7, 4 * 365 * 100)


@pytest.mark.parametrize(
    ("on", "day", "share_ppm", "reason"),
    [
        (0, ISSUED + 363, None, "it lies in no window"),
        (0, ISSUED + 701, None, "it lies in no window"),
        (MIDDLE - 29, MIDDLE, None, "30 days of notice are due"),
        (0, ISSUED + 422, None, "no business is done on it"),
        (0, MIDDLE, 250_000, "a share is repaid with a payment"),
    ],
)
def test_call_that_the_terms_do_not_know_is_refused(
    on: int, day: int, share_ppm: int | None, reason: str
) -> None:
    world = debt()
    to_day(world, on or ISSUED + 1)

    refused = world.submit(call(day, share_ppm), by=(CB, FM))

    assert refused.outcome is Outcome.CALL_NOT_WITHIN_TERMS
    assert reason in str(dict(refused.details)["reason"])


def test_share_is_refused_where_the_terms_know_the_whole_only() -> None:
    world = debt(**callable_bond(in_part=False))

    refused = world.submit(call(rows(world)[1].nominal_day, 1), by=(CB, FM))

    assert "only be repaid whole" in str(dict(refused.details)["reason"])


def test_share_that_would_leave_nothing_is_refused() -> None:
    world = debt()
    second, third = rows(world)[1:3]
    world.do(call(second.nominal_day, 600_000), by=(CB, FM))

    refused = world.submit(call(third.nominal_day, 400_000), by=(CB, FM))

    assert "600000 millionths are repaid already" in str(dict(refused.details)["reason"])


def test_call_whose_record_is_past_or_would_come_too_early_is_refused() -> None:
    window = CallWindow(from_day=ISSUED + 1, to_day=ISSUED + 700, price_e4=PAR_E4)
    world = debt(**callable_bond(windows=(window,), notice_days=1))
    first = rows(world)[0]

    early = world.submit(call(ISSUED + 1), by=(CB, FM))
    to_day(world, first.record_day + 1)
    late = world.submit(call(first.payment_day), by=(CB, FM))
    before = world.submit(call(first.payment_day + 1), by=(CB, FM))

    assert "its record would have been taken" in str(dict(early.details)["reason"])
    assert "payment 1" in str(dict(late.details)["reason"])
    assert "its record would" in str(dict(before.details)["reason"])
    world.check()


@pytest.mark.parametrize("share_ppm", [None, 1])
def test_nothing_is_called_twice(share_ppm: int | None) -> None:
    world = debt()
    second, third = rows(world)[1:3]
    world.do(call(second.nominal_day, share_ppm), by=(CB, FM))

    again = world.submit(call(second.nominal_day), by=(CB, FM))

    assert again.outcome is Outcome.ALREADY_CALLED
    if share_ppm is None:
        later = world.submit(call(third.nominal_day), by=(CB, FM))
        assert later.outcome is Outcome.ALREADY_CALLED


def told_earliest(world: World) -> int | None:
    state, terms = LedgerState(world.records), terms_of(world)
    return caller.earliest_day(
        terms,
        calendar_of(state, KARACHI),
        rows(world),
        calls_of(state, BOND, terms),
        begun=caller.records_begun(service(world)),
        now=today(state, world.time_ms),
    )


def taken(world: World, day: int) -> bool:
    """Return whether a call made now of this day would be taken, of the whole or of a share."""
    for share_ppm in (None, 1):
        state = LedgerState(world.records)
        try:
            caller.call(
                state, BOND, terms_of(world), day=day, share_ppm=share_ppm, time_ms=world.time_ms
            )
        except Reject:
            continue
        return True
    return False


def check_earliest(world: World) -> int | None:
    told = told_earliest(world)
    assert told == next((day for day in range(ISSUED, ISSUED + 740) if taken(world, day)), None)
    return told


ANY_DAY: Final = callable_bond(
    windows=(CallWindow(from_day=ISSUED + 1, to_day=ISSUED + 700, price_e4=PAR_E4),), notice_days=1
)


def test_earliest_day_of_a_call_is_the_first_on_which_one_made_now_is_taken() -> None:
    world = debt()
    to_day(world, ISSUED + 1)

    before = check_earliest(world)
    to_day(world, MIDDLE)
    within = check_earliest(world)
    to_day(world, ISSUED + 672)
    after = check_earliest(world)

    assert before is not None
    assert ISSUED + 364 <= before < ISSUED + 370
    assert within is not None
    assert MIDDLE + 30 <= within < MIDDLE + 36
    assert after is None


def test_earliest_day_of_a_call_is_after_a_record_that_is_taken_or_over() -> None:
    world = debt(**ANY_DAY)
    first = rows(world)[0]

    early = check_earliest(world)
    to_day(world, first.record_day + 1)
    recorded = check_earliest(world)

    assert early is not None
    assert early > ISSUED + 1
    assert recorded is not None
    assert recorded > first.payment_day


@pytest.mark.parametrize(
    ("number", "share_ppm", "earliest"),
    [
        (3, 250_000, 1),  # a share with an earlier payment still
        (1, 250_000, None),  # the whole after it
        (3, 999_999, 3),  # only the whole that is left, after it
    ],
)
def test_earliest_day_after_a_share_is_one_that_the_share_leaves(
    number: int, share_ppm: int, earliest: int | None
) -> None:
    world = debt(**ANY_DAY)
    days = [row.nominal_day for row in rows(world)]
    world.do(call(days[number - 1], share_ppm), by=(CB, FM))

    told = check_earliest(world)

    assert told is not None
    if earliest is None:
        assert days[0] < told < days[1]
    elif earliest == number:
        assert days[2] < told < days[3]
    else:
        assert told == days[0]


def test_there_is_no_earliest_day_where_all_is_called_or_nothing_may_be() -> None:
    world = debt()
    world.do(call(MIDDLE), by=(CB, FM))

    assert check_earliest(world) is None
    assert check_earliest(debt(call=None)) is None


def test_calls_of_a_block_are_counted_refused_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.ledger.acting.WORK_PER_BLOCK_MAX", 10)
    world = debt()

    receipts = world.block(
        world.body(call(ISSUED + 1), by=(CB, FM)), world.body(call(MIDDLE), by=(CB, FM))
    ).receipts

    assert [receipt.outcome for receipt in receipts] == [
        Outcome.CALL_NOT_WITHIN_TERMS,
        Outcome.BLOCK_CROWDED,
    ]
    world.time_ms += 1
    world.do(call(MIDDLE), by=(CB, FM))  # more than there is, and the first of its block


def test_whole_is_not_called_before_a_share_that_is() -> None:
    world = debt()
    second, third, fourth = rows(world)[1:]
    world.do(call(third.nominal_day, 250_000), by=(CB, FM))

    refused = world.submit(call(second.nominal_day), by=(CB, FM))

    assert refused.outcome is Outcome.ALREADY_CALLED
    assert dict(refused.details)["payment"] == third.number
    world.check()
    world.do(call(second.nominal_day, 250_000), by=(CB, FM))
    world.do(call(ISSUED + 580), by=(CB, FM))
    for row in rows(world):
        to_day(world, row.payment_day)
    assert service(world).recorded == fourth.number
    assert service(world).closed
    world.check()


@pytest.mark.parametrize("convention", [Roll.PRECEDING, Roll.MODIFIED_FOLLOWING])
def test_called_payment_is_not_taken_back_to_before_the_issue_by_holidays(
    convention: Roll,
) -> None:
    issued = from_date(date(2025, 1, 22))
    day = from_date(date(2025, 1, 31))
    window = CallWindow(from_day=issued + 1, to_day=day, price_e4=PAR_E4)
    world = make_debt(
        define_bond(
            **callable_bond(windows=(window,)),
            issue_day=issued,
            maturity_day=two_years_after(issued),
            roll=convention,
            order=Order.SHIFT_THEN_CALCULATE,
        )
    )
    to_day(world, ISSUED)
    world.do(call(day), issue(FACE), issue_cash(CASH, to=FM), by=(CB, FM))

    world.do(amend(*range(issued, day + 1)), by=(CB,))
    events = to_day(world, day + 10)

    assert rows(world)[0].payment_day == from_date(date(2025, 2, 3))
    assert settled(events) == [1]
    world.check()


def test_call_by_another_than_the_issuer_is_refused() -> None:
    world = debt()

    refused = world.submit(
        call(MIDDLE, account=address(CB), approvers=(address(VAR),)), by=(CB, VAR)
    )

    assert refused.outcome is Outcome.OFFICES_MISSING


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (callable_bond(windows=(CallWindow(from_day=ISSUED, to_day=ISSUED, price_e4=1),)), "after"),
        (
            callable_bond(
                windows=(CallWindow(from_day=ISSUED + 9, to_day=ISSUED + 8, price_e4=1),)
            ),
            "days in order",
        ),
        (
            callable_bond(
                windows=(CallWindow(from_day=ISSUED + 9, to_day=ISSUED + 999, price_e4=1),)
            ),
            "before maturity",
        ),
        (
            callable_bond(
                windows=(CallWindow(from_day=ISSUED + 9, to_day=ISSUED + 9, price_e4=1),) * 2
            ),
            "days in order",
        ),
        ({**callable_bond(), **amortising()}, "one of the two"),
        ({**callable_bond(), **zero_coupon()}, "no payment before maturity"),
    ],
)
def test_terms_of_a_call_that_contradict_each_other_are_refused(
    changes: dict[str, Any], reason: str
) -> None:
    world = make_debt()

    refused = world.submit(define_bond("PIB-OTHER", **changes), by=(CB, FM))

    assert refused.outcome is Outcome.TERMS_NOT_VALID
    assert reason in str(dict(refused.details)["reason"])


def test_bill_is_not_called() -> None:
    world = make_debt()

    refused = world.submit(define_serviced_bill(**callable_bond(in_part=False)), by=(CB, FM))

    assert refused.outcome is Outcome.TERMS_NOT_VALID


def test_price_counts_where_payments_are_bounded() -> None:
    window = CallWindow(from_day=ISSUED + 9, to_day=ISSUED + 9, price_e4=100 * PAR_E4)
    world = make_debt()

    refused = world.submit(
        define_bond("PIB-OTHER", ceiling=10**17, **callable_bond(windows=(window,))), by=(CB, FM)
    )

    assert refused.outcome is Outcome.SCHEDULE_NOT_VALID


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        (((3, None), (4, None)), "calls after the last payment"),
        (((2, 500_000), (3, 500_000)), "leave nothing"),
    ],
)
def test_calls_that_cannot_be_are_found(
    calls: tuple[tuple[int, int | None], ...], said: str
) -> None:
    world = debt()
    record = CallsRecord(
        calls=tuple(
            CalledRecord(
                payment=number,
                day=ISSUED + 400,
                share_ppm=share_ppm,
                price_e4=PAR_E4,
                called_day=ISSUED,
            )
            for number, share_ppm in calls
        )
    )
    state = LedgerState(world.records)
    state.put(CALLS, BOND.encode(), record)
    world.records.write(state.changes())

    with pytest.raises(InvariantViolation, match=said):
        world.check()


def test_record_of_a_called_payment_says_its_price() -> None:
    world = debt()
    world.do(call(MIDDLE), by=(CB, FM))
    for row in rows(world)[:2]:
        to_day(world, row.payment_day)

    taken = [e for e in to_day(world, MIDDLE) if isinstance(e, RecordTaken)]

    assert [e.payment for e in taken] == [3]
    assert payment(world, 3).row.price_e4 == PREMIUM
