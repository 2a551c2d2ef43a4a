"""Face in units of a rupee: below the legal denomination anybody has some, below a rupee nobody."""

from typing import Any, Final

import pytest

from node.codec import replace
from node.ledger.errors import InvariantViolation
from node.ledger.events import PaymentSettled
from node.ledger.explaining import explain
from node.ledger.operations import DefineAsset, ForcedTransfer, PlaceHold
from node.ledger.outcomes import Outcome
from node.ledger.securities import STRIPPINGS
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, HOLDINGS, holding_key, name_key
from node.ledger.terms import FACE_UNIT_MAX, BondTerms
from tests.ledger.debt import (
    BOND,
    ISSUED,
    define_bond,
    define_strips,
    issue,
    make_debt,
    payment,
    to_day,
)
from tests.ledger.world import CB, FM, VAR, World, address, issue_cash, transfer

RUPEE: Final = 100
"""In paisa."""
MULTIPLE: Final = 5_000 * RUPEE
HALF_YEAR: Final = 182


def in_rupees(**changes: Any) -> DefineAsset:
    """Define a bond in multiples of Rs 5,000, whose face is in rupees."""
    return replace(define_bond(face_unit=RUPEE, **changes), multiple=MULTIPLE)


def make_retail(*, amina: int = 1_234 * RUPEE) -> World:
    """Return a market in which Amina has bought less of the bond than may be issued."""
    world = make_debt(in_rupees())
    to_day(world, ISSUED)
    world.do(issue(MULTIPLE), by=(CB, FM))
    world.do(transfer(FM, "amina", amina, BOND), by=(FM,))
    return world


def held(world: World, who: str, asset: str = BOND) -> int:
    record = world.get(HOLDINGS, holding_key(address(who), asset))
    return 0 if record is None else record.available + record.held


def place(amount: int) -> PlaceHold:
    return PlaceHold(
        account=address(CB),
        approvers=(),
        holder=address("amina"),
        asset=BOND,
        amount=amount,
        reason="a claim",
        legal_reference="order 7",
        expires_ms=None,
    )


def force(amount: int) -> ForcedTransfer:
    return ForcedTransfer(
        account=address(CB),
        approvers=(address(VAR),),
        source=address("amina"),
        to=address("bilal"),
        asset=BOND,
        amount=amount,
        reason="an order",
        legal_reference="order 8",
    )


def test_less_than_the_legal_denomination_is_held_and_moved_down_to_a_rupee() -> None:
    world = make_retail()

    world.do(transfer("amina", "bilal", RUPEE, BOND), by=("amina",))

    assert held(world, "amina") == 1_233 * RUPEE
    assert held(world, "bilal") == RUPEE


@pytest.mark.parametrize("amount", [1, 99, 101, 1_234 * RUPEE + 1, 10**15 + 1])
@pytest.mark.parametrize(
    ("operation", "by"),
    [
        (lambda amount: transfer("amina", "bilal", amount, BOND), ("amina",)),
        (place, (CB,)),
        (force, (CB, VAR)),
    ],
)
def test_less_than_a_rupee_neither_moves_nor_is_held_back(
    operation: Any, by: tuple[str, ...], amount: int
) -> None:
    world = make_retail()
    before = dict(world.records.items())

    receipt = world.submit(operation(amount), by=by)

    assert receipt.outcome is Outcome.FACE_NOT_IN_UNITS
    assert "give a multiple of 100" in explain(receipt.outcome, receipt.details)
    assert dict(world.records.items()) == before


@pytest.mark.parametrize("amount", [RUPEE, 1_234 * RUPEE])
@pytest.mark.parametrize(("operation", "by"), [(place, (CB,)), (force, (CB, VAR))])
def test_rupees_are_held_back_and_moved_by_order(
    operation: Any, by: tuple[str, ...], amount: int
) -> None:
    assert make_retail().submit(operation(amount), by=by).outcome is Outcome.APPLIED


@pytest.mark.parametrize("multiple", [1, 50, 150])
def test_denomination_is_in_whole_units(multiple: int) -> None:
    world = make_debt()
    ceiling = 600 * RUPEE
    good = replace(define_bond("PIB-9", face_unit=RUPEE), ceiling=ceiling)

    receipt = world.submit(replace(good, multiple=multiple), by=(CB, FM))

    assert receipt.outcome is Outcome.FACE_NOT_IN_UNITS
    assert world.submit(replace(good, multiple=RUPEE), by=(CB, FM)).outcome is Outcome.APPLIED


def test_coupon_of_a_rupee_is_paid_and_what_rounding_leaves_is_residue() -> None:
    world = make_retail(amina=RUPEE)
    world.do(issue_cash(MULTIPLE, to=FM), by=(CB,))
    before = world.holding("amina")[0]

    events = to_day(world, ISSUED + HALF_YEAR + 10)

    paid = payment(world, 1)
    # Three and a half paisa on a rupee: three are paid, and the ministry has the rest of the face.
    assert paid.face == MULTIPLE
    assert paid.paid + paid.withheld + paid.residue == paid.interest_due == MULTIPLE * 35 // 1_000
    assert paid.residue == 1
    assert world.holding("amina")[0] - before == 3
    assert any(isinstance(event, PaymentSettled) for event in events)


def test_every_strip_is_in_whole_units() -> None:
    world = make_retail()
    world.do(define_strips(), by=(CB, FM))
    stripping = world.get(STRIPPINGS, name_key(BOND))
    assert stripping is not None

    for coupon in stripping.coupons:
        amount, rest = divmod(stripping.multiple * coupon.numerator, coupon.denominator)
        assert not rest
        assert not amount % RUPEE
    assert not stripping.multiple % MULTIPLE


def test_position_of_less_than_a_unit_is_noticed() -> None:
    world = make_retail()
    state = LedgerState(world.records)
    definition = state.get(ASSETS, name_key(BOND))
    assert definition is not None
    assert isinstance(definition.terms, BondTerms)
    plan = replace(definition.terms.plan, face_unit=FACE_UNIT_MAX)
    terms = replace(definition.terms, plan=plan)
    state.put(ASSETS, name_key(BOND), replace(definition, terms=terms))
    world.records.write(state.changes())

    with pytest.raises(InvariantViolation, match="not in units of 100000000"):
        world.check()
