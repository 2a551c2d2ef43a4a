"""The pages of the debt with every field at its longest: what bounds their size."""

from typing import Any

import msgspec

from node.debt import KINDS
from node.explorer.contents import (
    AuctionContent,
    AuctionLine,
    AuctionsContent,
    CurvePoint,
    DebtFigures,
    LadderLine,
    PaymentLine,
    PlannedLine,
    SecuritiesContent,
    SecurityContent,
    WallColumn,
)
from node.explorer.limits import (
    AUCTIONS_SHOWN_MAX,
    BARS_MAX,
    PAYMENTS_SHOWN_MAX,
    POINTS_MAX,
    ROWS_MAX,
    STEPS_MAX,
)
from node.ledger.securities import COUPON_STRIPS_MAX
from node.ledger.terms import WINDOWS_MAX
from node.recomputing import FIGURES
from node.rpc import auction_results as shapes
from node.rpc import debt
from node.rpc.recomputing import RecomputedFigure
from node.rpc.securities import CallRightView, CallWindowView, MadeView, ScheduleResult
from node.rpc.strips import StripsResult, StripView
from tests.explorer.owing import (
    BOND,
)
from tests.explorer.stage import Stage

LONG = '"' * 140
NUMBER = "9" * 18 + ".00"


def widest_auction() -> AuctionLine:
    result = shapes.AuctionResultView(
        cut_off="10000.0000",
        average_price="10000.0000",
        average_yield="9007199254.7409",
        noncompetitive_price="10000.0000",
        competitive=NUMBER,
        noncompetitive=NUMBER,
        settlement_day="9999-12-31",
        decided="9999-12-31T23:59:59.999Z",
    )
    return AuctionLine(
        auction='"' * 32,
        asset='"' * 32,
        form="buyback",
        destination='"' * 32,
        stage="revealing",
        target=NUMBER,
        opens="9999-12-31T23:59:59.999Z",
        closes="9999-12-31T23:59:59.999Z",
        settles="9999-12-31T23:59:59.999Z",
        settlement_day="9999-12-31",
        currency="PKR",
        result=result,
        settled=NUMBER,
        cut_off_yield="9007199254.7409",
    )


def widest_securities(at: dict[str, Any]) -> SecuritiesContent:
    currencies = ("PKR", "USD", "XAU", "EUR")
    return SecuritiesContent(
        **at,
        today="9999-12-31",
        complete=False,
        figures=[
            DebtFigures(
                currency=currency,
                lines=10**6,
                outstanding=NUMBER,
                coupon="100.0000",
                auction_yield="100.0000",
                years="100.00",
                due=NUMBER,
            )
            for currency in currencies
        ],
        wall=[
            WallColumn(
                currency=currency,
                period=str(2027 + place),
                by_kind=dict.fromkeys(KINDS, NUMBER),
                interest=NUMBER,
                total=NUMBER,
            )
            for currency in currencies
            for place in range(BARS_MAX + 1)
        ],
        curve=[
            CurvePoint(
                auction='"' * 32,
                asset='"' * 32,
                kind="sukuk",
                settlement_day="9999-12-31",
                months=place + 1,
                days=30 * place + 30,
                average_price="10000.0000",
                average_yield=f"{place}.0000",
            )
            for place in range(POINTS_MAX)
        ],
        payments=[
            PaymentLine(
                asset='"' * 32,
                kind="sukuk",
                currency="PKR",
                payment_day="9999-12-31",
                interest=NUMBER,
                principal=NUMBER,
                status="in_default",
            )
        ]
        * PAYMENTS_SHOWN_MAX,
        auctions=[widest_auction()] * AUCTIONS_SHOWN_MAX,
        lines=[
            debt.DebtLineView(
                asset='"' * 32,
                kind="sukuk",
                name=LONG,
                issuer='"' * 32,
                currency="PKR",
                issue_day="9999-12-31",
                maturity_day="9999-12-31",
                outstanding=NUMBER,
                stripped=NUMBER,
                rate="100.0000",
                payments_a_year=12,
                day_count="ACT/365F",
                pricing_day_count="ACT/ACT ICMA",
                plain=True,
                brought_back=True,
                payments=[],
            )
        ]
        * ROWS_MAX,
        next='"' * 32,
    )


def widest_auctions(at: dict[str, Any]) -> AuctionsContent:
    planned = PlannedLine(
        day="9999-12-31",
        settlement_day="9999-12-31",
        kind="sukuk",
        tenor_months=1_199,
        form="buyback",
        line='"' * 32,
        asset='"' * 32,
        currency="PKR",
        target=NUMBER,
        provisional=True,
        plan='"' * 32,
        maturing=NUMBER,
    )
    return AuctionsContent(
        **at,
        today="9999-12-31",
        auctions=[widest_auction()] * ROWS_MAX,
        next='"' * 32,
        planned=[planned] * ROWS_MAX,
        next_row=10**6,
        complete=False,
    )


def widest_ladder(at: dict[str, Any], terms: dict[str, Any]) -> AuctionContent:
    summary = widest_auction()
    row = shapes.LadderRowView(
        price="9999.9999",
        face=NUMBER,
        allotted=NUMBER,
        state="settled",
        reallotted=NUMBER,
        paid=NUMBER,
        accrued=NUMBER,
        issued=NUMBER,
        issued_accrued=NUMBER,
    )
    return AuctionContent(
        **at,
        auction=shapes.AuctionView(
            auction=summary.auction,
            stage=summary.stage,
            terms=terms,
            decimals=2,
            sealed=20_000,
            noncompetitive_bids=20_000,
            unrevealed=20_000,
            settlement_day="9999-12-31",
            result=summary.result,
            settled=NUMBER,
            paid=NUMBER,
            failed=NUMBER,
            reallotted=NUMBER,
            issued=NUMBER,
            destination='"' * 32,
            destination_price="9999.9999",
        ),
        average_yield="100.0000",
        figures=[
            RecomputedFigure(
                name=name, day="2026-11-27", published=NUMBER, recomputed=LONG, agrees=False
            )
            for name in FIGURES
        ],
        ladder=[LadderLine(position=20_000, row=row, yield_percent="9007199254.7409")] * ROWS_MAX,
        rows=20_000,
        steps=[(f"{9_999 - place}.9999", NUMBER) for place in range(STEPS_MAX)],
        next_row=20_000,
    )


async def widest_security(shown: Stage, at: dict[str, Any]) -> SecurityContent:
    told_as = await shown.solo.call("khz_schedule", {"asset": BOND})
    schedule = msgspec.convert(told_as, ScheduleResult)
    made = MadeView(
        status="in_default",
        face=NUMBER,
        interest_due=NUMBER,
        principal_due=NUMBER,
        payer='"' * 80,
        holders=10**6,
        paid=NUMBER,
        withheld=NUMBER,
        residue=NUMBER,
    )
    window = CallWindowView(from_day="9999-12-31", to_day="9999-12-31", price="10000.0000")
    right = CallRightView(
        windows=[window] * WINDOWS_MAX, notice_days=365, earliest_day="9999-12-31", in_part=True
    )
    payment = msgspec.structs.replace(schedule.payments[0], made=made, called=True)
    strip = StripView(
        asset="W" * 32,
        payment=400,
        payment_day="9999-12-31",
        per_hundred=NUMBER,
        share="1/1",
        supply=NUMBER,
        open=True,
        held=None,
    )
    return SecurityContent(
        **at,
        schedule=msgspec.structs.replace(schedule, call=right, payments=[payment] * ROWS_MAX),
        next_row=400,
        strips=StripsResult(
            **at,
            asset="W" * 32,
            multiple=NUMBER,
            supply=NUMBER,
            stripped=NUMBER,
            coupons=[strip] * COUPON_STRIPS_MAX,
            principal=strip,
            held=None,
            reconstitutable=None,
        ),
    )
