"""Trade, coupons, default and cure, redemption: each compared with what comes out by hand."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from node.cli.demo.debt.securities import (
    BILL,
    BOND,
    FLOATER,
    GRACE_DAYS,
    INACTIVE,
    PAYING,
    SUKUK,
    WITHHELD_BPS,
    are_defined,
    check_fixing,
    enter_fixing,
    withheld_bps,
)
from node.cli.demo.debt.stage import MILLION, PAISA, DebtStage, is_gathered
from node.cli.demo.debt.strips import strip_and_reconstitute
from node.cli.demo.stage import Actor
from node.client.reads import Payment
from node.ledger.operations import FundPayment, Redeem, Transfer
from node.provision.acts import RUPEE, issue

ODD: Final = 1_237 * PAISA
"""Face in rupees, below the legal multiple of Rs 5,000, as retail has."""
SETTLED: Final = "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A security sold on, against payment."""

    asset: str
    seller: str
    buyer: str
    face: int
    paid: int
    """In paisa, as the face."""


TRADES: Final = (
    Trade(asset=BOND, seller="dealer-1", buyer="dealer-2", face=50 * MILLION, paid=49 * MILLION),
    Trade(asset=SUKUK, seller="dealer-1", buyer="amina", face=ODD, paid=ODD),
    Trade(asset=BOND, seller="dealer-2", buyer="bilal", face=ODD, paid=ODD),
)
AFTER_RECORD: Final = Trade(
    asset=BOND, seller="dealer-1", buyer="dealer-3", face=550 * MILLION, paid=548 * MILLION
)
FIRST_PAID: Final = (BOND, FLOATER)


async def trade(stage: DebtStage) -> None:
    """Strip bonds and put them together; sell bond and sukuk on, in fractions too."""
    await strip_and_reconstitute(stage)
    for each in TRADES:
        await _sell(stage, each)
    stage.narrator.tell("three trades, each of one transaction: delivery against payment")
    await stage.check_book("after the trades")


async def is_traded(stage: DebtStage) -> bool:
    """Return whether the last trade is done."""
    last = TRADES[-1]
    return await is_gathered(stage) and await stage.has(last.buyer, last.asset) > 0


async def enter_trades(stage: DebtStage) -> None:
    """Note who sold what to whom."""
    for each in TRADES:
        _enter(stage, each)


async def pass_record(stage: DebtStage) -> None:
    """Provide for the first coupons, let the record day pass, and sell every bond after it.

    The sukuk's agent is the ministry, which ends with nothing: what comes of it is a later step.
    """
    row = await stage.payment(BOND, 1)
    for asset in FIRST_PAID:
        await _provide(stage, asset, 1)
    assert row.record_day is not None, "the ledger pays a bond"
    await stage.until(date.fromisoformat(row.record_day) + timedelta(days=1))
    await _empty(stage)
    _record(stage)
    await _sell(stage, AFTER_RECORD)
    stage.narrator.tell(
        "dealer-1 sells all of its bonds after the record: the coupon stays with it"
    )
    await stage.check_book("after the record day")


async def is_past_record(stage: DebtStage) -> bool:
    """Return whether the seller has no bond any more."""
    return await is_traded(stage) and await stage.has(AFTER_RECORD.seller, AFTER_RECORD.asset) == 0


async def enter_record(stage: DebtStage) -> None:
    """Note who had what on the record day, and who sold since."""
    _record(stage)
    _enter(stage, AFTER_RECORD)


async def first_coupon(stage: DebtStage) -> None:
    """Let the day of the first coupons come: whoever held on the record day is paid."""
    before = await stage.has(INACTIVE, RUPEE)
    row = await stage.payment(BOND, 1)
    days = (date.fromisoformat(row.end) - date.fromisoformat(row.start)).days
    interest = sum(
        int(stage.book.recorded[asset].get(INACTIVE, 0) * stage.rates[asset] * days / 365)
        for asset in FIRST_PAID
    )
    await stage.until(row.payment_day)
    gained = await stage.has(INACTIVE, RUPEE) - before
    stage.narrator.check(
        f"from {INACTIVE}, no active taxpayer, twice as much is withheld as from other banks",
        holds=gained > 0
        and abs(interest - gained - 2 * (interest * WITHHELD_BPS // 10_000)) < len(FIRST_PAID),
        found=f"{interest - gained:,} of {interest:,} paisa",
    )
    for asset in FIRST_PAID:
        await _check_paid(stage, asset, 1, await _enter_paid(stage, asset, 1))
    await stage.check_book("after the coupons")
    await enter_fixing(stage, 2)
    await check_fixing(stage, 2)


async def is_first_paid(stage: DebtStage) -> bool:
    """Return whether the last of the first coupons is paid."""
    return await are_defined(stage) and _status(await stage.payment(FLOATER, 1)) == SETTLED


async def enter_first(stage: DebtStage) -> None:
    """Note the first coupons, and what the floater pays next."""
    for asset in FIRST_PAID:
        await _enter_paid(stage, asset, 1)
    await enter_fixing(stage, 2)


async def default(stage: DebtStage) -> None:
    """Let the sukuk's day come and its grace pass: the ministry cannot pay the rental."""
    narrator = stage.narrator
    row = await stage.payment(SUKUK, 1)
    due = date.fromisoformat(row.payment_day)
    await stage.until(due)
    seen = [_status(await stage.payment(SUKUK, 1))]
    for days in (1, GRACE_DAYS + 1):
        await stage.until(due + timedelta(days=days))
        seen.append(_status(await stage.payment(SUKUK, 1)))
    narrator.check(
        "each stage is there for everybody to see",
        holds=seen == ["late", "in_grace", "in_default"],
        found=", ".join(seen),
    )
    lines = [line for line in (await stage.client.debt()).value if line.asset in (BILL, *PAYING)]
    told = {line.asset: line.payments[0].status for line in lines}
    narrator.check(
        "so says what the state owes, and of the sukuk alone",
        holds=[asset for asset, status in told.items() if status == "in_default"] == [SUKUK],
    )


async def is_in_default(stage: DebtStage) -> bool:
    """Return whether the rental is in default."""
    return await are_defined(stage) and _status(await stage.payment(SUKUK, 1)) == "in_default"


async def cure(stage: DebtStage) -> None:
    """Give the ministry money again; it pays the rental."""
    await _provide(stage, SUKUK, 1)
    fund = FundPayment(account=stage.ministry.address, asset=SUKUK)
    receipt = await stage.act(fund, by=[stage.ministry])
    stage.narrator.tell(f"the ministry has money again and pays in block {receipt.height}")
    await stage.until(await stage.today() + timedelta(days=1))
    await _check_paid(stage, SUKUK, 1, await _enter_paid(stage, SUKUK, 1))
    await stage.check_book("after the cure")


async def is_cured(stage: DebtStage) -> bool:
    """Return whether the rental is paid."""
    return await are_defined(stage) and _status(await stage.payment(SUKUK, 1)) == SETTLED


async def enter_cure(stage: DebtStage) -> None:
    """Note the rental."""
    await _enter_paid(stage, SUKUK, 1)


async def redeem(stage: DebtStage) -> None:
    """Let everything mature: the ledger redeems what pays, the issuer its bill."""
    for asset in PAYING:
        await _provide(stage, asset, 2)
    rows = {asset: await stage.payment(asset, 2) for asset in PAYING}
    last = max(date.fromisoformat(row.payment_day) for row in rows.values())
    await stage.until(last)
    for asset in PAYING:
        await _check_paid(stage, asset, 2, await _enter_paid(stage, asset, 2, final=True))
        stage.book.face[asset] = {}
    await _redeem_bill(stage)
    await stage.check_book("after the redemption")


async def is_redeemed(stage: DebtStage) -> bool:
    """Return whether nothing is left of the bill, and the last payments are made."""
    if not await are_defined(stage):
        return False
    rows = [await stage.payment(asset, 2) for asset in PAYING]
    return all(_status(row) == SETTLED for row in rows) and await stage.supply(BILL) == 0


async def enter_redemption(stage: DebtStage) -> None:
    """Note the last payments, and the bill's."""
    for asset in PAYING:
        await _enter_paid(stage, asset, 2, final=True)
        stage.book.face[asset] = {}
    for name, face in stage.book.face.pop(BILL).items():
        stage.book.cash[name] += face


async def _redeem_bill(stage: DebtStage) -> None:
    """Let every holder give its bills back for their face, and destroy them."""
    terms = (await stage.client.asset(BILL)).value.terms
    matures = date.fromisoformat(str(terms["maturity_day"]))
    if await stage.today() < matures:
        await stage.until(matures)
    holders = {
        name: face for name, face in stage.book.face[BILL].items() if await stage.has(name, BILL)
    }
    await _lend(stage, stage.ministry, sum(holders.values()))
    for name, face in holders.items():
        holder = stage[name]
        await stage.act(
            Transfer(account=holder.address, to=stage.ministry.address, asset=BILL, amount=face),
            Transfer(account=stage.ministry.address, to=holder.address, asset=RUPEE, amount=face),
            by=[holder, stage.ministry],
        )
    for name, face in stage.book.face[BILL].items():
        stage.book.cash[name] += face
    stage.book.face[BILL] = {}
    whole = await stage.supply(BILL)
    await stage.act(
        Redeem(
            account=stage.ministry.address,
            approvers=(stage.bank.address,),
            asset=BILL,
            amount=whole,
            holder=stage.ministry.address,
        ),
        by=[stage.ministry, stage.bank],
    )
    stage.narrator.check(
        "no bill is left",
        holds=await stage.supply(BILL) == 0,
        found=f"Rs {whole // PAISA:,} came back",
    )


async def _sell(stage: DebtStage, trade: Trade) -> None:
    """Deliver against payment, unless that is done, and enter it."""
    if await stage.has(trade.seller, trade.asset) == stage.book.face[trade.asset][trade.seller]:
        one, other = stage[trade.seller], stage[trade.buyer]
        await stage.act(
            Transfer(account=one.address, to=other.address, asset=trade.asset, amount=trade.face),
            Transfer(account=other.address, to=one.address, asset=RUPEE, amount=trade.paid),
            by=[one, other],
        )
    _enter(stage, trade)


def _enter(stage: DebtStage, trade: Trade) -> None:
    stage.book.give(trade.asset, trade.seller, -trade.face)
    stage.book.give(trade.asset, trade.buyer, trade.face)
    if not stage.book.face[trade.asset][trade.seller]:
        del stage.book.face[trade.asset][trade.seller]
    stage.book.pay(trade.buyer, trade.seller, trade.paid)


def _record(stage: DebtStage) -> None:
    """Keep who has what today of what pays next."""
    stage.book.recorded = {asset: dict(stage.book.face[asset]) for asset in FIRST_PAID}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paid:
    """What a payment comes to, in paisa."""

    paid: int
    withheld: int
    residue: int


async def _enter_paid(stage: DebtStage, asset: str, number: int, *, final: bool = False) -> _Paid:
    """Pay everybody in the book who held on the record day; return what that came to."""
    row = await stage.payment(asset, number)
    days = (date.fromisoformat(row.end) - date.fromisoformat(row.start)).days
    share = stage.rates[asset] * days / 365
    holders = stage.book.recorded.pop(asset, stage.book.face[asset])
    paid = withheld = 0
    for name, face in holders.items():
        interest = int(face * share)  # floor
        tax = interest * withheld_bps(asset, name) // 10_000
        amount = interest - tax + (face if final else 0)
        stage.book.cash[name] += amount
        paid += amount
        withheld += tax
    due = int(sum(holders.values()) * share) + (sum(holders.values()) if final else 0)
    return _Paid(paid=paid, withheld=withheld, residue=due - paid - withheld)


async def _check_paid(stage: DebtStage, asset: str, number: int, expected: _Paid) -> None:
    """Compare what the ledger says it paid in all with what comes out by hand."""
    made = (await stage.payment(asset, number)).made
    assert made is not None, "its day has come"
    found = _Paid(
        paid=_paisa(made.paid), withheld=_paisa(made.withheld), residue=_paisa(made.residue)
    )
    stage.narrator.check(
        f"{asset}, payment {number}: paid, withheld and residue are what was due, as by hand",
        holds=made.status == SETTLED and found == expected,
        found=f"{made.paid:,} + {made.withheld:,} + {made.residue}",
    )


async def _provide(stage: DebtStage, asset: str, number: int) -> None:
    """Put what a payment takes into the account that pays it, if it is to come: a loan."""
    lines = [each for each in (await stage.client.debt()).value if each.asset == asset]
    payments = [each for line in lines for each in line.payments if each.number == number]
    if not payments:
        return
    [payment] = payments
    agent = stage.ministry if asset == SUKUK else stage.bank
    await _lend(stage, agent, _paisa(payment.interest + payment.principal))


async def _lend(stage: DebtStage, receiver: Actor, amount: int) -> None:
    bank = stage.bank
    await stage.act(
        issue(account=bank.address, asset=RUPEE, amount=amount, to=receiver.address), by=[bank]
    )


async def _empty(stage: DebtStage) -> None:
    """Let the ministry pay all that it has into the central bank."""
    ministry = stage.ministry
    has = _paisa(await stage.client.holding(ministry.address, RUPEE))
    if has:
        await stage.act(
            Transfer(account=ministry.address, to=stage.bank.address, asset=RUPEE, amount=has),
            by=[ministry],
        )


def _status(row: Payment) -> str:
    return "planned" if row.made is None else row.made.status


def _paisa(amount: Decimal) -> int:
    return round(amount * PAISA)
