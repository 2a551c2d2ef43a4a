"""Auctions of the margin of a new floater over its reference, which may lie below it."""

from types import SimpleNamespace
from typing import Any, Final

import pytest

from node.codec import replace
from node.ledger.acts.auctions.announce_auction import ANNOUNCING_WORK
from node.ledger.acts.auctions.decide_auction import DECIDING_WORK
from node.ledger.auctions import (
    AuctionTerms,
    Form,
    Method,
    NoncompetitivePrice,
    allot,
    competitive_ladder,
)
from node.ledger.auctions.ladders import row_of
from node.ledger.auctions.records import OpenBid
from node.ledger.auctions.terms import MARGIN_E4_MAX
from node.ledger.events import (
    AllotmentFailed,
    AllotmentSettled,
    MarginDecided,
    PaymentSettled,
    RateFixed,
)
from node.ledger.operations import DefineAsset
from node.ledger.outcomes import Outcome
from node.ledger.tables import ASSETS, name_key
from node.ledger.terms import is_serviced
from node.recomputing import figures_of
from node.rpc.recomputing import recomputing
from tests.ledger.auctions.test_forms import (
    RATES,
    SUKUK_OF_THE_AUCTION,
    asset_of,
    by_rate,
)
from tests.ledger.auctions.test_reopening import (
    AUCTION,
    Bid,
    announce,
    bid_and_open,
    decide,
    evidence,
    make_reopened,
    record_of,
    rule,
    settle,
)
from tests.ledger.debt import (
    BOND,
    ISSUED,
    REFERENCE,
    SOURCE,
    define_bond,
    fix,
    fixing,
    floating,
    issue,
    service,
    to_day,
    two_years_after,
)
from tests.ledger.world import CB, FM, TODAY, World, address, define_bill, with_check_digit

MARGINS: Final[tuple[Bid, ...]] = (
    ("bank-a", -2_500, 3_000),
    ("bank-b", -5_000, 4_000),
    ("bank-b", 0, 2_000),
)
REFERENCE_PPM: Final = 112_500
FLOATER: Final = define_bond(**floating(margin_ppm=0))


def by_margin(day: int = ISSUED + 1, asset: str = BOND, **changes: Any) -> AuctionTerms:
    fields = {
        "form": Form.MARGIN,
        "method": Method.UNIFORM_PRICE,
        "noncompetitive_price": NoncompetitivePrice.CUT_OFF,
        "target": 6_000,
        "noncompetitive_most": 1_000,
    }
    return rule(day, asset, **{**fields, **changes})


def margin_of(world: World) -> int:
    terms = asset_of(world).terms
    assert is_serviced(terms)
    assert terms.plan.floating is not None
    return terms.plan.floating.margin_ppm


def test_cut_off_becomes_the_margin_of_the_line_and_the_fixed_rate_follows_it() -> None:
    world = make_reopened(ISSUED + 1, FLOATER)
    world.do(fix(1, REFERENCE_PPM), by=(CB, FM))

    bid_and_open(world, by_margin(), MARGINS)
    decided = world.do(decide(-2_500), by=(FM,))
    events = settle(world, by_margin())

    assert decided[1:] == (
        MarginDecided(auction=AUCTION, asset=BOND, margin_ppm=-2_500),
        RateFixed(
            asset=BOND,
            payment=1,
            day=ISSUED - 1,
            reference=REFERENCE,
            reference_ppm=REFERENCE_PPM,
            margin_ppm=-2_500,
            rate_ppm=110_000,
            auction=None,
            source=SOURCE,
        ),
    )
    assert margin_of(world) == -2_500
    # The lowest margin first; 2,000 of the 3,000 at the cut-off; everybody pays par.
    assert [
        (each.account, each.face, each.consideration - each.accrued)
        for each in events
        if isinstance(each, AllotmentSettled)
    ] == [(address("bank-b"), 4_000, 4_000), (address("bank-a"), 2_000, 2_000)]
    figures = figures_of(evidence(world), record_of(world).result)
    assert all(figure.agrees for figure in figures), figures


def test_first_coupon_is_paid_with_the_margin_that_was_decided() -> None:
    world = make_reopened(ISSUED + 1, FLOATER)
    world.do(fix(1, REFERENCE_PPM), by=(CB, FM))
    bid_and_open(world, by_margin(), MARGINS)
    world.do(decide(-2_500), by=(FM,))
    settle(world, by_margin())

    events = to_day(world, ISSUED + 186)

    [settled] = [event for event in events if isinstance(event, PaymentSettled)]
    assert settled.paid + settled.withheld + settled.residue == 330  # 5.5 per cent of 6,000


def test_rate_that_is_fixed_after_the_decision_has_the_margin() -> None:
    world = make_reopened(ISSUED + 1, FLOATER)
    bid_and_open(world, by_margin(target=8_000), MARGINS)

    decided = world.do(decide(0), by=(FM,))
    world.do(fix(1, REFERENCE_PPM), by=(CB, FM))

    assert decided[1:] == (MarginDecided(auction=AUCTION, asset=BOND, margin_ppm=0),)
    fixed = fixing(world, 1)
    assert fixed is not None
    assert fixed.rate_ppm == REFERENCE_PPM


def test_nothing_is_delivered_whose_rate_is_not_fixed_and_nobody_is_blamed() -> None:
    world = make_reopened(ISSUED + 1, FLOATER)
    bid_and_open(world, by_margin(), MARGINS)
    world.do(decide(-2_500), by=(FM,))

    events = settle(world, by_margin())

    assert {(type(each), each.outcome, each.excluded) for each in events} == {
        (AllotmentFailed, Outcome.ACCRUAL_NOT_KNOWN, False)
    }


def test_new_floater_is_delivered_on_its_day_of_issue_before_its_rate_is_fixed() -> None:
    """Nothing has accrued on that day, whatever the rate will be."""
    later = ISSUED + 7
    changes = floating(margin_ppm=0) | {
        "issue_day": later,
        "maturity_day": two_years_after(later),
    }
    world = make_reopened(later, define_bond(**changes))
    terms = by_margin(later)
    bid_and_open(world, terms, MARGINS)
    world.do(decide(-2_500), by=(FM,))

    events = settle(world, terms)

    settled = [each for each in events if isinstance(each, AllotmentSettled)]
    assert [(each.face, each.consideration, each.accrued) for each in settled] == [
        (4_000, 4_000, 0),
        (2_000, 2_000, 0),
    ]
    fixed = fixing(world, 1)
    assert fixed is None or fixed.rate_ppm is None
    result = record_of(world).result
    assert result is not None
    assert all(figure.agrees for figure in figures_of(evidence(world), result))


@pytest.mark.parametrize(
    ("margin_ppm", "rate_ppm"), [(-MARGIN_E4_MAX, 20_000), (MARGIN_E4_MAX, 150_000), (1, 112_501)]
)
def test_margin_is_held_by_floor_and_cap(margin_ppm: int, rate_ppm: int) -> None:
    line = define_bond(**floating(margin_ppm=0, floor_ppm=20_000, cap_ppm=150_000))
    world = make_reopened(ISSUED + 1, line)
    world.do(fix(1, REFERENCE_PPM), by=(CB, FM))
    bid_and_open(world, by_margin(), [("bank-a", margin_ppm, 3_000)])

    world.do(decide(margin_ppm), by=(FM,))

    fixed = fixing(world, 1)
    assert fixed is not None
    assert fixed.rate_ppm == rate_ppm
    world.check()


@pytest.mark.parametrize("margin_ppm", [-MARGIN_E4_MAX - 1, MARGIN_E4_MAX + 1])
def test_margin_beyond_the_whole_is_no_bid(margin_ppm: int) -> None:
    world = make_reopened(ISSUED + 1, FLOATER)

    with pytest.raises(AssertionError, match="takes -1000000 to 1000000"):
        bid_and_open(world, by_margin(), [("bank-a", margin_ppm, 3_000)])


def test_margins_lie_on_the_quantum_below_zero_too() -> None:
    world = make_reopened(ISSUED + 1, FLOATER)

    with pytest.raises(AssertionError, match="takes multiples of 100"):
        bid_and_open(world, by_margin(quantum_e4=100), [("bank-a", -150, 3_000)])


@pytest.mark.parametrize(
    ("definition", "supply", "reason"),
    [
        (define_bond(), (), "floats, and this does not"),
        (define_bond(**floating()), (), "with a margin of 0, and this is not"),
        (FLOATER, [("bank-a", 5)], "not decided any more: 5 minor units"),
    ],
)
def test_line_that_has_a_margin_or_holders_is_not_sold_by_margin(
    definition: DefineAsset, supply: Any, reason: str
) -> None:
    world = make_reopened(ISSUED + 1, definition)
    for who, face in supply:
        world.do(issue(face, to=who), by=(CB, FM))

    refused = world.submit(announce(by_margin()), by=(CB, FM))

    assert refused.outcome is Outcome.AUCTION_TERMS_NOT_VALID
    assert reason in str(dict(refused.details)["reason"])


def test_bill_is_not_sold_by_margin() -> None:
    bill = replace(define_bill("MTB-9", isin=with_check_digit("PK000000009")), multiple=1)
    world = make_reopened(TODAY + 20, bill)

    refused = world.submit(announce(by_margin(TODAY + 20, "MTB-9")), by=(CB, FM))

    assert refused.outcome is Outcome.AUCTION_TERMS_NOT_VALID
    assert "floats, and this does not" in str(dict(refused.details)["reason"])


def test_line_of_which_a_record_was_taken_keeps_its_margin() -> None:
    day = ISSUED + 190
    world = make_reopened(ISSUED + 1, FLOATER)
    world.do(fix(1, REFERENCE_PPM), by=(CB, FM))
    to_day(world, day - 1)
    assert service(world).recorded == 1

    refused = world.submit(announce(by_margin(day)), by=(CB, FM))

    assert refused.outcome is Outcome.AUCTION_TERMS_NOT_VALID
    assert "the record of payment 1 is over" in str(dict(refused.details)["reason"])


def test_margin_of_nothing_is_decided_once() -> None:
    world = make_reopened(ISSUED + 1, FLOATER)
    bid_and_open(world, by_margin(), [(who, 0, face) for who, _, face in MARGINS])
    world.do(decide(0), by=(FM,))

    refused = world.submit(replace(announce(by_margin(ISSUED + 9)), auction="other"), by=(CB, FM))

    assert refused.outcome is Outcome.AUCTION_TERMS_NOT_VALID
    assert "an auction decided that it is 0" in str(dict(refused.details)["reason"])


def test_decisions_of_a_block_are_counted_refused_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.ledger.acting.WORK_PER_BLOCK_MAX", DECIDING_WORK)
    world = make_reopened(ISSUED + 1, FLOATER)
    bid_and_open(world, by_margin(), MARGINS)

    receipts = world.block(
        world.body(decide(99), by=(FM,)), world.body(decide(-2_500), by=(FM,))
    ).receipts

    assert [receipt.outcome for receipt in receipts] == [
        Outcome.CUT_OFF_NOT_ACCEPTED,
        Outcome.BLOCK_CROWDED,
    ]
    world.time_ms += 1
    world.do(decide(-2_500), by=(FM,))


def test_announcements_of_a_block_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.ledger.acting.WORK_PER_BLOCK_MAX", ANNOUNCING_WORK)
    world = make_reopened(ISSUED + 1, FLOATER)
    first, second = (replace(announce(by_margin()), auction=name) for name in ("a", "b"))

    receipts = world.block(world.body(first, by=(CB, FM)), world.body(second, by=(CB, FM))).receipts

    assert [receipt.outcome for receipt in receipts] == [Outcome.APPLIED, Outcome.BLOCK_CROWDED]
    world.time_ms += 1
    world.do(second, by=(CB, FM))


def test_line_that_was_issued_meanwhile_keeps_its_margin() -> None:
    world = make_reopened(ISSUED + 1, FLOATER)
    bid_and_open(world, by_margin(), MARGINS)
    world.do(issue(5, to="first-bank"), by=(CB, FM))
    before = world.get(ASSETS, name_key(BOND))

    refused = world.submit(decide(-2_500), by=(FM,))

    assert refused.outcome is Outcome.CUT_OFF_NOT_ACCEPTED
    assert "not decided any more" in str(dict(refused.details)["reason"])
    assert world.get(ASSETS, name_key(BOND)) == before


def test_bids_without_a_margin_take_the_cut_off_and_pay_par() -> None:
    priced = [
        row_of(number, OpenBid(price_e4=margin, face=face, cash_account=bytes(20)))
        for number, (_, margin, face) in enumerate(MARGINS, 1)
    ]
    unpriced = row_of(4, OpenBid(price_e4=None, face=500, cash_account=bytes(20)))
    terms = by_margin()

    found = allot(terms, competitive_ladder(priced, terms.form), [unpriced], -2_500)

    assert [row.price_e4 for row in found.competitive] == [-5_000, -2_500, 0]
    assert [row.allotted for row in found.competitive] == [4_000, 1_500, 0]
    assert [row.allotted for row in found.noncompetitive] == [500]
    assert (found.average_price_e4, found.noncompetitive_price_e4) == (-2_500, -2_500)


@pytest.mark.parametrize(
    ("terms", "definition", "bids", "cut_off_e4"),
    [
        (by_margin(), FLOATER, MARGINS, -2_500),
        (by_rate(), SUKUK_OF_THE_AUCTION, RATES, 115_000),
    ],
)
def test_pages_work_out_that_everybody_paid_par(
    terms: AuctionTerms, definition: DefineAsset, bids: Any, cut_off_e4: int
) -> None:
    world = make_reopened(ISSUED + 1, definition)
    if terms.form is Form.MARGIN:
        world.do(fix(1, REFERENCE_PPM), by=(CB, FM))
    bid_and_open(world, terms, bids)
    world.do(decide(cut_off_e4), by=(FM,))
    settle(world, terms)
    assert record_of(world).paid >= 6_000

    reading: Any = SimpleNamespace(record=world.get)  # of a chain, all that it asks for
    work = recomputing(reading, AUCTION, record_of(world))
    assert work is not None
    figures = work()

    assert all(figure.agrees for figure in figures), figures
