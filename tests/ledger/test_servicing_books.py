"""The books of what pays: each contradiction is made once, and noticed.

What was issued and not redeemed is held by somebody; what was due was paid, is owed by name, or is
residue.
"""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

import pytest

from node.codec import Record, replace
from node.ledger import servicing
from node.ledger.errors import InvariantViolation
from node.ledger.invariants import _Rows, check_block, decode_state
from node.ledger.securities import (
    CALLS,
    FIXINGS,
    PAYMENTS,
    POSITIONS,
    SERVICES,
    TIES,
    Mark,
    PositionRecord,
    Tie,
    TieRecord,
    payment_key,
    tie_key,
)
from node.ledger.servicing.books import contradictions_of_securities
from node.ledger.servicing.payer import escrow_address
from node.ledger.state import LedgerState, Table
from node.ledger.tables import ASSETS, HOLDINGS, HoldingRecord, holding_key, name_key
from node.ledger.terms import PPM, is_serviced
from tests.ledger.debt import BOND, ISSUED, call, callable_bond, define_bond, fix, floating, to_day
from tests.ledger.paying import days, debt
from tests.ledger.world import CB, DAY_MS, FM, PKR, World, address, transfer

R = TypeVar("R", bound=Record)
Breach = Callable[[LedgerState], None]


@cache
def recorded() -> World:
    """Return a bond whose first record is taken, and of which Bilal has sold his part since."""
    world = debt()
    to_day(world, days(1)[0] + 1)
    world.do(transfer("bilal", "amina", 300_019, BOND), by=("bilal",))
    return world


@cache
def settled() -> World:
    """Return a bond whose first coupon is paid."""
    world = debt()
    to_day(world, days(1)[2])
    return world


@cache
def paying() -> World:
    """Return a bond whose first coupon is paid to one of three: the others are owed by name."""
    world = debt()
    to_day(world, days(1)[0] + 1)
    usual = servicing.HOLDERS_PER_BLOCK_MAX
    servicing.HOLDERS_PER_BLOCK_MAX = 1  # type: ignore[misc]  # restored below
    try:
        world.time_ms = days(1)[2] * DAY_MS
        world.block()
    finally:
        servicing.HOLDERS_PER_BLOCK_MAX = usual  # type: ignore[misc]
    return world


@cache
def fixed() -> World:
    """Return a floater whose first rate is fixed by a source, and its second awaited."""
    world = debt(define_bond(**floating()))
    world.do(fix(1), by=(CB, FM))
    return world


@cache
def called() -> World:
    """Return a bond that is called in part."""
    world = debt(define_bond(**callable_bond()))
    world.do(call(days(3)[2], 250_000), by=(CB, FM))
    return world


def change(table: Table[R], key: bytes, changed: Callable[[R], R]) -> Breach:
    def breach(state: LedgerState) -> None:
        record = state.get(table, key)
        assert record is not None, "there is one to change"
        state.put(table, key, changed(record))

    return breach


def on_record(name: str, changed: Callable[[PositionRecord], PositionRecord]) -> Breach:
    """Change what the register says of an account."""

    def breach(state: LedgerState) -> None:
        for key, record in state.scan(POSITIONS, b"", 9):
            if key.endswith(address(name)):
                state.put(POSITIONS, key, changed(record))
                return
        raise AssertionError(name)

    return breach


def strike(name: str) -> Breach:
    """Take an account off the register."""

    def breach(state: LedgerState) -> None:
        for key, _ in state.scan(POSITIONS, b"", 9):
            if key.endswith(address(name)):
                state.delete(POSITIONS, key)

    return breach


def on_last(changed: Callable[[PositionRecord], PositionRecord]) -> Breach:
    """Change what the register says of whoever is paid last."""

    def breach(state: LedgerState) -> None:
        key, record = state.scan(POSITIONS, b"", 9)[-1]
        state.put(POSITIONS, key, changed(record))

    return breach


PAYMENT = payment_key(BOND, 1)


@pytest.mark.parametrize(
    ("made", "breach", "said"),
    [
        # 1. What was issued and not redeemed is held by somebody.
        (recorded, on_record("amina", lambda p: replace(p, face=p.face + 1)), "its holding is"),
        (settled, strike("amina"), "1 holders without a position"),
        (
            recorded,
            change(HOLDINGS, holding_key(address("amina"), BOND), lambda h: replace(h, held=1)),
            "its holding is",
        ),
        (recorded, lambda state: state.delete(SERVICES, name_key(BOND)), "do not agree"),
        # 2. What was due was paid, withheld or is residue; or it is owed by name.
        (
            settled,
            change(PAYMENTS, PAYMENT, lambda p: replace(p, paid=p.paid - 1)),
            "is accounted for",
        ),
        (
            settled,
            change(PAYMENTS, PAYMENT, lambda p: replace(p, residue=p.residue + 1)),
            "is accounted for",
        ),
        (
            settled,
            change(PAYMENTS, PAYMENT, lambda p: replace(p, interest_due=p.interest_due + 5)),
            "is accounted for",
        ),
        (
            recorded,
            change(PAYMENTS, PAYMENT, lambda p: replace(p, face=p.face + 1)),
            "those on record had",
        ),
        (recorded, strike("bilal"), "those on record had"),
        (
            settled,
            change(PAYMENTS, PAYMENT, lambda p: replace(p, paid=p.paid - 3, residue=p.residue + 3)),
            "more than rounding leaves",
        ),
        (
            paying,
            on_last(
                lambda p: replace(
                    p, marks=(Mark(number=1, face=p.face - 1_000, taxpayer=p.taxpayer),)
                )
            ),
            "are still owed",
        ),
        (
            paying,
            on_last(
                lambda p: replace(
                    p, marks=(Mark(number=1, face=p.face + 1_000, taxpayer=p.taxpayer),)
                )
            ),
            "are still owed",
        ),
        (recorded, on_record("bilal", lambda p: replace(p, marks=())), "says nothing"),
        (
            recorded,
            on_record("bilal", lambda p: replace(p, marks=(*p.marks, *p.marks))),
            "has marks [1, 1]",
        ),
        # 3. What is being paid out stands in escrow, and nothing else does.
        (
            settled,
            lambda state: state.put(
                HOLDINGS,
                holding_key(escrow_address(BOND), PKR),
                HoldingRecord(available=1, held=0),
            ),
            "has 1 too much",
        ),
        # 4. Whoever is owed something and holds nothing is tied, and nobody else.
        (
            recorded,
            lambda state: state.delete(TIES, tie_key(address("bilal"), Tie.OWED, name_key(BOND))),
            "and not tied",
        ),
        (
            settled,
            lambda state: state.put(
                TIES,
                tie_key(address("amina"), Tie.OWED, name_key(BOND)),
                TieRecord(tie=Tie.OWED),
            ),
            "the ties of accounts",
        ),
        # 5. A service counts its payments.
        (
            settled,
            change(SERVICES, name_key(BOND), lambda s: replace(s, settled=0)),
            "and the service of",
        ),
        (
            recorded,
            change(SERVICES, name_key(BOND), lambda s: replace(s, recorded=9)),
            "counts 0 of 9 settled",
        ),
        (
            recorded,
            change(SERVICES, name_key(BOND), lambda s: replace(s, cursor=b"")),
            "counts 0 of 1 settled",
        ),
        # 6. What floats is fixed once, within floor and cap.
        (
            fixed,
            change(FIXINGS, PAYMENT, lambda f: replace(f, rate_ppm=(f.rate_ppm or 0) + 1)),
            "not what follows from its reference",
        ),
        (
            fixed,
            change(FIXINGS, PAYMENT, lambda f: replace(f, auction="both")),
            "is not of one auction or source",
        ),
        (
            fixed,
            change(FIXINGS, PAYMENT, lambda f: replace(f, rate_ppm=None)),
            "is neither awaited nor fixed",
        ),
        (
            recorded,
            lambda state: state.put(FIXINGS, PAYMENT, fixed().get(FIXINGS, PAYMENT)),
            "is of what does not float",
        ),
        # 7. What is called is called by the terms.
        (
            called,
            change(
                CALLS,
                name_key(BOND),
                lambda c: replace(c, calls=(replace(c.calls[0], day=ISSUED + 1),)),
            ),
            "lies in no window",
        ),
        (
            called,
            change(CALLS, name_key(BOND), lambda c: replace(c, calls=(*c.calls, *c.calls))),
            "has calls of payments",
        ),
        (
            called,
            change(
                CALLS,
                name_key(BOND),
                lambda c: replace(
                    c,
                    calls=(
                        replace(c.calls[0], share_ppm=None),
                        replace(c.calls[0], payment=c.calls[0].payment + 1, share_ppm=PPM - 1),
                    ),
                ),
            ),
            "has calls after the last payment",
        ),
        (
            called,
            change(
                CALLS,
                name_key(BOND),
                lambda c: replace(
                    c,
                    calls=(
                        c.calls[0],
                        replace(c.calls[0], payment=c.calls[0].payment + 1, share_ppm=PPM - 1),
                    ),
                ),
            ),
            "leave nothing to repay",
        ),
        (
            recorded,
            lambda state: state.put(CALLS, name_key(BOND), called().get(CALLS, name_key(BOND))),
            "its terms know no call",
        ),
    ],
)
def test_books_that_contradict_themselves_are_noticed(
    made: Callable[[], World], breach: Breach, said: str
) -> None:
    world = made()
    world.check()  # nothing is wrong with it yet
    broken = world.copy()
    state = LedgerState(broken.records)
    breach(state)
    broken.records.write(state.changes())

    found = list(contradictions_of_securities(_Rows(decode_state(broken.records.items()))))

    assert any(said in sentence for sentence in found), found


def test_block_in_which_residue_is_what_somebody_was_owed_is_stopped() -> None:
    """Three were on record, so that rounding leaves two at most."""
    state = LedgerState(settled().records)
    change(PAYMENTS, PAYMENT, lambda p: replace(p, paid=p.paid - 3, residue=p.residue + 3))(state)

    with pytest.raises(InvariantViolation, match="more than rounding leaves"):
        check_block(state.written())


def test_face_is_in_whole_units() -> None:
    """The unit of a line is not what some account has of it."""
    world = recorded().copy()
    state = LedgerState(world.records)

    record = state.get(ASSETS, name_key(BOND))
    assert record is not None
    assert is_serviced(record.terms)
    terms = replace(record.terms, plan=replace(record.terms.plan, face_unit=100))
    state.put(ASSETS, name_key(BOND), replace(record, terms=terms))
    world.records.write(state.changes())

    found = list(contradictions_of_securities(_Rows(decode_state(world.records.items()))))

    assert any("not in units of 100" in sentence for sentence in found), found
