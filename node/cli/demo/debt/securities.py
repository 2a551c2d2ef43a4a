"""The four securities: defined under two signatures, and the sukuk sold against payment."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from node.cli.demo.debt.stage import MILLION, PAISA, PEOPLE, DebtStage
from node.client import NotFound
from node.ledger.dates import Order, Roll, Stub, add_months, date_of, from_date
from node.ledger.identifiers import is_isin
from node.ledger.operations import DefineAsset, Issue, SetTaxStatus, SetWithholding, Transfer
from node.ledger.pricing.daycounts import DayCount
from node.ledger.securities import TaxStatus, WithholdingRow
from node.ledger.tables import AssetIdentifiers
from node.ledger.terms import (
    PPM,
    BondTerms,
    FloatingRate,
    PaymentPlan,
    PoolAsset,
    RateStep,
    ServicedTerms,
    SukukTerms,
)
from node.provision.acts import RUPEE, RUPEE_DECIMALS, define_bill, document_hash
from node.provision.pakistan import PAKISTAN

BILL: Final = "MTB-6M"
BOND: Final = "PIB-6M"
FLOATER: Final = "PFL-6M"
SUKUK: Final = "GIS-6M"
PAYING: Final = (BOND, FLOATER, SUKUK)
BILL_DAYS: Final = 182
MONTHS: Final = 6
QUARTER: Final = 3
REFERENCE: Final = "mtb-6m"
BILL_AUCTION: Final = "mtb-6m-"
"""What the names of the bill's auctions begin with."""
COUPONS: Final = {BOND: Fraction(115, 1_000), SUKUK: Fraction(109, 1_000)}
ISINS: Final = {
    BILL: "PK0MTB06M26",
    BOND: "PK0PIB06M26",
    FLOATER: "PK0PFL06M26",
    SUKUK: "PK0GIS06M26",
}
"""Of our making, without the check digit."""
MARGIN_PPM: Final = 5_000
"""What the floater pays over its reference: the cut-off of its auction."""
WITHHELD_BPS: Final = 1_500
"""From what banks are paid on bonds; other payments are made whole."""
INACTIVE: Final = "dealer-2"
"""The bank that is not on the list of active taxpayers: twice as much is withheld from it."""
GRACE_DAYS: Final = 3
CEILING: Final = 10_000 * MILLION
MULTIPLE: Final = 5_000 * PAISA
SOLD: Final = (
    (SUKUK, "dealer-1", 300 * MILLION),
    (SUKUK, "dealer-3", 100 * MILLION),
)


async def define_all(stage: DebtStage) -> None:
    """Define them, with what banks are withheld; what pays has its schedule from then on."""
    narrator = stage.narrator
    today = await stage.morning()
    settles = (await stage.client.business_day(PAKISTAN, today, business_days=1)).value.counted
    assert settles is not None, "a calendar without a next business day"
    bill = define_bill(
        account=stage.ministry.address,
        approvers=(stage.bank.address,),
        asset=BILL,
        name="Market treasury bill, 182 days",
        isin=_isin(ISINS[BILL]),
        issued=settles,
        matures=date_of(from_date(settles) + BILL_DAYS),
        multiple=MULTIPLE,
        ceiling=CEILING,
    )
    rates = [
        SetWithholding(
            account=stage.ministry.address,
            approvers=(stage.bank.address,),
            taxpayer=taxpayer,
            kind="bond",
            collector=stage.bank.address,
            rows=(
                WithholdingRow(
                    from_day=from_date(settles), rate_bps=bps, source="as a demonstration"
                ),
            ),
        )
        for taxpayer, bps in (("bank", WITHHELD_BPS), ("bank-inactive", 2 * WITHHELD_BPS))
    ]
    unlisted = SetTaxStatus(
        account=stage.ministry.address,
        approvers=(),
        participant=INACTIVE,
        status=TaxStatus.INACTIVE,
        from_day=from_date(settles),
        source="as a demonstration",
    )
    definitions = [_define(stage, asset, settles) for asset in PAYING]
    receipt = await stage.act(bill, *rates, unlisted, *definitions, by=[stage.ministry, stage.bank])
    await enter_coupons(stage)
    narrator.tell(
        f"four securities from {settles} on, in block {receipt.height}; banks are withheld"
        f" {WITHHELD_BPS // 100} % of what bonds pay, {INACTIVE} twice as much: it has filed no"
        " return"
    )
    for asset in PAYING:
        days = [each.payment_day for each in (await stage.client.schedule(asset)).value]
        narrator.tell(f"{asset} pays on {', '.join(days)}")
    rows = [(await stage.client.schedule(asset)).value for asset in PAYING]
    narrator.check(
        "every schedule is there before anything is issued, two payments each",
        holds=all(len(each) == MONTHS // QUARTER for each in rows),
        found=", ".join(f"{len(each)}" for each in rows),
    )
    narrator.check(
        "what the floater pays is not fixed before its auction",
        holds=all(each.rate is None for each in rows[1]),
    )


def withheld_bps(asset: str, holder: str) -> int:
    """Return what is withheld from the interest that a security pays somebody."""
    if asset == SUKUK or holder in PEOPLE:
        return 0
    return 2 * WITHHELD_BPS if holder == INACTIVE else WITHHELD_BPS


async def are_defined(stage: DebtStage) -> bool:
    """Return whether they are on the ledger."""
    try:
        await stage.client.asset(BILL)
    except NotFound:
        return False
    return True


async def enter_coupons(stage: DebtStage) -> None:
    """Note what those pay that do not float."""
    stage.rates |= COUPONS


async def sell_the_sukuk(stage: DebtStage) -> None:
    """Issue the sukuk at par, against payment; the floater's first rate is fixed."""
    narrator = stage.narrator
    for asset, buyer, face in SOLD:
        if await stage.client.holding(stage[buyer].address, asset):
            continue
        await stage.act(
            Issue(
                account=stage.ministry.address,
                approvers=(stage.bank.address,),
                asset=asset,
                amount=face,
                to=stage[buyer].address,
            ),
            Transfer(
                account=stage[buyer].address,
                to=stage.ministry.address,
                asset=RUPEE,
                amount=face,
            ),
            by=[stage.ministry, stage.bank, stage[buyer]],
        )
        narrator.tell(f"{buyer} takes Rs {face // PAISA:,} of {asset}")
    await enter_sales(stage)
    await check_fixing(stage, 1)
    await stage.check_book("after the issue")


async def are_sold(stage: DebtStage) -> bool:
    """Return whether the last of them is issued."""
    last = SOLD[-1][0]
    whole = sum(face for asset, _, face in SOLD if asset == last)
    return (await are_defined(stage)) and (await stage.supply(last)) == whole


async def enter_sales(stage: DebtStage) -> None:
    """Note who took what, and what the floater pays first."""
    for asset, buyer, face in SOLD:
        stage.book.give(asset, buyer, face)
        stage.book.pay(buyer, None, face)
    await enter_fixing(stage, 1)


async def enter_fixing(stage: DebtStage, number: int) -> None:
    """Note by which rate the floater pays: by the average of the bill's auction of that number."""
    average = await _average(stage, number)
    # Per cent with four decimals are millionths.
    stage.rates[FLOATER] = Fraction(int(average * 10_000) + MARGIN_PPM, PPM)


async def check_fixing(stage: DebtStage, number: int) -> None:
    """Compare what the floater pays with the average of the auction that it goes by."""
    rate = (await stage.payment(FLOATER, number)).rate
    average = await _average(stage, number)
    stage.narrator.check(
        f"the floater's payment {number} is fixed at the average of {BILL_AUCTION}{number} and"
        " 0.5 %",
        holds=rate is not None and Fraction(round(rate * 10_000), PPM) == stage.rates[FLOATER],
        found=f"{rate} % by {average} %",
    )


async def _average(stage: DebtStage, number: int) -> Decimal:
    result = (await stage.client.auction(f"{BILL_AUCTION}{number}")).value.result
    assert result is not None, "it was decided"
    assert result.average_yield is not None, "a bill's price has a yield"
    return result.average_yield


def _define(stage: DebtStage, asset: str, issued: date) -> DefineAsset:
    begins = from_date(issued)
    agent = stage.ministry if asset == SUKUK else stage.bank
    plan = PaymentPlan(
        issue_day=begins,
        maturity_day=add_months(begins, MONTHS, False),
        months=QUARTER,
        rates=(
            (RateStep(from_day=begins, rate_ppm=int(COUPONS[asset] * PPM)),)
            if asset in COUPONS
            else ()
        ),
        floating=_floating() if asset == FLOATER else None,
        call=None,
        instalments=(),
        day_count=DayCount.ACT_365F,
        pricing_day_count=DayCount.ACT_ACT_ICMA,
        calendar=PAKISTAN,
        roll=Roll.FOLLOWING,
        order=Order.CALCULATE_THEN_SHIFT,
        end_of_month=False,
        stub=Stub.NONE,
        record_days=2,
        grace_days=GRACE_DAYS,
        cash=RUPEE,
        face_unit=PAISA,
        paying_agent=agent.address,
        residue_account=stage.bank.address,
    )
    names = {
        BOND: "Pakistan investment bond, 11.5 %",
        FLOATER: "Pakistan investment bond, floating",
        SUKUK: "Government of Pakistan Ijara sukuk, 10.9 %",
    }
    pool = PoolAsset(
        name="M-2 motorway, Lahore to Islamabad", document_hash=document_hash("M-2 motorway")
    )
    terms: ServicedTerms = (
        SukukTerms(face_currency="PKR", plan=plan, pool=(pool,))
        if asset == SUKUK
        else BondTerms(face_currency="PKR", plan=plan)
    )
    return DefineAsset(
        account=stage.ministry.address,
        approvers=(stage.bank.address,),
        asset=asset,
        name=names[asset],
        issuer="finance-ministry",
        identifiers=AssetIdentifiers(isin=_isin(ISINS[asset]), currency=None, dti=None),
        terms=terms,
        term_sheet_hash=document_hash(names[asset]),
        decimals=RUPEE_DECIMALS,
        multiple=MULTIPLE,
        ceiling=CEILING,
        forced_transfer_allowed=False,
    )


def _floating() -> FloatingRate:
    return FloatingRate(
        reference=REFERENCE,
        margin_ppm=0,  # its auction decides it
        floor_ppm=0,
        cap_ppm=PPM,
        fixing_days=0,
        stale_days=200,
    )


def _isin(eleven: str) -> str:
    """Return the code with its check digit."""
    return next(code for digit in range(10) if is_isin(code := f"{eleven}{digit}"))
