"""The life of a security: records, payments by the ledger, late ones and cures, redemption."""

from typing import Any, Final

import pytest

from node.codec import replace
from node.ledger import due, holdings, servicing
from node.ledger.dates import SATURDAY_SUNDAY, Calendar, Holiday, Order
from node.ledger.events import (
    FundingChecked,
    HolderPaid,
    HoldersPaid,
    HoldRedeemed,
    PaymentFunded,
    PaymentSettled,
    PaymentUnfunded,
    RecordTaken,
    RecordWaits,
    WithholdingCollected,
)
from node.ledger.instruments import schedule_of
from node.ledger.operations import (
    AmendCalendar,
    CloseAccount,
    ReleaseHold,
    SetWithholding,
    Transfer,
)
from node.ledger.outcomes import Outcome
from node.ledger.positions import place_of
from node.ledger.pricing.daycounts import DayCount
from node.ledger.securities import (
    OPEN_PAYMENTS_MAX,
    POSITIONS,
    PaymentStatus,
    WithholdingRow,
    payment_key,
    position_key,
    register_prefix,
)
from node.ledger.servicing import payer
from node.ledger.servicing.payer import due_of
from node.ledger.state import LedgerState
from node.ledger.tables import (
    ASSETS,
    BACKLOG,
    BACKLOG_KEY,
    DUE,
    HOLDINGS,
    HOLDS,
    RECORDS_DUE,
    DueKind,
    hold_key,
    holding_key,
)
from node.ledger.terms import BondTerms
from tests.ledger.debt import (
    BOND,
    FIVE_HOURS_MS,
    ISSUED,
    KARACHI,
    SUKUK,
    amortising,
    define_bond,
    define_sukuk,
    fund,
    holder_address,
    in_escrow,
    issue,
    make_debt,
    payment,
    plan,
    position,
    service,
    to_day,
    zero_coupon,
)
from tests.ledger.world import (
    CB,
    DAY_MS,
    FM,
    PKR,
    VAR,
    World,
    address,
    hold_account,
    issue_cash,
    place_hold,
    suspend,
    transfer,
)

FACE: Final = 1_000_061
"""Paisa: no half year of it is a whole number."""
COUPON: Final = FACE * 35 // 1_000
CASH: Final = 500_000


def debt(*definitions: Any, cash: int = CASH, face: int = FACE) -> World:
    """Return a bond of which Amina, Bilal and the bank hold all, and a ministry with cash."""
    world = make_debt(*definitions)
    asset = (definitions[0] if definitions else define_bond()).asset
    to_day(world, ISSUED)
    world.do(
        issue(face, asset=asset),
        transfer(FM, "amina", 400_017, asset),
        transfer(FM, "bilal", 300_019, asset),
        transfer(FM, "first-bank", face - 700_036, asset),
        transfer("bilal", "amina", 60_000),
        *([issue_cash(cash, to=FM)] if cash else ()),
        by=(CB, FM, "bilal"),
    )
    world.check()
    return world


def days(number: int, **changes: Any) -> tuple[int, int, int]:
    """Return record, funding and payment day of a payment of the bond."""
    calendar = Calendar(version=1, weekend=SATURDAY_SUNDAY, holidays=())
    terms = BondTerms(face_currency="PKR", plan=plan(**changes))
    row = schedule_of(terms, calendar)[number - 1]
    return row.record_day, row.funding_day, row.payment_day


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


def test_record_waits_while_so_many_payments_are_unpaid() -> None:
    world = debt(define_bond(months=1), cash=0)
    world.do(transfer("amina", "bilal", 1, BOND), by=("amina",))
    events = [to_day(world, days(number, months=1)[0] + 1) for number in range(1, 10)]

    waits = [event for found in events for event in found if isinstance(event, RecordWaits)]
    assert waits == [RecordWaits(asset=BOND, payment=OPEN_PAYMENTS_MAX + 1, reason="unpaid")]
    assert service(world).recorded == OPEN_PAYMENTS_MAX
    world.check()
    world.do(transfer("amina", "bilal", 400_000, BOND), by=("amina",))
    world.do(issue_cash(100 * COUPON, to=FM), by=(CB,))
    to_day(world, days(9, months=1)[2])
    assert service(world).settled == 9
    assert payment(world, 9).face == FACE
    assert payment(world, 9).record_day > days(9, months=1)[0], "of the day on which it was taken"
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


@pytest.mark.parametrize("per_block", [1, 2, 3])
def test_holders_are_paid_a_bounded_number_a_block(
    per_block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what moves meanwhile, on either side of the walk, changes nobody's payment."""
    monkeypatch.setattr(servicing, "HOLDERS_PER_BLOCK_MAX", per_block)
    labels = [f"holder-{number}" for number in range(7)]
    world = make_debt(holders=labels)
    accounts = sorted(holder_address(label) for label in labels)
    label_of = {holder_address(label): label for label in labels}
    to_day(world, ISSUED)
    world.do(
        issue(FACE),
        issue_cash(CASH, to=FM),
        *(
            Transfer(account=address(FM), to=account, asset=BOND, amount=1_001 * (number + 1))
            for number, account in enumerate(accounts)
        ),
        by=(CB, FM),
    )
    to_day(world, days(1)[0] + 1)
    world.time_ms = days(1)[2] * 86_400_000
    blocks = 0
    while payment(world, 1).status is not PaymentStatus.SETTLED:
        giver = accounts[blocks % 7]
        receiver = accounts[(blocks + 3) % 7]
        move = Transfer(account=giver, to=receiver, asset=BOND, amount=1_001)
        world.block(world.body(move, by=(label_of[giver],)))
        world.check()
        world.time_ms += 1
        blocks += 1
    assert blocks == -(-(8 + 1) // per_block)
    for number, account in enumerate(accounts):
        cash = world.get(HOLDINGS, holding_key(account, PKR))
        assert cash is not None
        assert cash.available == 1_001 * (number + 1) * 35 // 1_000


def test_payments_that_begin_in_a_block_pay_few_holders_together_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whom the block pays that comes next, everybody can know before it."""
    monkeypatch.setattr(servicing, "HOLDERS_AT_FIRST_MAX", 2)
    codes = [BOND, "PIB-1", "PIB-2"]
    world = debt(*(define_bond(code) for code in codes), cash=10 * FACE)
    for code in codes[1:]:
        world.do(
            issue(300, asset=code),
            *(transfer(FM, label, 100, code) for label in ("amina", "bilal", "first-bank")),
            by=(CB, FM),
        )
    world.time_ms = days(1)[2] * DAY_MS - FIVE_HOURS_MS
    assert not servicing.foresee(LedgerState(world.records), world.time_ms, 9)

    paid: list[list[HolderPaid]] = [[]]
    while any(service(world, code).settled == 0 for code in codes):
        foreseen = servicing.foresee(LedgerState(world.records), world.time_ms - 1, 9)
        keys = {
            (read.prefix, key)
            for read in foreseen
            for key, _ in world.records.scan(POSITIONS, read.start, 3)
            if read.is_paid(key)
        }
        events = [event for event in world.block().events if isinstance(event, HolderPaid)]
        begun = {event.asset for event in paid[-1]}
        assert keys == {
            (register_prefix(event.asset), position_key(event.asset, place_of(event.holder, PKR)))
            for event in events
            if event.asset in begun
        }
        assert sum(event.asset not in begun for event in events) <= 2
        paid.append(events)
        world.check()
        world.time_ms += 1

    assert [len(events) for events in paid] == [0, 2, 3, 3, 1]


def test_holder_is_more_work_when_its_face_goes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servicing, "HOLDERS_AT_FIRST_MAX", 2 * servicing.LAST_WORTH)
    world = debt(define_bond(BOND, **zero_coupon()), cash=10 * FACE)
    world.time_ms = days(1, **zero_coupon())[2] * DAY_MS - FIVE_HOURS_MS

    paid = [isinstance(event, HolderPaid) for event in world.block().events]

    assert sum(paid) == 2
    world.time_ms += 1
    world.block()
    world.check()
    assert service(world).settled == 1


@pytest.mark.parametrize("page", [1, 2, 64])
def test_register_is_read_up_to_its_end_and_not_into_the_next(
    page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payer, "_PAGE_HOLDERS", page)
    codes = [BOND, "PIB-1", "PIB-2"]
    world = debt(*(define_bond(code) for code in codes), cash=10 * FACE)
    world.do(
        issue(300, asset="PIB-1"),
        *(transfer(FM, label, 100, "PIB-1") for label in ("amina", "bilal", "first-bank")),
        by=(CB, FM),
    )
    world.time_ms = days(1)[2] * DAY_MS - FIVE_HOURS_MS

    events = world.block().events

    settled = {event.asset: event.holders for event in events if isinstance(event, PaymentSettled)}
    assert settled == {BOND: 3, "PIB-1": 3, "PIB-2": 0}
    world.check()


def test_record_does_not_wait_behind_other_work_of_its_midnight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Many late securities are tried again at every midnight, and holds expire then."""
    monkeypatch.setattr(due, "DUE_PER_BLOCK_MAX", 3)
    record_day = days(1)[0]
    midnight_ms = (record_day + 1) * DAY_MS - FIVE_HOURS_MS
    world = debt()
    holds = [place_hold("amina", 1, expires_ms=midnight_ms - number) for number in range(5)]
    world.do(*holds, by=(VAR,))

    world.time_ms = midnight_ms
    world.do(transfer("amina", "bilal", 400_017, BOND), by=("amina",))

    assert service(world).recorded == 1
    assert world.holding("amina")[1] == 2, "holds wait"
    before = world.holding("amina")[0]
    to_day(world, days(1)[2])
    for _ in range(5):
        world.time_ms += 1
        world.block()
    assert payment(world, 1).status is PaymentStatus.SETTLED
    assert sum(world.holding("amina")) - before >= 400_017 * 35 // 1_000
    world.check()


def test_records_of_one_block_are_bounded_and_nothing_moves_until_all_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(due, "RECORDS_PER_BLOCK_MAX", 2)
    codes = [BOND, *(f"PIB-{number}" for number in range(1, 5))]
    world = debt(*(define_bond(code) for code in codes))
    move = transfer("amina", "bilal", 400_017, BOND)
    world.time_ms = (days(1)[0] + 1) * DAY_MS - FIVE_HOURS_MS

    taken, outcomes = [], []
    for _ in range(3):
        body = world.body(move, by=("amina",))
        result = world.block(body)
        world.check()
        taken.append(sum(isinstance(event, RecordTaken) for event in result.events))
        outcomes.append(result.receipts[0].outcome)
        world.time_ms += 1

    assert taken == [2, 2, 1]
    assert outcomes == [Outcome.RECORDS_PENDING, Outcome.RECORDS_PENDING, Outcome.APPLIED]
    assert world.get(BACKLOG, BACKLOG_KEY) is None
    before = world.holding("amina")[0]
    to_day(world, days(1)[2])
    assert world.holding("amina")[0] - before == 400_017 * 35 // 1_000
    world.check()


def test_younger_payment_that_could_be_paid_waits_behind_the_older_one() -> None:
    """What repays a quarter each time is due for less with each payment."""
    changes = amortising()
    world = debt(define_bond(**changes), cash=0)
    for number in (1, 2):
        to_day(world, days(number, **changes)[2])
    older, younger = (due_of(payment(world, number)) for number in (1, 2))
    assert younger < older
    world.do(issue_cash(younger, to=FM), by=(CB,))

    to_day(world, days(2, **changes)[2] + 1)

    assert service(world).settled == 0
    assert world.holding(FM)[0] == younger
    world.check()


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
    amended = AmendCalendar(
        account=address(CB),
        approvers=(),
        calendar=KARACHI,
        version=1,
        withdrawn=(),
        holidays=(Holiday(day=payment_day, provisional=False),),
    )
    world.do(amended, by=(CB,))

    to_day(world, payment_day + 5)

    made = payment(world, 1)
    assert made.status is PaymentStatus.SETTLED
    later = made.payment_day - payment_day
    assert later > 0
    accrued = payment_day + later - ISSUED
    assert made.interest_due == FACE * 7 * accrued // (100 * 365)
    world.check()


def test_hold_of_which_no_cash_is_left_goes_and_more_holds_than_a_page_are_redeemed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changes = amortising()
    world = debt(define_bond(**changes), cash=10 * FACE)
    expires_ms = world.time_ms + 3 * 366 * DAY_MS
    for amount in (1, 3, 4_000, 5_000, 6_000):
        world.do(place_hold("amina", amount, asset=BOND, expires_ms=expires_ms), by=(VAR,))
    monkeypatch.setattr(holdings, "HOLDS_PER_ACCOUNT_MAX", 2)

    for number in range(1, 5):
        to_day(world, days(number, **changes)[2])

    assert world.holding("amina")[1] == (4_000 + 5_000 + 6_000) // 4
    held = [hold for _, hold in world.records.scan(HOLDS, address("amina"), 10)]
    assert sorted(hold.amount for hold in held if hold.asset == PKR)[-3:] == [1_000, 1_250, 1_500]
    world.check()
    world.time_ms = expires_ms
    world.block()
    assert world.holding("amina")[1] == 0
    world.check()


def test_holders_and_holds_of_all_securities_share_the_bound_of_a_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(servicing, "HOLDERS_PER_BLOCK_MAX", 4)
    codes = [BOND, "PIB-1", "PIB-2"]
    world = debt(*(define_bond(code, **zero_coupon()) for code in codes), cash=10 * FACE)
    for code in codes[1:]:
        world.do(
            issue(300, asset=code),
            *(transfer(FM, label, 100, code) for label in ("amina", "bilal", "first-bank")),
            by=(CB, FM),
        )
        for label in ("amina", "bilal", "first-bank"):
            world.do(*[place_hold(label, 7, asset=code)] * 3, by=(VAR,))
    world.time_ms = days(1, **zero_coupon())[2] * DAY_MS - FIVE_HOURS_MS

    work = []
    while any(service(world, code).settled == 0 for code in codes):
        events = world.block().events
        paid = sum(event.holders for event in events if isinstance(event, HoldersPaid))
        holds = sum(isinstance(event, HoldRedeemed) for event in events)
        work.append(paid + holds)
        world.check()
        world.time_ms += 1

    assert sum(work) == 9 + 18
    # The holds of the last holder come on top.
    assert max(work) <= 4 + 3


def test_securities_looked_at_in_one_block_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "DUE_PER_BLOCK_MAX", 2 * due.SERVICE_WORK)
    codes = [f"PIB-{number}" for number in range(7)]
    world = make_debt(*(define_bond(code) for code in codes))
    to_day(world, days(1)[0] + 1)
    world.time_ms = days(1)[2] * DAY_MS - FIVE_HOURS_MS

    funded = []
    for _ in range(20):
        events = world.block().events
        funded.append(sum(isinstance(event, PaymentFunded) for event in events))
        world.check()
        world.time_ms += 1

    assert sum(funded) == len(codes)
    assert max(funded) == 2


def test_who_no_longer_collects_can_close_its_account() -> None:
    world = make_debt()
    rates = withhold("person", (0, 1_500))
    world.do(replace(rates, collector=address("exchange")), by=(CB, FM))
    close = CloseAccount(account=address("exchange"))
    assert world.submit(close, by=("exchange",)).outcome is Outcome.ACCOUNT_TIED

    world.do(rates, by=(CB, FM))

    world.check()
    world.do(close, by=("exchange",))
