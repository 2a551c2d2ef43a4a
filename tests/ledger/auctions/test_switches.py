"""Switches: a line is taken for another at a fixed price, and no value comes in or goes out."""

import dataclasses
from fractions import Fraction
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from node.codec import replace
from node.ledger.auctions import (
    AuctionError,
    AuctionTerms,
    Destination,
    Exchange,
    Form,
    Method,
    due_for,
    exchange,
)
from node.ledger.auctions.records import Accrual
from node.ledger.auctions.switches import worth_of
from node.ledger.auctions.terms import PRICE_E4_MAX, TARGET_MAX
from node.ledger.events import AllotmentFailed, AuctionSettled, FaceSwitched
from node.ledger.operations import DefineAsset
from node.ledger.outcomes import Outcome
from node.ledger.pricing import half_up
from node.ledger.tables import ASSETS, STANDINGS, name_key
from node.recomputing import figures_of
from tests.ledger.auctions.test_reopening import (
    MIDDLE,
    SECOND,
    announce,
    bid_and_open,
    decide,
    evidence,
    go_to,
    make_reopened,
    pieces,
    record_of,
    rule,
    settle,
)
from tests.ledger.debt import (
    BOND,
    ISSUED,
    define_bond,
    define_serviced_bill,
    floating,
    issue,
    to_day,
    two_years_after,
)
from tests.ledger.world import (
    CB,
    FM,
    TODAY,
    World,
    address,
    define_bill,
    hold_account,
    transfer,
    with_check_digit,
)

NEW: Final = "PIB-3Y-101"
PRICE_E4: Final = 1_020_000
"""Of the new line: 102 per hundred."""
MULTIPLE: Final = 100
OFFERS: Final = (
    ("bank-a", 990_000, 3_000),
    ("bank-b", 985_000, 2_000),
    ("bank-b", 1_000_000, 4_000),
)
SUPPLY: Final = (("bank-a", 3_000), ("bank-b", 9_000), ("first-bank", 1_000))


def define_new(**changes: Any) -> DefineAsset:
    """Define the line that is given: it pays 9 per cent, and began a year after the other."""
    day = ISSUED + 180
    fields = {"issue_day": day, "maturity_day": two_years_after(day), **changes}
    return replace(define_bond(NEW, **fields), multiple=MULTIPLE, ceiling=10_000)


OLD: Final = define_bond()


def switching(day: int = MIDDLE, asset: str = NEW, **changes: Any) -> AuctionTerms:
    fields = {
        "form": Form.SWITCH,
        "target": 7_000,
        "noncompetitive_most": 2_000,
        "destination": Destination(asset=asset, price_e4=PRICE_E4),
    }
    return rule(day, **{**fields, **changes})


def make_switch(day: int = MIDDLE, *definitions: DefineAsset) -> World:
    return make_reopened(day, OLD, *(definitions or (define_new(),)), supply=SUPPLY)


def hold(world: World, terms: AuctionTerms, cut_off_e4: int = 1_000_000) -> list[Any]:
    bid_and_open(world, terms, OFFERS)
    world.do(decide(cut_off_e4), by=(FM,))
    return settle(world, terms)


def supply_of(world: World, code: str) -> int:
    record = world.get(ASSETS, name_key(code))
    assert record is not None
    return record.supply


# --- what is given for what ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("worth", "price_e4", "accrual", "multiple", "expected"),
    [
        (1_000_000, 1_000_000, None, 100, Exchange(face=1_000_000, remainder=0)),
        (1_000_099, 1_000_000, None, 100, Exchange(face=1_000_000, remainder=99)),
        (1_000_000, 1_020_000, None, 100, Exchange(face=980_300, remainder=94)),
        # Worth less than a multiple: cash alone.
        (99, 1_000_000, None, 100, Exchange(face=0, remainder=99)),
        (0, 1_000_000, None, 100, Exchange(face=0, remainder=0)),
        # With half a unit in ten accrued, 105 a hundred.
        (1_050, 1_000_000, (1, 20), 100, Exchange(face=1_000, remainder=0)),
        # The next payment stays with others.
        (950, 1_000_000, (-1, 20), 100, Exchange(face=1_000, remainder=0)),
        # 1 of face at 50 is half a unit, and costs a whole one: two would cost one.
        (1, 500_000, None, 1, Exchange(face=2, remainder=0)),
        # Price and interest are both rounded up: three halves and a half would cost three for two.
        (2, 500_000, (1, 2), 1, Exchange(face=2, remainder=0)),
        (1, 500_000, (1, 2), 1, Exchange(face=0, remainder=1)),
    ],
)
def test_new_line_comes_in_whole_multiples_and_the_rest_in_cash(
    worth: int,
    price_e4: int,
    accrual: tuple[int, int] | None,
    multiple: int,
    expected: Exchange,
) -> None:
    noted = (
        None if accrual is None else Accrual(day=1, numerator=accrual[0], denominator=accrual[1])
    )

    assert exchange(worth, price_e4, noted, multiple) == expected


@example(worth=1, price_e4=500_000, accrual=Fraction(1, 2), multiple=1)
@given(
    worth=st.integers(0, 2**64 - 1),
    price_e4=st.integers(1, PRICE_E4_MAX),
    accrual=st.none() | st.fractions(-2, 2, max_denominator=10_000),
    multiple=st.integers(1, 10**9),
)
def test_value_in_is_value_out_and_less_than_a_multiple_is_left(
    worth: int, price_e4: int, accrual: Fraction | None, multiple: int
) -> None:
    noted = (
        None
        if accrual is None
        else Accrual(day=1, numerator=accrual.numerator, denominator=accrual.denominator)
    )
    each = worth_of(price_e4, noted) * multiple
    if each <= 0:
        with pytest.raises(AuctionError, match="worth nothing"):
            exchange(worth, price_e4, noted, multiple)
        return

    given_ = exchange(worth, price_e4, noted, multiple)

    assert due_for(given_.face, price_e4, noted) + given_.remainder == worth
    assert given_.face % multiple == 0
    assert given_.face >= 0
    assert 0 <= given_.remainder < each + 2


def test_worth_of_the_largest_target_is_an_amount() -> None:
    worth = due_for(TARGET_MAX, PRICE_E4_MAX, None)

    assert exchange(worth, 1, None, 1).face <= worth * 1_000_000


# --- the settlement ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", list(Method))
def test_lowest_offers_are_taken_for_the_new_line_at_their_worth(method: Method) -> None:
    world = make_switch()
    before = {who: world.holding(who)[0] for who in ("bank-a", "bank-b", FM)}

    events = hold(world, switching(method=method))

    assert [type(event) for event in events] == [FaceSwitched] * 3
    old_share = Fraction(35, 1_000) * Fraction(45, SECOND.end - SECOND.start)
    piece = pieces(world)[0]
    assert piece.accrual is not None
    assert piece.destination_accrual is not None
    assert Fraction(piece.accrual.numerator, piece.accrual.denominator) == old_share
    offered = [("bank-b", 985_000, 2_000), ("bank-a", 990_000, 3_000), ("bank-b", 1_000_000, 2_000)]
    for event, (who, price_e4, face) in zip(events, offered, strict=True):
        at = 1_000_000 if method is Method.UNIFORM_PRICE else price_e4
        worth = due_for(face, at, piece.accrual)
        assert (event.account, event.face, event.worth) == (address(who), face, worth)
        assert event.accrued == half_up(old_share * face, 0)
        assert event.issued % MULTIPLE == 0
        assert due_for(event.issued, PRICE_E4, piece.destination_accrual) + event.paid == worth
        assert 0 <= event.paid <= PRICE_E4 * MULTIPLE // 1_000_000 + 10
    record = record_of(world)
    issued, paid = (sum(getattr(event, name) for event in events) for name in ("issued", "paid"))
    assert (record.settled, record.failed, record.issued) == (7_000, 0, issued)
    assert record.paid == paid
    assert supply_of(world, BOND) == 13_000 - 7_000
    assert supply_of(world, NEW) == issued
    assert world.holding("bank-a", BOND) == (0, 0)
    assert world.holding("bank-a", NEW) == (events[1].issued, 0)
    assert world.holding("bank-a")[0] == before["bank-a"] + events[1].paid
    assert world.holding(FM)[0] == before[FM] - paid
    figures = figures_of(evidence(world), record.result)
    assert {("issued", None), ("destination_accrued", MIDDLE)} < {(f.name, f.day) for f in figures}
    assert all(figure.agrees for figure in figures), figures


def test_result_that_says_otherwise_is_seen() -> None:
    world = make_switch()
    hold(world, switching())
    found, result = evidence(world), record_of(world).result

    def differing(**changes: Any) -> set[str]:
        altered = dataclasses.replace(found, **changes)
        return {each.name for each in figures_of(altered, result) if not each.agrees}

    [piece] = found.pieces
    more = replace(found.auction, issued=found.auction.issued + MULTIPLE)
    assert differing(auction=more) == {"issued"}
    lie = Accrual(day=MIDDLE, numerator=1, denominator=70)
    of_new = differing(pieces=(replace(piece, destination_accrual=lie),))
    assert "destination_accrued" in of_new
    assert "paid" in of_new
    nothing = replace(lie, numerator=-2, denominator=1)
    assert "settlement" in differing(pieces=(replace(piece, destination_accrual=nothing),))


def test_event_says_what_the_whole_auction_came_to() -> None:
    world = make_switch()
    terms = switching()
    bid_and_open(world, terms, OFFERS)
    world.do(decide(990_000), by=(FM,))

    events = go_to(world, terms.settles_ms)

    [over] = [event for event in events if isinstance(event, AuctionSettled)]
    record = record_of(world)
    assert (over.settled, over.issued, over.paid) == (5_000, record.issued, record.paid)


def test_holder_that_has_sold_what_it_offered_is_excluded_and_stops_nobody_else() -> None:
    world = make_switch()
    terms = switching()
    bid_and_open(world, terms, OFFERS)
    world.do(decide(1_000_000), by=(FM,))
    world.do(transfer("bank-a", "first-bank", 1, BOND), by=("bank-a",))

    events = settle(world, terms)

    failed = [event for event in events if isinstance(event, AllotmentFailed)]
    assert [(each.bidder, each.outcome, each.excluded) for each in failed] == [
        ("bank-a", Outcome.HOLDING_INSUFFICIENT, True)
    ]
    assert world.holding("bank-a", BOND) == (2_999, 0)
    assert world.holding("bank-a", NEW) == (0, 0)
    assert world.get(STANDINGS, name_key("bank-a")) is not None
    assert len([event for event in events if isinstance(event, FaceSwitched)]) == 2
    figures = figures_of(evidence(world), record_of(world).result)
    assert all(figure.agrees for figure in figures), figures


def test_issuer_without_the_cash_for_what_is_left_takes_nothing_and_nobody_is_blamed() -> None:
    world = make_switch()
    terms = switching()
    bid_and_open(world, terms, OFFERS)
    world.do(decide(1_000_000), by=(FM,))
    world.do(transfer(FM, "first-bank", world.holding(FM)[0]), by=(FM,))

    events = settle(world, terms)

    assert {(type(event), event.outcome, event.excluded) for event in events} == {
        (AllotmentFailed, Outcome.HOLDING_INSUFFICIENT, False)
    }
    assert supply_of(world, BOND) == 13_000
    assert supply_of(world, NEW) == 0


def test_issuer_on_hold_takes_nothing_and_nobody_is_blamed() -> None:
    world = make_switch()
    terms = switching()
    bid_and_open(world, terms, OFFERS)
    world.do(decide(1_000_000), by=(FM,))
    everybody = ("virtual-asset-regulator", CB, "crypto-council")
    joint = replace(hold_account(FM), approvers=tuple(address(each) for each in everybody[1:]))
    world.do(joint, by=everybody)

    events = settle(world, terms)

    assert {(each.outcome, each.excluded) for each in events} == {(Outcome.ACCOUNT_ON_HOLD, False)}


def test_ceiling_of_the_new_line_holds_row_by_row() -> None:
    # The first takes 1,900 of the new line; after it nothing larger fits.
    world = make_switch(MIDDLE, replace(define_new(), ceiling=2_500))

    events = hold(world, switching())

    assert [type(event) for event in events] == [FaceSwitched, AllotmentFailed, AllotmentFailed]
    failed = events[1:]
    assert {(each.outcome, each.excluded) for each in failed} == {(Outcome.CEILING_EXCEEDED, False)}
    assert supply_of(world, NEW) == events[0].issued == events[0].destination_supply
    assert supply_of(world, BOND) == 13_000 - events[0].face


def test_bill_is_given_for_a_bond_and_a_bond_for_a_bill() -> None:
    bill = replace(
        define_bill("MTB-6M", isin=with_check_digit("PK000000009")),
        multiple=MULTIPLE,
    )
    day = TODAY + 20
    world = make_reopened(day, OLD, bill, supply=SUPPLY)
    terms = switching(day, "MTB-6M", destination=Destination(asset="MTB-6M", price_e4=970_000))

    events = hold(world, terms)

    assert all(isinstance(event, FaceSwitched) for event in events)
    assert {event.destination_accrued for event in events} == {0}
    assert pieces(world)[0].destination_accrual is None
    figures = figures_of(evidence(world), record_of(world).result)
    assert all(figure.agrees for figure in figures), figures

    back = make_reopened(day, OLD, bill, supply=SUPPLY)
    back.do(issue(5_000, to="bank-a", asset="MTB-6M"), by=(CB, FM))
    terms = switching(
        day,
        asset=BOND,
        target=1_000,
        destination=Destination(asset=BOND, price_e4=PRICE_E4),
    )
    terms = replace(terms, asset="MTB-6M", multiple=100, prorata_step=100, noncompetitive_least=100)
    bid_and_open(back, terms, [("bank-a", 985_000, 1_000)])
    back.do(decide(985_000), by=(FM,))
    [event] = settle(back, terms)
    assert (event.worth, event.accrued, event.supply) == (985, 0, 4_000)
    assert event.issued + 3_000 == back.holding("bank-a", BOND)[0]


def test_holder_of_an_old_line_keeps_its_payment_and_is_not_paid_that_of_the_new_one() -> None:
    """Between record and payment of the old line; the new one is taken before its own record."""
    day = SECOND.record_day + 1
    world = make_switch(day)

    events = hold(world, switching(day))

    assert {event.accrued <= 0 for event in events} == {True}
    assert all(event.worth <= event.face for event in events)
    figures = figures_of(evidence(world), record_of(world).result)
    assert all(figure.agrees for figure in figures), figures
    to_day(world, SECOND.payment_day + 2)
    world.check()


def test_nothing_is_given_whose_rate_nobody_knows() -> None:
    world = make_switch(MIDDLE, define_new(**floating()))

    events = hold(world, switching())

    assert {(each.outcome, each.excluded) for each in events} == {
        (Outcome.ACCRUAL_NOT_KNOWN, False)
    }
    assert world.holding("bank-a", BOND) == (3_000, 0)


def test_line_that_is_worth_nothing_is_given_to_nobody() -> None:
    """After a record its interest stays with others, and its price is next to nothing."""
    day = SECOND.record_day + 1
    other = replace(define_bond(NEW), multiple=MULTIPLE, ceiling=10_000)
    world = make_switch(day, other)
    cheap = Destination(asset=NEW, price_e4=1)

    events = hold(world, switching(day, destination=cheap))

    assert {(each.outcome, each.excluded) for each in events} == {
        (Outcome.SWITCH_NOT_POSSIBLE, False)
    }


# --- what is not announced -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"destination": Destination(asset="NOPE", price_e4=PRICE_E4)}, Outcome.ASSET_UNKNOWN),
        (
            {"destination": Destination(asset="PKR", price_e4=PRICE_E4)},
            Outcome.POWER_NOT_GRANTED,
        ),
        ({"destination": None}, Outcome.AUCTION_TERMS_NOT_VALID),
        (
            {"destination": Destination(asset=BOND, price_e4=PRICE_E4)},
            Outcome.AUCTION_TERMS_NOT_VALID,
        ),
        ({"form": Form.BUYBACK}, Outcome.AUCTION_TERMS_NOT_VALID),
        ({"target": 14_000}, Outcome.AUCTION_TERMS_NOT_VALID),
        ({"reference": "mtb-3m"}, Outcome.AUCTION_TERMS_NOT_VALID),
    ],
)
def test_switch_that_contradicts_itself_is_refused(
    changes: dict[str, Any], outcome: Outcome
) -> None:
    world = make_switch()

    refused = world.submit(announce(switching(**changes)), by=(CB, FM))

    assert refused.outcome is outcome


def test_new_line_that_is_not_issued_yet_or_full_or_of_other_decimals_is_refused() -> None:
    later = define_new(issue_day=MIDDLE + 10, maturity_day=two_years_after(MIDDLE + 10))
    world = make_switch(MIDDLE, later)
    refused = world.submit(announce(switching()), by=(CB, FM))
    assert refused.outcome is Outcome.AUCTION_TERMS_NOT_VALID
    assert f"{NEW} would settle" in str(dict(refused.details)["reason"])

    world = make_switch(MIDDLE, replace(define_new(), ceiling=MULTIPLE))
    world.do(issue(MULTIPLE, asset=NEW), by=(CB, FM))
    refused = world.submit(announce(switching()), by=(CB, FM))
    assert refused.outcome is Outcome.CEILING_EXCEEDED
    assert dict(refused.details)["asset"] == NEW

    world = make_switch(MIDDLE, replace(define_serviced_bill(), decimals=2))
    refused = world.submit(
        announce(switching(destination=Destination(asset="MTB-6M-9", price_e4=970_000))),
        by=(CB, FM),
    )
    assert "matures" in str(refused.details) or "register closes" in str(refused.details)
