"""Bills that the ledger redeems at maturity as it does bonds, and those that are brought back."""

from collections.abc import Sequence
from typing import Any, Final

import pytest

from node.ledger.catalogue import CATALOGUE
from node.ledger.events import Event, HoldersPaid, HoldRedeemed, PaymentFunded, PaymentSettled
from node.ledger.instruments import schedule_of
from node.ledger.operations import DefineAsset, Redeem
from node.ledger.outcomes import Outcome
from node.ledger.pricing import DayCount
from node.ledger.protocol import DEBT_DESK
from node.ledger.securities import PaymentStatus
from node.ledger.tables import ASSETS, REFERENCES
from node.ledger.terms import (
    AssetKind,
    BillTerms,
    RateStep,
    ServicedBillTerms,
    bill_maturity_day,
    kind_of,
)
from node.ledger.transactions import TransactionError
from node.ledger.transition import check_in_force
from tests.ledger.debt import (
    ISSUED,
    REFERENCE,
    SERVICED_BILL,
    calendar,
    define_bond,
    define_calendar,
    define_serviced_bill,
    floating,
    fund,
    in_escrow,
    issue,
    make_debt,
    payment,
    position,
    to_day,
)
from tests.ledger.test_floating import YIELD_PPM, auction
from tests.ledger.world import (
    BILL,
    CB,
    FM,
    VAR,
    World,
    address,
    define_bill,
    issue_bill,
    issue_cash,
    make_market,
    place_hold,
    transfer,
)

FACE: Final = 5_000_000
MATURES: Final = ISSUED + 182


def held(cash: int = FACE) -> World:
    """Return a bill of which Amina and the bank have all, and a ministry with so much cash."""
    world = make_debt(define_serviced_bill())
    to_day(world, ISSUED)
    world.do(
        issue(FACE, asset=SERVICED_BILL),
        transfer(FM, "amina", 1_500_001, SERVICED_BILL),
        transfer(FM, "first-bank", FACE - 1_500_001, SERVICED_BILL),
        *([issue_cash(cash, to=FM)] if cash else ()),
        by=(CB, FM),
    )
    world.check()
    return world


def redeem(amount: int, asset: str = SERVICED_BILL) -> Redeem:
    return Redeem(
        account=address(FM),
        approvers=(address(CB),),
        asset=asset,
        amount=amount,
        holder=address(FM),
    )


def test_bill_pays_its_face_at_maturity_to_holders_who_do_nothing() -> None:
    world = held()
    terms = define_serviced_bill().terms
    assert isinstance(terms, ServicedBillTerms)
    (row,) = schedule_of(terms, calendar(world))
    assert row.interest == 0
    assert row.payment_day == MATURES
    to_day(world, row.record_day)
    world.do(transfer("amina", "bilal", 500_000, SERVICED_BILL), by=("amina",))
    to_day(world, row.record_day + 1)
    refused = world.submit(transfer("amina", "bilal", 1, SERVICED_BILL), by=("amina",))
    assert refused.outcome is Outcome.REGISTER_CLOSED
    before = {label: world.holding(label)[0] for label in ("amina", "bilal", "first-bank", FM)}

    events = to_day(world, row.payment_day)

    kinds = [type(event) for event in events]
    assert kinds[0] is PaymentFunded
    assert kinds[-1] is PaymentSettled
    gained = {label: world.holding(label)[0] - before[label] for label in before}
    assert gained == {
        "amina": 1_000_001,
        "bilal": 500_000,
        "first-bank": FACE - 1_500_001,
        FM: -FACE,
    }
    asset = world.get(ASSETS, SERVICED_BILL.encode())
    assert asset is not None
    assert asset.supply == 0
    assert in_escrow(world, SERVICED_BILL) == 0
    assert position(world, address("amina"), SERVICED_BILL) is None
    world.check()


def test_bill_that_is_on_hold_is_redeemed_into_cash_on_hold() -> None:
    world = held()
    world.do(place_hold("amina", 1_500_001, asset=SERVICED_BILL), by=(VAR,))
    before = world.holding("amina")

    events = to_day(world, MATURES)

    assert [event.amount for event in events if isinstance(event, HoldRedeemed)] == [1_500_001]
    assert world.holding("amina") == (before[0], before[1] + 1_500_001)
    world.check()


def test_bill_whose_agent_has_no_cash_is_late_and_cures() -> None:
    world = held(cash=0)

    to_day(world, MATURES)

    assert payment(world, 1, SERVICED_BILL).status is PaymentStatus.LATE
    world.check()
    world.do(issue_cash(FACE, to=CB), fund(CB, SERVICED_BILL), by=(CB,))
    world.time_ms += 1
    paid = [event for event in world.block().events if isinstance(event, HoldersPaid)]
    assert [event.redeemed for event in paid] == [FACE]
    world.check()


def test_issuer_cannot_redeem_what_the_ledger_redeems() -> None:
    world = held()
    world.do(transfer("amina", FM, 500_000, SERVICED_BILL), by=("amina",))
    assert world.submit(redeem(500_000), by=(CB, FM)).outcome is Outcome.NOT_DUE

    to_day(world, MATURES - 1)
    assert world.submit(redeem(500_000), by=(CB, FM)).outcome is Outcome.NOT_DUE
    events = to_day(world, MATURES)

    assert any(isinstance(event, PaymentSettled) for event in events)
    again = world.submit(redeem(500_000), by=(CB, FM))
    assert again.outcome is Outcome.HOLDING_INSUFFICIENT, "nothing of it is left"


def test_auction_of_one_is_settled_and_gives_the_reference_as_that_of_another_does() -> None:
    world = make_market()
    bill = define_serviced_bill("MTB-6M-1", issue_day=ISSUED - 2, maturity_day=ISSUED + 180)
    world.do(define_calendar(), by=(CB,))

    auction(world, ISSUED - 3, bill=bill)
    to_day(world, ISSUED - 2)

    reference = world.get(REFERENCES, REFERENCE.encode())
    assert reference is not None
    assert reference.average_yield_e4 == YIELD_PPM
    assert world.holding("first-bank", "MTB-6M-1") == (5_000_000, 0)
    world.do(issue_cash(5_000_000, to=FM), by=(CB,))
    assert payment_kinds(to_day(world, ISSUED + 180 + 2)) == [PaymentFunded, PaymentSettled]
    world.check()


def payment_kinds(events: Sequence[Event]) -> list[type[Event]]:
    return [type(each) for each in events if isinstance(each, (PaymentFunded, PaymentSettled))]


def test_bill_without_an_agent_is_brought_back_as_ever() -> None:
    world = make_market()
    world.do(issue_bill(500_000, to=FM), by=(CB, FM))
    world.pass_days(84)
    assert world.block().events == ()

    world.do(redeem(500_000, BILL), by=(CB, FM))

    world.check()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"months": 6, "rates": (RateStep(from_day=ISSUED, rate_ppm=1),)},
            "it is a bill, and pays every 6 months",
        ),
        ({**floating(), "months": 3}, "it is a bill, and pays every 3 months"),
        (floating(), "no months from one payment to the next"),
        (
            {"pricing_day_count": DayCount.ACT_ACT_ICMA},
            "it is a bill, and priced by ACT/ACT ICMA; a bill's yield is simple, by ACT/365F",
        ),
    ],
)
def test_bill_that_pays_more_than_its_face_is_refused(changes: dict[str, Any], reason: str) -> None:
    world = make_market()
    world.do(define_calendar(), by=(CB,))

    refused = world.submit(define_serviced_bill(**changes), by=(CB, FM))

    assert refused.outcome is Outcome.TERMS_NOT_VALID
    assert reason in str(dict(refused.details)["reason"])


def test_earlier_versions_know_no_serviced_bill() -> None:
    world = make_market()

    for definition, since in ((define_serviced_bill(), DEBT_DESK), (define_bill("MTB-OLD"), 1)):
        assert check_version(world, definition, since) is None
        if since > 1:
            assert check_version(world, definition, since - 1) is Outcome.OPERATION_NOT_IN_FORCE


def check_version(world: World, operation: DefineAsset, version: int) -> Outcome | None:
    try:
        check_in_force(world.body(operation, by=(CB, FM)), version, CATALOGUE)
    except TransactionError as refused:
        return refused.outcome
    return None


def test_bill_of_either_sort_is_a_bill() -> None:
    serviced = define_serviced_bill().terms
    plain = BillTerms(issue_day=ISSUED, maturity_day=MATURES, face_currency="PKR")

    assert kind_of(serviced) is kind_of(plain) is AssetKind.BILL
    assert bill_maturity_day(serviced) == bill_maturity_day(plain) == MATURES
    assert bill_maturity_day(define_bond().terms) is None
