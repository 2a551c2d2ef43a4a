"""The life of the debt, step by step."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from node.cli.demo.debt import auctions, life, securities
from node.cli.demo.debt.closing import close
from node.cli.demo.debt.sales import FIRST, SECOND, Sale
from node.cli.demo.debt.stage import DebtStage, gather, is_gathered
from node.cli.demo.steps import Step


def _announced(sales: Sequence[Sale]) -> tuple[Step[DebtStage], ...]:
    """Return what follows the announcement of these auctions."""
    which = "first" if sales is FIRST else "second"
    paper = ", one of them on paper" if sales is FIRST else ""
    return (
        Step(
            name=f"bid-{which}",
            title=f"Banks bid under seal{paper}, people without a price",
            play=partial(auctions.bid, sales=sales),
            is_played=partial(auctions.are_bid_for, sales=sales),
        ),
        Step(
            name=f"open-{which}",
            title="The auctions close and the bidders open what they have sealed",
            play=partial(auctions.open_bids, sales=sales),
            is_played=partial(auctions.are_open, sales=sales),
        ),
        Step(
            name=f"decide-{which}",
            title="The ministry sets the cut-off: who gets how much follows from it",
            play=partial(auctions.decide, sales=sales),
            is_played=partial(auctions.are_decided, sales=sales),
        ),
        Step(
            name=f"settle-{which}",
            title="On the next day of business the ledger delivers against payment",
            play=partial(auctions.settle, sales=sales),
            is_played=partial(auctions.are_settled, sales=sales),
            enter=partial(auctions.enter_settlement, sales=sales),
        ),
    )


async def _are_reopened(stage: DebtStage) -> bool:
    return await auctions.is_announced(stage, SECOND[-1])


async def _are_announced(stage: DebtStage) -> bool:
    return await auctions.is_announced(stage, FIRST[-1])


STEPS: Final[tuple[Step[DebtStage], ...]] = (
    Step(
        name="gather",
        title="Four banks and two people are registered and have accounts with cash",
        play=gather,
        is_played=is_gathered,
    ),
    Step(
        name="define",
        title="Ministry and central bank define a bill, a bond, a floater and a sukuk",
        play=securities.define_all,
        is_played=securities.are_defined,
        enter=securities.enter_coupons,
    ),
    Step(
        name="announce",
        title="Auctions of bill and bond are announced, and of the floater by margin",
        play=partial(auctions.announce, sales=FIRST),
        is_played=_are_announced,
    ),
    *_announced(FIRST),
    Step(
        name="issue",
        title="The sukuk is issued at par against payment, and the floater is fixed",
        play=securities.sell_the_sukuk,
        is_played=securities.are_sold,
        enter=securities.enter_sales,
    ),
    Step(
        name="trade",
        title="Bond and sukuk are traded, in fractions too",
        play=life.trade,
        is_played=life.is_traded,
        enter=life.enter_trades,
    ),
    Step(
        name="reopen",
        title="Two months later both are reopened, and bonds are switched into floaters",
        play=auctions.reopen,
        is_played=_are_reopened,
    ),
    *_announced(SECOND),
    Step(
        name="record",
        title="The record day passes, and dealer-1 sells all its bonds after it",
        play=life.pass_record,
        is_played=life.is_past_record,
        enter=life.enter_record,
    ),
    Step(
        name="coupon",
        title="The first coupons: whoever held on the record day is paid, whoever sold since",
        play=life.first_coupon,
        is_played=life.is_first_paid,
        enter=life.enter_first,
    ),
    Step(
        name="default",
        title="The ministry cannot pay the sukuk's rental: late, in grace, in default",
        play=life.default,
        is_played=life.is_in_default,
    ),
    Step(
        name="cure",
        title="The ministry has money again, and pays",
        play=life.cure,
        is_played=life.is_cured,
        enter=life.enter_cure,
    ),
    Step(
        name="redeem",
        title="Everything matures: the ledger redeems what pays, the issuer its bill",
        play=life.redeem,
        is_played=life.is_redeemed,
        enter=life.enter_redemption,
    ),
    Step(
        name="close",
        title="Closing: nothing is owed, every rupee is somewhere, every node agrees",
        play=close,
    ),
)
