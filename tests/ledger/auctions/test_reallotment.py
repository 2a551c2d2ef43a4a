"""What becomes of an allotment that is not paid for, by the announced rule."""

from collections.abc import Sequence
from typing import Any, Final

import pytest

from node.codec import replace
from node.ledger.auctions import Form, Method, Reallotment, due_for
from node.ledger.auctions.allotment import reallotment_fault
from node.ledger.auctions.averages import accrued_on, accrued_over, consideration
from node.ledger.auctions.records import (
    Accrual,
    AuctionStage,
    LadderRecord,
    RowState,
    delivered_of,
    deliveries_of,
)
from node.ledger.auctions.switches import given_for
from node.ledger.events import AllotmentFailed, AllotmentSettled, Event, FaceReallotted
from node.ledger.tables import ASSETS, BIDDERS, BIDS, STANDINGS, name_key
from node.recomputing import figures_of
from tests.ledger.auctions import test_reopening as reopening
from tests.ledger.auctions.market import (
    CASH,
    SUPPLY,
    TERMS,
    auction,
    commit_all,
    decide,
    go_to,
    ladder,
    make_auction,
    placed,
    reveal_all,
    supply,
)
from tests.ledger.debt import BOND
from tests.ledger.ladders_auctions import STEP
from tests.ledger.world import BILL, CB, FM, VAR, World, address, issue_cash, suspend, transfer

CUT_OFF_E4: Final = 983_800
OF_THE_CUT_SHORT: Final = replace(TERMS, reallotment=Reallotment.CUT_SHORT)
BIDS_OF_BANKS: Final = (
    ("bank-a", 984_000, 30),
    ("bank-b", 983_900, 30),
    ("bank-a", CUT_OFF_E4, 20),
    ("bank-c", CUT_OFF_E4, 40),
    ("bank-c", 983_700, 10),
)
"""Of a hundred steps forty are left at the cut-off, for bids of twenty and forty."""
ALLOTTED: Final = [30, 30, 13, 27, 0]


def decided(
    terms: Any = OF_THE_CUT_SHORT, bids: Sequence[Any] = BIDS_OF_BANKS, *, retail: int = 0
) -> World:
    """Return an auction that is decided at the cut-off."""
    world = make_auction(terms)
    commit_all(world, bids)
    if retail:
        world.do(placed("amina", retail), by=("amina",))
    go_to(world, TERMS.closes_ms)
    reveal_all(world, bids)
    go_to(world, TERMS.reveals_until_ms)
    world.do(decide(CUT_OFF_E4), by=(FM,))
    return world


def settled(world: World) -> list[Event]:
    """Let it settle and be forgotten; the invariants are looked at after each block."""
    events = [*go_to(world, TERMS.settles_ms)]
    while auction(world).next_ms is not None:
        events += go_to(world, world.time_ms + 1)
    assert auction(world).stage is AuctionStage.SETTLED
    for table in (BIDS, BIDDERS):
        assert world.records.scan(table, b"", 1) == []
    return events


def leave(world: World, who: str, cash: int = 0) -> None:
    """Let somebody have so much cash and no more."""
    has, _ = world.holding(who)
    world.do(transfer(who, "first-bank", has - cash), by=(who,))


def cost(steps: int, price_e4: int = CUT_OFF_E4) -> int:
    return due_for(steps * STEP, price_e4, None)


def delivered(world: World) -> list[int]:
    return [
        delivered_of(row) // STEP if row.state is RowState.SETTLED else 0 for row in ladder(world)
    ]


def test_shares_are_as_they_are_said_above() -> None:
    assert [row.allotted // STEP for row in ladder(decided())] == ALLOTTED


def test_what_is_not_paid_for_goes_to_whoever_was_cut_short() -> None:
    world = decided()
    leave(world, "bank-b")

    events = settled(world)

    assert delivered(world) == [30, 0, 20, 40, 0]
    record = auction(world)
    assert (record.failed, record.reallotted) == (30 * STEP, 20 * STEP)
    assert record.settled == supply(world) - SUPPLY == 90 * STEP
    assert world.holding("bank-c")[0] == CASH - cost(27) - cost(13)
    moved = [event for event in events if isinstance(event, AllotmentSettled | FaceReallotted)]
    assert [(type(event), event.account, event.face // STEP) for event in moved[-4:]] == [
        (AllotmentSettled, address("bank-a"), 7),
        (FaceReallotted, address("bank-a"), 7),
        (AllotmentSettled, address("bank-c"), 13),
        (FaceReallotted, address("bank-c"), 13),
    ]
    [failed] = [event for event in events if isinstance(event, AllotmentFailed)]
    assert (failed.bidder, failed.excluded) == ("bank-b", True)
    assert world.get(STANDINGS, name_key("bank-c")) is None


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_ladder_of_several_pieces_is_gone_through_whole(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.ledger.auctions.ladders.ROWS_PER_PIECE_MAX", rows)
    world = decided(retail=4)
    leave(world, "bank-b")
    world.do(suspend("amina"), by=(VAR,))

    settled(world)

    assert auction(world).competitive_pieces == -(-5 // rows)
    assert delivered(world) == [30, 0, 20, 40, 0, 0]
    assert auction(world).unpaid == 34 * STEP


def test_nobody_gets_it_where_that_is_the_rule() -> None:
    world = decided(TERMS)
    leave(world, "bank-b")

    settled(world)

    assert delivered(world) == [30, 0, 13, 27, 0]
    assert auction(world).reallotted == 0


def test_who_fails_at_the_cut_off_itself_leaves_it_to_the_one_before() -> None:
    world = decided()
    leave(world, "bank-c")

    settled(world)

    assert delivered(world) == [30, 30, 20, 0, 0]


def test_who_did_not_pay_a_price_does_not_get_the_face_at_a_lower_one() -> None:
    world = decided()
    leave(world, "bank-a", cost(20) + cost(7))

    settled(world)

    # Its own bid is not filled: the other one is.
    assert delivered(world) == [0, 30, 13, 40, 0]


def test_who_has_not_the_cash_for_more_gets_no_more_and_is_not_to_blame() -> None:
    world = decided()
    leave(world, "bank-b")
    leave(world, "bank-a", cost(30, 984_000) + cost(13) + cost(6))

    settled(world)

    assert delivered(world) == [30, 0, 13, 40, 0]
    assert world.get(STANDINGS, name_key("bank-a")) is None


def test_not_more_goes_out_than_was_not_paid_for() -> None:
    bids = [*BIDS_OF_BANKS[:1], ("bank-b", 983_900, 3), *BIDS_OF_BANKS[2:4]]
    world = decided(replace(OF_THE_CUT_SHORT, target=50 * STEP), bids)
    leave(world, "bank-b")

    settled(world)

    # Seventeen were left for bids of twenty and forty; three come back, and the first has room.
    allotted = [row.allotted // STEP for row in ladder(world)]
    assert sum(allotted) == 50
    assert delivered(world) == [30, 0, allotted[2] + 3, allotted[3]]
    assert auction(world).settled == 50 * STEP


def test_what_retail_does_not_pay_for_goes_there_too() -> None:
    world = decided(retail=4)
    world.do(suspend("amina"), by=(VAR,))

    settled(world)

    row = ladder(world)[2]
    assert (row.reallotted, auction(world).reallotted) == (4 * STEP, 4 * STEP)
    assert supply(world) == SUPPLY + 100 * STEP


def test_what_the_issuer_cannot_deliver_goes_to_nobody() -> None:
    """The ceiling allows fifty: the second of thirty does not fit, and nobody is to blame."""
    world = decided()
    record = world.get(ASSETS, name_key(BILL))
    assert record is not None
    meanwhile = record.ceiling - record.supply - 50 * STEP
    issue = replace(
        issue_cash(meanwhile, to=FM, asset=BILL), account=address(FM), approvers=(address(CB),)
    )
    world.do(issue, by=(CB, FM))

    settled(world)

    assert delivered(world) == [30, 0, 13, 0, 0]
    assert (auction(world).failed, auction(world).unpaid) == (57 * STEP, 0)


@pytest.mark.parametrize("form", [Form.PRICE, Form.BUYBACK])
@pytest.mark.parametrize("next_day", [False, True])
def test_interest_accrued_is_that_of_the_settlement_or_nothing_is_reallotted(
    form: Form, *, next_day: bool
) -> None:
    best, last = (990_000, 980_000) if form is Form.PRICE else (980_000, 990_000)
    bids = [("bank-a", best, 4_000), ("bank-b", last, 9_000)]
    held = [("bank-a", 4_000), ("bank-b", 9_000)] if form is Form.BUYBACK else []
    terms = reopening.rule(
        reopening.MIDDLE,
        form=form,
        method=Method.MULTIPLE_PRICE,
        reallotment=Reallotment.CUT_SHORT,
        noncompetitive_share_bps=0,
        noncompetitive_kinds=(),
        noncompetitive_least=0,
        noncompetitive_most=0,
    )
    world = reopening.make_reopened(reopening.MIDDLE, supply=held)
    reopening.bid_and_open(world, terms, bids)
    world.do(reopening.decide(last), by=(FM,))
    if form is Form.BUYBACK:
        world.do(transfer("bank-a", "first-bank", 4_000, BOND), by=("bank-a",))
    else:
        world.do(transfer("bank-a", "first-bank", world.holding("bank-a")[0]), by=("bank-a",))

    reopening.go_to(world, terms.settles_ms)
    record = reopening.record_of(world)
    assert (record.stage, record.unpaid) == (AuctionStage.DECIDED, 4_000)
    if next_day:
        reopening.go_to(world, reopening.midnight_ms(reopening.MIDDLE + 1))
    while reopening.record_of(world).next_ms is not None:
        reopening.go_to(world, world.time_ms + 1)

    record = reopening.record_of(world)
    # Of ten thousand the other one got six and could have nine.
    more = 0 if next_day else 3_000
    assert (record.settled, record.reallotted) == (6_000 + more, more)
    figures = figures_of(reopening.evidence(world, BOND), record.result)
    assert [figure.name for figure in figures if not figure.agrees] == []


def test_ladder_that_does_not_keep_to_the_rule_is_found_out() -> None:
    world = decided()
    leave(world, "bank-b")
    settled(world)
    record, rows = auction(world), ladder(world)
    assert record.result is not None
    nobody = replace(record.terms, reallotment=Reallotment.NONE)
    best = replace(rows[0], reallotted=STEP)
    beyond = replace(rows[2], reallotted=8 * STEP)
    whole = [replace(row, state=RowState.SETTLED) for row in rows]

    for terms, ladder_, said in (
        (record.terms, rows, None),
        (nobody, rows, "what is not paid for goes to nobody"),
        (record.terms, [best, *rows[1:]], "bid 1 got 500000 more, and could get 0"),
        (record.terms, [*rows[:2], beyond, *rows[3:]], "bid 3 got 4000000 more, and could get"),
        (record.terms, whole, "and 0 was not paid for"),
    ):
        fault = reallotment_fault(terms, record.result, ladder_)
        assert fault is None if said is None else said in (fault or "")


def test_interest_of_a_row_is_what_was_paid_beside_its_price() -> None:
    """Two deliveries are rounded twice, and together less than once."""
    accrual = Accrual(day=20_788, numerator=1, denominator=3_000)
    world = decided()
    settled(world)
    row = replace(ladder(world)[0], price_e4=993_000, allotted=40_000_000, reallotted=10_000_000)
    result = auction(world).result
    assert result is not None
    piece = LadderRecord(rows=(row,), accrual=accrual, destination_accrual=None)
    terms = replace(auction(world).terms, method=Method.MULTIPLE_PRICE)

    paid = given_for(terms, result, row, piece, 1).remainder
    accrued = accrued_over(deliveries_of(row), accrual)

    assert (accrued, accrued_on(delivered_of(row), accrual)) == (16_666, 16_667)
    assert paid - accrued == consideration(delivered_of(row), 993_000)
