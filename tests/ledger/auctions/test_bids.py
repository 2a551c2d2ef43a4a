"""Bids on the ledger: who may, sealed and opened, without a price, and what becomes of them."""

from node.codec import replace
from node.ledger.auctioning.bidders import blame
from node.ledger.auctions.records import StandingRecord
from node.ledger.events import (
    AuctionRejected,
    BidCommitted,
    BidPlaced,
    BidsVoided,
    BidWithdrawn,
    BookCompleted,
)
from node.ledger.operations import AnnounceAuction, GrantLicence, WithdrawBid
from node.ledger.outcomes import Outcome
from node.ledger.state import LedgerState
from node.ledger.tables import BIDDERS, STANDINGS, Activity, LicencePhase, ParticipantKind, name_key
from tests.ledger.auctions.market import (
    BIDS_OF_BANKS,
    CASH,
    TERMS,
    commit_all,
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
from tests.ledger.ladders_auctions import AUCTION, HOUR_MS, STEP
from tests.ledger.world import (
    CB,
    DAY_MS,
    FM,
    NOW_MS,
    VAR,
    address,
    issue_cash,
    make_market,
    open_for,
    register,
)

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
