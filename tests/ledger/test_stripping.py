"""Stripping a bond into zeros and putting it together again: the same is owed before and after."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.codec import decode, encode, replace
from node.ledger import servicing
from node.ledger.auctions import Destination, Form
from node.ledger.dates import Holiday, Roll
from node.ledger.errors import InvariantViolation
from node.ledger.events import (
    HolderPaid,
    PaymentSettled,
    PaymentUnfunded,
    RecordTaken,
    SecurityReconstituted,
    SecurityStripped,
    StripsDefined,
)
from node.ledger.holdings import credit
from node.ledger.operations import AmendCalendar
from node.ledger.outcomes import Outcome
from node.ledger.pricing.daycounts import DayCount
from node.ledger.securities import (
    COUPON_STRIPS_MAX,
    POSITIONS,
    TAXED_POSITIONS,
    PositionRecord,
    split_filed_name,
)
from node.ledger.state import LedgerState
from node.ledger.stripping import STRIPS_PER_BLOCK_MAX
from node.ledger.tables import ASSETS, POWERS, power_key
from node.ledger.terms import RateStep
from tests.ledger.auctions.test_reopening import announce, rule
from tests.ledger.debt import (
    BOND,
    ISSUED,
    KARACHI,
    define_bond,
    define_strips,
    fund,
    issue,
    make_debt,
    payment,
    reconstitute,
    service,
    strip,
    to_day,
    two_years_after,
)
from tests.ledger.stripped import FACE, FACES, asset, coupons, debt, owed, rows
from tests.ledger.world import CB, FM, VAR, World, address, issue_cash, place_hold, transfer

# --- taking apart and putting together -----------------------------------------------------------


def test_strip_takes_a_bond_apart_into_exactly_what_it_would_pay() -> None:
    world = debt()
    before = owed(world)

    (stripped,) = world.do(strip("amina", 1_000_000), by=("amina",))

    codes = coupons(world)
    assert isinstance(stripped, SecurityStripped)
    assert (stripped.supply, stripped.stripped) == (1_000_000, 1_000_000)
    assert [(each.asset, each.amount) for each in stripped.coupons] == [
        (code, 35_000) for code in codes
    ]
    assert world.holding("amina", BOND) == (0, 0)
    assert world.holding("amina", FACES) == (1_000_000, 0)
    assert [world.holding("amina", code)[0] for code in codes] == [35_000] * 4
    assert owed(world) == before, "the same is owed to everybody on every day"
    world.check()


def test_strip_and_reconstitute_leave_every_record_as_it_was() -> None:
    world = debt()
    before = dict(world.records.items())

    world.do(strip("amina", 400_000), by=("amina",))
    world.do(reconstitute("amina", 400_000), by=("amina",))

    assert dict(world.records.items()) == before


def test_strips_are_paid_by_the_agent_as_the_bond_is() -> None:
    world = debt()
    world.do(strip("amina", 1_000_000), by=("amina",))
    codes = coupons(world)
    world.do(transfer("amina", "bilal", 35_000, codes[0]), by=("amina",))
    first = rows(world)[0]

    to_day(world, first.record_day + 1)
    refused = world.submit(transfer("bilal", "amina", 1, codes[0]), by=("bilal",))
    assert refused.outcome is Outcome.REGISTER_CLOSED
    before = {label: world.holding(label)[0] for label in ("amina", "bilal", "first-bank")}
    events = to_day(world, first.payment_day)

    gained = {label: world.holding(label)[0] - before[label] for label in before}
    assert gained == {"amina": 0, "bilal": 35_000, "first-bank": 35_000}
    assert sorted(e.asset for e in events if isinstance(e, PaymentSettled)) == sorted(
        [BOND, codes[0]]
    )
    assert all(event.withheld == 0 for event in events if isinstance(event, HolderPaid))
    world.check()
    for row in rows(world)[1:]:
        to_day(world, row.payment_day)
    assert world.holding("amina")[0] - before["amina"] == 3 * 35_000 + 1_000_000
    assert world.holding("first-bank")[0] - before["first-bank"] == 4 * 35_000 + 1_000_000
    assert all(asset(world, code).supply == 0 for code in (BOND, FACES, *codes))
    world.check()


def test_after_a_coupon_the_rest_is_stripped_and_put_together() -> None:
    world = debt()
    world.do(strip("amina", 400_000), by=("amina",))
    codes = coupons(world)
    first = rows(world)[0]
    to_day(world, first.record_day + 1)  # the record is taken, the payment still to come

    (stripped,) = world.do(strip("first-bank", 200_000), by=("first-bank",))
    assert isinstance(stripped, SecurityStripped)
    assert [each.asset for each in stripped.coupons] == codes[1:]
    world.check()
    (whole,) = world.do(reconstitute("amina", 400_000), by=("amina",))

    assert isinstance(whole, SecurityReconstituted)
    assert [each.asset for each in whole.coupons] == codes[1:]
    assert world.holding("amina", codes[0]) == (14_000, 0), "the coupon on record is still paid"
    before = world.holding("amina")[0]
    to_day(world, first.payment_day)
    # Amina had 600,000 of the bond on record, and the first coupon of 400,000 as a strip.
    assert world.holding("amina")[0] - before == 21_000 + 14_000
    world.check()


def test_whoever_lacks_a_strip_cannot_put_together() -> None:
    world = debt()
    world.do(strip("amina", 400_000), by=("amina",))
    third = coupons(world)[2]
    world.do(transfer("amina", "bilal", 1, third), by=("amina",))

    receipt = world.submit(reconstitute("amina", 400_000), by=("amina",))

    assert receipt.outcome is Outcome.HOLDING_INSUFFICIENT
    details = dict(receipt.details)
    assert (details["asset"], details["found"], details["expected"]) == (third, 13_999, 14_000)
    world.do(reconstitute("amina", 399_800), by=("amina",))
    world.check()


def test_what_is_on_hold_is_neither_stripped_nor_put_together() -> None:
    world = debt()
    world.do(strip("amina", 400_000), by=("amina",))
    world.do(place_hold("amina", 600_000, asset=BOND), by=(VAR,))
    world.do(place_hold("amina", 400_000, asset=FACES), by=(VAR,))

    for operation in (strip("amina", 200), reconstitute("amina", 200)):
        receipt = world.submit(operation, by=("amina",))
        assert receipt.outcome is Outcome.HOLDING_INSUFFICIENT


def test_face_that_is_stripped_counts_to_the_ceiling() -> None:
    world = make_debt(replace(define_bond(), ceiling=FACE))
    world.do(issue(FACE, to="amina"), define_strips(), by=(CB, FM))
    world.do(strip("amina", FACE), by=("amina",))
    assert asset(world, BOND).supply == 0

    receipt = world.submit(issue(1), by=(CB, FM))

    assert receipt.outcome is Outcome.CEILING_EXCEEDED
    assert dict(receipt.details)["found"] == FACE + 1
    world.do(reconstitute("amina", FACE), by=("amina",))
    world.check()


def test_strip_is_not_issued() -> None:
    world = debt()
    state = LedgerState(world.records)
    power = state.get(POWERS, power_key("issue", "bond"))
    assert power is not None

    receipt = world.submit(issue(200, asset=FACES), by=(CB, FM))
    assert receipt.outcome is Outcome.POWER_NOT_GRANTED
    state.put(POWERS, power_key("issue", "strip"), power)
    world.records.write(state.changes())
    receipt = world.submit(issue(200, asset=FACES), by=(CB, FM))

    assert receipt.outcome is Outcome.STRIP_NOT_ISSUED


@pytest.mark.parametrize("form", [Form.PRICE, Form.BUYBACK, Form.SWITCH])
def test_strip_is_neither_auctioned_nor_bought_back_nor_given_in_a_switch(form: Form) -> None:
    world = debt()
    world.do(strip("amina", 400_000), by=("amina",))
    state = LedgerState(world.records)
    power = state.get(POWERS, power_key("announce_auction", "bond"))
    assert power is not None
    state.put(POWERS, power_key("announce_auction", "strip"), power)
    world.records.write(state.changes())
    terms = rule(ISSUED + 2, FACES, form=form)
    if form is Form.SWITCH:
        given = Destination(asset=FACES, price_e4=700_000)
        terms = rule(ISSUED + 2, BOND, form=form, destination=given)

    receipt = world.submit(announce(terms), by=(CB, FM))

    assert receipt.outcome is Outcome.AUCTION_TERMS_NOT_VALID
    assert f"{FACES} is a strip, which comes of stripping" in str(dict(receipt.details)["reason"])


def test_amount_that_is_no_multiple_is_told_which_is() -> None:
    world = debt()

    receipt = world.submit(strip("amina", 201), by=("amina",))

    assert receipt.outcome is Outcome.STRIP_NOT_A_MULTIPLE
    assert dict(receipt.details) == {"asset": BOND, "found": 201, "expected": 200}


# --- days, defaults, crowds ----------------------------------------------------------------------


def test_calendar_that_is_corrected_moves_a_bond_and_its_strips_alike() -> None:
    world = debt()
    world.do(strip("amina", 400_000), by=("amina",))
    first = rows(world)[0]
    amended = AmendCalendar(
        account=address(CB),
        approvers=(),
        calendar=KARACHI,
        version=1,
        withdrawn=(),
        holidays=(Holiday(day=first.payment_day, provisional=False),),
    )
    world.do(amended, by=(CB,))

    moved = rows(world)[0]
    (zero,) = rows(world, coupons(world)[0])
    assert moved.payment_day > first.payment_day
    assert zero.payment_day == moved.payment_day
    events = to_day(world, moved.record_day + 1)
    taken = {event.asset: event for event in events if isinstance(event, RecordTaken)}
    assert taken[BOND].payment_day == taken[coupons(world)[0]].payment_day == moved.payment_day
    world.do(reconstitute("amina", 400_000), by=("amina",))
    world.check()


def test_strips_of_an_agent_without_cash_are_late_and_cure() -> None:
    world = debt(cash=1)
    world.do(strip("amina", 1_000_000), by=("amina",))
    first = coupons(world)[0]

    events = to_day(world, rows(world)[0].payment_day)
    assert {e.asset for e in events if isinstance(e, PaymentUnfunded)} == {BOND, first}
    world.do(issue_cash(FACE, to="amina"), by=(CB,))
    world.do(fund("amina", first), by=("amina",))
    to_day(world, rows(world)[0].payment_day + 1)

    assert payment(world, 1, first).paid == 35_000
    world.check()


def test_books_agree_while_those_who_hold_the_face_are_paid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = debt()
    world.do(strip("amina", 1_000), by=("amina",))
    world.do(transfer("amina", "first-bank", 333, FACES), by=("amina",))
    to_day(world, rows(world)[-1].payment_day - 1)
    world.check()
    monkeypatch.setattr(servicing, "HOLDERS_PER_BLOCK_MAX", 1)
    world.pass_days(1)

    left = [asset(world, FACES).supply]
    for _ in range(20):
        world.time_ms += 1_000
        world.block()
        world.check()
        left.append(asset(world, FACES).supply)

    assert {333, 667}.intersection(left)  # none of them a multiple of 200
    assert left[-1] == 0


def test_bond_whose_record_waits_is_not_stripped() -> None:
    world = debt(cash=1, months=1, maturity_day=two_years_after(ISSUED), grace_days=0)
    for row in rows(world)[:9]:
        to_day(world, row.record_day + 1)
    assert service(world).waits

    receipt = world.submit(strip("amina", 120_000), by=("amina",))

    assert receipt.outcome is Outcome.STRIP_RECORD_DIFFERS
    assert dict(receipt.details)["payment"] == 9
    late = world.submit(define_strips(series="PKT"), by=(CB, FM))
    assert late.outcome is Outcome.ASSET_NOT_STRIPPABLE
    assert "overdue" in str(dict(late.details)["reason"])
    world.check()


def test_block_moves_so_many_strips_and_no_more() -> None:
    world = debt()
    fits = STRIPS_PER_BLOCK_MAX // 5

    result = world.block(*(world.body(strip("amina", 200), by=("amina",)) for _ in range(fits + 1)))

    outcomes = Counter(receipt.outcome for receipt in result.receipts)
    assert outcomes == {Outcome.APPLIED: fits, Outcome.STRIPPING_CROWDED: 1}
    assert result.receipts[-1].outcome is Outcome.STRIPPING_CROWDED
    world.time_ms += 1
    world.do(strip("amina", 200), by=("amina",))
    world.check()


def test_refused_transaction_has_used_up_what_it_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.ledger.acting.STRIPS_PER_BLOCK_MAX", 5)
    world = debt()
    spoilt = world.body(strip("amina", 200), strip("bilal", 200), by=("amina", "bilal"))

    receipts = world.block(spoilt, world.body(strip("amina", 200), by=("amina",))).receipts

    assert [receipt.outcome for receipt in receipts] == [
        Outcome.HOLDING_INSUFFICIENT,
        Outcome.STRIPPING_CROWDED,
    ]


def test_longest_line_fits_an_operation_and_a_receipt() -> None:
    world = make_debt(define_bond(months=3, maturity_day=sixteen_years()))
    (defined,) = world.do(define_strips(), by=(CB, FM))
    assert isinstance(defined, StripsDefined)
    assert len(defined.coupons) == COUPON_STRIPS_MAX
    world.do(issue(defined.multiple, to="amina"), by=(CB, FM))

    world.do(strip("amina", defined.multiple), by=("amina",))

    assert len(world.totals()) >= COUPON_STRIPS_MAX + 1
    world.check()


def sixteen_years() -> int:
    day = ISSUED
    for _ in range(8):
        day = two_years_after(day)
    return day


@pytest.mark.parametrize("code", [FACES, "coupon"])
def test_what_is_not_as_much_as_was_stripped_is_found(code: str) -> None:
    world = debt()
    world.do(strip("amina", 400_000), by=("amina",))
    state = LedgerState(world.records)
    code = coupons(world)[0] if code == "coupon" else code
    record = asset(world, code)
    state.put(ASSETS, code.encode(), replace(record, supply=record.supply + 200))
    credit(state, address("amina"), code, 200, record.terms)
    world.records.write(state.changes())

    with pytest.raises(InvariantViolation, match=r"were stripped"):
        world.check()


# --- whatever the terms --------------------------------------------------------------------------


def records_of(world: World) -> dict[bytes, bytes]:
    """Return all records by their keys, but for the days under which positions are filed."""
    found = {}
    for key, value in world.records.items():
        if key.startswith(POSITIONS.prefix):
            value = encode(replace(decode(value, PositionRecord), filed_day=0))
        elif key.startswith(TAXED_POSITIONS.prefix):
            participant, slash, name = key.partition(b"/")
            key = participant + slash + split_filed_name(name)[0]
        found[key] = value
    return found


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_whatever_the_terms_the_same_is_owed_and_the_reverse_is_the_identity(
    data: st.DataObject,
) -> None:
    months = data.draw(st.sampled_from((4, 6, 12)))
    step = data.draw(st.integers(1, 40)) * 2_500
    rates: tuple[RateStep, ...] = (RateStep(from_day=ISSUED, rate_ppm=step),)
    if data.draw(st.booleans()):
        rates = (*rates, RateStep(from_day=ISSUED + 365, rate_ppm=step + 2_500))
    days = data.draw(
        st.sampled_from((DayCount.ACT_ACT_ICMA, DayCount.THIRTY_E_360, DayCount.ACT_365F))
    )
    world = make_debt(
        define_bond(
            months=months,
            rates=rates,
            day_count=days,
            roll=data.draw(st.sampled_from(tuple(Roll))),
            end_of_month=data.draw(st.booleans()),
            ceiling=10**18,
        )
    )
    to_day(world, ISSUED)
    (defined,) = world.do(define_strips(), by=(CB, FM))
    assert isinstance(defined, StripsDefined)
    multiple = defined.multiple
    world.do(issue(5 * multiple, to="amina"), issue_cash(10**17, to=FM), by=(CB, FM))
    passed = data.draw(st.integers(0, len(rows(world)) - 1))
    if passed:
        to_day(world, rows(world)[passed - 1].record_day + data.draw(st.integers(1, 5)))
    is_open = service(world).recorded > service(world).settled
    before, owed_before = records_of(world), owed(world)

    face = multiple * data.draw(st.integers(1, 5))
    world.do(strip("amina", face), by=("amina",))

    assert owed(world) == owed_before
    world.check()
    for part in (multiple, face - multiple):
        if part:
            world.do(reconstitute("amina", part), by=("amina",))
    after = records_of(world)
    # While a payment is open, positions keep what they were at its record.
    changed = {key[:1] for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert changed <= ({POSITIONS.prefix} if is_open else set())
    world.do(strip("amina", face), by=("amina",))
    for row in rows(world):
        to_day(world, row.payment_day)
    assert not any(asset(world, code).supply for code in (BOND, *defined.defined))
    world.check()
