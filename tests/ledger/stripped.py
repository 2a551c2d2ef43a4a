"""A bond that is stripped: who holds it, and what it and its strips will pay."""

from collections import Counter
from fractions import Fraction
from typing import Any, Final

from node.ledger.instruments import Payment, schedule_of
from node.ledger.stripping import code_of_coupon
from node.ledger.tables import ASSETS, AssetRecord
from node.ledger.terms import is_serviced
from tests.ledger.debt import (
    BOND,
    ISSUED,
    SERIES,
    calendar,
    define_bond,
    define_strips,
    issue,
    make_debt,
    service,
    to_day,
)
from tests.ledger.world import CB, FM, World, issue_cash, transfer

FACE: Final = 2_000_000
OTHER: Final = "PIB-1Y-101"
FACES: Final = f"{BOND}-P"


def asset(world: World, code: str) -> AssetRecord:
    record = world.get(ASSETS, code.encode())
    assert record is not None
    return record


def rows(world: World, code: str = BOND) -> tuple[Payment, ...]:
    terms = asset(world, code).terms
    assert is_serviced(terms)
    return schedule_of(terms, calendar(world))


def coupons(world: World, code: str = BOND) -> list[str]:
    return [code_of_coupon(SERIES, row.nominal_day) for row in rows(world, code)]


def debt(*others: Any, cash: int = 10 * FACE, **changes: Any) -> World:
    """Return a bond with strips, which Amina and the bank hold, on its day of issue."""
    world = make_debt(define_bond(**changes), *others)
    to_day(world, ISSUED)
    world.do(
        issue(FACE),
        transfer(FM, "amina", FACE // 2, BOND),
        transfer(FM, "first-bank", FACE // 2, BOND),
        issue_cash(cash, to=FM),
        define_strips(),
        by=(CB, FM),
    )
    world.check()
    return world


def owed(world: World) -> Counter[tuple[int, bytes]]:
    """Return what is still to be put on record, by day of the terms and holder, in thousandths."""
    found: Counter[tuple[int, bytes]] = Counter()
    for (code, account), total in world.totals().items():
        terms = asset(world, code).terms
        if not is_serviced(terms):
            continue
        for row in schedule_of(terms, calendar(world))[service(world, code).recorded :]:
            assert row.interest is not None
            paid = (row.interest + Fraction(row.principal_ppm, 1_000_000)) * total
            found[row.nominal_day, account] += int(paid * 1_000)
    return found
