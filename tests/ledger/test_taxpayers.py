"""Taxpayers that are active or not: what is withheld goes by what rules when a record is taken."""

from collections.abc import Callable
from typing import Final

import pytest

from node.codec import replace
from node.ledger import due, servicing, taxpayers
from node.ledger.errors import InvariantViolation
from node.ledger.events import (
    Event,
    HolderPaid,
    PaymentFunded,
    TaxStatusRules,
    WithholdingCollected,
)
from node.ledger.operations import CloseAccount, SetParameter, SetTaxStatus, Transfer
from node.ledger.outcomes import Outcome
from node.ledger.positions import place_of
from node.ledger.securities import (
    PAYMENTS,
    POSITIONS,
    TAX_CHANGES,
    TAX_DAY_KEY,
    TAX_DAYS,
    TAXED_POSITIONS,
    TAXPAYERS,
    PaymentStatus,
    TaxChangeRecord,
    TaxDayRecord,
    TaxedPositionRecord,
    TaxpayerRecord,
    TaxStanding,
    TaxStatus,
    WithholdingRow,
    filed_name,
    payment_key,
    position_key,
    split_filed_name,
    tax_change_key,
    taxed_prefix,
)
from node.ledger.servicing import records
from node.ledger.state import LedgerState
from node.ledger.taxpayers import taxpayer_of
from tests.ledger.debt import (
    BOND,
    ISSUED,
    define_bond,
    fund,
    holder_address,
    issue,
    make_debt,
    payment,
    position,
    service,
    to_day,
)
from tests.ledger.ladders_lifecycle import INACTIVE, SET_WITHHOLDING
from tests.ledger.paying import days, debt
from tests.ledger.world import CB, CC, FM, PKR, VAR, World, address, issue_cash, transfer

FILED: Final = TaxedPositionRecord()
RATES: Final = {"person": 1_500, "person-inactive": 3_000, "bank": 1_000}


def tell(participant: str, from_day: int, status: TaxStatus = TaxStatus.INACTIVE) -> SetTaxStatus:
    return SetTaxStatus(
        account=address(FM),
        approvers=(),
        participant=participant,
        status=status,
        from_day=from_day,
        source="Active taxpayers list",
    )


def withhold(world: World, **rates: int) -> None:
    for taxpayer, rate in (rates or RATES).items():
        row = WithholdingRow(from_day=0, rate_bps=rate, source="Finance Act")
        rules = replace(SET_WITHHOLDING.good, taxpayer=taxpayer, collector=address(CC), rows=(row,))
        world.do(rules, by=(CB, FM))


def withheld(events: tuple[Event, ...]) -> dict[bytes, int]:
    """Return what was withheld from each holder, in basis points of its interest."""
    return {
        each.holder: round(each.withheld * 10_000 / (each.paid + each.withheld))
        for each in events
        if isinstance(each, HolderPaid)
    }


def test_inactive_person_is_charged_double_from_the_next_record_on() -> None:
    world = debt(cash=10**6)
    withhold(world)
    (_, _, first), (record, _, second) = days(1), days(2)
    to_day(world, record - 1)
    world.do(tell("amina", record), by=(FM,))
    world.check()
    events = to_day(world, record)

    assert events == (
        TaxStatusRules(participant="amina", status=TaxStatus.INACTIVE, from_day=record),
    )
    world.check()
    paid = withheld(to_day(world, second))
    assert paid[address("amina")] == 3_000
    assert paid[address("bilal")] == 1_500
    assert paid[address("first-bank")] == 1_000
    assert first < record


@pytest.mark.parametrize(("later", "rate"), [(1, 3_000), (2, 1_500)])
def test_class_is_that_of_the_midnight_at_which_the_record_is_taken(later: int, rate: int) -> None:
    """The record of a day is taken as the next one begins."""
    world = debt()
    withhold(world)
    record, _, pays = days(1)
    to_day(world, record)
    world.do(tell("amina", record + later), by=(FM,))
    to_day(world, record + 1)
    assert payment(world, 1).taken_day == record + 1
    to_day(world, pays - 1)
    world.check()

    paid = withheld(to_day(world, pays))
    assert paid[address("amina")] == rate


def test_who_has_sold_since_the_record_is_charged_as_it_was_then() -> None:
    world = debt()
    withhold(world)
    record, _, pays = days(1)
    to_day(world, record)
    world.do(tell("amina", record + 1), by=(FM,))
    to_day(world, record + 1)
    world.do(
        transfer("amina", "bilal", world.holding("amina", BOND)[0], BOND),
        tell("bilal", record + 2),
        by=("amina", FM),
    )
    assert pays == record + 2
    noted = position(world, address("bilal"))
    assert noted is not None
    assert (noted.taxpayer, noted.marks[0].taxpayer) == ("person", "person")
    world.check()

    paid = withheld(to_day(world, pays))
    assert paid[address("amina")] == 3_000
    assert paid[address("bilal")] == 1_500


def test_inactive_class_without_a_rate_of_its_own_has_that_of_the_active_one() -> None:
    world = debt()
    withhold(world, person=1_500)
    record, _, pays = days(1)
    world.do(tell("amina", record), by=(FM,))

    assert withheld(to_day(world, pays))[address("amina")] == 1_500


def test_what_is_withheld_goes_to_the_collector_of_the_rate_by_which_it_is() -> None:
    world = debt()
    record, _, pays = days(1)
    for taxpayer, collector, from_day in (("person", CC, 0), ("person-inactive", CB, pays + 1)):
        row = WithholdingRow(from_day=from_day, rate_bps=RATES[taxpayer], source="Finance Act")
        rules = replace(SET_WITHHOLDING.good, taxpayer=taxpayer, rows=(row,))
        world.do(replace(rules, collector=address(collector)), by=(CB, FM))
    world.do(tell("amina", record), by=(FM,))

    events = to_day(world, pays)
    assert withheld(events)[address("amina")] == RATES["person"]
    collected = [each for each in events if isinstance(each, WithholdingCollected)]
    assert [each.collector for each in collected] == [address(CC)] * 2
    world.check()


def many(labels: int = 12) -> World:
    """Return a bond that Amina holds in so many accounts, and cash for its coupon."""
    holders = [f"a{number}" for number in range(labels)]
    world = make_debt(define_bond(), define_bond("PIB-2Y-200"), holders=holders)
    to_day(world, ISSUED)
    world.do(
        issue(10_000_000),
        issue(10_000_000, asset="PIB-2Y-200"),
        issue_cash(10**6, to=FM),
        by=(CB, FM),
    )
    for label in holders:
        for asset in (BOND, "PIB-2Y-200"):
            moved = replace(transfer(FM, FM, 100_000, asset), to=holder_address(label))
            world.do(moved, by=(FM,))
    withhold(world)
    return world


def test_positions_are_marked_a_bounded_number_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "MARKED_PER_BLOCK_MAX", 5)
    world = many()
    record, _, _ = days(1)
    to_day(world, record - 1)
    world.do(tell("amina", record), by=(FM,))
    world.time_ms += 24 * 3_600_000
    marked, blocks = 0, 0
    while True:
        blocks += 1
        world.time_ms += 1
        ended = any(isinstance(each, TaxStatusRules) for each in world.block().events)
        now = marked_of_amina(world)
        assert now - marked <= 5
        world.check()
        marked = now
        if ended:
            break
    assert marked == 24
    assert blocks == (24 + 1) // 5


def test_payment_waits_until_all_on_its_record_are_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    world = many()
    record, _, pays = days(1)
    to_day(world, record - 1)
    world.do(tell("amina", record), by=(FM,))
    # Nothing can be marked: the days of record and payment come and pass.
    monkeypatch.setattr(due, "MARKED_PER_BLOCK_MAX", 0)
    waiting = to_day_hindered(world, pays)
    assert any(isinstance(each, PaymentFunded) for each in waiting)
    assert not any(isinstance(each, HolderPaid) for each in waiting)
    assert payment(world, 1).status is PaymentStatus.PAYING
    refused = tell("amina", pays + 9, TaxStatus.ACTIVE)
    assert (
        world.block(world.body(refused, by=(FM,))).receipts[0].outcome
        is Outcome.TAX_STATUS_CHANGING
    )
    # Whoever comes to it later is not waited for.
    world.do(tell("bilal", pays + 1), by=(FM,))
    monkeypatch.setattr(due, "MARKED_PER_BLOCK_MAX", 7)
    paid = withheld(to_day(world, pays))
    assert {paid[holder_address(f"a{number}")] for number in range(12)} == {3_000}
    world.check()
    assert service(world).settled == 1


def test_fewer_are_marked_while_holders_are_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    """A payment whose record is older begins, and goes on: marking does not take its place."""
    assert due.MARKED_PER_BLOCK_MAX * due.MARK_WORTH < servicing.HOLDERS_PER_BLOCK_MAX
    monkeypatch.setattr(servicing, "HOLDERS_PER_BLOCK_MAX", 5 * due.MARK_WORTH + 1)
    monkeypatch.setattr(due, "MARKED_PER_BLOCK_MAX", 5)
    monkeypatch.setattr(due, "MARKED_BESIDE_PAYMENTS_MAX", 3)
    world = many()
    _, _, pays = days(1)
    to_day(world, pays - 1)
    world.do(tell("amina", pays), by=(FM,))
    world.time_ms = pays * 24 * 3_600_000

    found = []
    while service(world).settled == 0:
        before = marked_of_amina(world)
        world.time_ms += 1
        paid = sum(isinstance(each, HolderPaid) for each in world.block().events)
        found.append((paid, marked_of_amina(world) - before))
    assert found == [(1, 5), (5 * due.MARK_WORTH + 1 - 3 * due.MARK_WORTH, 3)]
    world.check()


def test_a_name_without_positions_is_one_step_and_its_next_change_takes_the_place_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(due, "MARKED_PER_BLOCK_MAX", 2)
    world = make_debt(define_bond(), holders=("a0", "b0"))
    to_day(world, ISSUED)
    day = ISSUED + 2
    world.do(tell("amina", day), tell("bilal", day), tell("first-bank", day), by=(FM,))
    world.time_ms = day * 24 * 3_600_000
    blocks = [world.block().events for _ in range(3)]
    assert [len(events) for events in blocks] == [2, 1, 0]
    state = LedgerState(world.records)
    assert taxpayer_of(state, "amina") == TaxpayerRecord(
        ruling=TaxStanding(status=TaxStatus.INACTIVE, from_day=day, source="Active taxpayers list"),
        change=None,
    )
    assert world.get(TAX_CHANGES, tax_change_key(day, "amina")) is not None

    world.do(tell("amina", day + 3, TaxStatus.ACTIVE), by=(FM,))
    assert world.get(TAX_CHANGES, tax_change_key(day, "amina")) is None
    assert world.get(TAX_CHANGES, tax_change_key(day + 3, "amina")) is not None
    world.check()
    (ruling,) = to_day(world, day + 3)
    assert ruling == TaxStatusRules(participant="amina", status=TaxStatus.ACTIVE, from_day=day + 3)
    world.check()


def marked_of_amina(world: World) -> int:
    """Return how many of the positions of `many` are marked as those of one inactive."""
    return sum(
        noted is not None and noted.taxpayer == "person-inactive"
        for number in range(12)
        for asset in (BOND, "PIB-2Y-200")
        for noted in (position(world, holder_address(f"a{number}"), asset),)
    )


def filling(labels: list[str]) -> list[Transfer]:
    """Return how the ministry puts something of the bond into each account."""
    moved = transfer(FM, FM, 50_000, BOND)
    return [replace(moved, to=holder_address(label)) for label in labels]


def who_fills_accounts(empty: list[str]) -> World:
    """Return a bond that Amina holds in nine accounts, and those that she has besides, empty."""
    world = make_debt(define_bond(), holders=[*HELD, *empty])
    to_day(world, ISSUED)
    world.do(issue(10_000_000), issue_cash(10**6, to=FM), by=(CB, FM))
    world.do(*filling(HELD), transfer(FM, "bilal", 1_000, BOND), by=(FM,))
    withhold(world)
    return world


def blocks_until_marked(world: World, participant: str, empty: list[str], most: int) -> int | None:
    """Return in how many blocks, each of which fills six accounts, all of its positions are marked.

    None: in more than `most`.
    """
    for block in range(most):
        world.time_ms += 1
        six = filling(empty[6 * block : 6 * block + 6])
        result = world.block(world.body(*six, by=(FM,)))
        assert result.receipts[0].outcome is Outcome.APPLIED
        if any(
            isinstance(each, TaxStatusRules) and each.participant == participant
            for each in result.events
        ):
            return block + 1
    return None


HELD: Final = [f"a{number}" for number in range(9)]
EMPTY: Final = [f"b{number}" for number in range(90)]


def test_marking_is_not_drawn_out_by_accounts_that_are_filled_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A licensee in league with a client fills accounts faster than they are marked."""
    monkeypatch.setattr(due, "MARKED_PER_BLOCK_MAX", 2)
    world = who_fills_accounts(EMPTY)
    record, _, pays = days(1)
    to_day(world, record)
    world.do(tell("amina", record + 1), by=(FM,))
    world.time_ms += 24 * 3_600_000

    # Her nine positions, and all those at once that came too late.
    assert blocks_until_marked(world, "amina", EMPTY, most=15) == (9 + 1) // 2
    world.check()
    monkeypatch.undo()
    paid = withheld(to_day(world, pays))
    assert {paid[holder_address(label)] for label in HELD} == {3_000}
    world.check()


def test_who_waits_to_be_marked_cannot_grow_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """All changes whose day has come begin at once, however long those before them take."""
    monkeypatch.setattr(due, "MARKED_PER_BLOCK_MAX", 1)
    world = who_fills_accounts(EMPTY)
    record, _, _ = days(1)
    to_day(world, record - 1)
    world.do(tell("bilal", record), tell("amina", record + 1), by=(FM,))
    world.time_ms = (record + 1) * 24 * 3_600_000

    # His position and her nine; what came too late costs nothing.
    assert blocks_until_marked(world, "amina", EMPTY, most=15) == 1 + 9
    world.check()


def test_payment_waits_for_holders_of_its_own_security_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is sold off has been marked; what only others hold is never waited for."""
    world = many()
    record, _, pays = days(1)
    to_day(world, record - 1)
    sold = [
        replace(transfer("amina", FM, 100_000, "PIB-2Y-200"), account=holder_address(f"a{number}"))
        for number in range(12)
    ]
    world.do(*sold, tell("amina", record), by=(*(f"a{number}" for number in range(12)), FM))
    monkeypatch.setattr(due, "MARKED_PER_BLOCK_MAX", 0)
    to_day_hindered(world, pays)
    assert service(world).settled == 0
    assert service(world, "PIB-2Y-200").settled == 1

    monkeypatch.setattr(taxpayers, "AWAITED_CHANGES_MAX", 0)
    second = days(2)
    to_day_hindered(world, second[2])
    assert service(world, "PIB-2Y-200").settled == 1
    world.check()


def test_one_who_has_changed_often_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many days would have to be looked at, to know which securities are left."""
    world = many(labels=2)
    record, _, pays = days(1)
    to_day(world, record - 1)
    sold = [
        replace(transfer("amina", FM, 100_000, "PIB-2Y-200"), account=holder_address(label))
        for label in ("a0", "a1")
    ]
    world.do(*sold, tell("amina", record), by=("a0", "a1", FM))
    monkeypatch.setattr(due, "MARKED_PER_BLOCK_MAX", 0)
    monkeypatch.setattr(taxpayers, "AWAITED_FILINGS_MAX", 0)
    to_day_hindered(world, pays)
    assert service(world, "PIB-2Y-200").settled == 0

    monkeypatch.setattr(taxpayers, "AWAITED_FILINGS_MAX", 1)
    to_day_hindered(world, pays + 1)
    assert (service(world).settled, service(world, "PIB-2Y-200").settled) == (0, 1)
    world.check()


@pytest.mark.parametrize("late", [0, 8])
def test_what_is_sent_after_midnight_draws_nothing_out(
    monkeypatch: pytest.MonkeyPatch, late: int
) -> None:
    monkeypatch.setattr(due, "MARKED_PER_BLOCK_MAX", 2)
    codes = [f"PIB-2Y-{200 + number}" for number in range(9)]
    people = ("amina", "bilal", "exchange")
    world = make_debt(*map(define_bond, codes))
    to_day(world, ISSUED)
    world.do(*(issue(10_000_000, asset=code) for code in codes), by=(CB, FM))
    world.do(*(transfer(FM, each, 100_000, codes[0]) for each in people), by=(FM,))
    record, _, _ = days(1)
    to_day(world, record - 6)
    world.do(*(tell(each, record - 5) for each in people), by=(FM,))
    sent = [
        world.body(*(transfer(FM, each, 100_000, code) for code in codes[1:]), by=(FM,))
        for each in ("bilal", "exchange")
    ]
    world.time_ms += 24 * 3_600_000
    ended = [
        sum(isinstance(each, TaxStatusRules) for each in world.block(*bodies).events)
        for bodies in (sent[: 2 * bool(late)], (), ())
    ]
    assert ended == [2, 1, 0]
    world.check()


def set_clock(world: World, minutes: int) -> None:
    clock = SetParameter(
        account=address(CB),
        approvers=(address(FM), address(VAR)),
        parameter="utc-offset-minutes",
        value=minutes,
    )
    world.do(clock, by=(CB, FM, VAR))


def test_no_change_is_told_for_a_day_of_whose_records_one_is_taken() -> None:
    """A clock that is set back lets a day begin twice."""
    world = debt()
    withhold(world)
    record, _, pays = days(1)
    to_day(world, record + 1)
    assert payment(world, 1).taken_day == record + 1
    set_clock(world, -300)
    refused = world.block(world.body(tell("amina", record + 1), by=(FM,))).receipts[0]
    assert refused.outcome is Outcome.TAX_STATUS_DAY_USED
    assert dict(refused.details) == {"found": record + 1, "expected": record + 1}

    world.do(tell("amina", record + 2), by=(FM,))
    assert withheld(to_day(world, pays + 1))[address("amina")] == 1_500
    world.check()


def test_record_after_the_clock_was_set_back_goes_by_what_has_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was still to be taken, and positions are marked with what has begun already."""
    monkeypatch.setattr(records, "OPEN_PAYMENTS_MAX", 1)
    world = debt(cash=0)
    withhold(world)
    day = days(2)[0] + 1
    to_day(world, day)
    assert service(world).waits  # until the first is paid
    world.do(tell("amina", day + 1), by=(FM,))
    set_clock(world, 14 * 60)  # the next day begins nine hours earlier
    ruling = TaxStatusRules(participant="amina", status=TaxStatus.INACTIVE, from_day=day + 1)
    assert ruling in to_day(world, day, minute=16 * 60)
    set_clock(world, -300)
    world.do(issue_cash(10**6, to=FM), fund(FM), by=(CB, FM))
    to_day(world, day)

    assert payment(world, 2).taken_day == day + 1
    world.check()
    assert withheld(to_day(world, days(2)[2] + 3))[address("amina")] == 3_000


def to_day_hindered(world: World, day: int) -> tuple[Event, ...]:
    """Let days pass with some blocks each, while something is due all the time."""
    found: list[Event] = []
    while world.time_ms < day * 24 * 3_600_000 - 5 * 3_600_000:
        world.time_ms += 6 * 3_600_000
        for _ in range(3):
            found.extend(world.block().events)
            world.time_ms += 1
    return tuple(found)


def test_what_is_told_last_counts_and_what_rules_anyway_takes_it_back() -> None:
    world = debt()
    day = ISSUED + 20
    world.do(tell("amina", day), by=(FM,))
    world.do(tell("amina", day + 5), by=(FM,))
    assert world.get(TAX_CHANGES, tax_change_key(day, "amina")) is None
    world.check()
    world.do(tell("amina", day + 1, TaxStatus.ACTIVE), by=(FM,))
    assert world.get(TAX_CHANGES, tax_change_key(day + 5, "amina")) is None
    assert world.get(TAXPAYERS, b"amina") == TaxpayerRecord(ruling=None, change=None)
    assert to_day(world, day + 6) == ()
    world.check()


def filed(world: World, account: bytes, asset: str) -> bool:
    """Return whether something of Amina's is filed that is this position."""
    names = [
        key.removeprefix(taxed_prefix("amina"))
        for key, _ in world.records.scan(TAXED_POSITIONS, taxed_prefix("amina"), 100)
    ]
    return position_key(asset, place_of(account, PKR)) in [
        split_filed_name(each)[0] for each in names
    ]


def test_position_that_ends_is_not_looked_at() -> None:
    world = many(labels=2)
    account = holder_address("a0")
    for asset in (BOND, "PIB-2Y-200"):
        assert filed(world, account, asset)
        back = replace(transfer("amina", FM, 100_000, asset), account=account)
        world.do(back, by=("a0",))
        assert not filed(world, account, asset)
    world.do(CloseAccount(account=account), by=("a0",))
    world.check()


def test_position_goes_with_the_last_payment() -> None:
    world = debt(cash=10**7)
    to_day(world, days(4)[2])
    assert service(world).settled == 4
    assert not tuple(world.records.scan(TAXED_POSITIONS, b"", 1))
    world.check()


def _another_class(state: LedgerState) -> None:
    key = position_key(BOND, place_of(address("amina"), PKR))
    noted = state.get(POSITIONS, key)
    assert noted is not None
    state.put(POSITIONS, key, replace(noted, taxpayer="person-inactive"))


def _no_account(state: LedgerState) -> None:
    key = position_key(BOND, place_of(address("amina"), PKR))
    noted = state.get(POSITIONS, key)
    assert noted is not None
    state.delete(TAXED_POSITIONS, taxed_prefix("amina") + filed_name(key, noted.filed_day))


def _another_account(state: LedgerState) -> None:
    key = position_key(BOND, place_of(address("amina"), PKR))
    state.put(TAXED_POSITIONS, taxed_prefix("amina") + filed_name(key, ISSUED + 99), FILED)


def _of_tomorrow(state: LedgerState) -> None:
    key = position_key(BOND, place_of(address("amina"), PKR))
    noted = state.get(POSITIONS, key)
    assert noted is not None
    state.put(POSITIONS, key, replace(noted, filed_day=days(1)[0] + 9))


def _passed_over(state: LedgerState) -> None:
    """The change has begun and is behind what is next, and her position has the class before."""
    changed = replace(INACTIVE, from_day=ISSUED)
    key = tax_change_key(ISSUED, "amina")
    state.put(TAXPAYERS, b"amina", TaxpayerRecord(ruling=None, change=changed))
    state.put(TAX_CHANGES, key, TaxChangeRecord(taxpayer="person-inactive"))
    noted = state.get(TAX_DAYS, TAX_DAY_KEY)
    assert noted is not None
    state.put(TAX_DAYS, TAX_DAY_KEY, replace(noted, next_change=key + b"\0"))


def _nothing_new(state: LedgerState) -> None:
    active = replace(INACTIVE, status=TaxStatus.ACTIVE)
    state.put(TAXPAYERS, b"amina", TaxpayerRecord(ruling=None, change=active))


def _not_begun(state: LedgerState) -> None:
    progress = TaxDayRecord(day=ISSUED, next_change=b"", next_position=b"")
    state.put(TAX_DAYS, TAX_DAY_KEY, progress)
    key = payment_key(BOND, 1)
    noted = state.get(PAYMENTS, key)
    assert noted is not None
    state.put(PAYMENTS, key, replace(noted, taken_day=ISSUED + 1))


def _no_queue(state: LedgerState) -> None:
    state.put(TAXPAYERS, b"amina", TaxpayerRecord(ruling=None, change=INACTIVE))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_another_class, "of a person-inactive, its owner of a person"),
        (_passed_over, "of a person, its owner of a person-inactive"),
        (_no_account, "is not found by its owner"),
        (_another_account, "and the registers do not agree"),
        (_of_tomorrow, "is filed under a day that has not begun"),
        (_no_queue, "not in the queue"),
        (_nothing_new, "changes to what it is"),
        (_not_begun, "a day that has not begun"),
    ],
)
def test_books_find_what_contradicts_the_standing_of_a_taxpayer(
    spoil: Callable[[LedgerState], None], says: str
) -> None:
    world = debt()
    to_day(world, days(1)[0] + 1)
    state = LedgerState(world.records)
    spoil(state)
    world.records.write(state.changes())

    with pytest.raises(InvariantViolation, match=says):
        world.check()


@pytest.mark.parametrize("back", [False, True])
def test_what_is_sold_and_bought_back_meanwhile_is_not_missed(
    monkeypatch: pytest.MonkeyPatch, *, back: bool
) -> None:
    world = debt()
    withhold(world)
    record, _, pays = days(1)
    to_day(world, record)
    world.do(tell("amina", record + 1), by=(FM,))
    monkeypatch.setattr(due, "MARKED_PER_BLOCK_MAX", 0)
    to_day(world, record + 1)
    face = world.holding("amina", BOND)[0]
    world.do(transfer("amina", "bilal", face, BOND), by=("amina",))
    if back:
        world.do(transfer("bilal", "amina", face, BOND), by=("bilal",))
    world.check()
    monkeypatch.undo()

    paid = withheld(to_day(world, pays))
    assert paid[address("amina")] == 3_000
    world.check()
