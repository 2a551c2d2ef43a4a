"""Auctions at their bounds: the largest amounts, and how much of a book one block takes on."""

import pytest

from node.codec import encode, replace
from node.ledger.auctioning import steps
from node.ledger.auctioning.steps import ROW_WORK, SETTLING_WORK, STEP_WORK, take_step
from node.ledger.auctions import AuctionTerms, SealedBid, commitment_of, fault_of
from node.ledger.auctions.records import ROWS_PER_PIECE_MAX, AuctionStage, BidRecord, OpenBid
from node.ledger.auctions.terms import PRICE_E4_MAX, TARGET_MAX
from node.ledger.events import BookCompleted
from node.ledger.operations import RevealBid
from node.ledger.state import LedgerState
from node.ledger.tables import AUCTIONS, BIDS, ParticipantKind, bid_key, name_key
from node.ledger.units import AMOUNT_MAX
from tests.ledger.auctions.market import (
    BIDS_OF_BANKS,
    CASH,
    PEOPLE,
    TERMS,
    auction,
    commit_all,
    complete,
    decide,
    go_to,
    ladder,
    make_auction,
    placed,
    reveal,
    reveal_all,
    salt_of,
    sealed,
)
from tests.ledger.ladders_auctions import AUCTION, STEP
from tests.ledger.world import (
    CB,
    FM,
    NOW_MS,
    World,
    address,
    define_bill,
    define_cash,
    issue_cash,
    make_market,
    open_for,
    register,
    with_check_digit,
)


def test_one_block_settles_one_piece_of_a_ladder() -> None:
    world = make_auction(replace(TERMS, bids_per_bidder=100, target=1_000 * STEP))
    others = [f"bank-{number}" for number in range(3)]
    for bank in others:
        world.do(register(bank, ParticipantKind.BANK, by=CB), open_for(bank, by=CB), by=(CB,))
        world.do(issue_cash(CASH, to=bank), by=(CB,))
    bids = [(bank, 983_800 + n, 2) for bank in others for n in range(90)]
    for start in range(0, len(bids), 90):
        operations = [
            sealed(bid, number) for number, bid in enumerate(bids[start : start + 90], start + 1)
        ]
        world.do(*operations, by=(bids[start][0],))
    go_to(world, TERMS.closes_ms)
    for start in range(0, len(bids), 90):
        opened = [
            reveal(bid, number) for number, bid in enumerate(bids[start : start + 90], start + 1)
        ]
        world.do(*opened, by=(bids[start][0],))
    go_to(world, TERMS.reveals_until_ms)
    world.do(decide(983_800), by=(FM,))

    first = go_to(world, TERMS.settles_ms)
    second = go_to(world, TERMS.settles_ms + 1)
    third = go_to(world, TERMS.settles_ms + 2)

    assert [len(first), len(second), len(third)] == [ROWS_PER_PIECE_MAX, 21, 0]
    assert auction(world).next_ms is None


def sell_without_end(terms: AuctionTerms) -> World:
    """Open an auction of a security, paid for in cash, of which there may be all there can be."""
    world = make_market()
    security = define_bill("ENDLESS", isin=with_check_digit("PK000000009"))
    world.do(
        replace(security, multiple=1, ceiling=AMOUNT_MAX),
        replace(define_cash("RICHES"), ceiling=AMOUNT_MAX),
        by=(CB, FM),
    )
    endless = replace(terms, asset="ENDLESS", cash="RICHES", multiple=1, prorata_step=1)
    return make_auction(endless, world)


def test_bids_that_add_up_to_more_than_an_amount_complete_the_book() -> None:
    most = AMOUNT_MAX - 1
    world = sell_without_end(replace(TERMS, noncompetitive_most=most))
    commit_all(world, BIDS_OF_BANKS)
    for person in PEOPLE:
        world.do(replace(placed(person, 1), asset="ENDLESS", face=most), by=(person,))
    go_to(world, TERMS.closes_ms)
    for number, bid in enumerate(BIDS_OF_BANKS, 1):
        world.do(replace(reveal(bid, number), asset="ENDLESS"), by=(bid[0],))

    [completed] = go_to(world, TERMS.reveals_until_ms)

    assert isinstance(completed, BookCompleted)
    assert (completed.competitive, completed.noncompetitive) == (130 * STEP, AMOUNT_MAX)
    encode(completed)


def test_bids_with_a_price_that_add_up_to_more_than_an_amount_complete_the_book() -> None:
    world = sell_without_end(replace(TERMS, target=TARGET_MAX))
    state = LedgerState(world.records)
    for number in range(1, 402):
        bid = OpenBid(price_e4=983_800, face=TARGET_MAX, cash_account=address("bank-a"))
        record = BidRecord(
            account=address("bank-a"),
            bidder="bank-a",
            commitment=bytes(32),
            bid=bid,
            void=False,
        )
        state.put(BIDS, bid_key(AUCTION, number), record)
    before = auction(world)
    state.put(AUCTIONS, name_key(AUCTION), replace(before, sealed=401))
    world.records.write(state.changes())
    go_to(world, TERMS.closes_ms)

    [completed] = go_to(world, TERMS.reveals_until_ms)

    assert isinstance(completed, BookCompleted)
    assert completed.competitive == AMOUNT_MAX
    encode(completed)


def test_target_at_which_all_that_is_paid_would_be_no_amount_is_refused() -> None:
    """What the issuer's own account pays comes back to it: it can pay any number of times."""
    most = replace(TERMS, target=TARGET_MAX, noncompetitive_least=1)
    above = replace(most, target=TARGET_MAX + 1, multiple=1, prorata_step=1)
    assert "can be paid for at any price" in str(fault_of(above, now_ms=NOW_MS))
    world = sell_without_end(most)
    world.do(issue_cash(AMOUNT_MAX, to=FM, asset="RICHES"), by=(CB,))
    faces = [TARGET_MAX // 2, TARGET_MAX - TARGET_MAX // 2]
    for number, face in enumerate(faces, 1):
        content = SealedBid(
            auction=AUCTION,
            account=address("bank-a"),
            price_e4=PRICE_E4_MAX,
            face=face,
            salt=salt_of(number),
        )
        sealing = replace(sealed(BIDS_OF_BANKS[0], 1), commitment=commitment_of(content))
        world.do(sealing, by=("bank-a",))
    go_to(world, TERMS.closes_ms)
    for number, face in enumerate(faces, 1):
        opening = RevealBid(
            account=address("bank-a"),
            cash_account=address(FM),
            auction=AUCTION,
            number=number,
            asset="ENDLESS",
            price_e4=PRICE_E4_MAX,
            face=face,
            salt=salt_of(number),
        )
        world.do(opening, by=("bank-a", FM))
    go_to(world, TERMS.reveals_until_ms)
    world.do(decide(PRICE_E4_MAX), by=(FM,))

    go_to(world, TERMS.settles_ms)

    assert auction(world).paid == 100 * TARGET_MAX
    assert world.holding("bank-a", "ENDLESS") == (TARGET_MAX, 0)
    assert world.holding(FM, "RICHES") == (AMOUNT_MAX, 0)


def test_book_is_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_PAGE", 2)
    world = make_auction()

    [completed] = complete(world)

    assert isinstance(completed, BookCompleted)
    assert [row.number for row in ladder(world)] == [1, 2, 3, 4, 5]


def test_steps_count_the_work_that_they_are() -> None:
    """A block bounds them: what is not counted is not bounded."""
    world = make_auction()
    commit_all(world, BIDS_OF_BANKS)
    world.do(placed("amina", 4), by=("amina",))
    counts = []
    for time_ms in (TERMS.closes_ms, TERMS.reveals_until_ms, TERMS.settles_ms):
        counts.append(take_step(LedgerState(world.records), AUCTION, time_ms)[1])
        go_to(world, time_ms)
        if time_ms == TERMS.closes_ms:
            reveal_all(world, BIDS_OF_BANKS)
        if time_ms == TERMS.reveals_until_ms:
            world.do(decide(983_800), by=(FM,))
    go_to(world, TERMS.settles_ms + 1)
    assert auction(world).stage is AuctionStage.SETTLED
    counts.append(take_step(LedgerState(world.records), AUCTION, world.time_ms + 1)[1])

    # Closing; six bids; the piece of those with a price; what is left of four bidders.
    assert counts == [1, STEP_WORK + 6, SETTLING_WORK + 5 * ROW_WORK, STEP_WORK + 4]
