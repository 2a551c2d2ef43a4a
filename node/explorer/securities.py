"""What the pages of the debt say: sums, wall of maturities, yield curve, auctions and one of them.

Sums are over everything that is owed, so they are made at most once in `DEBT_KEPT_MS`, a page of
the interface in a turn of the loop, and not further than `DEBT_CALLS_MAX` pages; the page says
where that left something out. Whatever is listed below them is as old as they are.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, Final

import msgspec

from node.debt import (
    AT_PAR,
    DebtLine,
    Sale,
    ServicePeriod,
    auction_yields,
    average_yield_at,
    cost,
    curve,
    cut_off_yield,
    ladder,
    maturing,
    read_lines,
    read_sales,
    wall,
    yield_at,
)
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
from node.explorer.cursors import convert, page_params, parse_number
from node.explorer.limits import (
    AUCTION_CALLS_MAX,
    AUCTIONS_SHOWN_MAX,
    AVERAGES_KEPT_MAX,
    BARS_MAX,
    DEBT_CALLS_MAX,
    DEBT_KEPT_MS,
    PAYMENTS_SHOWN_MAX,
    PLAN_CALLS_MAX,
    POINTS_MAX,
    PRICES_AVERAGED_MAX,
    ROWS_MAX,
    STEPS_MAX,
)
from node.ledger.auctions.averages import PRICE_DECIMALS
from node.rpc.auction_results import (
    AuctionLadderParams,
    AuctionParams,
    AuctionPlansParams,
    AuctionPlanView,
    AuctionsParams,
    AuctionsResult,
    AuctionSummary,
    AuctionView,
    LadderRowView,
)
from node.rpc.debt import DebtLineView, DebtParams
from node.rpc.errors import InvalidParams, NotFound
from node.rpc.ledger_results import AssetView
from node.rpc.pages import Door
from node.rpc.params import AssetParams
from node.rpc.results import at_head
from node.rpc.securities import ScheduleParams, ScheduleResult
from node.rpc.strips import StripsParams

CALL_LIMIT: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What everything that is owed comes to."""

    figures: list[DebtFigures]
    wall: list[WallColumn]
    curve: list[CurvePoint]
    payments: list[PaymentLine]
    auctions: list[AuctionSummary]
    """The last ones, without their yields."""
    planned: list[PlannedLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """Everything that is owed, as it was read."""

    place: Mapping[str, Any]
    """Height, block and time of the reading."""
    read_ms: int
    today: str
    complete: bool
    views: Sequence[DebtLineView]
    sums: Sums
    auctions: list[AuctionLine]
    """The last ones."""


class Securities:
    """Reads for the pages of the debt of one node."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._chain = door.services.chain
        self._clock = door.services.clock
        self._owed: Owed | None = None
        self._averages: dict[str, Decimal | None] = {}
        """Yields by auction that is decided: what was allotted at which price is for good."""
        self._reading = asyncio.Lock()

    async def securities(self, query: Mapping[str, str]) -> SecuritiesContent:
        """Return what is owed, with a page of its lines."""
        after = page_params(query, "after", DebtParams).after
        owed = await self._read()
        following = [view for view in owed.views if after is None or view.asset > after]
        shown = following[:ROWS_MAX]
        return SecuritiesContent(
            **owed.place,
            today=owed.today,
            complete=owed.complete,
            figures=owed.sums.figures,
            wall=owed.sums.wall,
            curve=owed.sums.curve,
            payments=owed.sums.payments,
            auctions=owed.auctions,
            lines=shown,
            next=shown[-1].asset if len(following) > len(shown) else None,
        )

    async def security(self, argument: str, query: Mapping[str, str]) -> SecurityContent:
        """Return what a security pays, with a page of its payments."""
        wanted = convert({"asset": argument}, ScheduleParams, argument, "expected-name")
        found: ScheduleResult = await self._door.ask(self._door.securities.schedule, wanted)
        first = parse_number(query, "index", highest=len(found.payments))
        stop = first + ROWS_MAX
        strips = None
        if not first:
            with suppress(NotFound, InvalidParams):  # it has none, or is one
                strips = await self._door.ask(
                    self._door.strips.strips, StripsParams(asset=argument)
                )
        return SecurityContent(
            **at_head(self._chain.head),
            schedule=msgspec.structs.replace(found, payments=found.payments[first:stop]),
            next_row=stop if stop < len(found.payments) else None,
            strips=strips,
        )

    async def auctions(self, query: Mapping[str, str]) -> AuctionsContent:
        """Return a page of the auctions, by name, and a page of what is planned."""
        found: AuctionsResult = await self._door.ask(
            self._door.auctions.auctions, page_params(query, "after", AuctionsParams)
        )
        owed = await self._read()
        planned = owed.sums.planned
        first = parse_number(query, "index", highest=len(planned))
        stop = first + ROWS_MAX
        return AuctionsContent(
            height=found.height,
            block_id=found.block_id,
            time=found.time,
            today=found.today,
            auctions=await self._with_yields(found.auctions),
            next=found.next,
            planned=planned[first:stop],
            next_row=stop if stop < len(planned) else None,
            complete=owed.complete,
        )

    async def auction(self, argument: str, query: Mapping[str, str]) -> AuctionContent:
        """Return an auction with a page of its ladder."""
        door = self._door
        wanted = convert({"auction": argument}, AuctionParams, argument, "expected-name")
        found = (await door.ask(door.auctions.auction, wanted)).auction
        ladder_page = await door.ask(
            door.auctions.auction_ladder, AuctionLadderParams(auction=argument)
        )
        rows = ladder_page.rows
        first = parse_number(query, "index", highest=len(rows))
        stop = first + ROWS_MAX
        code = found.terms["asset"]
        line = (await door.ask(door.ledger.asset, AssetParams(asset=code))).asset
        # Up to 70 milliseconds a price, within a coupon period, the first time that somebody looks.
        yields = await door.beside(partial(_yields, found, line, rows[first:stop]))
        recompute = door.auctions.recomputing(argument)
        return AuctionContent(
            **at_head(self._chain.head),
            auction=found,
            average_yield=await self._average_yield(
                found, line, rows if ladder_page.next is None else None
            ),
            figures=None if recompute is None else await door.beside(recompute),
            ladder=[
                LadderLine(position=place, row=row, yield_percent=each)
                for place, (row, each) in enumerate(
                    zip(rows[first:stop], yields, strict=True), first + 1
                )
            ],
            rows=len(rows),
            steps=_steps(rows),
            next_row=stop if stop < len(rows) else None,
        )

    async def _average_yield(
        self, auction: AuctionView, line: AssetView, rows: Sequence[LadderRowView] | None
    ) -> str | None:
        """Return at what yield an auction sold: what the ledger says, or, of a bond, its ladder.

        Args:
            rows: the whole ladder; None: it is longer than what a page reads.
        """
        result = auction.result
        if result is None or result.average_yield is not None:
            return None if result is None else result.average_yield
        if rows is None or line.kind == "bill" or auction.terms["form"] in AT_PAR:
            return None
        if auction.auction not in self._averages:
            allotted = _allotted(auction, rows)
            if not 0 < len({price_e4 for _, price_e4 in allotted}) <= PRICES_AVERAGED_MAX:
                return None
            day = date.fromisoformat(result.settlement_day)
            found = await self._door.beside(partial(average_yield_at, line.terms, day, allotted))
            if len(self._averages) >= AVERAGES_KEPT_MAX:
                self._averages.clear()
            self._averages[auction.auction] = found
        average = self._averages[auction.auction]
        return None if average is None else str(average)

    async def _read(self) -> Owed:
        """Return what is owed, read anew where it is older than it may be."""
        async with self._reading:
            now_ms = self._clock.now_ms()
            owed = self._owed
            head = self._chain.head
            if owed is not None and (
                owed.place["height"] == head.height or now_ms - owed.read_ms < DEBT_KEPT_MS
            ):
                return owed
            self._owed = owed = await self._read_anew(now_ms)
            return owed

    async def _read_anew(self, now_ms: int) -> Owed:
        door = self._door
        views: list[DebtLineView] = []
        after: str | None = None
        today = ""
        for _ in range(DEBT_CALLS_MAX):
            page = await door.ask(door.debt.debt, DebtParams(after=after, limit=CALL_LIMIT))
            views += page.lines
            today = page.today
            after = page.next
            if after is None:
                break
            # Whoever decides blocks has a turn between any two that are read.
            await asyncio.sleep(0)
        complete, after = after is None, None
        plans: list[AuctionPlanView] = []
        for _ in range(PLAN_CALLS_MAX):
            listed = await door.ask(
                door.auctions.auction_plans, AuctionPlansParams(after=after, limit=CALL_LIMIT)
            )
            plans += listed.plans
            after = listed.next
            if after is None:
                break
            await asyncio.sleep(0)
        complete, after = complete and after is None, None
        auctions: list[AuctionSummary] = []
        for _ in range(AUCTION_CALLS_MAX):
            found = await door.ask(
                door.auctions.auctions, AuctionsParams(after=after, limit=CALL_LIMIT)
            )
            auctions += found.auctions
            after = found.next
            if after is None:
                break
            await asyncio.sleep(0)
        place = at_head(self._chain.head)
        # A tenth of a second where there are hundreds of bonds: not in a turn of the loop.
        sums = await door.beside(
            partial(_sum_up, views, auctions, plans, date.fromisoformat(today))
        )
        return Owed(
            place=place,
            read_ms=now_ms,
            today=today,
            complete=complete and after is None,
            views=views,
            sums=sums,
            auctions=await self._with_yields(sums.auctions),
        )

    async def _with_yields(self, auctions: Sequence[AuctionSummary]) -> list[AuctionLine]:
        """Return auctions of a page with the yields at which they were decided."""
        lines: dict[str, AssetView] = {}
        for code in {each.asset for each in auctions if each.result is not None}:
            lines[code] = (
                await self._door.ask(self._door.ledger.asset, AssetParams(asset=code))
            ).asset
        # A yield between two coupons takes tens of milliseconds, the first time.
        return await self._door.beside(partial(_auction_lines, auctions, lines))


def _auction_lines(
    auctions: Sequence[AuctionSummary], lines: Mapping[str, AssetView]
) -> list[AuctionLine]:
    found = []
    for each in auctions:
        rate, result = None, each.result
        if result is not None:
            line = lines[each.asset]
            rate = cut_off_yield(
                each.form,
                line.kind,
                line.terms,
                cut_off=result.cut_off,
                settlement_day=result.settlement_day,
            )
        shown = None if rate is None else str(rate)
        found.append(AuctionLine(**msgspec.structs.asdict(each), cut_off_yield=shown))
    return found


def _sum_up(
    views: Sequence[DebtLineView],
    auctions: Sequence[AuctionSummary],
    plans: Sequence[AuctionPlanView],
    today: date,
) -> Sums:
    lines = read_lines(views)
    sales = read_sales(auctions, lines)
    return Sums(
        figures=_figures(lines, sales, today),
        wall=[_column(each) for each in wall(lines, today, columns_max=BARS_MAX)],
        curve=[_point(sale) for sale in curve(sales)[:POINTS_MAX]],
        payments=_next_payments(lines),
        auctions=sorted(auctions, key=lambda each: (each.closes, each.auction), reverse=True)[
            :AUCTIONS_SHOWN_MAX
        ],
        planned=_planned(plans, lines, today),
    )


def _planned(
    plans: Sequence[AuctionPlanView], lines: Sequence[DebtLine], today: date
) -> list[PlannedLine]:
    """Return what is planned from today on, in order of day and then of plan."""
    due = maturing(lines)
    planned = [
        PlannedLine(
            **msgspec.structs.asdict(each),
            plan=plan.plan,
            maturing=str(
                due.get((each.currency or "", date.fromisoformat(each.settlement_day)), 0)
            ),
        )
        for plan in plans
        for each in plan.auctions
        if each.day >= today.isoformat()
    ]
    return sorted(planned, key=lambda each: (each.day, each.plan))


def _figures(lines: Sequence[DebtLine], sales: Sequence[Sale], today: date) -> list[DebtFigures]:
    due = {step.currency: step.total for step in ladder(lines, today) if step.months_from is None}
    return [
        DebtFigures(
            currency=each.currency,
            lines=each.lines,
            outstanding=str(each.outstanding),
            coupon=each.coupon,
            auction_yield=each.auction_yield,
            years=each.years,
            due=str(due[each.currency]),
        )
        for each in cost(lines, today, auction_yields(sales))
        if each.kind == "all"
    ]


def _column(column: ServicePeriod) -> WallColumn:
    return WallColumn(
        currency=column.currency,
        period=column.period,
        by_kind={kind: str(amount) for kind, amount in column.by_kind.items()},
        interest=str(column.interest),
        total=str(column.principal),
    )


def _point(sale: Sale) -> CurvePoint:
    assert sale.rate is not None, "the curve is of sales with a yield"
    return CurvePoint(
        auction=sale.auction,
        asset=sale.asset,
        kind=sale.kind,
        settlement_day=sale.settlement_day.isoformat(),
        months=sale.months,
        days=sale.days,
        average_price=str(sale.average_price),
        average_yield=str(sale.rate),
    )


def _next_payments(lines: Sequence[DebtLine]) -> list[PaymentLine]:
    coming = sorted(
        (
            (payment.payment_day, line.asset, line, payment)
            for line in lines
            for payment in line.payments
        ),
        key=lambda each: each[:2],
    )
    return [
        PaymentLine(
            asset=line.asset,
            kind=line.kind,
            currency=line.currency,
            payment_day=day.isoformat(),
            interest=str(payment.interest),
            principal=str(payment.principal),
            status=payment.status,
        )
        for day, _, line, payment in coming[:PAYMENTS_SHOWN_MAX]
    ]


def _yields(
    auction: AuctionView, line: AssetView, rows: Sequence[LadderRowView]
) -> list[str | None]:
    """Return the yields of prices; where a rate or a margin is bid for, there are none."""
    if auction.terms["form"] in AT_PAR:
        return [None for _ in rows]
    day = date.fromisoformat(auction.settlement_day)
    found = (
        None if row.price is None else yield_at(line.kind, line.terms, day, Decimal(row.price))
        for row in rows
    )
    return [None if each is None else str(each) for each in found]


def _allotted(auction: AuctionView, rows: Sequence[LadderRowView]) -> list[tuple[int, int]]:
    """Return face and price, in units of 0.0001, of each bid with a price that got something."""
    assert auction.result is not None, "the average is of what was decided"
    paid = auction.result.cut_off if auction.terms["method"] == "uniform_price" else None
    pairs = (
        (
            int(Decimal(row.allotted).scaleb(auction.decimals)),
            int(Decimal(paid or row.price).scaleb(PRICE_DECIMALS)),
        )
        for row in rows
        if row.price is not None
    )
    return [(face, price_e4) for face, price_e4 in pairs if face]


def _steps(rows: Sequence[LadderRowView]) -> list[tuple[str, str]]:
    """Return price and face of the rows with a price, as one where it is the same."""
    faces: dict[str, Decimal] = {}
    for row in rows:
        if row.price is not None:
            faces[row.price] = faces.get(row.price, Decimal(0)) + Decimal(row.face)
    return [(price, str(face)) for price, face in list(faces.items())[:STEPS_MAX]]
