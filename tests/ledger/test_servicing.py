"""The life of a security: records, payments by the ledger, late ones and cures, redemption."""

from typing import Any

import pytest

from node.codec import replace
from node.ledger import servicing
from node.ledger.dates import Holiday, Order
from node.ledger.events import (
    AppointmentMoved,
    Event,
    FundingChecked,
    HolderPaid,
    HoldersPaid,
    HoldRedeemed,
    PaymentFunded,
    PaymentSettled,
    PaymentUnfunded,
    RecordTaken,
    WithholdingCollected,
)
from node.ledger.operations import AmendCalendar, CloseAccount, ReleaseHold, SetWithholding
from node.ledger.outcomes import Outcome
from node.ledger.pricing.daycounts import DayCount
from node.ledger.securities import Mark, PaymentStatus, WithholdingRow, payment_key
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, DUE, HOLDS, RECORDS_DUE, DueKind, hold_key
from tests.ledger.debt import (
    BOND,
    ISSUED,
    KARACHI,
    SUKUK,
    amortising,
    define_bond,
    define_sukuk,
    fund,
    in_escrow,
    issue,
    make_debt,
    payment,
    position,
    service,
    to_day,
    zero_coupon,
)
from tests.ledger.paying import CASH, COUPON, FACE, days, debt
from tests.ledger.world import (
    CB,
    FM,
    PKR,
    VAR,
    address,
    hold_account,
    issue_cash,
    place_hold,
    suspend,
    transfer,
)


def test_coupon_is_paid_to_whoever_held_at_the_end_of_the_record_day() -> None:
    world = debt()
    record_day, funding_day, payment_day = days(1)

    assert to_day(world, record_day) == ()
    world.do(transfer("amina", "bilal", 100_000, BOND), by=("amina",))
    taken, checked = to_day(world, record_day + 1)
    assert funding_day == record_day + 1
    assert taken == RecordTaken(
        asset=BOND,
        payment=1,
        payment_day=payment_day,
        face=FACE,
        interest_due=COUPON,
        principal_due=0,
    )
    world.do(transfer("bilal", "amina", 400_019, BOND), by=("bilal",))
    assert position(world, address("bilal")) is not None, "it is owed, though it holds nothing"
    world.check()
    assert checked == FundingChecked(
        asset=BOND, payment=1, paying_agent=address(FM), due=COUPON, found=CASH
    )
    before = {label: world.holding(label)[0] for label in ("amina", "bilal", "first-bank", FM)}
    funded, *each, paid, settled = to_day(world, payment_day)

    owed = {"amina": 300_017, "bilal": 400_019, "first-bank": FACE - 700_036}
    parts = {label: face * 35 // 1_000 for label, face in owed.items()}
    residue = COUPON - sum(parts.values())
    assert isinstance(funded, PaymentFunded)
    assert (funded.payer, funded.amount) == (address(FM), COUPON)
    assert {event.holder: event for event in each if isinstance(event, HolderPaid)} == {
        address(label): HolderPaid(
            asset=BOND,
            payment=1,
            holder=address(label),
            cash=PKR,
            paid=part,
            withheld=0,
            redeemed=0,
        )
        for label, part in parts.items()
    }
    assert paid == HoldersPaid(
        asset=BOND, payment=1, holders=3, paid=COUPON - residue, withheld=0, redeemed=0
    )
    assert settled == PaymentSettled(
        asset=BOND,
        payment=1,
        cash=PKR,
        residue_account=address("first-bank"),
        holders=3,
        paid=COUPON - residue,
        withheld=0,
        residue=residue,
    )
    gained = {label: world.holding(label)[0] - before[label] for label in before}
    assert gained == {
        "amina": parts["amina"],
        "bilal": parts["bilal"],
        "first-bank": parts["first-bank"] + residue,
        FM: -COUPON,
    }
    assert position(world, address("bilal")) is None
    assert in_escrow(world) == 0
    assert service(world).due_ms is None
    world.check()


def test_what_is_moved_in_the_very_block_of_the_record_comes_after_it() -> None:
    world = debt()
    record_day, _, payment_day = days(1)
    to_day(world, record_day)
    world.time_ms = world.time_ms + 86_400_000

    world.do(transfer("amina", "bilal", 400_017, BOND), by=("amina",))

    before = world.holding("amina")[0]
    to_day(world, payment_day)
    assert world.holding("amina")[0] - before == 400_017 * 35 // 1_000


def test_what_moves_often_after_a_record_is_marked_once() -> None:
    world = debt()
    record_day, _, payment_day = days(1)
    to_day(world, record_day + 1)

    for amount in (100_000, 17, 50_000):
        world.do(
            transfer("amina", "bilal", amount, BOND),
            transfer("bilal", "first-bank", amount - 1, BOND),
            by=("amina", "bilal"),
        )
        world.check()

    for label, face in (("amina", 400_017), ("bilal", 300_019), ("first-bank", 300_025)):
        noted = position(world, address(label))
        assert noted is not None
        assert noted.marks == (Mark(number=1, face=face, taxpayer=noted.taxpayer),)
    before = world.holding("amina")[0]
    to_day(world, payment_day)
    assert world.holding("amina")[0] - before == 400_017 * 35 // 1_000
    world.check()


def test_held_amounts_are_paid_like_others_and_suspended_participants_too() -> None:
    world = debt()
    world.do(place_hold("amina", 400_017, asset=BOND), suspend("bilal"), by=(VAR,))
    before = [world.holding(label)[0] for label in ("amina", "bilal")]

    to_day(world, days(1)[2])

    gained = [world.holding(label)[0] for label in ("amina", "bilal")]
    assert [now - then for now, then in zip(gained, before, strict=True)] == [14_000, 10_500]
    world.check()


def test_unfunded_payment_is_late_then_in_grace_then_in_default_and_cures() -> None:
    world = debt(cash=0)
    _, funding_day, payment_day = days(1)
    checked = to_day(world, funding_day)[-1]
    assert isinstance(checked, FundingChecked)
    assert (checked.due, checked.found) == (COUPON, 0)

    seen = []
    for day in range(payment_day, payment_day + 6):
        for event in to_day(world, day):
            assert isinstance(event, PaymentUnfunded)
            seen.append((day - payment_day, event.status))
        world.check()

    assert seen == [
        (0, PaymentStatus.LATE),
        (1, PaymentStatus.IN_GRACE),
        (4, PaymentStatus.IN_DEFAULT),
    ]
    world.do(issue_cash(COUPON, to=FM), by=(CB,))
    events = to_day(world, payment_day + 6)
    kinds = [PaymentFunded, *[HolderPaid] * 3, HoldersPaid, PaymentSettled]
    assert [type(event) for event in events] == kinds
    assert payment(world, 1).status is PaymentStatus.SETTLED
    world.check()


def test_anybody_can_cure_at_once_and_holders_are_paid_from_the_next_block_on() -> None:
    world = debt(cash=0)
    to_day(world, days(1)[2])
    world.do(issue_cash(COUPON, to=CB), by=(CB,))

    (funded,) = world.do(fund(CB), by=(CB,))

    assert isinstance(funded, PaymentFunded)
    assert funded.payer == address(CB)
    assert in_escrow(world) == COUPON
    world.check()
    assert world.submit(fund(CB), by=(CB,)).outcome is Outcome.PAYMENT_NOT_DUE
    world.time_ms += 1
    world.block()
    assert payment(world, 1).status is PaymentStatus.SETTLED
    world.check()


def test_agent_on_hold_counts_as_unfunded() -> None:
    world = debt()
    world.do(
        replace(hold_account(FM), approvers=(address(CB), address("crypto-council"))),
        by=(VAR, CB, "crypto-council"),
    )

    event = to_day(world, days(1)[2])[-1]

    assert isinstance(event, PaymentUnfunded)
    assert event.found == 0


def test_records_go_on_while_payments_are_unpaid_and_each_keeps_its_own_holders() -> None:
    world = debt(cash=0)
    to_day(world, days(1)[2])
    world.do(transfer("amina", "bilal", 400_017, BOND), by=("amina",))
    to_day(world, days(2)[2])
    world.do(transfer("bilal", "first-bank", 700_036, BOND), by=("bilal",))
    world.check()
    assert [payment(world, number).face for number in (1, 2)] == [FACE, FACE]
    before = {label: world.holding(label)[0] for label in ("amina", "bilal")}
    world.do(issue_cash(10 * COUPON, to=FM), by=(CB,))

    to_day(world, days(2)[2] + 1)

    assert world.holding("amina")[0] - before["amina"] == 400_017 * 35 // 1_000
    assert world.holding("bilal")[0] - before["bilal"] == (
        300_019 * 35 // 1_000 + 700_036 * 35 // 1_000
    )
    assert service(world).settled == 2
    assert position(world, address("amina")) is None
    world.check()


def test_account_that_is_owed_something_stays_open_until_it_is_paid() -> None:
    world = debt()
    record_day, _, payment_day = days(1)
    to_day(world, record_day + 1)
    world.do(transfer("bilal", "amina", 300_019, BOND), by=("bilal",))
    (hold_id,) = [key[20:] for key, _ in world.records.scan(HOLDS, address("bilal"), 1)]
    world.do(
        ReleaseHold(account=address(VAR), approvers=(), holder=address("bilal"), hold=hold_id),
        by=(VAR,),
    )
    world.do(transfer("bilal", "amina", world.holding("bilal")[0]), by=("bilal",))
    close = CloseAccount(account=address("bilal"))

    refused = world.submit(close, by=("bilal",))

    assert refused.outcome is Outcome.ACCOUNT_TIED
    to_day(world, payment_day)
    world.do(transfer("bilal", "amina", 300_019 * 35 // 1_000), close, by=("bilal",))
    world.check()


def test_account_for_residues_stays_open_until_the_security_is_redeemed() -> None:
    world = debt(define_bond(residue_account=address("exchange")), cash=10 * FACE)
    close = CloseAccount(account=address("exchange"))
    assert world.submit(close, by=("exchange",)).outcome is Outcome.ACCOUNT_TIED

    for number in range(1, 5):
        to_day(world, days(number)[2])

    world.do(transfer("exchange", "amina", world.holding("exchange")[0]), close, by=("exchange",))
    world.check()


def test_last_payment_redeems_and_leaves_nothing() -> None:
    world = debt(cash=10 * FACE)
    for number in range(1, 4):
        to_day(world, days(number)[2])
    record_day, _, payment_day = days(4)
    to_day(world, record_day + 1)
    refused = world.submit(transfer("amina", "bilal", 1, BOND), by=("amina",))
    assert refused.outcome is Outcome.REGISTER_CLOSED
    assert world.submit(issue(1), by=(CB, FM)).outcome is Outcome.REGISTER_CLOSED
    before = world.holding("amina")[0]

    events = to_day(world, payment_day)

    assert world.holding("amina", BOND) == (0, 0)
    assert world.holding("amina")[0] - before == 400_017 + 400_017 * 35 // 1_000
    (paid,) = [event for event in events if isinstance(event, HoldersPaid)]
    assert paid.redeemed == FACE
    asset = world.get(ASSETS, BOND.encode())
    assert asset is not None
    assert asset.supply == 0
    assert world.records.scan(DUE, b"", 1) == []
    assert world.records.scan(RECORDS_DUE, b"", 1) == []
    world.check()


def test_what_is_on_hold_is_redeemed_into_cash_on_hold() -> None:
    world = debt(define_bond(**zero_coupon()), cash=10 * FACE)
    payment_day = days(1, **zero_coupon())[2]
    expires_ms = world.time_ms + 3 * 366 * 86_400_000
    placed = world.do(
        place_hold("amina", 100_001, asset=BOND, expires_ms=expires_ms),
        place_hold("amina", 50_000),
        by=(VAR,),
    )[0]
    before = world.holding("amina")

    events = to_day(world, payment_day)

    hold_id = placed.hold  # type: ignore[union-attr]  # it was placed
    assert (
        HoldRedeemed(hold=hold_id, holder=address("amina"), asset=BOND, cash=PKR, amount=100_001)
        in events
    )
    hold = world.get(HOLDS, hold_key(address("amina"), hold_id))
    assert hold is not None
    assert (hold.asset, hold.amount, hold.expires_ms) == (PKR, 100_001, expires_ms)
    assert world.holding("amina") == (before[0] + 300_016, before[1] + 100_001)
    world.check()
    to_day(world, payment_day + 400)
    assert world.holding("amina")[1] == 50_000
    world.check()


def test_what_is_repaid_of_face_on_hold_is_on_hold_too() -> None:
    changes = amortising()
    world = debt(define_bond(**changes), cash=10 * FACE)
    expires_ms = world.time_ms + 3 * 366 * 86_400_000
    placed = world.do(place_hold("amina", 100_001, asset=BOND, expires_ms=expires_ms), by=(VAR,))
    of_face = placed[0].hold  # type: ignore[union-attr]  # it was placed

    events: list[Event] = []
    for number in (1, 2):
        events += to_day(world, days(number, **changes)[2])
        world.check()

    repaid = [event for event in events if isinstance(event, HoldRedeemed)]
    assert [event.amount for event in repaid] == [25_000, 25_000]
    (of_cash,) = {event.hold for event in repaid}
    assert of_cash != of_face, "the face stays on hold: what is left of it is repaid later"
    face, cash = (world.get(HOLDS, hold_key(address("amina"), each)) for each in (of_face, of_cash))
    assert face is not None
    assert cash is not None
    assert (face.asset, face.amount) == (BOND, 100_001)
    assert (cash.asset, cash.amount) == (PKR, 50_000)
    assert replace(cash, asset=face.asset, amount=face.amount) == face, "in all else it is the same"
    assert world.holding("amina")[1] == 50_000
    for number in (3, 4):
        to_day(world, days(number, **changes)[2])
        world.check()
    assert world.holding("amina")[1] == 100_000, "and three times a quarter of a paisa rounded away"
    world.do(
        ReleaseHold(account=address(VAR), approvers=(), holder=address("amina"), hold=of_cash),
        by=(VAR,),
    )
    assert world.holding("amina")[1] == 25_000
    to_day(world, days(4, **changes)[2] + 400)
    assert world.holding("amina")[1] == 0, "the other has ended"
    world.check()


def test_no_more_is_put_on_hold_than_is_repaid_of_the_face_on_record() -> None:
    changes = amortising()
    world = debt(define_bond(**changes), cash=10 * FACE)
    record_day, _, payment_day = days(1, **changes)
    to_day(world, record_day + 1)
    world.do(
        transfer("first-bank", "amina", 100_000, BOND),
        place_hold("amina", 500_000, asset=BOND),
        place_hold("amina", 17, asset=BOND),
        by=("first-bank", VAR),
    )

    to_day(world, payment_day)

    assert world.holding("amina")[1] == 400_017 // 4, "what came after the record is not hers yet"
    world.check()


def test_interest_on_face_on_hold_is_free() -> None:
    world = debt(cash=10 * FACE)
    world.do(place_hold("amina", 400_017, asset=BOND), by=(VAR,))
    to_day(world, days(1)[2])
    assert world.holding("amina")[1] == 0
    world.check()


def test_instalments_are_paid_on_the_face_that_was_issued_and_the_last_redeems() -> None:
    changes = amortising()
    world = debt(define_bond(**changes), cash=10 * FACE)
    before = world.holding("amina")[0]

    for number in range(1, 5):
        to_day(world, days(number, **changes)[2])
        world.check()

    principal = 3 * (400_017 * 250_000 // 1_000_000) + 400_017 * 250_000 // 1_000_000
    interest = sum(400_017 * 35 * quarters // 4_000 for quarters in (4, 3, 2, 1))
    assert world.holding("amina")[0] - before == principal + interest
    assert sum(payment(world, number).principal_due for number in range(1, 5)) <= FACE
    assert payment(world, 2).interest_due == FACE * 35 * 3 // 4_000
    assert world.holding("amina", BOND) == (0, 0)


def test_sukuk_pays_rentals() -> None:
    world = debt(define_sukuk())

    settled = to_day(world, days(1)[2])[-1]

    assert isinstance(settled, PaymentSettled)
    assert settled.asset == SUKUK
    assert settled.paid + settled.residue == COUPON


def withhold(taxpayer: str, *rows: tuple[int, int]) -> SetWithholding:
    return SetWithholding(
        account=address(FM),
        approvers=(address(CB),),
        taxpayer=taxpayer,
        kind="bond",
        collector=address(VAR),
        rows=tuple(
            WithholdingRow(from_day=day, rate_bps=rate, source="Income Tax Ordinance, s. 151")
            for day, rate in rows
        ),
    )


def test_what_is_withheld_is_by_class_and_date_and_goes_to_the_collector() -> None:
    first, second = days(1)[2], days(2)[2]
    world = debt()
    world.do(withhold("person", (0, 0), (first, 1_500), (second, 2_000)), by=(CB, FM))
    world.do(withhold("bank", (second + 1, 4_000)), by=(CB, FM))

    interest = 400_017 * 35 // 1_000, 300_019 * 35 // 1_000
    for number, day, rate in ((1, first, 1_500), (2, second, 2_000)):
        before = world.holding(VAR)[0], world.holding("amina")[0]
        events = to_day(world, day)
        tax = [each * rate // 10_000 for each in interest]
        assert [event.withheld for event in events if isinstance(event, HolderPaid)] == [
            {address("amina"): tax[0], address("bilal"): tax[1]}.get(event.holder, 0)
            for event in events
            if isinstance(event, HolderPaid)
        ]
        (collected,) = [event for event in events if isinstance(event, WithholdingCollected)]
        assert (collected.collector, collected.amount) == (address(VAR), sum(tax))
        assert world.holding(VAR)[0] - before[0] == sum(tax)
        assert world.holding("amina")[0] - before[1] == interest[0] - tax[0]
        record = payment(world, number)
        assert record.withheld == sum(tax)
        assert record.paid + record.withheld + record.residue == COUPON
        world.check()
    assert world.submit(CloseAccount(account=address(VAR)), by=(VAR,)).outcome in (
        Outcome.ACCOUNT_TIED,
        Outcome.ACCOUNT_NOT_EMPTY,
    )


def test_past_issue_comes_onto_the_ledger_with_the_payments_that_are_left() -> None:
    world = make_debt()
    to_day(world, days(2)[0] + 1)
    world.do(define_bond("PIB-OLD"), by=(CB, FM))

    assert service(world, "PIB-OLD").recorded == 2
    assert world.submit(fund(CB, "PIB-OLD"), by=(CB,)).outcome is Outcome.PAYMENT_NOT_DUE
    world.check()


def test_security_of_which_nothing_is_left_is_refused() -> None:
    world = make_debt()
    to_day(world, days(4)[0] + 1)

    refused = world.submit(define_bond("PIB-OLD"), by=(CB, FM))

    assert refused.outcome is Outcome.NOTHING_LEFT_TO_PAY


def test_security_without_holders_passes_through_its_life() -> None:
    world = make_debt()

    for number in range(1, 5):
        to_day(world, days(number)[2])
        world.check()

    assert service(world).settled == 4
    assert service(world).closed


def test_look_at_the_funding_that_comes_too_late_changes_nothing() -> None:
    world = debt()
    to_day(world, days(1)[2])
    settled = payment(world, 1)
    state = LedgerState(world.records)

    met = servicing.meet_day(state, DueKind.FUNDING_DAY, payment_key(BOND, 1), world.time_ms)

    assert met is None
    assert settled.status is PaymentStatus.SETTLED
    assert state.changes() == {}


def test_calendar_that_is_amended_before_the_record_changes_what_is_paid() -> None:
    changes: dict[str, Any] = {
        "order": Order.SHIFT_THEN_CALCULATE,
        "day_count": DayCount.ACT_365F,
    }
    world = debt(define_bond(**changes))
    _, _, payment_day = days(1, **changes)
    world.do(holidays(payment_day), by=(CB,))

    to_day(world, payment_day + 5)

    made = payment(world, 1)
    assert made.status is PaymentStatus.SETTLED
    later = made.payment_day - payment_day
    assert later > 0
    accrued = payment_day + later - ISSUED
    assert made.interest_due == FACE * 7 * accrued // (100 * 365)
    world.check()


@pytest.mark.parametrize(("before", "record"), [(0, ()), (1, (-1,))])
def test_correction_that_moves_the_next_payment_says_so_before_its_record(
    before: int, record: tuple[int, ...]
) -> None:
    """A holiday on a payment day moves the payment, never its record, which counts back over it."""
    world = debt()
    record_day, _, payment_day = days(1)
    world.do(holidays(*range(payment_day - before, payment_day + 1)), by=(CB,))

    events = world.block().events

    assert {told(event) for event in events} == {
        (BOND, DueKind.PAYMENT_DAY, payment_day, payment_day, payment_day + 1),
        *((BOND, DueKind.RECORD_DAY, payment_day, record_day, record_day + by) for by in record),
    }
    assert len(events) == 1 + len(record)
    assert world.block().events == ()
    to_day(world, payment_day + 1)
    assert payment(world, 1).payment_day == payment_day + 1
    world.check()


def holidays(*added: int) -> AmendCalendar:
    """Return the first amendment of the calendar, with these holidays."""
    return AmendCalendar(
        account=address(CB),
        approvers=(),
        calendar=KARACHI,
        version=1,
        withdrawn=(),
        holidays=tuple(Holiday(day=day, provisional=False) for day in added),
    )


def told(event: Event) -> tuple[str, DueKind, int, int, int]:
    """Return what moved, from which day to which."""
    assert isinstance(event, AppointmentMoved)
    return event.subject, event.kind, event.nominal, event.before, event.after


def test_who_no_longer_collects_can_close_its_account() -> None:
    world = make_debt()
    rates = withhold("person", (0, 1_500))
    world.do(replace(rates, collector=address("exchange")), by=(CB, FM))
    close = CloseAccount(account=address("exchange"))
    assert world.submit(close, by=("exchange",)).outcome is Outcome.ACCOUNT_TIED

    world.do(rates, by=(CB, FM))

    world.check()
    world.do(close, by=("exchange",))
