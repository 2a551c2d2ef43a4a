"""The auctions: announced, bid for under seal, opened, decided, settled, worked out again."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Final

from node.cli.demo.debt.sales import FIRST, HOUR_MS, SECOND, Bid, Sale, terms_of
from node.cli.demo.debt.securities import FLOATER, MULTIPLE
from node.cli.demo.debt.stage import MILLION, MORNING, OFFSET_MINUTES, PAISA, DebtStage
from node.cli.demo.stage import Actor
from node.client import NotFound, reads
from node.ledger.auctions import Form, SealedBid, commitment_of
from node.ledger.dates import date_of, from_date, moment_ms
from node.ledger.operations import (
    AnnounceAuction,
    CommitBid,
    DecideAuction,
    EnterBid,
    GiveBidMandate,
    LodgeEnvelope,
    Operation,
    PlaceBid,
    RevealBid,
)
from node.ledger.terms import PAR_E4
from node.ledger.units import local_day
from node.provision.pakistan import PAKISTAN

REOPENED_AFTER: Final = timedelta(days=60)


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
            terms=terms_of(stage, sale, opens_ms, settles),
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
        day = date_of(local_day(settles_ms, OFFSET_MINUTES))
        accrued = await _accrued(stage, sale.asset, day)
        given = Fraction(0)
        if sale.given is not None:
            given = await _accrued(stage, sale.given.asset, day)
        for each in sale.bids:
            if each.allotted and each.pays:
                _enter_delivery(stage, sale, each, accrued, given)


def _enter_delivery(
    stage: DebtStage, sale: Sale, bid: Bid, accrued: Fraction, accrued_on_given: Fraction
) -> None:
    face = bid.allotted * MILLION
    worth = _worth(face, _price(sale, bid), accrued)
    if sale.given is None:
        stage.book.give(sale.asset, bid.bidder, face)
        stage.book.pay(bid.bidder, None, worth)
        return
    # As many whole multiples as what is taken pays for; what is left comes in cash.
    each = MULTIPLE * (Fraction(sale.given.price_e4, PAR_E4) + accrued_on_given)
    got = int(worth / each) * MULTIPLE
    stage.book.give(sale.asset, bid.bidder, -face)
    stage.book.give(sale.given.asset, bid.bidder, got)
    left = worth - _worth(got, sale.given.price_e4, accrued_on_given)
    stage.book.pay(bid.bidder, None, -left)


def _worth(face: int, price_e4: int, accrued: Fraction) -> int:
    """Return what a face costs with its interest: two figures, each rounded, as it is printed."""
    return _half_up(Fraction(face * price_e4, PAR_E4)) + _half_up(face * accrued)


def _price(sale: Sale, bid: Bid) -> int:
    """Return what an accepted bid pays: its own price, par for a margin, the average for none."""
    if sale.form is Form.MARGIN:
        return PAR_E4
    return _average_price(sale) if bid.price_e4 is None else bid.price_e4


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
    if bid.on_paper:
        await _lodge(stage, sale, number, actor)
        return
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


async def _lodge(stage: DebtStage, sale: Sale, number: int, bidder: Actor) -> None:
    """Let a bidder give its envelope to the central bank, which hands in the hash on it."""
    mandate = GiveBidMandate(
        account=bidder.address, cash_account=bidder.address, office=stage.bank.name
    )
    lodge = LodgeEnvelope(
        account=stage.bank.address,
        approvers=(),
        bidding=bidder.address,
        auction=sale.name,
        commitment=commitment_of(_secret(stage, sale, number)),
    )
    await stage.act(mandate, lodge, by=[bidder, stage.bank])
    stage.narrator.tell(f"{bidder.name} bids on paper: the central bank lodges envelope {number}")


async def _open(stage: DebtStage, sale: Sale, number: int) -> None:
    bid = sale.bids[number - 1]
    actor = stage[bid.bidder]
    secret = _secret(stage, sale, number)
    assert secret.price_e4 is not None  # only what has one was sealed
    if bid.on_paper:
        await _enter(stage, sale, number, secret)
        return
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


async def _enter(stage: DebtStage, sale: Sale, number: int, secret: SealedBid) -> None:
    """Let both offices enter what an envelope holds."""
    enter = EnterBid(
        account=stage.bank.address,
        approvers=(stage.ministry.address,),
        auction=sale.name,
        number=number,
        asset=sale.asset,
        price_e4=secret.price_e4,
        face=secret.face,
        salt=secret.salt,
    )
    await stage.act(enter, by=[stage.bank, stage.ministry])
    found = {each.number: each for each in (await stage.client.envelopes(sale.name)).value}
    envelope = found[number]
    stage.narrator.check(
        "two offices have entered what was in the envelope, and nothing else would fit its hash",
        holds=envelope.price is not None
        and _e4(envelope.price) == secret.price_e4
        and envelope.face == secret.face // PAISA
        and envelope.commitment == commitment_of(secret).hex(),
        found=f"{envelope.face} at {envelope.price} of {envelope.bidder}",
    )


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
        holds=_e4(result.average_price) == _average_price(sale)
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
    again = await stage.client.verify_auction(sale.name)
    stage.narrator.check(
        f"{sale.name}: anybody works the same out from the anonymous ladder",
        holds=again.verified,
        found=f"{len(again.figures)} figures",
    )


async def _check_reopened(stage: DebtStage) -> None:
    """Compare what there is with what everybody has in the book: sold, taken back and given."""
    lines = sorted({sale.asset for sale in SECOND} | {FLOATER})
    found = {asset: await stage.supply(asset) for asset in lines}
    before = {
        asset: sum(
            each.allotted * MILLION
            for sale in FIRST
            for each in sale.bids
            if sale.asset == asset and each.pays
        )
        for asset in lines
    }
    stage.narrator.check(
        "they are the same securities, and more of them",
        holds=found == {asset: sum(stage.book.face[asset].values()) for asset in lines}
        and all(found[asset] > before[asset] for asset in lines),
        found=", ".join(f"{before[each] // PAISA:,} to {found[each] // PAISA:,}" for each in lines),
    )


async def _accrued(stage: DebtStage, asset: str, settles: date) -> Fraction:
    """Return what has accrued on a unit of face: of the first period, from the day of issue."""
    if asset not in stage.rates:
        return Fraction(0)
    row = await stage.payment(asset, 1)
    return stage.rates[asset] * Fraction((settles - date.fromisoformat(row.start)).days, 365)


def _half_up(amount: Fraction) -> int:
    return int(amount + Fraction(1, 2))


def _average_price(sale: Sale) -> int:
    """Return the average price of what bids with a price got, weighted by face, half up.

    Of margins everybody gets the last one.
    """
    if sale.form is Form.MARGIN:
        return sale.cut_off_e4
    priced = [(bid.allotted, bid.price_e4) for bid in sale.bids if bid.price_e4 is not None]
    exact = Fraction(sum(face * price for face, price in priced), sum(face for face, _ in priced))
    return _half_up(exact)


def _e4(price: object) -> int:
    return int(Fraction(str(price)) * 10_000)
