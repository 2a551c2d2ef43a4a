"""Auctions on the ledger, from the announcement to the decision and the settlement."""

import pytest

from node.codec import replace
from node.ledger.auctions import average_yield_e4, consideration
from node.ledger.auctions.records import AuctionStage, ReferenceRecord, RowState
from node.ledger.events import (
    AllotmentSettled,
    AuctionClosed,
    AuctionDecided,
    AuctionRejected,
    AuctionSettled,
    BidPlaced,
    BookCompleted,
)
from node.ledger.operations import AnnounceAuction, DefineAsset
from node.ledger.outcomes import Outcome
from node.ledger.powers import PowerRecord
from node.ledger.pricing import bill_yield
from node.ledger.state import LedgerState
from node.ledger.tables import (
    BIDDERS,
    BIDS,
    POWERS,
    REFERENCES,
    STANDINGS,
    AssetIdentifiers,
    name_key,
    power_key,
)
from tests.ledger.auctions.market import (
    BIDS_OF_BANKS,
    CASH,
    SUPPLY,
    TERMS,
    auction,
    commit_all,
    complete,
    decide,
    go_to,
    ladder,
    make_auction,
    placed,
    result,
    reveal_all,
    supply,
)
from tests.ledger.ladders_auctions import AUCTION, GOOD, STEP
from tests.ledger.world import BILL, CB, FM, PKR, TODAY, address, define_cash, make_market

# --- the whole of it -----------------------------------------------------------------------------


def test_whole_auction_from_the_announcement_to_the_settlement() -> None:
    world = make_auction()
    commit_all(world, BIDS_OF_BANKS)
    [event] = world.do(placed("amina", 4), by=("amina",))
    assert event == BidPlaced(
        auction=AUCTION, number=6, account=address("amina"), asset=BILL, face=4 * STEP
    )
    assert go_to(world, TERMS.closes_ms) == (
        AuctionClosed(auction=AUCTION, sealed=5, noncompetitive=1),
    )
    reveal_all(world, BIDS_OF_BANKS)
    assert go_to(world, TERMS.reveals_until_ms) == (
        BookCompleted(
            auction=AUCTION,
            asset=BILL,
            competitive=130 * STEP,
            noncompetitive=4 * STEP,
            unrevealed=0,
        ),
    )

    [decided] = world.do(decide(983_800), by=(FM,))

    # 96 of 100 are left: 60 above the cut-off, 36 shared by bids for 20 and 40.
    assert [(row.number, row.allotted // STEP) for row in ladder(world)] == [
        (1, 30),
        (2, 30),
        (3, 12),
        (4, 24),
        (5, 0),
        (6, 4),
    ]
    paid = [(30, 984_000), (30, 983_900), (12, 983_800), (24, 983_800)]
    average = round(sum(steps * price for steps, price in paid) / 96)
    days = TODAY + 84 - (TODAY + 1)
    assert decided == AuctionDecided(
        auction=AUCTION,
        asset=BILL,
        cut_off_e4=983_800,
        average_price_e4=average,
        average_yield_e4=average_yield_e4(paid, lambda price: bill_yield(price, days)),
        noncompetitive_price_e4=average,
        competitive=96 * STEP,
        noncompetitive=4 * STEP,
    )
    world.check()
    assert supply(world) == SUPPLY

    # Pieces of both kinds, then what is left of the bidders: a block each.
    events = go_to(world, TERMS.settles_ms)
    while auction(world).next_ms is not None:
        events += go_to(world, world.time_ms + 1)

    costs = [consideration(steps * STEP, price) for steps, price in [*paid, (4, average)]]
    settled = [event for event in events if isinstance(event, AllotmentSettled)]
    assert [event.consideration for event in settled] == costs
    assert world.holding(FM) == (sum(costs), 0)
    assert world.holding("bank-a") == (CASH - costs[0] - costs[2], 0)
    assert world.holding("bank-a", BILL) == (42 * STEP, 0)
    assert world.holding("amina", BILL) == (4 * STEP, 0)
    assert supply(world) == SUPPLY + 100 * STEP
    record = auction(world)
    assert (record.settled, record.failed, record.paid) == (100 * STEP, 0, sum(costs))

    assert events[-1] == AuctionSettled(
        auction=AUCTION,
        asset=BILL,
        settled=100 * STEP,
        failed=0,
        reallotted=0,
        paid=sum(costs),
        issued=0,
    )
    assert auction(world).stage is AuctionStage.SETTLED
    for table in (BIDS, BIDDERS):
        assert world.records.scan(table, b"", 1) == []
    assert [row.state for row in ladder(world)] == [
        RowState.OPEN if not row.allotted else RowState.SETTLED for row in ladder(world)
    ]


def test_last_average_of_a_tenor_is_kept_for_floating_coupons() -> None:
    world = make_auction()
    complete(world)
    assert world.get(REFERENCES, name_key("mtb-3m")) is None

    world.do(decide(983_800), by=(FM,))

    found = result(world)
    assert world.get(REFERENCES, name_key("mtb-3m")) == ReferenceRecord(
        auction=AUCTION,
        day=TODAY,
        settlement_day=TODAY + 1,
        average_price_e4=found.average_price_e4,
        average_yield_e4=found.average_yield_e4 or 0,
    )


@pytest.mark.parametrize(("closed", "is_kept"), [(1, True), (0, False), (-1, False)])
def test_average_of_a_later_auction_is_not_displaced_by_one_decided_after_it(
    closed: int, is_kept: bool
) -> None:
    world = make_auction()
    complete(world)
    other = ReferenceRecord(
        auction="mtb-3m-other",
        day=TODAY + closed,
        settlement_day=TODAY + 2,
        average_price_e4=990_000,
        average_yield_e4=40_000,
    )
    state = LedgerState(world.records)
    state.put(REFERENCES, name_key("mtb-3m"), other)
    world.records.write(state.changes())

    world.do(decide(983_800), by=(FM,))

    reference = world.get(REFERENCES, name_key("mtb-3m"))
    assert reference is not None
    assert reference.auction == (other.auction if is_kept else AUCTION)


def test_uniform_price_lets_everybody_pay_the_cut_off() -> None:
    world = make_auction(replace(TERMS, method=2))
    complete(world)
    world.do(decide(983_800), by=(FM,))

    go_to(world, TERMS.settles_ms)

    assert world.holding(FM) == (
        sum(consideration(steps * STEP, 983_800) for steps in (30, 30))
        + consideration(13 * STEP, 983_800)
        + consideration(27 * STEP, 983_800),
        0,
    )


@pytest.mark.parametrize(
    ("cash", "found"),
    [
        (replace(define_cash("FINE"), decimals=4), "PKR with 4 decimals"),
        (
            replace(
                define_cash("USD"),
                identifiers=AssetIdentifiers(isin=None, currency="USD", dti=None),
            ),
            "USD with 2 decimals",
        ),
    ],
)
def test_cash_of_another_size_or_currency_pays_for_no_face(cash: DefineAsset, found: str) -> None:
    world = make_market()
    world.do(cash, by=(CB, FM))
    terms = replace(GOOD, cash=cash.asset)
    announce = AnnounceAuction(
        account=address(FM), approvers=(address(CB),), auction=AUCTION, terms=terms
    )

    refused = world.submit(announce, by=(CB, FM))

    assert refused.outcome is Outcome.AUCTION_TERMS_NOT_VALID
    assert found in str(dict(refused.details)["reason"])


def test_cash_is_not_auctioned_whatever_the_matrix_lets() -> None:
    world = make_market()
    state = LedgerState(world.records)
    state.put(
        POWERS,
        power_key("announce_auction", "cash"),
        PowerRecord(offices=(CB,), required=1, licences=()),
    )
    world.records.write(state.changes())
    terms = replace(GOOD, asset=PKR, proceeds=address(CB))
    announce = AnnounceAuction(account=address(CB), approvers=(), auction=AUCTION, terms=terms)

    refused = world.submit(announce, by=(CB,))

    assert refused.outcome is Outcome.AUCTION_TERMS_NOT_VALID
    assert dict(refused.details)["reason"] == "PKR is cash, and not auctioned"


# --- decisions -----------------------------------------------------------------------------------


def test_ministry_rejects_all_bids_and_they_are_forgotten() -> None:
    world = make_auction()
    complete(world)

    assert world.do(decide(None), by=(FM,)) == (
        AuctionRejected(auction=AUCTION, reason="ministry"),
    )

    assert go_to(world, world.time_ms + 1) == ()
    assert world.records.scan(BIDS, b"", 1) == []
    assert auction(world).next_ms is None
    assert go_to(world, TERMS.settles_ms) == ()
    assert supply(world) == SUPPLY


def test_auction_that_nobody_decides_is_rejected() -> None:
    world = make_auction()
    complete(world)

    [event] = go_to(world, TERMS.decides_until_ms)

    assert event == AuctionRejected(auction=AUCTION, reason="not-decided")
    go_to(world, world.time_ms + 1)
    assert world.submit(decide(983_800), by=(FM,)).outcome is Outcome.AUCTION_STEP_TOO_LATE


def test_block_after_a_long_silence_takes_every_step_at_once() -> None:
    world = make_auction()
    commit_all(world, BIDS_OF_BANKS)

    events = go_to(world, TERMS.settles_ms)

    assert [type(event) for event in events] == [AuctionClosed, BookCompleted, AuctionRejected]
    assert world.get(STANDINGS, name_key("bank-a")) is not None
