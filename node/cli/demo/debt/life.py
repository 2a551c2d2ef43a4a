"""Trade, coupons, default and cure, redemption: each compared with what comes out by hand."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from node.cli.demo.debt.securities import (
    BILL,
    BOND,
    FLOATER,
    GRACE_DAYS,
    PAYING,
    SUKUK,
    WITHHELD_BPS,
    check_fixing,
)
from node.cli.demo.debt.stage import MILLION, PAISA, PEOPLE, DebtStage
from node.cli.demo.stage import Actor
from node.client.reads import Payment
from node.ledger.operations import FundPayment, Redeem, Transfer
from node.provision.acts import RUPEE, issue

ODD: Final = 123_456_78
"""Paisa of face: a fraction far below the legal multiple, as retail has."""


async def trade(stage: DebtStage) -> None:
    """Step 4."""
    narrator = stage.narrator
    narrator.step("Bond and sukuk are traded, in fractions too")
    await _sell(stage, BOND, "dealer-1", "dealer-2", 50 * MILLION, 49 * MILLION)
    await _sell(stage, SUKUK, "dealer-1", "amina", ODD, ODD)
    await _sell(stage, BOND, "dealer-2", "bilal", ODD, ODD)
    narrator.tell("three trades, each of one transaction: delivery against payment")
    await stage.check_book("after the trades")


async def first_coupon(stage: DebtStage) -> None:
    """Step 6."""
    narrator = stage.narrator
    narrator.step("The first coupons: whoever held on the record day is paid, whoever sold since")
    row = await stage.payment(BOND, 1)
    for asset in (BOND, FLOATER):
        await _provide(stage, asset, 1)
    await stage.until(date.fromisoformat(row.record_day) + timedelta(days=1))
    holders = {asset: dict(stage.book.face[asset]) for asset in (BOND, FLOATER)}
    await _sell(stage, BOND, "dealer-1", "dealer-3", 550 * MILLION, 548 * MILLION)
    narrator.tell("dealer-1 sells all of its bonds after the record: the coupon stays with it")
    # The sukuk's agent is the ministry: what comes of it is the next step.
    await _empty(stage)
    await stage.until(row.payment_day)
    for asset in (BOND, FLOATER):
        await _check_paid(stage, asset, 1, holders[asset])
    await stage.check_book("after the coupons")
    await check_fixing(stage, 2)


async def default_and_cure(stage: DebtStage) -> None:
    """Step 7."""
    narrator = stage.narrator
    narrator.step("The ministry cannot pay the sukuk's rental: late, in grace, in default, cured")
    row = await stage.payment(SUKUK, 1)
    due = date.fromisoformat(row.payment_day)
    seen = [_status(row)]
    for days in (1, GRACE_DAYS + 1):
        await stage.until(due + timedelta(days=days))
        seen.append(_status(await stage.payment(SUKUK, 1)))
    narrator.check(
        "each stage is there for everybody to see",
        holds=seen == ["late", "in_grace", "in_default"],
        found=", ".join(seen),
    )
    lines = (await stage.client.debt()).value
    told = {line.asset: line.payments[0].status for line in lines}
    narrator.check(
        "so says what the state owes, and of the sukuk alone",
        holds=[asset for asset, status in told.items() if status == "in_default"] == [SUKUK],
    )
    await _provide(stage, SUKUK, 1)
    fund = FundPayment(account=stage.ministry.address, asset=SUKUK)
    receipt = await stage.act(fund, by=[stage.ministry])
    narrator.tell(f"the ministry has money again and pays in block {receipt.height}")
    await stage.until(await stage.today() + timedelta(days=1))
    await _check_paid(stage, SUKUK, 1, dict(stage.book.face[SUKUK]))
    await stage.check_book("after the cure")


async def redeem(stage: DebtStage) -> None:
    """Step 8."""
    narrator = stage.narrator
    narrator.step("Everything matures: the ledger redeems what pays, the issuer its bill")
    for asset in PAYING:
        await _provide(stage, asset, 2)
    rows = {asset: await stage.payment(asset, 2) for asset in PAYING}
    last = max(date.fromisoformat(row.payment_day) for row in rows.values())
    await stage.until(last)
    for asset in PAYING:
        await _check_paid(stage, asset, 2, dict(stage.book.face[asset]), final=True)
        stage.book.face[asset] = {}
    await _redeem_bill(stage)
    await stage.check_book("after the redemption")


async def _redeem_bill(stage: DebtStage) -> None:
    """Let every holder give its bills back for their face, and destroy them."""
    terms = (await stage.client.asset(BILL)).value.terms
    matures = date.fromisoformat(str(terms["maturity_day"]))
    if await stage.today() < matures:
        await stage.until(matures)
    holders = stage.book.face[BILL]
    whole = sum(holders.values())
    await _lend(stage, stage.ministry, whole)
    for name, face in holders.items():
        holder = stage[name]
        await stage.act(
            Transfer(account=holder.address, to=stage.ministry.address, asset=BILL, amount=face),
            Transfer(account=stage.ministry.address, to=holder.address, asset=RUPEE, amount=face),
            by=[holder, stage.ministry],
        )
        stage.book.cash[name] += face
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
    stage.book.face[BILL] = {}
    supply = (await stage.client.asset(BILL)).value.supply
    stage.narrator.check(
        "no bill is left", holds=supply == 0, found=f"Rs {whole // PAISA:,} came back"
    )


async def _sell(
    stage: DebtStage, asset: str, seller: str, buyer: str, face: int, paid: int
) -> None:
    one, other = stage[seller], stage[buyer]
    await stage.act(
        Transfer(account=one.address, to=other.address, asset=asset, amount=face),
        Transfer(account=other.address, to=one.address, asset=RUPEE, amount=paid),
        by=[one, other],
    )
    stage.book.give(asset, seller, -face)
    stage.book.give(asset, buyer, face)
    if not stage.book.face[asset][seller]:
        del stage.book.face[asset][seller]
    stage.book.pay(buyer, seller, paid)


async def _check_paid(
    stage: DebtStage, asset: str, number: int, holders: Mapping[str, int], *, final: bool = False
) -> None:
    """Pay everybody in the book, and compare what the ledger says it paid in all."""
    row = await stage.payment(asset, number)
    days = (date.fromisoformat(row.end) - date.fromisoformat(row.start)).days
    share = stage.rates[asset] * days / 365
    paid = withheld = 0
    for name, face in holders.items():
        interest = int(face * share)  # floor
        taxed = asset != SUKUK and name not in PEOPLE
        tax = interest * WITHHELD_BPS // 10_000 if taxed else 0
        amount = interest - tax + (face if final else 0)
        stage.book.cash[name] += amount
        paid += amount
        withheld += tax
    due = int(sum(holders.values()) * share) + (sum(holders.values()) if final else 0)
    made = row.made
    assert made is not None, "its day has come"
    stage.narrator.check(
        f"{asset}, payment {number}: paid, withheld and residue are what was due, as by hand",
        holds=(made.status, *map(_paisa, (made.paid, made.withheld, made.residue)))
        == ("settled", paid, withheld, due - paid - withheld),
        found=f"{made.paid:,} + {made.withheld:,} + {made.residue}",
    )


async def _provide(stage: DebtStage, asset: str, number: int) -> None:
    """Put what a payment takes into the account that pays it: the central bank lends it."""
    [line] = [each for each in (await stage.client.debt()).value if each.asset == asset]
    [payment] = [each for each in line.payments if each.number == number]
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
    await stage.act(
        Transfer(account=ministry.address, to=stage.bank.address, asset=RUPEE, amount=has),
        by=[ministry],
    )


def _status(row: Payment) -> str:
    return "planned" if row.made is None else row.made.status


def _paisa(amount: Decimal) -> int:
    return round(amount * PAISA)
