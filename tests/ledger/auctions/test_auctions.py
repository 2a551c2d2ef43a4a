"""Auctions on the ledger: from the announcement to the settlement, and everything on the way."""

from collections.abc import Sequence
from typing import Final

import pytest

from node.codec import encode, replace
from node.ledger import auctioning
from node.ledger.auctioning import ROW_WORK, SETTLING_WORK, STEP_WORK, take_step
from node.ledger.auctions import (
    AuctionTerms,
    SealedBid,
    average_yield_e4,
    commitment_of,
    consideration,
    fault_of,
)
from node.ledger.auctions.records import (
    ROWS_PER_PIECE_MAX,
    AuctionRecord,
    AuctionResult,
    AuctionStage,
    BidRecord,
    LadderRow,
    OpenBid,
    ReferenceRecord,
    RowState,
    StandingRecord,
)
from node.ledger.auctions.terms import PRICE_E4_MAX, TARGET_MAX
from node.ledger.bidding import blame
from node.ledger.dates import SATURDAY_SUNDAY, Holiday
from node.ledger.events import (
    AllotmentFailed,
    AllotmentSettled,
    AppointmentMoved,
    AuctionAnnounced,
    AuctionClosed,
    AuctionDecided,
    AuctionOpened,
    AuctionRejected,
    AuctionSettled,
    BidCommitted,
    BidPlaced,
    BidRevealed,
    BidsVoided,
    BidWithdrawn,
    BookCompleted,
    Event,
)
from node.ledger.operations import (
    AmendCalendar,
    AnnounceAuction,
    CloseAccount,
    CommitBid,
    DecideAuction,
    DefineAsset,
    DefineCalendar,
    GrantLicence,
    PlaceBid,
    RevealBid,
    WithdrawBid,
)
from node.ledger.outcomes import Outcome
from node.ledger.powers import PowerRecord
from node.ledger.pricing import bill_yield
from node.ledger.state import LedgerState
from node.ledger.tables import (
    ASSETS,
    AUCTIONS,
    BIDDERS,
    BIDS,
    LADDERS,
    POWERS,
    REFERENCES,
    STANDINGS,
    Activity,
    AssetIdentifiers,
    LicencePhase,
    ParticipantKind,
    bid_key,
    ladder_key,
    name_key,
    power_key,
)
from node.ledger.terms import BillTerms
from node.ledger.units import AMOUNT_MAX
from tests.ledger.ladders_auctions import AUCTION, GOOD, HOUR_MS, STEP
from tests.ledger.world import (
    BILL,
    CB,
    DAY_MS,
    FM,
    NOW_MS,
    PKR,
    PLAIN,
    TODAY,
    VAR,
    World,
    address,
    define_bill,
    define_cash,
    issue_cash,
    make_market,
    open_for,
    register,
    suspend,
    transfer,
    with_check_digit,
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


# --- bidders -------------------------------------------------------------------------------------


def test_issuer_does_not_bid_for_what_it_sells() -> None:
    world = make_auction(replace(TERMS, kinds=("bank", "institution")))

    own = world.submit(sealed((FM, 984_000, 30), 1), by=(FM,))
    another = world.submit(sealed((CB, 984_000, 30), 1), by=(CB,))

    assert own.outcome is Outcome.BIDDER_NOT_ACCEPTED
    assert another.outcome is Outcome.APPLIED


def test_who_may_name_a_price_may_not_bid_without_one() -> None:
    terms = replace(TERMS, noncompetitive_kinds=("company", "person"), licences=("exchange",))
    world = make_auction(terms)

    refused = world.submit(placed("exchange", 4), by=("exchange",))

    assert refused.outcome is Outcome.BIDDER_NOT_ACCEPTED


def test_exclusion_is_never_shortened_by_a_later_one() -> None:
    state = LedgerState(make_market().records)

    blame(state, "first-bank", time_ms=NOW_MS, exclusion_days=30, unrevealed=1)
    blame(state, "first-bank", time_ms=NOW_MS + 1, exclusion_days=7, failed=1)

    assert state.get(STANDINGS, name_key("first-bank")) == StandingRecord(
        unrevealed=1, failed=1, excluded_until_ms=NOW_MS + 30 * DAY_MS, unentered=0
    )


# --- sealed bids ---------------------------------------------------------------------------------


def test_sealed_bid_says_nothing_and_is_bound_to_its_account() -> None:
    world = make_auction()
    bid = ("bank-a", 984_000, 30)
    commit_all(world, [bid])
    copy = replace(sealed(bid, 1), account=address("bank-b"))
    world.do(copy, by=("bank-b",))
    go_to(world, TERMS.closes_ms)
    world.do(reveal(bid, 1), by=("bank-a",))

    copied = replace(reveal(("bank-b", *bid[1:]), 2), salt=salt_of(1))

    assert world.submit(copied, by=("bank-b",)).outcome is Outcome.SEALED_BID_DIFFERS


def test_withdrawn_bid_makes_room_and_its_number_is_not_given_again() -> None:
    world = make_auction(replace(TERMS, bids_per_bidder=1))
    bid = ("bank-a", 984_000, 30)
    commit_all(world, [bid])
    assert world.submit(sealed(bid, 2), by=("bank-a",)).outcome is Outcome.BIDS_FULL_FOR_BIDDER

    withdraw = WithdrawBid(account=address("bank-a"), auction=AUCTION, number=1)
    assert world.do(withdraw, by=("bank-a",)) == (
        BidWithdrawn(auction=AUCTION, number=1, account=address("bank-a")),
    )

    assert world.records.scan(BIDDERS, b"", 1) == []
    [event] = world.do(sealed(bid, 2), by=("bank-a",))
    assert isinstance(event, BidCommitted)
    assert event.number == 2
    world.check()
    go_to(world, TERMS.closes_ms)
    assert world.submit(reveal(bid, 1), by=("bank-a",)).outcome is Outcome.SEALED_BID_UNKNOWN


def test_unopened_bid_is_void_and_counted_against_its_bidder() -> None:
    world = make_auction()
    commit_all(world, BIDS_OF_BANKS)
    go_to(world, TERMS.closes_ms)
    for number in (1, 2, 4):
        bid = BIDS_OF_BANKS[number - 1]
        world.do(reveal(bid, number), by=(bid[0],))

    [completed] = go_to(world, TERMS.reveals_until_ms)

    assert isinstance(completed, BookCompleted)
    assert (completed.competitive, completed.unrevealed) == (100 * STEP, 2)
    assert [row.number for row in ladder(world)] == [1, 2, 4]
    excluded_ms = world.time_ms + 7 * DAY_MS
    expected = StandingRecord(unrevealed=1, failed=0, excluded_until_ms=excluded_ms, unentered=0)
    assert world.get(STANDINGS, name_key("bank-a")) == expected
    assert world.get(STANDINGS, name_key("bank-c")) == expected
    assert world.get(STANDINGS, name_key("bank-b")) is None

    again = replace(
        TERMS,
        opens_ms=world.time_ms + 1,
        closes_ms=excluded_ms + HOUR_MS,
        reveals_until_ms=excluded_ms + 2 * HOUR_MS,
        decides_until_ms=excluded_ms + 3 * HOUR_MS,
        settles_ms=excluded_ms + DAY_MS,
    )
    announce = AnnounceAuction(
        account=address(FM), approvers=(address(CB),), auction="next", terms=again
    )
    world.do(announce, by=(CB, FM))
    go_to(world, again.opens_ms)
    later = replace(sealed(BIDS_OF_BANKS[0], 1), auction="next")
    assert world.submit(later, by=("bank-a",)).outcome is Outcome.BIDDER_EXCLUDED
    world.time_ms = excluded_ms
    assert world.submit(later, by=("bank-a",)).outcome is Outcome.APPLIED


def test_bids_of_one_bidder_together_keep_its_limit() -> None:
    world = make_auction(replace(TERMS, bidder_share_bps=4_999))
    bids = [("bank-a", 984_000, 30), ("bank-a", 983_900, 20), ("bank-a", 983_800, 19)]
    commit_all(world, bids)
    go_to(world, TERMS.closes_ms)

    outcomes = [
        world.submit(reveal(bid, n), by=("bank-a",)).outcome for n, bid in enumerate(bids, 1)
    ]

    assert outcomes == [Outcome.APPLIED, Outcome.BIDDER_LIMIT_EXCEEDED, Outcome.APPLIED]


# --- bids without a price ------------------------------------------------------------------------


def test_two_bids_without_a_price_through_two_exchanges_are_both_void() -> None:
    world = make_auction()
    world.do(register("exchange-b", ParticipantKind.COMPANY), open_for("exchange-b"), by=(VAR,))
    world.do(issue_cash(CASH, to="exchange"), issue_cash(CASH, to="exchange-b"), by=(CB,))
    commit_all(world, BIDS_OF_BANKS)
    world.do(placed("bilal", 2), by=("bilal",))

    first = world.do(placed("amina", 4, cash="exchange"), by=("amina", "exchange"))
    second = world.do(placed("amina", 3, cash="exchange-b"), by=("amina", "exchange-b"))
    third = world.do(placed("amina", 3), by=("amina",))

    assert isinstance(first[0], BidPlaced)
    assert second == third == (BidsVoided(auction=AUCTION, number=7, bidder="amina"),)
    world.check()
    go_to(world, TERMS.closes_ms)
    reveal_all(world, BIDS_OF_BANKS)
    [completed] = go_to(world, TERMS.reveals_until_ms)
    assert isinstance(completed, BookCompleted)
    assert completed.noncompetitive == 2 * STEP


def test_bid_without_a_price_is_not_forgotten_with_a_sealed_one() -> None:
    """A licence that comes and goes lets somebody bid without a price, under seal, and again."""
    terms = replace(TERMS, noncompetitive_kinds=("company", "person"), licences=("custody",))
    world = make_auction(terms)
    world.do(placed("exchange", 4), by=("exchange",))
    licence = GrantLicence(
        account=address(VAR),
        approvers=(),
        participant="exchange",
        activity=Activity.CUSTODY,
        phase=LicencePhase.NO_OBJECTION,
        expires_ms=world.time_ms + 1,
    )
    world.do(licence, by=(VAR,))
    world.do(sealed(("exchange", 984_000, 30), 2), by=("exchange",))
    withdraw = WithdrawBid(account=address("exchange"), auction=AUCTION, number=2)
    world.do(withdraw, by=("exchange",))
    world.time_ms += 1

    again = world.do(placed("exchange", 4), by=("exchange",))

    assert again == (BidsVoided(auction=AUCTION, number=1, bidder="exchange"),)


def test_nobody_voids_the_bid_of_somebody_else() -> None:
    world = make_auction()
    world.do(placed("amina", 4), by=("amina",))

    forged = world.submit(placed("amina", 4, cash="exchange"), by=("exchange",))

    assert forged.outcome is Outcome.SIGNATURES_MISSING


def test_bids_without_a_price_alone_come_to_nothing() -> None:
    world = make_auction()
    world.do(placed("amina", 4), by=("amina",))
    go_to(world, TERMS.closes_ms)

    events = go_to(world, TERMS.reveals_until_ms)

    assert events[1] == AuctionRejected(auction=AUCTION, reason="no-bids")
    go_to(world, world.time_ms + 1)
    assert world.submit(decide(983_800), by=(FM,)).outcome is Outcome.AUCTION_NOT_TO_BE_DECIDED


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


# --- settlement ----------------------------------------------------------------------------------


def settle_without(spoil: str) -> tuple[World, tuple[Event, ...]]:
    """Settle after something happened to bank-b."""
    world = make_auction()
    complete(world)
    world.do(decide(983_800), by=(FM,))
    if spoil == "no cash":
        world.do(transfer("bank-b", "bank-c", CASH), by=("bank-b",))
    else:
        world.do(suspend("bank-b"), by=(VAR,))
    return world, go_to(world, TERMS.settles_ms)


@pytest.mark.parametrize(
    ("spoil", "outcome"),
    [
        ("no cash", Outcome.HOLDING_INSUFFICIENT),
        ("suspended", Outcome.PARTICIPANT_SUSPENDED),
    ],
)
def test_who_does_not_pay_is_excluded_and_stops_nobody_else(spoil: str, outcome: Outcome) -> None:
    world, events = settle_without(spoil)

    assert events[1] == AllotmentFailed(
        auction=AUCTION,
        asset=BILL,
        bidder="bank-b",
        account=address("bank-b"),
        face=30 * STEP,
        outcome=outcome,
        excluded=True,
    )
    assert [type(event) for event in events[2:]] == [
        AllotmentSettled,
        AllotmentSettled,
        AuctionSettled,
    ]
    # Nobody gets what it did not pay for: less is issued.
    assert supply(world) == SUPPLY + 70 * STEP
    record = auction(world)
    assert (record.settled, record.failed) == (70 * STEP, 30 * STEP)
    assert world.get(STANDINGS, name_key("bank-b")) == StandingRecord(
        unrevealed=0,
        failed=1,
        excluded_until_ms=world.time_ms + TERMS.failing_exclusion_days * DAY_MS,
        unentered=0,
    )
    assert [row.state for row in ladder(world)] == [
        RowState.SETTLED,
        RowState.FAILED,
        RowState.SETTLED,
        RowState.SETTLED,
        RowState.OPEN,
    ]


def test_what_the_ceiling_does_not_allow_is_not_the_bidders_fault() -> None:
    world = make_auction()
    complete(world)
    world.do(decide(983_800), by=(FM,))
    record = world.get(ASSETS, name_key(BILL))
    assert record is not None
    meanwhile = record.ceiling - record.supply - 60 * STEP
    issue = replace(
        issue_cash(meanwhile, to=FM, asset=BILL), account=address(FM), approvers=(address(CB),)
    )
    world.do(issue, by=(CB, FM))

    events = go_to(world, TERMS.settles_ms)

    failed = [event for event in events if isinstance(event, AllotmentFailed)]
    assert [event.outcome for event in failed] == [Outcome.CEILING_EXCEEDED] * 2
    assert not any(event.excluded for event in failed)
    assert world.get(STANDINGS, name_key("bank-a")) is None


def test_issuer_that_cannot_receive_fails_and_nobody_is_blamed() -> None:
    world = make_auction()
    complete(world)
    world.do(decide(983_800), by=(FM,))
    suspend_issuer = replace(
        suspend(FM), account=address(CB), approvers=(address(VAR), address("crypto-council"))
    )
    world.do(suspend_issuer, by=(CB, VAR, "crypto-council"))

    events = go_to(world, TERMS.settles_ms)

    failed = [event for event in events if isinstance(event, AllotmentFailed)]
    assert [event.outcome for event in failed] == [Outcome.OTHER_PARTICIPANT_SUSPENDED] * 4
    assert supply(world) == SUPPLY
    assert not any(event.excluded for event in failed)


def test_face_for_an_account_that_was_closed_is_not_issued() -> None:
    world = make_auction()
    commit_all(world, BIDS_OF_BANKS)
    world.do(issue_cash(CASH, to="exchange"), by=(CB,))
    world.do(placed("amina", 4, cash="exchange"), by=("amina", "exchange"))
    go_to(world, TERMS.closes_ms)
    reveal_all(world, BIDS_OF_BANKS)
    go_to(world, TERMS.reveals_until_ms)
    world.do(decide(983_800), by=(FM,))
    has = sum(world.holding("amina"))
    world.do(
        transfer("amina", "bilal", has),
        transfer("amina", "bilal", 1_000, PLAIN),
        CloseAccount(account=address("amina")),
        by=("amina",),
    )

    events = go_to(world, TERMS.settles_ms) + go_to(world, TERMS.settles_ms + 1)

    failed = [event for event in events if isinstance(event, AllotmentFailed)]
    assert [(event.bidder, event.outcome) for event in failed] == [
        ("amina", Outcome.OTHER_ACCOUNT_CLOSED)
    ]
    assert world.holding("exchange") == (CASH, 0)


def test_settlement_moves_off_a_holiday_and_again_when_the_moon_is_seen() -> None:
    """The 20,000th day is a Friday: the next day of business is a Monday."""
    holidays = (Holiday(day=TODAY + 3, provisional=True),)
    calendar = DefineCalendar(
        account=address(CB),
        approvers=(),
        calendar="karachi",
        title="Banks in Karachi",
        weekend=SATURDAY_SUNDAY,
        holidays=(),
    )
    world = make_market()
    world.do(calendar, by=(CB,))
    world = make_auction(replace(TERMS, calendar="karachi"), world)
    complete(world)
    world.do(decide(983_800), by=(FM,))
    assert result(world).settlement_day == TODAY + 3
    amend = AmendCalendar(
        account=address(CB),
        approvers=(),
        calendar="karachi",
        version=1,
        withdrawn=(),
        holidays=holidays,
    )
    world.do(amend, by=(CB,))

    [moved] = go_to(world, world.time_ms + 1)

    assert isinstance(moved, AppointmentMoved)
    assert (moved.subject, moved.after) == (AUCTION, TODAY + 4)
    assert go_to(world, TERMS.settles_ms + 2 * DAY_MS) == ()
    events = go_to(world, TERMS.settles_ms + 3 * DAY_MS)
    assert isinstance(events[-1], AuctionSettled)
    while auction(world).next_ms is not None:
        go_to(world, world.time_ms + 1)


def test_settlement_by_a_calendar_may_be_due_when_the_decision_is() -> None:
    """Both entries have the auction's id: of one moment, they are one key of the queue."""
    calendar = DefineCalendar(
        account=address(CB),
        approvers=(),
        calendar="karachi",
        title="Banks in Karachi",
        weekend=0,
        holidays=(),
    )
    world = make_market()
    world.do(calendar, by=(CB,))
    terms = replace(TERMS, calendar="karachi", decides_until_ms=TERMS.settles_ms)
    world = make_auction(terms, world)
    complete(world)

    world.do(decide(983_800), by=(FM,))

    world.check()
    events = go_to(world, TERMS.settles_ms)
    assert isinstance(events[-1], AuctionSettled)


@pytest.mark.parametrize("days", [10, 20])
def test_bill_that_would_mature_before_it_settles_or_then_is_not_sold(days: int) -> None:
    holidays = tuple(Holiday(day=TODAY + day, provisional=False) for day in range(1, 20))
    calendar = DefineCalendar(
        account=address(CB),
        approvers=(),
        calendar="closed",
        title="Nobody works",
        weekend=0,
        holidays=holidays,
    )
    world = make_market()
    short = BillTerms(issue_day=TODAY, maturity_day=TODAY + days, face_currency="PKR")
    bill = replace(define_bill("SHORT", isin=with_check_digit("PK000000009")), terms=short)
    world.do(calendar, bill, by=(CB, FM))
    world = make_auction(replace(TERMS, calendar="closed", asset="SHORT"), world)
    bid = BIDS_OF_BANKS[0]
    commit_all(world, [bid])
    go_to(world, TERMS.closes_ms)
    world.do(replace(reveal(bid, 1), asset="SHORT"), by=("bank-a",))
    go_to(world, TERMS.reveals_until_ms)

    refused = world.submit(decide(bid[1]), by=(FM,))

    assert refused.outcome is Outcome.CUT_OFF_NOT_ACCEPTED
    reason = f"it would settle on day {TODAY + 20} and matures on day {TODAY + days}"
    assert dict(refused.details)["reason"] == reason


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
    monkeypatch.setattr(auctioning, "_PAGE", 2)
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


def test_crumb_that_costs_nothing_is_delivered() -> None:
    world = make_auction()
    crumbs = replace(
        define_bill("CRUMBS", isin=with_check_digit("PK000000009")), multiple=1, ceiling=100
    )
    world.do(crumbs, by=(CB, FM))
    world.time_ms = NOW_MS
    rule = replace(
        TERMS,
        asset="CRUMBS",
        target=2,
        multiple=1,
        prorata_step=1,
        opens_ms=NOW_MS + 1,
        reference=None,
    )
    announce = AnnounceAuction(
        account=address(FM), approvers=(address(CB),), auction="crumbs", terms=rule
    )
    world.do(announce, by=(CB, FM))
    content = SealedBid(
        auction="crumbs", account=address("bank-a"), price_e4=1, face=1, salt=salt_of(1)
    )
    world.time_ms = TERMS.opens_ms
    sealing = replace(sealed(BIDS_OF_BANKS[0], 1), auction="crumbs")
    world.do(replace(sealing, commitment=commitment_of(content)), by=("bank-a",))
    go_to(world, TERMS.closes_ms)
    opening = replace(
        reveal(BIDS_OF_BANKS[0], 1), auction="crumbs", asset="CRUMBS", price_e4=1, face=1
    )
    world.do(opening, by=("bank-a",))
    go_to(world, TERMS.reveals_until_ms)
    world.do(replace(decide(1), auction="crumbs"), by=(FM,))

    go_to(world, TERMS.settles_ms)

    assert world.holding("bank-a", "CRUMBS") == (1, 0)
    assert world.holding("bank-a") == (CASH, 0)
    assert world.holding(FM) == (0, 0)
