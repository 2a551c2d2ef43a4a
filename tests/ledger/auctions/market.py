"""Auctions held on the ledger: three banks with cash, a book of bids, and every step of the way."""

from collections.abc import Sequence
from typing import Final

from node.codec import replace
from node.ledger.auctions import AuctionTerms, SealedBid, commitment_of
from node.ledger.auctions.records import AuctionRecord, AuctionResult, LadderRow
from node.ledger.events import AuctionAnnounced, AuctionOpened, BidCommitted, BidRevealed, Event
from node.ledger.operations import AnnounceAuction, CommitBid, DecideAuction, PlaceBid, RevealBid
from node.ledger.tables import ASSETS, AUCTIONS, LADDERS, ParticipantKind, ladder_key, name_key
from tests.ledger.ladders_auctions import AUCTION, GOOD, STEP
from tests.ledger.world import (
    BILL,
    CB,
    FM,
    World,
    address,
    issue_cash,
    make_market,
    open_for,
    register,
)

BANKS: Final = ("bank-a", "bank-b", "bank-c")
PEOPLE: Final = ("amina", "bilal")
CASH: Final = 10**9
TERMS: Final = replace(
    GOOD,
    target=100 * STEP,
    noncompetitive_share_bps=2_000,
    noncompetitive_most=20 * STEP,
    unrevealed_exclusion_days=7,
)
SUPPLY: Final = 500_000 * 100
"""Of the bill, before the auction reopens it."""

Bid = tuple[str, int, int]
"""Who, at what price in units of 0.0001, for how many steps."""

BIDS_OF_BANKS: Final[Sequence[Bid]] = (
    ("bank-a", 984_000, 30),
    ("bank-b", 983_900, 30),
    ("bank-a", 983_800, 20),
    ("bank-c", 983_800, 40),
    ("bank-c", 983_700, 10),
)


def make_auction(terms: AuctionTerms = TERMS, world: World | None = None) -> World:
    """Announce the auction to three banks with cash, and let it open."""
    world = world or make_market()
    for bank in BANKS:
        world.do(register(bank, ParticipantKind.BANK, by=CB), open_for(bank, by=CB), by=(CB,))
        world.do(issue_cash(CASH, to=bank), by=(CB,))
    world.do(*(issue_cash(CASH, to=person) for person in PEOPLE), by=(CB,))
    announce = AnnounceAuction(
        account=address(FM), approvers=(address(CB),), auction=AUCTION, terms=terms
    )
    [event] = world.do(announce, by=(CB, FM))
    assert event == AuctionAnnounced(
        auction=AUCTION,
        asset=terms.asset,
        form=terms.form,
        target=terms.target,
        opens_ms=terms.opens_ms,
        closes_ms=terms.closes_ms,
        settles_ms=terms.settles_ms,
    )
    assert go_to(world, terms.opens_ms) == (AuctionOpened(auction=AUCTION),)
    return world


def go_to(world: World, time_ms: int) -> tuple[Event, ...]:
    """Let the first block of a time come; return what happened in it by itself."""
    world.time_ms = time_ms
    events = world.block().events
    world.check()
    return events


def salt_of(number: int) -> bytes:
    return number.to_bytes(32, "big")


def sealed(bid: Bid, salt: int) -> CommitBid:
    who, price_e4, steps = bid
    content = SealedBid(
        auction=AUCTION,
        account=address(who),
        price_e4=price_e4,
        face=steps * STEP,
        salt=salt_of(salt),
    )
    return CommitBid(account=address(who), auction=AUCTION, commitment=commitment_of(content))


def reveal(bid: Bid, number: int) -> RevealBid:
    who, price_e4, steps = bid
    return RevealBid(
        account=address(who),
        cash_account=address(who),
        auction=AUCTION,
        number=number,
        asset=BILL,
        price_e4=price_e4,
        face=steps * STEP,
        salt=salt_of(number),
    )


def placed(who: str, steps: int, cash: str | None = None) -> PlaceBid:
    return PlaceBid(
        account=address(who),
        cash_account=address(cash or who),
        auction=AUCTION,
        asset=BILL,
        face=steps * STEP,
    )


def decide(cut_off_e4: int | None) -> DecideAuction:
    return DecideAuction(account=address(FM), approvers=(), auction=AUCTION, cut_off_e4=cut_off_e4)


def commit_all(world: World, bids: Sequence[Bid]) -> None:
    """Hand in sealed bids, numbered from 1."""
    for number, bid in enumerate(bids, 1):
        [event] = world.do(sealed(bid, number), by=(bid[0],))
        assert event == BidCommitted(auction=AUCTION, number=number, account=address(bid[0]))
    world.check()


def reveal_all(world: World, bids: Sequence[Bid]) -> None:
    for number, bid in enumerate(bids, 1):
        [event] = world.do(reveal(bid, number), by=(bid[0],))
        assert event == BidRevealed(
            auction=AUCTION,
            number=number,
            account=address(bid[0]),
            asset=BILL,
            price_e4=bid[1],
            face=bid[2] * STEP,
        )
    world.check()


def complete(world: World, bids: Sequence[Bid] = BIDS_OF_BANKS) -> tuple[Event, ...]:
    """Take all sealed bids, open them, and complete the book."""
    commit_all(world, bids)
    go_to(world, TERMS.closes_ms)
    reveal_all(world, bids)
    return go_to(world, TERMS.reveals_until_ms)


def auction(world: World) -> AuctionRecord:
    record = world.get(AUCTIONS, name_key(AUCTION))
    assert record is not None
    return record


def result(world: World) -> AuctionResult:
    found = auction(world).result
    assert found is not None
    return found


def ladder(world: World) -> list[LadderRow]:
    record = auction(world)
    rows: list[LadderRow] = []
    for piece in range(record.competitive_pieces + record.noncompetitive_pieces):
        found = world.get(LADDERS, ladder_key(AUCTION, piece))
        assert found is not None
        rows += found.rows
    return rows


def supply(world: World) -> int:
    record = world.get(ASSETS, name_key(BILL))
    assert record is not None
    return record.supply
