"""The auctions: announced, bid for under seal, closed, opened, decided, settled, worked out again.

Bids in the first of the bill: 1,000 million at 94.7000, 800 at 94.6500, 1,000 and 500 at the
cut-off of 94.6000, 300 below it; one that is never opened; two people without a price, 5 million
each. Of 3,000 million on offer 10 go to the people and 1,800 to the two best, so that 1,190 are
left for 1,500 at the margin: 793.33 and 396.67 by their shares, in steps of a million 793 and 397.
The fourth dealer has no money: its 397 million are not issued.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Final

from node.cli.auction.recomputing import recompute
from node.cli.demo.debt.securities import BILL, BOND, MULTIPLE, REFERENCE
from node.cli.demo.debt.stage import (
    MILLION,
    MINUTE_MS,
    MORNING,
    OFFSET_MINUTES,
    PAISA,
    DebtStage,
)
from node.client import NotFound, reads
from node.ledger.auctions import (
    AuctionTerms,
    Form,
    Method,
    NoncompetitivePrice,
    Oversubscription,
    SealedBid,
    commitment_of,
)
from node.ledger.dates import date_of, from_date, moment_ms
from node.ledger.operations import (
    AnnounceAuction,
    CommitBid,
    DecideAuction,
    Operation,
    PlaceBid,
    RevealBid,
)
from node.ledger.units import local_day
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


async def announce(stage: DebtStage, sales: Sequence[Sale]) -> None:
    """Announce auctions side by side, on a morning of business, for that day."""
    today = await stage.morning()
    opens_ms = moment_ms(from_date(today), MORNING + 60, OFFSET_MINUTES)
    settles = (await stage.client.business_day(PAKISTAN, today, business_days=1)).value.counted
    assert settles is not None, "a calendar without a next business day"
    for sale in sales:
        if await is_announced(stage, sale):
            continue
        operation = AnnounceAuction(
            account=stage.ministry.address,
            approvers=(stage.bank.address,),
            auction=sale.name,
            terms=_terms(stage, sale, opens_ms, settles),
        )
        await stage.act(operation, by=[stage.ministry, stage.bank])
        stage.narrator.tell(
            f"announced {sale.name}: Rs {sale.target:,} million, settled on {settles}"
        )


async def reopen(stage: DebtStage) -> None:
    """Announce more of both, two months after the last settlement."""
    settled_ms = await _moment(stage, FIRST[-1], "settles")
    await stage.until(date_of(local_day(settled_ms, OFFSET_MINUTES)) + REOPENED_AFTER)
    await announce(stage, SECOND)


async def is_announced(stage: DebtStage, sale: Sale) -> bool:
    """Return whether an auction is on the ledger."""
    try:
        await stage.client.auction(sale.name)
    except NotFound:
        return False
    return True


async def bid(stage: DebtStage, sales: Sequence[Sale]) -> None:
    """Hand in every bid when the auctions open, those with a price under seal."""
    await stage.until_ms(await _moment(stage, sales[0], "opens"))
    for sale in sales:
        known = {each.number for each in await _bids(stage, sale)}
        for number, each in enumerate(sale.bids, 1):
            if number not in known:
                await _hand_in(stage, sale, number, each)
        sealed = [each for each in await _bids(stage, sale) if each.commitment is not None]
        stage.narrator.check(
            f"of {len(sealed)} bids for {sale.asset} the ledger knows neither price nor face",
            holds=len(sealed) == sum(each.price_e4 is not None for each in sale.bids)
            and all(each.price is None and each.face is None for each in sealed),
        )


async def are_bid_for(stage: DebtStage, sales: Sequence[Sale]) -> bool:
    """Return whether every bid is handed in."""
    return await is_announced(stage, sales[-1]) and len(await _bids(stage, sales[-1])) == len(
        sales[-1].bids
    )


async def open_bids(stage: DebtStage, sales: Sequence[Sale]) -> None:
    """Close the auctions and open the sealed bids, but those that nobody opens."""
    await stage.until_ms(await _moment(stage, sales[0], "closes"))
    for sale in sales:
        for number in await _sealed(stage, sale):
            await _open(stage, sale, number)
        unopened = sum(not each.opened for each in sale.bids)
        stage.narrator.tell(f"{sale.name}: every bid is opened but {unopened}")


async def are_open(stage: DebtStage, sales: Sequence[Sale]) -> bool:
    """Return whether every bid is open that anybody opens."""
    return await are_bid_for(stage, sales) and not await _sealed(stage, sales[-1])


async def decide(stage: DebtStage, sales: Sequence[Sale]) -> None:
    """Set the cut-off of each, and compare what follows from it with what comes out by hand."""
    await stage.until_ms(await _moment(stage, sales[0], "reveals_until"))
    for sale in sales:
        if not await _is_decided(stage, sale):
            operation = DecideAuction(
                account=stage.ministry.address,
                approvers=(),
                auction=sale.name,
                cut_off_e4=sale.cut_off_e4,
            )
            await stage.act(operation, by=[stage.ministry])
        await _check_result(stage, sale)


async def are_decided(stage: DebtStage, sales: Sequence[Sale]) -> bool:
    """Return whether the last has its result."""
    return await is_announced(stage, sales[-1]) and await _is_decided(stage, sales[-1])


async def settle(stage: DebtStage, sales: Sequence[Sale]) -> None:
    """Let the day of settlement come: the ledger delivers against payment."""
    settles_ms = await _moment(stage, sales[0], "settles")
    await stage.until_ms(settles_ms + HOUR_MS)
    await enter_settlement(stage, sales)
    for sale in sales:
        await _check_settlement(stage, sale)
    if sales is SECOND:
        await _check_reopened(stage)
    await stage.check_book("after the settlement")


async def are_settled(stage: DebtStage, sales: Sequence[Sale]) -> bool:
    """Return whether the last is."""
    return await is_announced(stage, sales[-1]) and (
        (await stage.client.auction(sales[-1].name)).value.stage == "settled"
    )


async def enter_settlement(stage: DebtStage, sales: Sequence[Sale]) -> None:
    """Note what everybody took and paid: two figures, each rounded, as the market prints them."""
    for sale in sales:
        settles_ms = await _moment(stage, sale, "settles")
        accrued = await _accrued(stage, sale.asset, date_of(local_day(settles_ms, OFFSET_MINUTES)))
        average = _average_price(sale.bids)
        for each in sale.bids:
            if each.allotted and each.pays:
                face = each.allotted * MILLION
                price_e4 = average if each.price_e4 is None else each.price_e4
                paid = _half_up(Fraction(face * price_e4, 100 * 10_000)) + _half_up(face * accrued)
                stage.book.give(sale.asset, each.bidder, face)
                stage.book.pay(each.bidder, None, paid)


async def _moment(stage: DebtStage, sale: Sale, name: str) -> int:
    """Return a time of an auction's terms."""
    terms = (await stage.client.auction(sale.name)).value.terms
    return round(datetime.fromisoformat(terms[name]).timestamp() * 1000)


async def _bids(stage: DebtStage, sale: Sale) -> list[reads.Bid]:
    """Return what the ledger knows of the bids, by number."""
    found = [
        each
        for bidder in sorted({each.bidder for each in sale.bids})
        for each in (await stage.client.bidder(bidder, sale.name)).value.bids
    ]
    return sorted(found, key=lambda each: each.number)


async def _sealed(stage: DebtStage, sale: Sale) -> list[int]:
    """Return the numbers of bids that are sealed and will be opened."""
    return [
        each.number
        for each in await _bids(stage, sale)
        if each.commitment is not None and each.price is None and sale.bids[each.number - 1].opened
    ]


async def _is_decided(stage: DebtStage, sale: Sale) -> bool:
    return (await stage.client.auction(sale.name)).value.result is not None


async def _hand_in(stage: DebtStage, sale: Sale, number: int, bid: Bid) -> None:
    actor = stage[bid.bidder]
    operation: Operation
    if bid.price_e4 is None:
        operation = PlaceBid(
            account=actor.address,
            cash_account=actor.address,
            auction=sale.name,
            asset=sale.asset,
            face=bid.millions * MILLION,
        )
    else:
        operation = CommitBid(
            account=actor.address,
            auction=sale.name,
            commitment=commitment_of(_secret(stage, sale, number)),
        )
    await stage.act(operation, by=[actor])


async def _open(stage: DebtStage, sale: Sale, number: int) -> None:
    actor = stage[sale.bids[number - 1].bidder]
    secret = _secret(stage, sale, number)
    assert secret.price_e4 is not None  # only what has one was sealed
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


def _secret(stage: DebtStage, sale: Sale, number: int) -> SealedBid:
    """Return a bid as it was sealed.

    Its salt follows from the bidder's key, which nobody but the bidder should have: a bidder that
    keeps nothing can open its bids all the same.
    """
    bid, actor = sale.bids[number - 1], stage[sale.bids[number - 1].bidder]
    assert bid.price_e4 is not None, "without a price there is nothing to seal"
    salt = hashlib.sha256(actor.signer.seed + f"{sale.name} {number}".encode()).digest()
    return SealedBid(
        auction=sale.name,
        account=actor.address,
        price_e4=bid.price_e4,
        face=bid.millions * MILLION,
        salt=salt,
    )


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


async def _check_settlement(stage: DebtStage, sale: Sale) -> None:
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


async def _check_reopened(stage: DebtStage) -> None:
    added = {sale.asset: sale.target * MILLION for sale in SECOND}
    after = {asset: await stage.supply(asset) for asset in added}
    before = {
        asset: sum(
            each.allotted * MILLION
            for sale in FIRST
            for each in sale.bids
            if sale.asset == asset and each.pays
        )
        for asset in added
    }
    stage.narrator.check(
        "they are the same securities, and more of them",
        holds=after == {asset: before[asset] + more for asset, more in added.items()},
        found=", ".join(
            f"{before[asset] // PAISA:,} to {after[asset] // PAISA:,}" for asset in added
        ),
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
