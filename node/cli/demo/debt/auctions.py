"""The auctions: announced, bid for under seal, closed, opened, decided, settled, worked out again.

Bids in the first of the bill: 1,000 million at 94.7000, 800 at 94.6500, 1,000 and 500 at the
cut-off of 94.6000, 300 below it; one that is never opened; two people without a price, 5 million
each. Of 3,000 million on offer 10 go to the people and 1,800 to the two best, so that 1,190 are
left for 1,500 at the margin: 793.33 and 396.67 by their shares, in steps of a million 793 and 397.
The fourth dealer has no money: its 397 million are not issued.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from node.cli.auction.recomputing import recompute
from node.cli.demo.debt.securities import BILL, BOND, MULTIPLE, REFERENCE
from node.cli.demo.debt.stage import MILLION, MINUTE_MS, MORNING, OFFSET_MINUTES, DebtStage
from node.ledger.auctions import (
    AuctionTerms,
    Form,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """An auction as it is played."""

    name: str
    asset: str
    target: int
    """In millions."""
    cut_off_e4: int
    bids: tuple[Bid, ...]


FIRST: Final = (
    Sale(
        name="mtb-6m-1",
        asset=BILL,
        target=3_000,
        cut_off_e4=946_000,
        bids=(
            Bid(bidder="dealer-1", price_e4=947_000, millions=1_000, allotted=1_000),
            Bid(bidder="dealer-1", price_e4=930_000, millions=100, opened=False),
            Bid(bidder="dealer-2", price_e4=946_500, millions=800, allotted=800),
            Bid(bidder="dealer-3", price_e4=946_000, millions=1_000, allotted=793),
            Bid(bidder="dealer-4", price_e4=946_000, millions=500, allotted=397, pays=False),
            Bid(bidder="dealer-2", price_e4=945_000, millions=300),
            Bid(bidder="amina", price_e4=None, millions=5, allotted=5),
            Bid(bidder="bilal", price_e4=None, millions=5, allotted=5),
        ),
    ),
    Sale(
        name="pib-6m-1",
        asset=BOND,
        target=1_000,
        cut_off_e4=997_000,
        bids=(
            Bid(bidder="dealer-1", price_e4=998_000, millions=600, allotted=600),
            Bid(bidder="dealer-2", price_e4=997_000, millions=400, allotted=400),
            Bid(bidder="dealer-3", price_e4=995_000, millions=200),
        ),
    ),
)
SECOND: Final = (
    Sale(
        name="mtb-6m-2",
        asset=BILL,
        target=500,
        cut_off_e4=964_000,
        bids=(
            Bid(bidder="dealer-1", price_e4=965_000, millions=300, allotted=300),
            Bid(bidder="dealer-3", price_e4=964_000, millions=300, allotted=200),
        ),
    ),
    Sale(
        name="pib-6m-2",
        asset=BOND,
        target=100,
        cut_off_e4=999_000,
        bids=(
            Bid(bidder="dealer-2", price_e4=999_000, millions=100, allotted=100),
            Bid(bidder="dealer-3", price_e4=998_500, millions=50),
        ),
    ),
)


async def hold_auctions(stage: DebtStage) -> None:
    """Step 2."""
    stage.narrator.step("Bill and bond are auctioned: sealed bids, cut-off, delivery, payment")
    await _hold(stage, FIRST)


async def reopen(stage: DebtStage) -> None:
    """Step 5."""
    stage.narrator.step("Two months later both are reopened, the bond with interest accrued")
    day = await stage.today() + REOPENED_AFTER
    on = (await stage.client.business_day(PAKISTAN, day)).value.following
    assert on is not None, "a calendar without a business day"
    await stage.until(on)
    before = [(await stage.client.asset(sale.asset)).value.supply for sale in SECOND]
    await _hold(stage, SECOND)
    after = [(await stage.client.asset(sale.asset)).value.supply for sale in SECOND]
    stage.narrator.check(
        "they are the same securities, and more of them",
        holds=[b - a for a, b in zip(before, after, strict=True)]
        == [sale.target * 1_000_000 for sale in SECOND],
        found=", ".join(f"{a:,.0f} to {b:,.0f}" for a, b in zip(before, after, strict=True)),
    )


async def _hold(stage: DebtStage, sales: Sequence[Sale]) -> None:
    """Hold auctions side by side, from the announcement to the settlement."""
    narrator = stage.narrator
    today = await stage.today()
    opens_ms = moment_ms(from_date(today), MORNING + 60, OFFSET_MINUTES)
    settles = (await stage.client.business_day(PAKISTAN, today, business_days=1)).value.counted
    assert settles is not None, "a calendar without a next business day"
    for sale in sales:
        announce = AnnounceAuction(
            account=stage.ministry.address,
            approvers=(stage.bank.address,),
            auction=sale.name,
            terms=_terms(stage, sale, opens_ms, settles),
        )
        await stage.act(announce, by=[stage.ministry, stage.bank])
        narrator.tell(f"announced {sale.name}: Rs {sale.target:,} million, settled on {settles}")
    await stage.until_ms(opens_ms)
    sealed = {sale.name: await _bid(stage, sale) for sale in sales}
    await stage.until_ms(opens_ms + HOUR_MS)
    for sale in sales:
        await _open(stage, sale, sealed[sale.name])
    await stage.until_ms(opens_ms + 2 * HOUR_MS)
    for sale in sales:
        decide = DecideAuction(
            account=stage.ministry.address,
            approvers=(),
            auction=sale.name,
            cut_off_e4=sale.cut_off_e4,
        )
        await stage.act(decide, by=[stage.ministry])
        await _check_result(stage, sale)
    await stage.until(settles, MORNING + 120)
    for sale in sales:
        await _check_settlement(stage, sale, settles)
    await stage.check_book("after the settlement")


async def _bid(stage: DebtStage, sale: Sale) -> list[tuple[int, Bid, SealedBid]]:
    """Hand in every bid; return the sealed ones with their numbers."""
    sealed = []
    for number, bid in enumerate(sale.bids, 1):
        actor = stage[bid.bidder]
        if bid.price_e4 is None:
            place = PlaceBid(
                account=actor.address,
                cash_account=actor.address,
                auction=sale.name,
                asset=sale.asset,
                face=bid.millions * MILLION,
            )
            await stage.act(place, by=[actor])
            continue
        secret = SealedBid(
            auction=sale.name,
            account=actor.address,
            price_e4=bid.price_e4,
            face=bid.millions * MILLION,
            salt=secrets.token_bytes(32),
        )
        commit = CommitBid(
            account=actor.address, auction=sale.name, commitment=commitment_of(secret)
        )
        await stage.act(commit, by=[actor])
        sealed.append((number, bid, secret))
    seen = [
        bid
        for bidder in sorted({bid.bidder for _, bid, _ in sealed})
        for bid in (await stage.client.bidder(bidder, sale.name)).value.bids
    ]
    stage.narrator.check(
        f"of {len(sealed)} bids for {sale.asset} the ledger knows neither price nor face",
        holds=len(seen) == len(sealed) and all(b.price is None and b.face is None for b in seen),
    )
    return sealed


async def _open(stage: DebtStage, sale: Sale, sealed: Sequence[tuple[int, Bid, SealedBid]]) -> None:
    for number, bid, secret in sealed:
        if not bid.opened:
            continue
        actor = stage[bid.bidder]
        reveal = RevealBid(
            account=actor.address,
            cash_account=actor.address,
            auction=sale.name,
            number=number,
            asset=sale.asset,
            price_e4=secret.price_e4,
            face=secret.face,
            salt=secret.salt,
        )
        await stage.act(reveal, by=[actor])


async def _check_result(stage: DebtStage, sale: Sale) -> None:
    narrator = stage.narrator
    found = (await stage.client.auction(sale.name)).value
    result = found.result
    assert result is not None, "it was decided"
    at = "" if result.average_yield is None else f", {result.average_yield} % a year"
    narrator.check(
        f"{sale.name}: the average price is the one that comes out by hand",
        holds=_e4(result.average_price) == _average_price(sale.bids)
        and _e4(result.cut_off) == sale.cut_off_e4,
        found=f"cut-off {result.cut_off}, average {result.average_price}{at}",
    )
    narrator.check(
        f"{sale.name}: whoever opened no bid is counted",
        holds=found.unrevealed == sum(not bid.opened for bid in sale.bids),
        found=found.unrevealed,
    )


async def _check_settlement(stage: DebtStage, sale: Sale, settles: date) -> None:
    average = _average_price(sale.bids)
    accrued = await _accrued(stage, sale.asset, settles)
    for bid in sale.bids:
        if bid.allotted and bid.pays:
            face = bid.allotted * MILLION
            price_e4 = average if bid.price_e4 is None else bid.price_e4
            # Two figures, each rounded, as the market prints them.
            paid = _half_up(Fraction(face * price_e4, 100 * 10_000)) + _half_up(face * accrued)
            stage.book.give(sale.asset, bid.bidder, face)
            stage.book.pay(bid.bidder, None, paid)
    found = (await stage.client.auction(sale.name)).value
    failed = sum(bid.allotted for bid in sale.bids if not bid.pays)
    stage.narrator.check(
        f"{sale.name}: whoever could pay is delivered to; what was not paid for is not issued",
        holds=found.stage == "settled" and found.failed == failed * 1_000_000,
        found=f"Rs {found.settled:,} for {found.paid:,}; {found.failed:,} failed",
    )
    figures = await recompute(stage.client, sale.name)
    stage.narrator.check(
        f"{sale.name}: anybody works the same out from the anonymous ladder",
        holds=all(figure.agrees for figure in figures),
        found=f"{len(figures)} figures",
    )


async def _accrued(stage: DebtStage, asset: str, settles: date) -> Fraction:
    """Return what has accrued on a unit of face: of the first period, from the day of issue."""
    if asset not in stage.rates:
        return Fraction(0)
    row = await stage.payment(asset, 1)
    return stage.rates[asset] * Fraction((settles - date.fromisoformat(row.start)).days, 365)


def _half_up(amount: Fraction) -> int:
    return int(amount + Fraction(1, 2))


def _average_price(bids: Sequence[Bid]) -> int:
    """Return the average price of what bids with a price got, weighted by face, half up."""
    priced = [(bid.allotted, bid.price_e4) for bid in bids if bid.price_e4 is not None]
    exact = Fraction(sum(face * price for face, price in priced), sum(face for face, _ in priced))
    return _half_up(exact)


def _e4(price: object) -> int:
    return int(Fraction(str(price)) * 10_000)


def _terms(stage: DebtStage, sale: Sale, opens_ms: int, settles: date) -> AuctionTerms:
    # People bid for bills alone: there they need to know no price.
    of_people = sale.asset == BILL
    return AuctionTerms(
        asset=sale.asset,
        form=Form.PRICE,
        cash=RUPEE,
        proceeds=stage.ministry.address,
        method=Method.MULTIPLE_PRICE,
        target=sale.target * MILLION,
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
        noncompetitive_kinds=("person",) if of_people else (),
        noncompetitive_share_bps=1_000 if of_people else 0,
        noncompetitive_least=MULTIPLE if of_people else 0,
        noncompetitive_most=5 * MILLION if of_people else 0,
        noncompetitive_price=NoncompetitivePrice.AVERAGE,
        oversubscription=Oversubscription.SMALLEST_FIRST,
        prorata_step=MILLION,
        filled_whole=0,
        failing_exclusion_days=30,
        unrevealed_exclusion_days=0,
        reference=REFERENCE if of_people else None,
        destination=None,
    )
