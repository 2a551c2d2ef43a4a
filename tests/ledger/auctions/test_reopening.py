"""Auctions of bonds and sukuk: what is issued anew, and what is reopened with interest accrued."""

import csv
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pytest

from node.codec import replace
from node.ledger import due
from node.ledger.auctions import AuctionTerms, Method, SealedBid, commitment_of, due_for
from node.ledger.auctions.records import Accrual, LadderRecord, RowState
from node.ledger.courses import rates_of
from node.ledger.dates import SATURDAY_SUNDAY, Calendar, Holiday
from node.ledger.events import (
    AllotmentFailed,
    AllotmentSettled,
    AuctionSettled,
    Event,
    FaceBoughtBack,
    FaceSwitched,
    RecordTaken,
)
from node.ledger.instruments import accrued_share, schedule_of
from node.ledger.operations import (
    AmendCalendar,
    AnnounceAuction,
    CommitBid,
    DecideAuction,
    DefineAsset,
    FixRate,
    RevealBid,
)
from node.ledger.outcomes import Outcome
from node.ledger.pricing import half_up
from node.ledger.pricing.daycounts import DayCount
from node.ledger.securities import SERVICES
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, AUCTIONS, LADDERS, STANDINGS, ParticipantKind, name_key
from node.ledger.terms import BondTerms, is_serviced
from node.recomputing import Evidence, Line, figures_of
from tests.ledger.auctions.books import MILLION, TERMS
from tests.ledger.debt import (
    BOND,
    FIVE_HOURS_MS,
    ISSUED,
    KARACHI,
    SUKUK,
    define_bond,
    define_sukuk,
    floating,
    issue,
    make_debt,
    plan,
    to_day,
    two_years_after,
)
from tests.ledger.world import (
    CB,
    DAY_MS,
    FM,
    PKR,
    TODAY,
    World,
    address,
    define_bill,
    issue_cash,
    open_for,
    register,
    with_check_digit,
)

DATA: Final = Path(__file__).resolve().parents[4] / "shared" / "data" / "sbp_auctions"
SHEETS: Final = pytest.mark.skipif(
    not DATA.is_dir(), reason="the sheets of ../shared/data/sbp_auctions are absent"
)
CASH: Final = 10**11
HOUR_MS: Final = 3_600_000
AUCTION: Final = "pib-2y-8"
BANKS: Final = ("bank-a", "bank-b")
BIDS: Final = (("bank-a", 1_012_345, 3_333), ("bank-b", 998_877, 6_667))
"""Who, at what price in units of 0.0001, for how many paise of face."""

Bid = tuple[str, int, int]


def midnight_ms(day: int) -> int:
    return day * DAY_MS - FIVE_HOURS_MS


def payments(definition: DefineAsset) -> Any:
    assert is_serviced(definition.terms)
    return schedule_of(definition.terms, WEEKENDS)


WEEKENDS: Final = Calendar(version=1, weekend=SATURDAY_SUNDAY, holidays=())
BOND_OF_HALF_YEARS: Final = define_bond()
SECOND: Final = payments(BOND_OF_HALF_YEARS)[1]
"""The second coupon: that of the period in which most of this happens."""
MIDDLE: Final = SECOND.start + 45


def issued_later(days: int) -> DefineAsset:
    day = ISSUED + days
    return define_bond(issue_day=day, maturity_day=two_years_after(day))


def rule(settles_day: int, asset: str = BOND, **changes: Any) -> AuctionTerms:
    """Return the rule of an auction the day before it settles, at midnight of its day."""
    settles_ms = midnight_ms(settles_day)
    fields = {
        "asset": asset,
        "cash": PKR,
        "proceeds": address(FM),
        "target": 10_000,
        "multiple": 1,
        "prorata_step": 1,
        "noncompetitive_least": 1,
        "noncompetitive_most": 5_000,
        "opens_ms": settles_ms - 20 * HOUR_MS,
        "closes_ms": settles_ms - 19 * HOUR_MS,
        "reveals_until_ms": settles_ms - 18 * HOUR_MS,
        "decides_until_ms": settles_ms - 17 * HOUR_MS,
        "settles_ms": settles_ms,
    }
    return replace(TERMS, **{**fields, **changes})


def make_reopened(
    settles_day: int, *definitions: DefineAsset, supply: Sequence[tuple[str, int]] = ()
) -> World:
    """Return a market with two banks, on the day before an auction settles."""
    world = make_debt(*(definitions or (BOND_OF_HALF_YEARS,)))
    for bank in BANKS:
        world.do(register(bank, ParticipantKind.BANK, by=CB), open_for(bank, by=CB), by=(CB,))
        world.do(issue_cash(CASH, to=bank), by=(CB,))
    world.do(issue_cash(CASH, to=FM), by=(CB,))
    for who, face in supply:
        world.do(issue(face, to=who), by=(CB, FM))
    to_day(world, settles_day - 1)
    return world


def announce(terms: AuctionTerms) -> AnnounceAuction:
    return AnnounceAuction(
        account=address(FM), approvers=(address(CB),), auction=AUCTION, terms=terms
    )


def go_to(world: World, time_ms: int) -> tuple[Event, ...]:
    assert time_ms >= world.time_ms
    world.time_ms = time_ms
    events = world.block().events
    world.check()
    return events


def bid_and_open(world: World, terms: AuctionTerms, bids: Sequence[Bid]) -> None:
    """Announce, seal, open, and complete the book."""
    world.do(announce(terms), by=(CB, FM))
    go_to(world, terms.opens_ms)
    contents = [
        SealedBid(
            auction=AUCTION,
            account=address(who),
            price_e4=price_e4,
            face=face,
            salt=number.to_bytes(32, "big"),
        )
        for number, (who, price_e4, face) in enumerate(bids, 1)
    ]
    for (who, _, _), content in zip(bids, contents, strict=True):
        commitment = commitment_of(content)
        world.do(CommitBid(account=address(who), auction=AUCTION, commitment=commitment), by=(who,))
    go_to(world, terms.closes_ms)
    for number, ((who, price_e4, _), content) in enumerate(zip(bids, contents, strict=True), 1):
        opening = RevealBid(
            account=address(who),
            cash_account=address(who),
            auction=AUCTION,
            number=number,
            asset=terms.asset,
            price_e4=price_e4,
            face=content.face,
            salt=content.salt,
        )
        world.do(opening, by=(who,))
    go_to(world, terms.reveals_until_ms)


def decide(cut_off_e4: int) -> DecideAuction:
    return DecideAuction(account=address(FM), approvers=(), auction=AUCTION, cut_off_e4=cut_off_e4)


def sell(world: World, terms: AuctionTerms, bids: Sequence[Bid] = BIDS) -> list[Any]:
    """Hold the whole auction at its lowest price; return what became of each allotment."""
    bid_and_open(world, terms, bids)
    world.do(decide(min(bid[1] for bid in bids)), by=(FM,))
    return settle(world, terms)


def settle(world: World, terms: AuctionTerms) -> list[Any]:
    """Let it settle and be forgotten; return what became of each allotment."""
    events = go_to(world, terms.settles_ms)
    while record_of(world).next_ms is not None:
        events += go_to(world, world.time_ms + 1)
    outcomes = AllotmentSettled | FaceBoughtBack | FaceSwitched | AllotmentFailed
    return [event for event in events if isinstance(event, outcomes)]


def record_of(world: World) -> Any:
    record = world.get(AUCTIONS, name_key(AUCTION))
    assert record is not None
    return record


def pieces(world: World) -> list[LadderRecord]:
    return [piece for _, piece in world.records.scan(LADDERS, b"", 10)]


def clean(face: int, price_e4: int) -> int:
    return half_up(Fraction(face * price_e4, 1_000_000), 0)


def test_bond_sold_on_the_day_of_its_issue_costs_its_price() -> None:
    world = make_reopened(ISSUED + 1, issued_later(1))

    events = sell(world, rule(ISSUED + 1))

    assert [(event.consideration, event.accrued) for event in events] == [
        (clean(face, price_e4), 0) for _, price_e4, face in BIDS
    ]
    assert world.holding("bank-a", BOND) == (3_333, 0)
    assert world.holding(FM)[0] == CASH + sum(clean(face, price) for _, price, face in BIDS)
    assert pieces(world)[0].accrual == Accrual(day=ISSUED + 1, numerator=0, denominator=1)


@pytest.mark.parametrize(
    ("asset", "definition"), [(BOND, BOND_OF_HALF_YEARS), (SUKUK, define_sukuk())]
)
def test_allottees_of_what_is_reopened_pay_the_interest_accrued(
    asset: str, definition: DefineAsset
) -> None:
    world = make_reopened(MIDDLE, definition)
    terms = rule(MIDDLE, asset, method=Method.UNIFORM_PRICE)

    events = sell(world, terms)

    # Seven per cent in halves: a half year's coupon for 45 days of the period.
    share = Fraction(35, 1_000) * Fraction(45, SECOND.end - SECOND.start)
    accrued = [half_up(share * face, 0) for _, _, face in BIDS]
    paid = [
        clean(face, BIDS[1][1]) + each for (_, _, face), each in zip(BIDS, accrued, strict=True)
    ]
    assert [(event.consideration, event.accrued) for event in events] == [
        *zip(paid, accrued, strict=True)
    ]
    assert record_of(world).paid == sum(paid)
    assert world.holding("bank-b") == (CASH - paid[1], 0)
    assert pieces(world)[0].accrual == Accrual(
        day=MIDDLE, numerator=share.numerator, denominator=share.denominator
    )


def test_who_buys_on_the_record_day_pays_for_the_coupon_and_gets_it() -> None:
    world = make_reopened(SECOND.record_day, supply=[("first-bank", 1_000)])

    events = sell(world, rule(SECOND.record_day))
    taken = to_day(world, SECOND.record_day + 1)

    assert all(event.accrued > 0 for event in events)
    [record] = [event for event in taken if isinstance(event, RecordTaken)]
    assert record.face == 11_000


def test_who_buys_after_the_record_is_compensated_for_the_coupon() -> None:
    day = SECOND.record_day + 1
    world = make_reopened(day, supply=[("first-bank", 1_000)])

    events = sell(world, rule(day))

    left = SECOND.end - day
    share = -Fraction(35, 1_000) * Fraction(left, SECOND.end - SECOND.start)
    assert [event.accrued for event in events] == [half_up(share * face, 0) for _, _, face in BIDS]
    to_day(world, SECOND.payment_day)
    # Only who held when the record was taken is paid: 35 paise for 1,000.
    assert world.holding("bank-a") == (CASH - events[0].consideration, 0)


def test_record_that_a_calendar_no_longer_gives_still_counts() -> None:
    """The payment moves by a holiday, and its record day with it; the record was taken before."""
    day = SECOND.record_day + 1
    world = make_reopened(day, supply=[("first-bank", 1_000)])
    to_day(world, day)
    moon = AmendCalendar(
        account=address(CB),
        approvers=(),
        calendar=KARACHI,
        version=1,
        withdrawn=(),
        holidays=tuple(Holiday(day=SECOND.payment_day + n, provisional=False) for n in range(2)),
    )
    world.do(moon, by=(CB,))
    terms = rule(day + 1)
    terms = replace(
        terms,
        opens_ms=world.time_ms + 1,
        closes_ms=world.time_ms + 2,
        reveals_until_ms=world.time_ms + 3,
        decides_until_ms=world.time_ms + 4,
        settles_ms=world.time_ms + 5,
    )

    events = sell(world, terms)

    assert all(event.accrued < 0 for event in events)


def test_nobody_is_paid_for_taking_a_face() -> None:
    """At a price of next to nothing, the interest that stays with others is worth more."""
    day = SECOND.record_day + 1
    world = make_reopened(day, supply=[("first-bank", 1_000)])

    [event] = sell(world, rule(day), [("bank-a", 1, 10_000)])

    assert isinstance(event, AllotmentSettled)
    assert event.accrued < 0
    assert event.consideration == 0
    assert world.holding("bank-a") == (CASH, 0)
    assert world.holding("bank-a", BOND) == (10_000, 0)


def test_deliveries_wait_while_records_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes on a register while a record of it is overdue would be on that record."""
    monkeypatch.setattr(due, "RECORDS_PER_BLOCK_MAX", 1)
    monkeypatch.setattr(due, "RECORDS_AT_FIRST_MAX", 1)
    others = [define_bond(f"PIB-2Y-{number}") for number in (101, 102)]
    day = SECOND.record_day + 1
    world = make_reopened(day, BOND_OF_HALF_YEARS, *others)
    terms = rule(day)
    bid_and_open(world, terms, BIDS)
    world.do(decide(BIDS[1][1]), by=(FM,))

    blocks = [go_to(world, terms.settles_ms + number) for number in range(3)]

    records = [[type(event) for event in events].count(RecordTaken) for events in blocks]
    assert records == [1, 1, 1]
    assert [any(isinstance(each, AuctionSettled) for each in events) for events in blocks] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("spoilt", "outcome"),
    [({"closed": True}, Outcome.REGISTER_CLOSED), ({"waits": True}, Outcome.RECORDS_PENDING)],
)
def test_register_that_takes_nobody_fails_and_nobody_is_blamed(
    spoilt: dict[str, bool], outcome: Outcome
) -> None:
    world = make_reopened(MIDDLE)
    terms = rule(MIDDLE)
    bid_and_open(world, terms, BIDS)
    world.do(decide(BIDS[1][1]), by=(FM,))
    state = LedgerState(world.records)
    service = state.get(SERVICES, name_key(BOND))
    assert service is not None
    state.put(SERVICES, name_key(BOND), replace(service, **spoilt))
    world.records.write(state.changes())
    world.time_ms = terms.settles_ms

    events = [event for event in world.block().events if isinstance(event, AllotmentFailed)]

    assert [(event.outcome, event.excluded) for event in events] == [(outcome, False)] * 2
    assert world.get(STANDINGS, name_key("bank-a")) is None
    assert [row.state for row in pieces(world)[0].rows] == [RowState.FAILED] * 2


def test_security_past_its_last_period_fails_and_nobody_is_blamed() -> None:
    """No state of a ledger comes to it; if one did, it would stop no node."""
    world = make_reopened(MIDDLE)
    terms = rule(MIDDLE)
    bid_and_open(world, terms, BIDS)
    world.do(decide(BIDS[1][1]), by=(FM,))
    state = LedgerState(world.records)
    bond = state.get(ASSETS, name_key(BOND))
    assert bond is not None
    short = BondTerms(face_currency="PKR", plan=plan(maturity_day=ISSUED + 30, months=0, rates=()))
    state.put(ASSETS, name_key(BOND), replace(bond, terms=short))
    world.records.write(state.changes())
    world.time_ms = terms.settles_ms

    events = [event for event in world.block().events if isinstance(event, AllotmentFailed)]

    assert [event.outcome for event in events] == [Outcome.ACCRUAL_NOT_KNOWN] * 2


LAST_RECORD: Final = payments(BOND_OF_HALF_YEARS)[-1].record_day


@pytest.mark.parametrize(
    ("settles_day", "definition", "changes", "reason"),
    [
        (
            LAST_RECORD + 1,
            BOND_OF_HALF_YEARS,
            {},
            f"{BOND} would settle on day {LAST_RECORD + 1} and its register closes with day"
            f" {LAST_RECORD}",
        ),
        (
            ISSUED + 4,
            issued_later(5),
            {},
            f"{BOND} would settle on day {ISSUED + 4} and is issued on day {ISSUED + 5}",
        ),
        (
            MIDDLE,
            BOND_OF_HALF_YEARS,
            {"reference": "pib-2y"},
            f"the average yield of {BOND} is no reference: it is of no bill",
        ),
        (MIDDLE, BOND_OF_HALF_YEARS, {"cash": BOND}, f"{BOND} is no cash"),
    ],
)
def test_what_cannot_be_delivered_is_not_announced(
    settles_day: int, definition: DefineAsset, changes: dict[str, Any], reason: str
) -> None:
    world = make_reopened(settles_day, definition)

    refused = world.submit(announce(rule(settles_day, **changes)), by=(CB, FM))

    assert refused.outcome is Outcome.AUCTION_TERMS_NOT_VALID
    assert dict(refused.details)["reason"] == reason


def test_bond_is_announced_by_two_offices_and_decided_by_the_ministry() -> None:
    world = make_reopened(MIDDLE)
    alone = replace(announce(rule(MIDDLE)), approvers=())

    assert world.submit(alone, by=(FM,)).outcome is Outcome.OFFICES_MISSING
    bid_and_open(world, rule(MIDDLE), BIDS)
    by_the_bank = replace(decide(BIDS[0][1]), account=address(CB))
    assert world.submit(by_the_bank, by=(CB,)).outcome is Outcome.OFFICES_MISSING
    world.do(decide(BIDS[0][1]), by=(FM,))


def test_floating_bond_is_sold_once_its_rate_is_fixed() -> None:
    """Nothing is delivered of which nobody can say what has accrued; nobody is to blame."""
    floater = define_bond(**floating())
    unfixed, fixed = (make_reopened(ISSUED + 5, floater) for _ in range(2))
    fix = FixRate(
        account=address(FM),
        approvers=(address(CB),),
        asset=BOND,
        payment=1,
        reference_ppm=110_000,
        source="PKRV, average of five days",
    )
    fixed.do(fix, by=(CB, FM))

    failed = sell(unfixed, rule(ISSUED + 5))
    settled = sell(fixed, rule(ISSUED + 5))

    assert [each.outcome for each in failed] == [Outcome.ACCRUAL_NOT_KNOWN] * 2
    assert not any(each.excluded for each in failed)
    assert all(each.accrued > 0 for each in settled)
    figures = figures_of(evidence(fixed), record_of(fixed).result)
    assert all(figure.agrees for figure in figures), figures
    found = evidence(fixed)
    found = dataclasses.replace(found, line=dataclasses.replace(found.line, rates={}))
    unknown = figures_of(found, record_of(fixed).result)
    [accrued] = [figure for figure in unknown if not figure.agrees]
    assert "is not fixed yet" in accrued.recomputed


def evidence(world: World, code: str = BOND) -> Evidence:
    record = record_of(world)
    given = record.terms.destination
    return Evidence(
        auction=record,
        pieces=tuple(pieces(world)),
        line=line(world, code),
        destination=None if given is None else line(world, given.asset),
    )


def line(world: World, code: str) -> Line:
    asset = world.get(ASSETS, name_key(code))
    assert asset is not None
    return Line(
        asset=asset,
        calendar=WEEKENDS,
        calls={},
        rates=rates_of(LedgerState(world.records), code, asset.terms)
        if is_serviced(asset.terms)
        else {},
    )


@pytest.mark.parametrize("day", [MIDDLE, SECOND.record_day, SECOND.record_day + 1])
def test_what_was_paid_is_worked_out_again_from_public_records(day: int) -> None:
    world = make_reopened(day)
    sell(world, rule(day))
    found, result = evidence(world), record_of(world).result

    figures = {each.name: each for each in figures_of(found, result)}

    assert all(each.agrees for each in figures.values()), figures
    assert (figures["accrued"].day, figures["accrued"].published != "0") == (day, True)
    lie = replace(pieces(world)[0], accrual=Accrual(day=day, numerator=1, denominator=70))
    altered = figures_of(dataclasses.replace(found, pieces=(lie,)), result)
    wrong = {each.name for each in altered if not each.agrees}
    assert wrong == {"accrued", "paid"}


def test_bill_accrues_nothing() -> None:
    bill = define_bill("MTB-6M", isin=with_check_digit("PK000000009"))
    world = make_reopened(TODAY + 20, replace(bill, multiple=1))

    events = sell(world, rule(TODAY + 20, "MTB-6M"), [("bank-a", 985_000, 1_000)])

    assert [(event.consideration, event.accrued) for event in events] == [(985, 0)]
    assert pieces(world)[0].accrual is None


# --- as published --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """A bond of the State Bank's sheets, as it was sold."""

    issued: date
    matures: date
    coupon_ppm: int
    day_count: DayCount
    settled: date


def accrual_of(sold: Sold) -> Accrual:
    terms = BondTerms(
        face_currency="PKR",
        plan=plan(
            issue_day=day_of(sold.issued),
            maturity_day=day_of(sold.matures),
            rates=(
                replace(plan().rates[0], from_day=day_of(sold.issued), rate_ppm=sold.coupon_ppm),
            ),
            day_count=sold.day_count,
        ),
    )
    share = accrued_share(terms, WEEKENDS, day_of(sold.settled))
    return Accrual(
        day=day_of(sold.settled), numerator=share.numerator, denominator=share.denominator
    )


def day_of(civil: date) -> int:
    return (civil - date(1970, 1, 1)).days


@SHEETS
def test_bids_of_march_2021_pay_what_was_printed() -> None:
    """The 3-year bond of 7 per cent, reopened: 12 of 181 days had accrued."""
    accrual = accrual_of(
        Sold(
            issued=date(2020, 8, 20),
            matures=date(2023, 8, 20),
            coupon_ppm=70_000,
            day_count=DayCount.ACT_ACT_ICMA,
            settled=date(2021, 3, 4),
        )
    )
    assert Fraction(accrual.numerator, accrual.denominator) == Fraction(35 * 12, 1_000 * 181)
    with (DATA / "pib_3y_2021-03-03_bids.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))

    assert len(lines) == 7
    for line in lines:
        face = int(Fraction(line["face_pkr_mn"]) * MILLION)
        price_e4 = half_up(Fraction(line["clean_price_per_100"]), 4)
        paid = due_for(face, price_e4, accrual)
        assert Fraction(half_up(Fraction(paid, 100_000), 0), 1_000) == Fraction(
            line["realised_total_pkr_mn"]
        )
