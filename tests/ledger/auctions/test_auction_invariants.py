"""What holds of every auction is broken once, and noticed."""

from collections.abc import Callable

import pytest

from node.codec import replace
from node.ledger.auctions.records import AuctionRecord, AuctionStage, RowState
from node.ledger.errors import InvariantViolation
from node.ledger.invariants import check_block
from node.ledger.state import LedgerState
from node.ledger.tables import (
    AUCTIONS,
    BIDDERS,
    BIDS,
    LADDERS,
    bid_key,
    bidder_key,
    ladder_key,
    name_key,
)
from tests.ledger.auctions.market import (
    BIDS_OF_BANKS,
    TERMS,
    commit_all,
    complete,
    decide,
    go_to,
    make_auction,
)
from tests.ledger.ladders_auctions import AUCTION, STEP
from tests.ledger.world import FM, World

Breach = Callable[[LedgerState], None]


def sealed() -> World:
    world = make_auction()
    commit_all(world, BIDS_OF_BANKS)
    return world


def completed() -> World:
    world = make_auction()
    complete(world)
    return world


def settled() -> World:
    world = completed()
    world.do(decide(983_800), by=(FM,))
    go_to(world, TERMS.settles_ms)
    go_to(world, TERMS.settles_ms + 1)
    return world


def changing(change: Callable[[AuctionRecord], AuctionRecord]) -> Breach:
    def breach(state: LedgerState) -> None:
        record = state.get(AUCTIONS, name_key(AUCTION))
        assert record is not None
        state.put(AUCTIONS, name_key(AUCTION), change(record))

    return breach


def with_result(**changes: object) -> Breach:
    return changing(lambda record: replace(record, result=replace(record.result, **changes)))


def with_row(index: int, **changes: object) -> Breach:
    def breach(state: LedgerState) -> None:
        piece = state.get(LADDERS, ladder_key(AUCTION, 0))
        assert piece is not None
        rows = list(piece.rows)
        rows[index] = replace(rows[index], **changes)
        state.put(LADDERS, ladder_key(AUCTION, 0), replace(piece, rows=tuple(rows)))

    return breach


def putting_back_a_bid(state: LedgerState) -> None:
    state.put(BIDS, bid_key(AUCTION, 1), BIDS_OF_SEALED)


def naming_a_stranger(state: LedgerState) -> None:
    [(_, bidder), *_] = state.scan(BIDDERS, b"", 1)
    state.put(BIDDERS, bidder_key("nothing", "bank-a"), bidder)


SEALED, COMPLETED, SETTLED = sealed(), completed(), settled()
BIDS_OF_SEALED = SEALED.records.scan(BIDS, b"", 1)[0][1]


@pytest.mark.parametrize(
    ("world", "breach", "message"),
    [
        (SETTLED, with_result(competitive=101 * STEP), "allots 50500000 of 50000000"),
        (
            SETTLED,
            changing(lambda record: replace(record, settled=record.settled + 1)),
            "of which 50000001 settled or failed",
        ),
        (
            SETTLED,
            changing(lambda record: replace(record, settled=record.settled - 1)),
            "is over, and 1 neither settled nor failed",
        ),
        (SETTLED, changing(lambda record: replace(record, paid=-1)), "settled or failed"),
    ],
)
def test_block_in_which_an_auction_gives_what_it_has_not_is_noticed(
    world: World, breach: Breach, message: str
) -> None:
    state = LedgerState(world.records)
    breach(state)

    with pytest.raises(InvariantViolation, match=message):
        check_block(state.written())


@pytest.mark.parametrize(
    ("world", "breach", "message"),
    [
        (SETTLED, changing(lambda record: replace(record, paid=1)), "comes to"),
        (SETTLED, with_row(0, price_e4=984_001), "comes to"),
        (SETTLED, with_row(0, state=RowState.FAILED), "comes to"),
        (SETTLED, with_row(0, allotted=31 * STEP), "allots 15500000 to a bid for 15000000"),
        (SETTLED, putting_back_a_bid, "is over and has bids or bidders"),
        (COMPLETED, with_row(0, allotted=STEP), "is not decided, and something is allotted"),
        (COMPLETED, naming_a_stranger, "of the auction nothing, which was not announced"),
        (
            COMPLETED,
            changing(lambda record: replace(record, next_ms=record.terms.settles_ms)),
            "what expires and the queue do not agree",
        ),
        (
            SEALED,
            lambda state: state.delete(BIDS, bid_key(AUCTION, 1)),
            "does not have the bids that it counts",
        ),
    ],
)
def test_state_in_which_an_auction_contradicts_itself_is_noticed(
    world: World, breach: Breach, message: str
) -> None:
    broken = world.copy()
    state = LedgerState(broken.records)
    breach(state)
    broken.records.write(state.changes())

    with pytest.raises(InvariantViolation, match=message):
        broken.check()


def test_auctions_in_every_stage_are_in_order() -> None:
    for world in (SEALED, COMPLETED, SETTLED):
        world.check()
    assert SETTLED.records.scan(AUCTIONS, b"", 1)[0][1].stage is AuctionStage.SETTLED
