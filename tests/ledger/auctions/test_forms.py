"""Auctions in another form: of the rate of a new line, and in reverse, when the issuer buys."""

from fractions import Fraction
from typing import Any, Final

import pytest

from node.codec import replace
from node.ledger.acts.auctions.decide_auction import DECIDING_WORK
from node.ledger.auctions import AuctionTerms, Form, Method, NoncompetitivePrice
from node.ledger.events import (
    AllotmentFailed,
    AllotmentSettled,
    FaceBoughtBack,
    PaymentSettled,
    RateDecided,
)
from node.ledger.instruments import SCHEDULE_WORK, payments_at_most
from node.ledger.operations import DefineAsset
from node.ledger.outcomes import Outcome
from node.ledger.pricing import half_up
from node.ledger.securities import SERVICES
from node.ledger.tables import ASSETS, STANDINGS, AssetRecord, name_key
from node.ledger.terms import PPM, RateStep, is_serviced
from node.recomputing import figures_of
from tests.ledger.auctions.test_reopening import (
    AUCTION,
    CASH,
    MIDDLE,
    SECOND,
    Bid,
    announce,
    bid_and_open,
    clean,
    decide,
    evidence,
    make_reopened,
    record_of,
    rule,
    settle,
)
from tests.ledger.debt import BOND, ISSUED, SUKUK, define_sukuk, issue, to_day
from tests.ledger.world import (
    CB,
    FM,
    TODAY,
    VAR,
    World,
    address,
    define_bill,
    hold_account,
    suspend,
    transfer,
    with_check_digit,
)

OFFERS: Final[tuple[Bid, ...]] = (
    ("bank-a", 990_000, 3_000),
    ("bank-b", 985_000, 2_000),
    ("bank-b", 1_000_000, 4_000),
)
SUPPLY: Final = (("bank-a", 3_000), ("bank-b", 9_000), ("first-bank", 1_000))


def buying(day: int = MIDDLE, asset: str = BOND, **changes: Any) -> AuctionTerms:
    fields = {"form": Form.BUYBACK, "target": 7_000, "noncompetitive_most": 2_000}
    return rule(day, asset, **{**fields, **changes})


def asset_of(world: World, code: str = BOND) -> AssetRecord:
    record = world.get(ASSETS, name_key(code))
    assert record is not None
    return record


# --- what is bought back -------------------------------------------------------------------------


def test_lowest_offers_are_bought_back_and_destroyed() -> None:
    world = make_reopened(MIDDLE, supply=SUPPLY)
    before = {who: world.holding(who)[0] for who in ("bank-b", FM)}

    bid_and_open(world, buying(), OFFERS)
    world.do(decide(1_000_000), by=(FM,))
    events = settle(world, buying())

    # 5,000 below the cut-off; 2,000 of the 4,000 at it.
    share = Fraction(35, 1_000) * Fraction(45, SECOND.end - SECOND.start)
    bought = [("bank-b", 985_000, 2_000), ("bank-a", 990_000, 3_000), ("bank-b", 1_000_000, 2_000)]
    accrued = [half_up(share * face, 0) for _, _, face in bought]
    paid = [clean(face, e4) + each for (_, e4, face), each in zip(bought, accrued, strict=True)]
    assert [
        (event.account, event.face, event.consideration, event.accrued)
        for event in events
        if isinstance(event, FaceBoughtBack)
    ] == [
        (address(who), face, cash, each)
        for (who, _, face), cash, each in zip(bought, paid, accrued, strict=True)
    ]
    assert asset_of(world).supply == 13_000 - 7_000
    assert world.holding("bank-a", BOND) == (0, 0)
    assert world.holding("bank-b", BOND) == (5_000, 0)
    assert world.holding("bank-b") == (before["bank-b"] + paid[0] + paid[2], 0)
    assert world.holding(FM) == (before[FM] - sum(paid), 0)
    record = record_of(world)
    assert (record.settled, record.failed, record.paid) == (7_000, 0, sum(paid))
    figures = figures_of(evidence(world), record.result)
    assert all(figure.agrees for figure in figures), figures


def test_what_was_bought_back_is_paid_nothing_afterwards() -> None:
    day = SECOND.record_day
    world = make_reopened(day, supply=SUPPLY)
    sell_back(world, buying(day))

    events = to_day(world, SECOND.payment_day)

    # 35 paise a thousand; of 6,000 that are left.
    [settled] = [event for event in events if isinstance(event, PaymentSettled)]
    assert settled.paid + settled.withheld + settled.residue == 210


def test_holder_keeps_the_payment_of_a_record_before_the_buyback() -> None:
    day = SECOND.record_day + 1
    world = make_reopened(day, supply=SUPPLY)

    events = sell_back(world, buying(day))

    # A day or two of the period are left: a paisa on 3,000, nothing on 2,000.
    assert [(type(each), each.accrued) for each in events] == [
        (FaceBoughtBack, accrued) for accrued in (0, -1, 0)
    ]
    taken = to_day(world, SECOND.payment_day)
    [settled] = [event for event in taken if isinstance(event, PaymentSettled)]
    # Of all 13,000 that were there: 35 paise a thousand.
    assert settled.paid + settled.withheld + settled.residue == 455


def sell_back(world: World, terms: AuctionTerms) -> list[Any]:
    bid_and_open(world, terms, OFFERS)
    world.do(decide(1_000_000), by=(FM,))
    return settle(world, terms)


def test_bill_is_bought_back_before_it_matures() -> None:
    bill = replace(define_bill("MTB-6M", isin=with_check_digit("PK000000009")), multiple=1)
    world = make_reopened(TODAY + 20, bill)
    world.do(issue(5_000, to="bank-a", asset="MTB-6M"), by=(CB, FM))
    terms = buying(TODAY + 20, "MTB-6M", target=1_000)

    bid_and_open(world, terms, [("bank-a", 985_000, 1_000)])
    world.do(decide(985_000), by=(FM,))
    [event] = settle(world, terms)

    assert isinstance(event, FaceBoughtBack)
    assert (event.consideration, event.accrued, event.supply) == (985, 0, 4_000)


def test_holder_that_has_sold_what_it_offered_is_excluded_and_stops_nobody_else() -> None:
    world = make_reopened(MIDDLE, supply=SUPPLY)
    bid_and_open(world, buying(), OFFERS)
    world.do(decide(1_000_000), by=(FM,))
    world.do(transfer("bank-a", "first-bank", 1, BOND), by=("bank-a",))

    events = settle(world, buying())

    failed = [event for event in events if isinstance(event, AllotmentFailed)]
    assert [(each.bidder, each.outcome, each.excluded) for each in failed] == [
        ("bank-a", Outcome.HOLDING_INSUFFICIENT, True)
    ]
    assert world.holding("bank-a", BOND) == (2_999, 0)
    assert len([event for event in events if isinstance(event, FaceBoughtBack)]) == 2


def test_issuer_without_the_cash_takes_nothing_and_nobody_is_blamed() -> None:
    world = make_reopened(MIDDLE, supply=SUPPLY)
    bid_and_open(world, buying(), OFFERS)
    world.do(decide(1_000_000), by=(FM,))
    world.do(transfer(FM, "first-bank", CASH - 2_500), by=(FM,))

    events = settle(world, buying())

    # Enough for the first of three.
    assert [type(event) for event in events] == [FaceBoughtBack, AllotmentFailed, AllotmentFailed]
    failed = [event for event in events if isinstance(event, AllotmentFailed)]
    assert {(each.outcome, each.excluded) for each in failed} == {
        (Outcome.HOLDING_INSUFFICIENT, False)
    }
    assert world.get(STANDINGS, name_key("bank-a")) is None
    assert asset_of(world).supply == 11_000


@pytest.mark.parametrize("stop", [suspend, hold_account])
def test_issuer_that_cannot_act_takes_nothing_and_nobody_is_blamed(stop: Any) -> None:
    world = make_reopened(MIDDLE, supply=SUPPLY)
    bid_and_open(world, buying(), OFFERS)
    world.do(decide(1_000_000), by=(FM,))
    council = "crypto-council"
    jointly = replace(stop(FM), account=address(CB), approvers=(address(VAR), address(council)))
    world.do(jointly, by=(CB, VAR, council))

    events = settle(world, buying())

    assert all(isinstance(event, AllotmentFailed) and not event.excluded for event in events)
    assert asset_of(world).supply == 13_000


def test_nothing_is_bought_back_from_an_account_on_hold() -> None:
    world = make_reopened(MIDDLE, supply=SUPPLY)
    bid_and_open(world, buying(), OFFERS)
    world.do(decide(1_000_000), by=(FM,))
    world.do(hold_account("bank-b"), by=(VAR,))

    events = settle(world, buying())

    failed = [event for event in events if isinstance(event, AllotmentFailed)]
    assert {(event.account, event.outcome) for event in failed} == {
        (address("bank-b"), Outcome.ACCOUNT_ON_HOLD)
    }
    assert world.holding("bank-b", BOND) == (9_000, 0)
    assert asset_of(world).supply == 13_000 - 3_000


def test_no_more_is_sought_than_there_is() -> None:
    world = make_reopened(MIDDLE, supply=[("bank-a", 6_999)])

    refused = world.submit(announce(buying()), by=(CB, FM))

    assert refused.outcome is Outcome.AUCTION_TERMS_NOT_VALID
    assert dict(refused.details)["reason"] == (
        f"there are 6999 minor units of {BOND}, fewer than the target"
    )


def test_cut_off_of_a_buyback_is_the_highest_price_taken() -> None:
    world = make_reopened(MIDDLE, supply=SUPPLY)
    bid_and_open(world, buying(target=5_000), [*OFFERS[:2], ("bank-b", 1_000_000, 1_000)])

    refused = world.submit(decide(1_000_000), by=(FM,))

    assert refused.outcome is Outcome.CUT_OFF_NOT_ACCEPTED
    assert str(dict(refused.details)["reason"]).startswith("bids better than it are for 5000")


# --- lines whose rate is bid for -----------------------------------------------------------------

RATES: Final[tuple[Bid, ...]] = (
    ("bank-a", 115_000, 3_000),
    ("bank-b", 114_500, 4_000),
    ("bank-b", 116_000, 2_000),
)
UNRATED: Final = (RateStep(from_day=ISSUED, rate_ppm=0),)
SUKUK_OF_THE_AUCTION: Final = define_sukuk(rates=UNRATED)


def by_rate(day: int = ISSUED + 1, asset: str = SUKUK, **changes: Any) -> AuctionTerms:
    fields = {
        "form": Form.RATE,
        "method": Method.UNIFORM_PRICE,
        "noncompetitive_price": NoncompetitivePrice.CUT_OFF,
        "target": 6_000,
        "noncompetitive_most": 1_000,
    }
    return rule(day, asset, **{**fields, **changes})


def test_cut_off_becomes_the_rental_of_the_line_and_everybody_pays_par() -> None:
    world = make_reopened(ISSUED + 1, SUKUK_OF_THE_AUCTION)

    bid_and_open(world, by_rate(), RATES)
    decided = world.do(decide(115_000), by=(FM,))
    events = settle(world, by_rate())

    assert decided[1] == RateDecided(auction=AUCTION, asset=SUKUK, rate_ppm=115_000)
    terms = asset_of(world, SUKUK).terms
    assert is_serviced(terms)
    assert terms.plan.rates == (RateStep(from_day=ISSUED, rate_ppm=115_000),)
    # 4,000 at 11.45 per cent, 2,000 of the 3,000 at 11.50; a day has accrued.
    assert [
        (each.account, each.face, each.consideration - each.accrued)
        for each in events
        if isinstance(each, AllotmentSettled)
    ] == [(address("bank-b"), 4_000, 4_000), (address("bank-a"), 2_000, 2_000)]
    service = world.get(SERVICES, name_key(SUKUK))
    assert service is not None
    assert service.next is not None
    half_year = Fraction(service.next.interest_numerator, service.next.interest_denominator)
    assert half_year == Fraction(115_000, 2 * PPM)
    found = replace(asset_of(world, SUKUK))
    of_sukuk = evidence(world, SUKUK)
    assert of_sukuk.line.asset == found
    figures = figures_of(of_sukuk, record_of(world).result)
    assert all(figure.agrees for figure in figures), figures


def test_first_rental_is_paid_at_the_rate_that_was_decided() -> None:
    world = make_reopened(ISSUED + 1, SUKUK_OF_THE_AUCTION)
    bid_and_open(world, by_rate(), RATES)
    world.do(decide(115_000), by=(FM,))
    settle(world, by_rate())

    events = to_day(world, ISSUED + 186)

    [settled] = [event for event in events if isinstance(event, PaymentSettled)]
    assert settled.paid + settled.withheld + settled.residue == 345


@pytest.mark.parametrize(
    ("definition", "supply", "reason"),
    [
        (define_sukuk(), (), "with a single rate of 0, and this is not"),
        (define_sukuk(months=0, rates=()), (), "with a single rate of 0, and this is not"),
        (SUKUK_OF_THE_AUCTION, [("bank-a", 5)], "not decided any more: 5 minor units"),
    ],
)
def test_line_that_has_a_rate_or_holders_is_not_sold_by_rate(
    definition: DefineAsset, supply: Any, reason: str
) -> None:
    world = make_reopened(ISSUED + 1, definition)
    for who, face in supply:
        world.do(issue(face, to=who, asset=SUKUK), by=(CB, FM))

    refused = world.submit(announce(by_rate()), by=(CB, FM))

    assert refused.outcome is Outcome.AUCTION_TERMS_NOT_VALID
    assert reason in str(dict(refused.details)["reason"])


def test_bill_is_not_sold_by_rate() -> None:
    bill = replace(define_bill("MTB-9", isin=with_check_digit("PK000000009")), multiple=1)
    world = make_reopened(TODAY + 20, bill)

    refused = world.submit(announce(by_rate(TODAY + 20, "MTB-9")), by=(CB, FM))

    assert refused.outcome is Outcome.AUCTION_TERMS_NOT_VALID
    assert "pays coupons or rentals, and this does not" in str(dict(refused.details)["reason"])


def test_line_that_was_issued_meanwhile_keeps_its_rate() -> None:
    world = make_reopened(ISSUED + 1, SUKUK_OF_THE_AUCTION)
    bid_and_open(world, by_rate(), RATES)
    world.do(issue(5, to="first-bank", asset=SUKUK), by=(CB, FM))

    refused = world.submit(decide(115_000), by=(FM,))

    assert refused.outcome is Outcome.CUT_OFF_NOT_ACCEPTED
    assert "not decided any more" in str(dict(refused.details)["reason"])


@pytest.mark.parametrize(
    ("rate_ppm", "ceiling", "reason"),
    [
        (PPM + 1, 10**12, "a rate is at most 1000000"),
        (PPM, (1 << 63) - 1, "would be more than half of what an amount can be"),
    ],
)
def test_rate_that_the_line_could_not_pay_is_no_cut_off(
    rate_ppm: int, ceiling: int, reason: str
) -> None:
    definition = replace(SUKUK_OF_THE_AUCTION, ceiling=ceiling)
    world = make_reopened(ISSUED + 1, definition)
    bid_and_open(world, by_rate(), [("bank-a", rate_ppm, 3_000)])

    refused = world.submit(decide(rate_ppm), by=(FM,))

    assert refused.outcome is Outcome.CUT_OFF_NOT_ACCEPTED
    assert reason in str(dict(refused.details)["reason"])


def test_schedule_that_a_rate_is_tried_on_counts_in_the_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = make_reopened(ISSUED + 1, SUKUK_OF_THE_AUCTION)
    bid_and_open(world, by_rate(), RATES)
    line = SUKUK_OF_THE_AUCTION.terms
    assert is_serviced(line)
    least = DECIDING_WORK + SCHEDULE_WORK * payments_at_most(line.plan)
    monkeypatch.setattr("node.ledger.acting.WORK_PER_BLOCK_MAX", 2 * least - 1)

    receipts = world.block(
        world.body(decide(1), by=(FM,)), world.body(decide(115_000), by=(FM,))
    ).receipts

    assert [receipt.outcome for receipt in receipts] == [
        Outcome.CUT_OFF_NOT_ACCEPTED,
        Outcome.BLOCK_CROWDED,
    ]
    world.time_ms += 1
    world.do(decide(115_000), by=(FM,))
