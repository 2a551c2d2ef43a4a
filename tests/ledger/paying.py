"""A bond that pays: three who hold all of it, and a ministry with cash for the coupon."""

from typing import Any, Final

from node.ledger.dates import SATURDAY_SUNDAY, Calendar
from node.ledger.instruments import schedule_of
from node.ledger.terms import BondTerms
from tests.ledger.debt import ISSUED, define_bond, issue, make_debt, plan, to_day
from tests.ledger.world import CB, FM, World, issue_cash, transfer

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
