"""The result of an auction, worked out from its terms, its ladder and the cut-off alone.

Pure, and the same for whoever has the records: a client that proves them (`Client.verify_auction`),
a node that reads its own (`khz_auctionFigures`, the pages). The rule that decides is the ledger's
own (`allot`), so what is independent is the machine, not the code.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Final

from node.amounts import render_amount
from node.codec import replace
from node.ledger.auctions import (
    Allotment,
    AuctionError,
    AuctionTerms,
    allot,
    average_yield_e4,
    competitive_ladder,
    noncompetitive_ladder,
)
from node.ledger.auctions.allotment import price_of, reallotment_fault
from node.ledger.auctions.averages import PRICE_DECIMALS, YIELD_DECIMALS
from node.ledger.auctions.records import (
    Accrual,
    AuctionRecord,
    AuctionResult,
    LadderRecord,
    LadderRow,
    RowState,
)
from node.ledger.auctions.switches import sums_of
from node.ledger.dates import Calendar, DatesError
from node.ledger.instruments import Calls, Rates, accrued_share, as_noted, schedule_of
from node.ledger.pricing import bill_yield, text
from node.ledger.tables import AssetRecord
from node.ledger.terms import ServicedTerms, bill_maturity_day, is_serviced
from node.ledger.units import Day

FIGURES: Final = (
    "order",
    "cut_off",
    "average_price",
    "noncompetitive_price",
    "competitive",
    "noncompetitive",
    "rows",
    "average_yield",
    "accrued",
    "destination_accrued",
    "settlement",
    "reallotment",
    "settled",
    "failed",
    "reallotted",
    "paid",
    "issued",
)
"""Names of what is worked out, in order. The yield is that of bills; what accrued is a figure for
each day of settlement; `settlement` and `reallotment` are there only where they are at fault;
`issued` is that of a switch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A security, and what it takes to know what accrues on it."""

    asset: AssetRecord
    calendar: Calendar | None
    """By which the security accrues, as it rules now; None: nothing accrues on it."""
    rates: Rates
    """Of the periods in which it was settled, where the security floats."""
    calls: Calls
    """What was called of the security."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the ledger says about an auction that somebody needs who works it out again."""

    auction: AuctionRecord
    pieces: tuple[LadderRecord, ...]
    line: Line
    """What is sold, or taken."""
    destination: Line | None
    """What is given, in a switch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of a result, as it was published and as it comes out."""

    name: str
    """One of `FIGURES`."""
    published: str
    """As text: prices with four decimals, yields in per cent, amounts in units of the asset, what
    accrued as an exact fraction of a unit of face."""
    recomputed: str
    """The same, or a sentence that says why nothing comes out."""
    day: Day | None = None
    """Of settlement, where the figure is what had accrued until then."""

    @property
    def agrees(self) -> bool:
        """Whether both are the same."""
        return self.published == self.recomputed


def floating_in(
    terms: ServicedTerms, calendar: Calendar, accruals: Sequence[Accrual | None]
) -> list[int]:
    """Return the payments of a floating security in whose periods something was settled."""
    if terms.plan.floating is None:
        return []
    days = {accrual.day for accrual in accruals if accrual is not None}
    return [
        payment.number
        for payment in schedule_of(terms, calendar)
        if any(payment.start <= day < payment.end for day in days)
    ]


def figures_of(found: Evidence, result: AuctionResult) -> list[Figure]:
    """Return every figure of a decided auction beside what it comes to."""
    terms, asset = found.auction.terms, found.line.asset
    rows, priced, unpriced = _rows(found)
    blank = partial(map, _undecided)
    try:
        allotment = allot(terms, [*blank(priced)], [*blank(unpriced)], result.cut_off_e4)
    except AuctionError as error:
        return [Figure(name="cut_off", published=_shown(result.cut_off_e4), recomputed=str(error))]
    amount = partial(render_amount, decimals=asset.decimals)
    figures = _allotment_figures(found, result, allotment)
    figures += _accruals("accrued", found.line, [piece.accrual for piece in found.pieces])
    if found.destination is not None:
        noted = [piece.destination_accrual for piece in found.pieces]
        figures += _accruals("destination_accrued", found.destination, noted)
    given = found.destination
    multiple = 1 if given is None else given.asset.multiple
    try:
        sums = sums_of(terms, result, found.pieces, multiple)
    except AuctionError as error:
        return [*figures, _figure("settlement", "as the ladder says", str(error))]
    if given is None:
        del sums["issued"]
    fault = reallotment_fault(terms, result, rows)
    if fault is not None:
        figures.append(_figure("reallotment", "by the announced rule", fault))
    published = {name: getattr(found.auction, name) for name in sums}
    return [
        *figures,
        *(_figure(name, amount(published[name]), amount(sums[name])) for name in sums),
    ]


def _allotment_figures(
    found: Evidence, result: AuctionResult, allotment: Allotment
) -> list[Figure]:
    """Return the figures of the decision itself: prices, and who was allotted how much."""
    terms, asset = found.auction.terms, found.line.asset
    rows, priced, unpriced = _rows(found)
    amount = partial(render_amount, decimals=asset.decimals)
    is_served = rows == [*competitive_ladder(priced, terms.form), *noncompetitive_ladder(unpriced)]
    figures = [
        Figure(
            name="order",
            published="as served",
            recomputed="as served" if is_served else "another",
        ),
        _figure("cut_off", _shown(result.cut_off_e4), _last_served(priced)),
        _figure(
            "average_price", _shown(result.average_price_e4), _shown(allotment.average_price_e4)
        ),
        _figure(
            "noncompetitive_price",
            _shown(result.noncompetitive_price_e4),
            _shown(allotment.noncompetitive_price_e4),
        ),
        _figure("competitive", amount(result.competitive), amount(allotment.competitive_face)),
        _figure(
            "noncompetitive",
            amount(result.noncompetitive),
            amount(allotment.noncompetitive_face),
        ),
        _figure("rows", str(len(rows)), str(_equal_rows(allotment, rows))),
    ]
    maturity_day = bill_maturity_day(asset.terms)
    if maturity_day is not None:
        days = maturity_day - result.settlement_day
        average = None if result.average_yield_e4 is None else _yield(result.average_yield_e4)
        recomputed = _yield(_average_yield(terms, allotment, days))
        figures.append(_figure("average_yield", average or "none", recomputed))
    return figures


def _rows(found: Evidence) -> tuple[list[LadderRow], list[LadderRow], list[LadderRow]]:
    """Return the ladder as it was served: all of it, the bids with a price, those without."""
    rows = [row for piece in found.pieces for row in piece.rows]
    priced = [row for row in rows if row.price_e4 is not None]
    return rows, priced, [row for row in rows if row.price_e4 is None]


def _last_served(priced: Sequence[LadderRow]) -> str:
    """Return the price of the last bid in a ladder that was allotted anything."""
    prices = [row.price_e4 for row in priced if row.allotted and row.price_e4 is not None]
    return _shown(prices[-1]) if prices else "no bid was served"


def _undecided(row: LadderRow) -> LadderRow:
    return replace(row, allotted=0, state=RowState.OPEN, reallotted=0)


def _equal_rows(found: Allotment, rows: Sequence[LadderRow]) -> int:
    """Return how many rows were allotted what they should have been."""
    expected = (*found.competitive, *found.noncompetitive)
    return sum(a.allotted == b.allotted for a, b in zip(expected, rows, strict=True))


def _average_yield(terms: AuctionTerms, found: Allotment, days: int) -> int:
    paid = (
        (row.allotted, price_of(terms, row, found.cut_off_e4))
        for row in found.competitive
        if row.allotted
    )
    return average_yield_e4(paid, partial(bill_yield, days=days))


def _accruals(name: str, line: Line, published: Sequence[Accrual | None]) -> Iterator[Figure]:
    """Yield what had accrued on each day of settlement, of a unit of face."""
    noted = {accrual for accrual in published if accrual is not None}
    for accrual in sorted(noted, key=lambda each: each.day):
        share = Fraction(accrual.numerator, accrual.denominator)
        yield Figure(
            name=name,
            day=accrual.day,
            published=str(share),
            recomputed=str(_accrued(line, accrual.day, ex=share < 0)),
        )


def _accrued(line: Line, day: Day, *, ex: bool) -> Fraction | str:
    """Return what accrues until a day; whether that payment's record was taken is known."""
    every = 4_096  # more records than any security has payments
    terms = line.asset.terms
    if not is_serviced(terms) or line.calendar is None:
        return "nothing accrues"
    try:
        share = accrued_share(
            terms,
            line.calendar,
            max(day, terms.plan.issue_day),
            recorded=every if ex else 0,
            rates=line.rates,
            calls=line.calls,
        )
    except DatesError as error:
        return str(error)
    return as_noted(share)


def _figure(name: str, published: str, recomputed: str) -> Figure:
    return Figure(name=name, published=published, recomputed=recomputed)


def _shown(price_e4: int) -> str:
    return text(price_e4, PRICE_DECIMALS)


def _yield(units: int) -> str:
    return text(units, YIELD_DECIMALS)
