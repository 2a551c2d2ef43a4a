"""How much of a payment one block takes on: records, holders and holds, by bounded portions."""

from typing import Any

import pytest

from node.ledger import due, holdings, servicing
from node.ledger.events import (
    HolderPaid,
    HoldersPaid,
    HoldRedeemed,
    PaymentFunded,
    PaymentSettled,
    RecordTaken,
    RecordWaits,
)
from node.ledger.operations import Transfer
from node.ledger.outcomes import Outcome
from node.ledger.positions import place_of
from node.ledger.securities import (
    OPEN_PAYMENTS_MAX,
    POSITIONS,
    PaymentStatus,
    position_key,
    register_prefix,
)
from node.ledger.servicing import payer
from node.ledger.servicing.payer import due_of
from node.ledger.state import LedgerState, Table
from node.ledger.tables import BACKLOG, BACKLOG_KEY, HOLDINGS, HOLDS, holding_key
from tests.ledger.debt import (
    BOND,
    FIVE_HOURS_MS,
    ISSUED,
    amortising,
    define_bond,
    holder_address,
    issue,
    make_debt,
    payment,
    service,
    to_day,
    zero_coupon,
)
from tests.ledger.paying import CASH, COUPON, FACE, days, debt
from tests.ledger.world import CB, DAY_MS, FM, PKR, VAR, address, issue_cash, place_hold, transfer


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
    monkeypatch.setattr(due, "DUE_PER_BLOCK_MAX", due.RECORD_WORK + 3)
    record_day = days(1)[0]
    midnight_ms = (record_day + 1) * DAY_MS - FIVE_HOURS_MS
    world = debt()
    holds = [place_hold("amina", 1, expires_ms=midnight_ms - number) for number in range(5)]
    world.do(*holds, by=(VAR,))

    world.time_ms = midnight_ms
    world.do(transfer("amina", "bilal", 400_017, BOND), by=("amina",))

    assert service(world).recorded == 1
    assert service(world).next is not None, "nor does the appointment of the one after it"
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
    monkeypatch.setattr(due, "RECORDS_AT_FIRST_MAX", 1)
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

    assert taken == [1, 2, 2], "few where nobody could know that they come"
    assert outcomes == [Outcome.RECORDS_PENDING, Outcome.RECORDS_PENDING, Outcome.APPLIED]
    assert world.get(BACKLOG, BACKLOG_KEY) is None
    before = world.holding("amina")[0]
    to_day(world, days(1)[2])
    assert world.holding("amina")[0] - before == 400_017 * 35 // 1_000
    world.check()


def test_holders_are_paid_in_what_records_leave_of_a_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(servicing, "HOLDERS_PER_BLOCK_MAX", 4)
    monkeypatch.setattr(due, "RECORD_WORTH", 1)
    codes = [BOND, *(f"PIB-{number}" for number in range(1, 6))]
    labels = [f"holder-{number}" for number in range(12)]
    world = make_debt(*(define_bond(code) for code in codes), holders=labels)
    to_day(world, ISSUED)
    world.do(
        issue(FACE),
        issue_cash(CASH, to=FM),
        *(
            Transfer(account=address(FM), to=holder_address(label), asset=BOND, amount=1_001)
            for label in labels
        ),
        by=(CB, FM),
    )
    to_day(world, days(1)[0] + 1)
    world.time_ms = days(1)[2] * DAY_MS - FIVE_HOURS_MS
    world.block()
    assert payment(world, 1).holders == 4
    # A day on which the records of six securities are taken, so late that this is still being paid.
    monkeypatch.setattr(due, "RECORDS_PER_BLOCK_MAX", 3)
    monkeypatch.setattr(due, "RECORDS_AT_FIRST_MAX", 3)
    world.time_ms = (days(2)[0] + 1) * DAY_MS - FIVE_HOURS_MS

    both = []
    for _ in range(3):
        events = world.block().events
        taken = sum(isinstance(event, RecordTaken) for event in events)
        both.append((taken, sum(isinstance(event, HolderPaid) for event in events)))
        world.check()
        world.time_ms += 1

    assert both == [(3, 1), (3, 1), (0, 4)]


def test_small_payment_does_not_wait_until_a_large_one_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wherever its place in the queue: no holder of it was left room in the block before."""
    monkeypatch.setattr(servicing, "HOLDERS_PER_BLOCK_MAX", 4)
    monkeypatch.setattr(servicing, "HOLDERS_AT_FIRST_MAX", 1)
    small = [f"PIB-{number}" for number in range(1, 9)]
    labels = [f"holder-{number}" for number in range(60)]
    world = make_debt(*(define_bond(code) for code in [BOND, *small]), holders=labels)
    to_day(world, ISSUED)
    world.do(
        issue(FACE),
        issue_cash(10 * FACE, to=FM),
        *(issue(300, asset=code) for code in small),
        *(
            Transfer(account=address(FM), to=holder_address(label), asset=BOND, amount=1_001)
            for label in labels
        ),
        by=(CB, FM),
    )
    to_day(world, days(1)[0] + 1)
    world.time_ms = days(1)[2] * DAY_MS - FIVE_HOURS_MS

    settled: dict[str, int] = {}
    for number in range(40):
        for event in world.block().events:
            if isinstance(event, PaymentSettled):
                settled[event.asset] = number
        world.check()
        world.time_ms += 1

    # One begins in each block, or two blocks pass: the large one is paid on what these leave.
    assert max(settled[code] for code in small) <= 2 * len(small)
    assert settled[BOND] > 60 // 4


@pytest.mark.parametrize(("others", "paid"), [(30, [0, 4, 4, 4, 3]), (31, [0, 2, 4, 4, 4])])
def test_block_that_does_much_else_pays_half_as_many_holders(
    others: int, paid: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servicing, "HOLDERS_PER_BLOCK_MAX", 4)
    monkeypatch.setattr(servicing, "HOLDERS_AT_FIRST_MAX", 4)
    monkeypatch.setattr(due, "DUE_PER_BLOCK_MAX", 60)
    labels = [f"holder-{number}" for number in range(14)]
    world = make_debt(define_bond(), holders=labels)
    to_day(world, ISSUED)
    world.do(
        issue(FACE),
        issue_cash(CASH, to=FM),
        issue_cash(100, to="amina"),
        *(
            Transfer(account=address(FM), to=holder_address(label), asset=BOND, amount=1_001)
            for label in labels
        ),
        by=(CB, FM),
    )
    to_day(world, days(1)[0] + 1)
    world.time_ms = begins_ms = days(1)[2] * DAY_MS - FIVE_HOURS_MS
    world.time_ms -= 2
    holds = [place_hold("amina", 1, asset=PKR, expires_ms=begins_ms - 1)] * (60 + others)
    world.do(*holds, by=(VAR,))
    world.time_ms = begins_ms

    found = []
    for _ in range(5):
        found.append(sum(isinstance(event, HolderPaid) for event in world.block().events))
        world.check()
        world.time_ms += 1

    assert found == paid


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


@pytest.mark.parametrize("page", [1, 2, 64])
def test_hold_of_which_no_cash_is_left_goes_and_more_holds_than_a_page_are_redeemed(
    page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = amortising()
    world = debt(define_bond(**changes), cash=10 * FACE)
    expires_ms = world.time_ms + 3 * 366 * DAY_MS
    for amount in (1, 3, 4_000, 5_000, 6_000):
        world.do(place_hold("amina", amount, asset=BOND, expires_ms=expires_ms), by=(VAR,))
    monkeypatch.setattr(holdings, "_PAGE_HOLDS", page)

    for number in range(1, 5):
        to_day(world, days(number, **changes)[2])

    assert world.holding("amina")[1] == 4_000 + 5_000 + 6_000
    held = [hold for _, hold in world.records.scan(HOLDS, address("amina"), 10)]
    last, before = [1_000, 1_250, 1_500], [3_000, 3_750, 4_500]
    assert sorted(hold.amount for hold in held if hold.asset == PKR) == [*last, *before]
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


def test_holds_on_which_an_instalment_is_repaid_count_in_the_bound_of_a_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(servicing, "HOLDERS_PER_BLOCK_MAX", 4)
    world = debt(define_bond(**amortising()), cash=10 * FACE)
    for label in ("amina", "bilal", "first-bank"):
        world.do(*[place_hold(label, 4_000, asset=BOND)] * 4, by=(VAR,))
    world.time_ms = days(1, **amortising())[2] * DAY_MS - FIVE_HOURS_MS

    paid = []
    while service(world).settled == 0:
        events = world.block().events
        paid.append(sum(event.holders for event in events if isinstance(event, HoldersPaid)))
        world.check()
        world.time_ms += 1

    assert [each for each in paid if each] == [1, 1, 1], "one, and the four holds on its face"


@pytest.mark.parametrize(
    ("changes", "bound"),
    [
        (amortising(), servicing.HOLD_WORTH + 2),
        (zero_coupon(), servicing.HOLD_WORTH + 3 * servicing.LAST_WORTH),
    ],
)
def test_hold_is_more_work_than_a_holder_and_no_others_are_read(
    changes: dict[str, Any], bound: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servicing, "HOLDERS_PER_BLOCK_MAX", bound)
    monkeypatch.setattr(servicing, "HOLDERS_AT_FIRST_MAX", bound)
    world = debt(define_bond(**changes), cash=10 * FACE)
    for label in ("amina", "bilal", "first-bank"):
        world.do(place_hold(label, 4_000, asset=BOND), by=(VAR,))
    world.time_ms = days(1, **changes)[2] * DAY_MS - FIVE_HOURS_MS
    read: list[int] = []
    scan = LedgerState.scan

    def counted(self: LedgerState, table: Table[Any], start: bytes, limit: int) -> Any:
        if table is HOLDS:
            read.append(limit)
        return scan(self, table, start, limit)

    monkeypatch.setattr(LedgerState, "scan", counted)

    paid = []
    while service(world).settled == 0:
        events = world.block().events
        paid.append(sum(event.holders for event in events if isinstance(event, HoldersPaid)))
        world.time_ms += 1

    assert [each for each in paid if each] == [2, 1]
    assert max(read) <= 4, "its own, and few that are another's; the source gives some more"
    world.check()


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
