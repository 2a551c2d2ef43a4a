"""What the acts of the assets desk do when they are applied."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.codec import replace
from node.ledger.events import (
    AssetDefined,
    ForciblyTransferred,
    HoldPlaced,
    HoldReleased,
    Issued,
    Redeemed,
)
from node.ledger.holdings import credit, credit_each
from node.ledger.instruments import redemption_of
from node.ledger.operations import ForcedTransfer, Redeem, ReleaseHold, SetParameter
from node.ledger.outcomes import Outcome
from node.ledger.state import LedgerState, MemoryRecords
from node.ledger.tables import (
    ASSETS,
    DUE,
    HOLDINGS,
    HOLDS,
    IDENTIFIERS,
    AssetRecord,
    DueKind,
    DueRecord,
    HoldingRecord,
    HoldRecord,
    IdentifierRecord,
    due_key,
    hold_key,
    holding_key,
    identifier_key,
    name_key,
)
from node.ledger.terms import PAR_E4, PPM, BillTerms, CashTerms, check_terms, first_redemption_day
from tests.ledger.world import (
    BILL,
    CB,
    CC,
    COMMITMENT,
    FM,
    ISIN,
    NOW_MS,
    PKR,
    TODAY,
    VAR,
    World,
    address,
    define_bill,
    issue_bill,
    issue_cash,
    make_market,
    make_world,
    place_hold,
    transfer,
)


@pytest.fixture
def market() -> World:
    return make_market()


def test_defined_asset_is_recorded_with_its_identifiers() -> None:
    world = make_world()

    events = world.do(define_bill(), by=(CB, FM))

    assert events == (AssetDefined(asset=BILL, issuer=FM),)
    definition = define_bill()
    assert world.get(ASSETS, name_key(BILL)) == AssetRecord(
        name="Market Treasury Bill, 3 months",
        issuer=FM,
        identifiers=definition.identifiers,
        terms=BillTerms(issue_day=TODAY, maturity_day=TODAY + 84, face_currency="PKR"),
        term_sheet_hash=COMMITMENT,
        decimals=2,
        multiple=500_000,
        ceiling=500_000 * 10_000,
        supply=0,
        forced_transfer_allowed=True,
    )
    assert world.get(IDENTIFIERS, identifier_key("isin", ISIN)) == IdentifierRecord(holder=BILL)


def test_cash_needs_no_isin_and_may_share_its_currency(market: World) -> None:
    """The market has two assets in rupees."""
    assert market.get(IDENTIFIERS, identifier_key("currency", "PKR")) is None


@pytest.mark.adversarial(60, 62)
def test_issue_that_would_leave_64_bits_is_refused_with_a_receipt(market: World) -> None:
    """The sum has no encoding as a number; a refusal that nobody can write would stop them all."""
    receipt = market.submit(issue_cash(2**64 - 1), by=(CB,))

    assert receipt.outcome is Outcome.CEILING_EXCEEDED
    assert dict(receipt.details)["found"] == str(2**64 - 1 + 100_000_000)


def test_bills_are_issued_in_multiples_up_to_the_ceiling(market: World) -> None:
    events = market.do(issue_bill(500_000), by=(CB, FM))

    assert events == (Issued(asset=BILL, amount=500_000, to=address(FM), supply=500_000 * 101),)
    assert market.holding(FM, BILL) == (500_000 * 91, 0)
    market.do(issue_bill(500_000 * 9_899), by=(CB, FM))
    assert market.submit(issue_bill(500_000), by=(CB, FM)).outcome is Outcome.CEILING_EXCEEDED


def test_either_of_the_two_institutions_may_act_with_the_other_approving(market: World) -> None:
    turned = replace(issue_bill(500_000), account=address(CB), approvers=(address(FM),))

    market.do(turned, by=(CB, FM))


def test_central_bank_issues_and_redeems_its_rupee_alone(market: World) -> None:
    market.do(issue_cash(500), by=(CB,))
    before = market.holding(CB)[0]
    redeem = Redeem(account=address(CB), approvers=(), asset=PKR, amount=500, holder=address(CB))

    events = market.do(redeem, by=(CB,))

    assert events == (Redeemed(asset=PKR, amount=500, holder=address(CB), supply=100_000_000),)
    assert market.holding(CB) == (before - 500, 0)
    market.check()


def redeem_bill(amount: int) -> Redeem:
    return Redeem(
        account=address(FM),
        approvers=(address(CB),),
        asset=BILL,
        amount=amount,
        holder=address(FM),
    )


def test_bill_is_redeemed_from_its_maturity_on(market: World) -> None:
    """At 00:00 in Pakistan, which is 19:00 UTC of the day before."""
    record = market.get(ASSETS, name_key(BILL))
    assert record is not None
    assert isinstance(record.terms, BillTerms)
    schedule = redemption_of(record.terms)
    maturity_ms = schedule.first_day * 86_400_000 - 5 * 3_600_000
    market.time_ms = maturity_ms - 1
    early = market.submit(redeem_bill(500_000), by=(CB, FM))
    market.time_ms = maturity_ms

    assert early.outcome is Outcome.NOT_DUE
    assert dict(early.details)["found"] == TODAY + 83
    assert (schedule.issue_day, schedule.first_day) == (TODAY, TODAY + 84)
    assert (schedule.principal_ppm, schedule.price_e4) == (PPM, PAR_E4)
    market.do(redeem_bill(500_000 * 90), by=(CB, FM))
    assert market.holding(FM, BILL) == (0, 0)
    assert market.get(HOLDINGS, holding_key(address(FM), BILL)) is None


def test_day_of_maturity_follows_the_parameter(market: World) -> None:
    approvers = (address(FM), address(CC))
    market.do(
        SetParameter(
            account=address(CB), approvers=approvers, parameter="utc-offset-minutes", value=0
        ),
        by=(CB, FM, CC),
    )
    market.time_ms = (TODAY + 84) * 86_400_000 - 1

    assert market.submit(redeem_bill(1), by=(CB, FM)).outcome is Outcome.NOT_DUE
    market.time_ms += 1
    market.do(redeem_bill(1), by=(CB, FM))


def test_holder_is_paid_when_it_gives_the_bill_back(market: World) -> None:
    """Redemption of what somebody else holds: against cash, in the transaction that burns it."""
    market.do(transfer(CB, FM, 10_000_000), by=(CB,))
    market.pass_days(84)

    market.do(
        transfer("first-bank", FM, 500_000 * 10, BILL),
        transfer(FM, "first-bank", 500_000 * 10),
        redeem_bill(500_000 * 10),
        by=("first-bank", FM, CB),
    )

    assert market.holding("first-bank", BILL) == (0, 0)
    assert market.holding("first-bank") == (1_000_000 + 5_000_000, 0)
    market.check()


def test_hold_keeps_a_part_where_it_is_until_released(market: World) -> None:
    events = market.do(place_hold("amina", 499_999), by=(VAR,))

    placed = events[0]
    assert isinstance(placed, HoldPlaced)
    assert market.holding("amina") == (1, 499_999)
    assert market.get(HOLDS, hold_key(address("amina"), placed.hold)) == HoldRecord(
        asset=PKR,
        amount=499_999,
        reason="Inquiry",
        legal_reference="FIA 19/2026",
        expires_ms=None,
        placed_by=VAR,
    )
    market.check()
    release = ReleaseHold(
        account=address(CB), approvers=(), holder=address("amina"), hold=placed.hold
    )
    assert market.do(release, by=(CB,)) == (
        HoldReleased(
            hold=placed.hold,
            holder=address("amina"),
            asset=PKR,
            amount=499_999,
            released_by=CB,
        ),
    )
    assert market.holding("amina") == (500_000, 0)
    assert market.submit(release, by=(CB,)).outcome is Outcome.HOLD_UNKNOWN
    market.check()


def test_hold_with_an_end_stands_in_the_queue_until_released(market: World) -> None:
    placed = market.do(place_hold("amina", 5, expires_ms=NOW_MS + 7), by=(VAR,))[0]
    assert isinstance(placed, HoldPlaced)
    key = hold_key(address("amina"), placed.hold)
    due = due_key(NOW_MS + 7, placed.hold)

    assert market.get(DUE, due) == DueRecord(kind=DueKind.HOLD_EXPIRES, target=key)
    release = ReleaseHold(
        account=address(VAR), approvers=(), holder=address("amina"), hold=placed.hold
    )
    market.do(release, by=(VAR,))
    assert market.get(DUE, due) is None
    market.check()


def test_two_holds_of_one_transaction_have_two_ids(market: World) -> None:
    events = market.do(place_hold("amina", 1), place_hold("amina", 1), by=(VAR,))

    assert len({event.hold for event in events if isinstance(event, HoldPlaced)}) == 2
    assert market.holding("amina") == (499_998, 2)
    market.check()


def test_whole_holding_can_be_held(market: World) -> None:
    market.do(place_hold("amina", 500_000), by=(VAR,))

    assert market.holding("amina") == (0, 500_000)
    assert market.submit(transfer("amina", "bilal", 1), by=("amina",)).outcome is (
        Outcome.HOLDING_INSUFFICIENT
    )
    market.check()


def test_forced_transfer_takes_from_an_account_on_hold(market: World) -> None:
    order = ForcedTransfer(
        account=address(VAR),
        approvers=(address(CB),),
        source=address("held"),
        to=address("amina"),
        asset=PKR,
        amount=1_000,
        reason="Judgment",
        legal_reference="LHC 4/2026",
    )

    events = market.do(order, by=(CB, VAR))

    assert events == (
        ForciblyTransferred(
            source=address("held"),
            to=address("amina"),
            asset=PKR,
            amount=1_000,
            legal_reference="LHC 4/2026",
        ),
    )
    assert market.holding("held") == (0, 0)
    market.check()


def test_what_is_held_is_taken_after_its_release(market: World) -> None:
    placed = market.do(place_hold("amina", 500_000), by=(VAR,))[0]
    assert isinstance(placed, HoldPlaced)
    order = ForcedTransfer(
        account=address(VAR),
        approvers=(address(CB),),
        source=address("amina"),
        to=address("bilal"),
        asset=PKR,
        amount=500_000,
        reason="Judgment",
        legal_reference="LHC 5/2026",
    )
    release = ReleaseHold(
        account=address(VAR), approvers=(), holder=address("amina"), hold=placed.hold
    )

    assert market.submit(order, by=(CB, VAR)).outcome is Outcome.HOLDING_INSUFFICIENT
    market.do(release, order, by=(CB, VAR))
    assert market.holding("amina") == (0, 0)


def test_cash_has_no_maturity() -> None:
    check_terms(CashTerms())
    assert first_redemption_day(CashTerms()) is None


@given(
    amounts=st.dictionaries(st.sampled_from(("amina", "bilal", "exchange")), st.integers(1, 10**6)),
    held=st.integers(0, 50),
)
def test_many_are_credited_as_each_would_be(amounts: dict[str, int], held: int) -> None:
    """The slow twin of how a coupon reaches its holders."""
    records = MemoryRecords()
    state = LedgerState(records)
    state.put(HOLDINGS, holding_key(address("amina"), PKR), HoldingRecord(available=7, held=held))
    records.write(state.changes())
    each, many = LedgerState(records), LedgerState(records)
    owed = {address(name): amount for name, amount in amounts.items()}

    credit_each(many, PKR, owed)
    for account, amount in owed.items():
        credit(each, account, PKR, amount, CashTerms())

    assert many.changes() == each.changes()
