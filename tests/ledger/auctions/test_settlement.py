"""The settlement of auctions on the ledger: who pays, who does not, and on which day."""

import pytest

from node.codec import replace
from node.ledger.auctions import SealedBid, commitment_of
from node.ledger.auctions.records import RowState, StandingRecord
from node.ledger.dates import SATURDAY_SUNDAY, Holiday
from node.ledger.events import (
    AllotmentFailed,
    AllotmentSettled,
    AppointmentMoved,
    AuctionSettled,
    Event,
)
from node.ledger.operations import AmendCalendar, AnnounceAuction, CloseAccount, DefineCalendar
from node.ledger.outcomes import Outcome
from node.ledger.tables import ASSETS, STANDINGS, name_key
from node.ledger.terms import BillTerms
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
    reveal,
    reveal_all,
    salt_of,
    sealed,
    supply,
)
from tests.ledger.ladders_auctions import AUCTION, STEP
from tests.ledger.world import (
    BILL,
    CB,
    DAY_MS,
    FM,
    NOW_MS,
    PLAIN,
    TODAY,
    VAR,
    World,
    address,
    define_bill,
    issue_cash,
    make_market,
    suspend,
    transfer,
    with_check_digit,
)


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
    reason = f"SHORT would settle on day {TODAY + 20} and matures on day {TODAY + days}"
    assert dict(refused.details)["reason"] == reason


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
