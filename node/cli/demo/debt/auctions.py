"""The auctions: announced, bid for under seal, closed, opened, decided, settled, worked out again.

Bids in the first: 1,000 million at 94.7000, 800 at 94.6500, 1,000 and 500 at the cut-off of
94.6000, 300 below it; one that is never opened; two people without a price, 5 million each. Of
3,000 million on offer 10 go to the people and 1,800 to the two best, so that 1,190 are left for
1,500 at the margin: 793.33 and 396.67 by their shares, in steps of a million 793 and 397. The
fourth dealer has no money: its 397 million are not issued.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from node.cli.auction.recomputing import recompute
from node.cli.demo.debt.securities import BILL, MULTIPLE, REFERENCE
from node.cli.demo.debt.stage import MILLION, MINUTE_MS, MORNING, OFFSET_MINUTES, PAISA, DebtStage
from node.ledger.auctions import (
    AuctionTerms,
    Method,
    NoncompetitivePrice,
    Oversubscription,
    SealedBid,
    commitment_of,
)
from node.ledger.dates import from_date, moment_ms
from node.ledger.operations import (
    AnnounceAuction,
    CommitBid,
    DecideAuction,
    PlaceBid,
    RevealBid,
)
from node.provision.acts import RUPEE
from node.provision.pakistan import PAKISTAN

FIRST: Final = "mtb-6m-1"
SECOND: Final = "mtb-6m-2"
REOPENED_AFTER: Final = timedelta(days=60)
HOUR_MS: Final = 60 * MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """A bid and what comes of it, by hand."""

    bidder: str
    price_e4: int | None
    """None: without a price."""
    millions: int
    allotted: int = 0
    """In millions."""
    opened: bool = True
    pays: bool = True


BIDS_FIRST: Final = (
    Bid(bidder="dealer-1", price_e4=947_000, millions=1_000, allotted=1_000),
    Bid(bidder="dealer-1", price_e4=930_000, millions=100, opened=False),
    Bid(bidder="dealer-2", price_e4=946_500, millions=800, allotted=800),
    Bid(bidder="dealer-3", price_e4=946_000, millions=1_000, allotted=793),
    Bid(bidder="dealer-4", price_e4=946_000, millions=500, allotted=397, pays=False),
    Bid(bidder="dealer-2", price_e4=945_000, millions=300),
    Bid(bidder="amina", price_e4=None, millions=5, allotted=5),
    Bid(bidder="bilal", price_e4=None, millions=5, allotted=5),
)
BIDS_SECOND: Final = (
    Bid(bidder="dealer-1", price_e4=965_000, millions=300, allotted=300),
    Bid(bidder="dealer-3", price_e4=964_000, millions=300, allotted=200),
)


async def hold_auction(stage: DebtStage) -> None:
    """Step 2."""
    stage.narrator.step("The bill is auctioned: sealed bids, cut-off, delivery against payment")
    await _hold(stage, FIRST, BIDS_FIRST, target=3_000, cut_off_e4=946_000)


async def reopen(stage: DebtStage) -> None:
    """Step 5."""
    stage.narrator.step("Two months later the bill is reopened, dearer: yields have fallen")
    day = await stage.today() + REOPENED_AFTER
    on = (await stage.client.business_day(PAKISTAN, day)).value.following
    assert on is not None, "a calendar without a business day"
    await stage.until(on)
    before = (await stage.client.asset(BILL)).value.supply
    await _hold(stage, SECOND, BIDS_SECOND, target=500, cut_off_e4=964_000)
    asset = (await stage.client.asset(BILL)).value
    stage.narrator.check(
        "it is the same bill, and more of it",
        holds=asset.supply - before == 500 * MILLION // PAISA,
        found=f"{before:,} and {asset.supply - before:,}",
    )


async def _hold(
    stage: DebtStage, name: str, bids: Sequence[Bid], *, target: int, cut_off_e4: int
) -> None:
    narrator = stage.narrator
    today = await stage.today()
    opens_ms = moment_ms(from_date(today), MORNING + 60, OFFSET_MINUTES)
    settles = (await stage.client.business_day(PAKISTAN, today, business_days=1)).value.counted
    assert settles is not None, "a calendar without a next business day"
    terms = _terms(stage, target * MILLION, opens_ms, settles)
    announce = AnnounceAuction(
        account=stage.ministry.address, approvers=(stage.bank.address,), auction=name, terms=terms
    )
    await stage.act(announce, by=[stage.ministry, stage.bank])
    narrator.tell(f"announced {name}: Rs {target:,} million, settled on {settles}")
    await stage.until_ms(opens_ms)
    sealed = await _bid(stage, name, bids)
    await stage.until_ms(terms.closes_ms)
    await _open(stage, name, sealed)
    await stage.until_ms(terms.reveals_until_ms)
    await stage.act(
        DecideAuction(
            account=stage.ministry.address, approvers=(), auction=name, cut_off_e4=cut_off_e4
        ),
        by=[stage.ministry],
    )
    await _check_result(stage, name, bids, cut_off_e4)
    await stage.until(settles, MORNING + 120)
    await _check_settlement(stage, name, bids)


async def _bid(
    stage: DebtStage, name: str, bids: Sequence[Bid]
) -> list[tuple[int, Bid, SealedBid]]:
    """Hand in every bid; return the sealed ones with their numbers."""
    sealed = []
    for number, bid in enumerate(bids, 1):
        actor = stage[bid.bidder]
        if bid.price_e4 is None:
            place = PlaceBid(
                account=actor.address,
                cash_account=actor.address,
                auction=name,
                asset=BILL,
                face=bid.millions * MILLION,
            )
            await stage.act(place, by=[actor])
            continue
        secret = SealedBid(
            auction=name,
            account=actor.address,
            price_e4=bid.price_e4,
            face=bid.millions * MILLION,
            salt=secrets.token_bytes(32),
        )
        commit = CommitBid(account=actor.address, auction=name, commitment=commitment_of(secret))
        await stage.act(commit, by=[actor])
        sealed.append((number, bid, secret))
    seen = [
        bid
        for bidder in sorted({bid.bidder for _, bid, _ in sealed})
        for bid in (await stage.client.bidder(bidder, name)).value.bids
    ]
    stage.narrator.check(
        f"of {len(sealed)} sealed bids the ledger knows neither price nor face",
        holds=len(seen) == len(sealed) and all(b.price is None and b.face is None for b in seen),
    )
    return sealed


async def _open(stage: DebtStage, name: str, sealed: Sequence[tuple[int, Bid, SealedBid]]) -> None:
    for number, bid, secret in sealed:
        if not bid.opened:
            continue
        actor = stage[bid.bidder]
        reveal = RevealBid(
            account=actor.address,
            cash_account=actor.address,
            auction=name,
            number=number,
            asset=BILL,
            price_e4=secret.price_e4,
            face=secret.face,
            salt=secret.salt,
        )
        await stage.act(reveal, by=[actor])


async def _check_result(stage: DebtStage, name: str, bids: Sequence[Bid], cut_off_e4: int) -> None:
    narrator = stage.narrator
    found = (await stage.client.auction(name)).value
    result = found.result
    assert result is not None, "it was decided"
    average = _average_price(bids)
    narrator.check(
        "the average price is the one that comes out by hand",
        holds=_e4(result.average_price) == average and _e4(result.cut_off) == cut_off_e4,
        found=f"cut-off {result.cut_off}, average {result.average_price} or"
        f" {result.average_yield} % a year",
    )
    narrator.check(
        "who opened no bid is counted",
        holds=found.unrevealed == sum(not bid.opened for bid in bids),
        found=found.unrevealed,
    )
    figures = await recompute(stage.client, name)
    narrator.check(
        "anybody works the same out from the anonymous ladder",
        holds=all(figure.agrees for figure in figures),
        found=f"{len(figures)} figures",
    )


async def _check_settlement(stage: DebtStage, name: str, bids: Sequence[Bid]) -> None:
    average = _average_price(bids)
    for bid in bids:
        if bid.allotted and bid.pays:
            face = bid.allotted * MILLION
            price_e4 = average if bid.price_e4 is None else bid.price_e4
            paid = Fraction(face * price_e4, 100 * 10_000)
            assert paid.denominator == 1, "whole millions have no fraction of a paisa"
            stage.book.give(BILL, bid.bidder, face)
            stage.book.pay(bid.bidder, None, int(paid))
    found = (await stage.client.auction(name)).value
    failed = sum(bid.allotted for bid in bids if not bid.pays)
    stage.narrator.check(
        "whoever could pay has the bill; what was not paid for is not issued",
        holds=found.stage == "settled" and found.failed == failed * 1_000_000,
        found=f"Rs {found.settled:,} delivered for {found.paid:,}; {found.failed:,} failed",
    )
    await stage.check_book(f"after {name}")


def _average_price(bids: Sequence[Bid]) -> int:
    """Return the average price of what bids with a price got, weighted by face, half up."""
    priced = [(bid.allotted, bid.price_e4) for bid in bids if bid.price_e4 is not None]
    exact = Fraction(sum(face * price for face, price in priced), sum(face for face, _ in priced))
    return int(exact + Fraction(1, 2))


def _e4(price: object) -> int:
    return int(Fraction(str(price)) * 10_000)


def _terms(stage: DebtStage, target: int, opens_ms: int, settles: date) -> AuctionTerms:
    return AuctionTerms(
        asset=BILL,
        cash=RUPEE,
        proceeds=stage.ministry.address,
        method=Method.MULTIPLE_PRICE,
        target=target,
        multiple=MULTIPLE,
        quantum_e4=1,
        opens_ms=opens_ms,
        closes_ms=opens_ms + HOUR_MS,
        reveals_until_ms=opens_ms + 2 * HOUR_MS,
        decides_until_ms=opens_ms + 3 * HOUR_MS,
        settles_ms=moment_ms(from_date(settles), MORNING + 60, OFFSET_MINUTES),
        calendar=PAKISTAN,
        kinds=("bank",),
        licences=(),
        bids_per_bidder=5,
        bidder_share_bps=10_000,
        noncompetitive_kinds=("person",),
        noncompetitive_share_bps=1_000,
        noncompetitive_least=MULTIPLE,
        noncompetitive_most=5 * MILLION,
        noncompetitive_price=NoncompetitivePrice.AVERAGE,
        oversubscription=Oversubscription.SMALLEST_FIRST,
        prorata_step=MILLION,
        filled_whole=0,
        failing_exclusion_days=30,
        unrevealed_exclusion_days=0,
        reference=REFERENCE,
    )
