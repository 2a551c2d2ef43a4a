"""Taxpayers that are active or not: what is withheld goes by what rules when a record is taken."""

from collections.abc import Callable
from typing import Final

import pytest

from node.codec import replace
from node.ledger import due
from node.ledger.errors import InvariantViolation
from node.ledger.events import (
    Event,
    HolderPaid,
    PaymentFunded,
    TaxStatusRules,
    WithholdingCollected,
)
from node.ledger.operations import CloseAccount, SetTaxStatus
from node.ledger.outcomes import Outcome
from node.ledger.positions import place_of
from node.ledger.securities import (
    POSITIONS,
    TAX_CHANGES,
    TAXPAYER_ACCOUNTS,
    TAXPAYERS,
    PaymentStatus,
    TaxpayerRecord,
    TaxStatus,
    WithholdingRow,
    position_key,
    tax_change_key,
    taxpayer_prefix,
)
from node.ledger.state import LedgerState
from tests.ledger.debt import (
    BOND,
    ISSUED,
    define_bond,
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
from tests.ledger.world import CB, CC, FM, PKR, World, address, issue_cash, transfer

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
        now = sum(
            noted is not None and noted.taxpayer == "person-inactive"
            for number in range(12)
            for asset in (BOND, "PIB-2Y-200")
            for noted in (position(world, holder_address(f"a{number}"), asset),)
        )
        assert now - marked <= 5
        world.check()
        marked = now
        if ended:
            break
    assert marked == 24
    assert blocks >= (24 + 12) // 5


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
    assert world.get(TAXPAYERS, b"amina") == TaxpayerRecord(ruling=None, change=None, cursor=None)
    assert to_day(world, day + 6) == ()
    world.check()


def test_closed_account_is_not_looked_at() -> None:
    world = many(labels=2)
    account = holder_address("a0")
    for asset in (BOND, "PIB-2Y-200"):
        back = replace(transfer("amina", FM, 100_000, asset), account=account)
        world.do(back, by=("a0",))
    key = taxpayer_prefix("amina") + account
    assert world.get(TAXPAYER_ACCOUNTS, key) is not None
    world.do(CloseAccount(account=account), by=("a0",))
    assert world.get(TAXPAYER_ACCOUNTS, key) is None
    world.check()


def _another_class(state: LedgerState) -> None:
    key = position_key(BOND, place_of(address("amina"), PKR))
    noted = state.get(POSITIONS, key)
    assert noted is not None
    state.put(POSITIONS, key, replace(noted, taxpayer="person-inactive"))


def _no_account(state: LedgerState) -> None:
    state.delete(TAXPAYER_ACCOUNTS, taxpayer_prefix("amina") + address("amina"))


def _no_queue(state: LedgerState) -> None:
    state.put(TAXPAYERS, b"amina", TaxpayerRecord(ruling=None, change=INACTIVE, cursor=None))


@pytest.mark.parametrize("spoil", [_another_class, _no_account, _no_queue])
def test_books_find_what_contradicts_the_standing_of_a_taxpayer(
    spoil: Callable[[LedgerState], None],
) -> None:
    world = debt()
    state = LedgerState(world.records)
    spoil(state)
    world.records.write(state.changes())

    with pytest.raises(InvariantViolation, match=r"owner|in the queue"):
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
    # One step a block: first her cash, then what she is still owed for.
    monkeypatch.setattr(due, "MARKED_PER_BLOCK_MAX", 1)
    world.block()
    if back:
        world.do(transfer("bilal", "amina", face, BOND), by=("bilal",))
    world.check()

    paid = withheld(to_day(world, pays))
    assert paid[address("amina")] == 3_000
    world.check()
