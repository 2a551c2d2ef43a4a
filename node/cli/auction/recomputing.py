"""The result of an auction, worked out from its terms, its ladder and the cut-off alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from node.amounts import parse_amount, render_amount
from node.cli.auction.result import read
from node.cli.exits import CommandError, Exit
from node.cli.tx.operations import OperationReader
from node.ledger.auctions import (
    Allotment,
    AuctionError,
    AuctionTerms,
    allot,
    average_yield_e4,
    consideration,
)
from node.ledger.auctions.allotment import price_of
from node.ledger.auctions.averages import PRICE_DECIMALS, YIELD_DECIMALS
from node.ledger.auctions.records import LadderRow, RowState
from node.ledger.operations import AnnounceAuction
from node.ledger.pricing import bill_yield, text

if TYPE_CHECKING:
    from node.client import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of a result, as it was published and as it comes out."""

    name: str
    published: str
    recomputed: str

    @property
    def agrees(self) -> bool:
        """Whether both are the same."""
        return self.published == self.recomputed


async def recompute(client: "Client", auction: str) -> list[Figure]:
    """Ask for what was published, and work it out.

    Raises:
        CommandError: nothing is decided yet.
    """
    published = await read(client, auction)
    if published["result"] is None:
        raise CommandError(
            Exit.REFUSED,
            f"auction {auction} is {published['stage']}: there is no result to verify",
            advice="`khazana auction show` says when it is decided.",
        )
    asset = (await client.asset(published["terms"]["asset"])).value
    reader = OperationReader(
        parse_address=client.network.parse_address, decimals_of=lambda _: asset.decimals
    )
    return figures_of(published, asset.terms, reader)


def figures_of(
    published: Mapping[str, Any], asset_terms: Mapping[str, Any], reader: OperationReader
) -> list[Figure]:
    """Return every figure of a published auction beside what it comes to."""
    terms = _terms(published, reader)
    rows = _rows(published)
    priced = [row for row in rows if row.price_e4 is not None]
    unpriced = [row for row in rows if row.price_e4 is None]
    result = published["result"]
    try:
        found = allot(terms, priced, unpriced, _e4(result["cut_off"]))
    except AuctionError as error:
        return [Figure(name="cut-off", published=result["cut_off"], recomputed=str(error))]
    amount = partial(render_amount, decimals=published["decimals"])
    figures = [
        Figure(
            name="order of the ladder",
            published="as served",
            recomputed="as served" if _in_order(priced, unpriced, rows) else "another",
        ),
        _figure("average price", result["average_price"], _shown(found.average_price_e4)),
        _figure(
            "price without a bid's own",
            result["noncompetitive_price"],
            _shown(found.noncompetitive_price_e4),
        ),
        _figure("allotted with a price", result["competitive"], amount(found.competitive_face)),
        _figure(
            "allotted without a price", result["noncompetitive"], amount(found.noncompetitive_face)
        ),
        _figure("rows as allotted", str(len(rows)), str(_equal_rows(found, rows))),
    ]
    if result["average_yield"] is not None:
        days = _days(result["settlement_day"], str(asset_terms["maturity_day"]))
        figures.append(
            _figure("average yield", result["average_yield"], _average_yield(terms, found, days))
        )
    sums = _sums(terms, found, rows)
    return [
        *figures,
        *(
            _figure(name, published[name], amount(sums[name]))
            for name in ("settled", "failed", "paid")
        ),
    ]


def _terms(published: Mapping[str, Any], reader: OperationReader) -> AuctionTerms:
    terms = published["terms"]
    operation = reader.read(
        {
            "type": "announce_auction",
            "account": terms["proceeds"],
            "auction": published["auction"],
            "terms": terms,
        }
    )
    assert isinstance(operation, AnnounceAuction)
    return operation.terms


def _rows(published: Mapping[str, Any]) -> list[LadderRow]:
    """Return the rows as they were before the decision but for their state; the order numbers."""
    minor = partial(parse_amount, decimals=published["decimals"])
    return [
        LadderRow(
            number=number,
            price_e4=None if row["price"] is None else _e4(row["price"]),
            face=minor(row["face"]),
            allotted=minor(row["allotted"]),
            state=RowState[row["state"].upper()],
        )
        for number, row in enumerate(published["ladder"], 1)
    ]


def _in_order(
    priced: Sequence[LadderRow], unpriced: Sequence[LadderRow], rows: Sequence[LadderRow]
) -> bool:
    prices = [row.price_e4 or 0 for row in priced]
    return [*priced, *unpriced] == [*rows] and prices == sorted(prices, reverse=True)


def _equal_rows(found: Allotment, rows: Sequence[LadderRow]) -> int:
    """Return how many rows were allotted what they should have been."""
    expected = (*found.competitive, *found.noncompetitive)
    return sum(a.allotted == b.allotted for a, b in zip(expected, rows, strict=True))


def _average_yield(terms: AuctionTerms, found: Allotment, days: int) -> str:
    paid = (
        (row.allotted, price_of(terms, row, found.cut_off_e4))
        for row in found.competitive
        if row.allotted
    )
    return text(average_yield_e4(paid, partial(bill_yield, days=days)), YIELD_DECIMALS)


def _sums(terms: AuctionTerms, found: Allotment, rows: Sequence[LadderRow]) -> dict[str, int]:
    """Return what was settled, failed and paid by the states of the rows."""
    sums = {"settled": 0, "failed": 0, "paid": 0}
    for row in rows:
        if row.state is RowState.FAILED:
            sums["failed"] += row.allotted
        elif row.state is RowState.SETTLED:
            price_e4 = (
                found.noncompetitive_price_e4
                if row.price_e4 is None
                else price_of(terms, row, found.cut_off_e4)
            )
            sums["settled"] += row.allotted
            sums["paid"] += consideration(row.allotted, price_e4)
    return sums


def _figure(name: str, published: str, recomputed: str) -> Figure:
    return Figure(name=name, published=published, recomputed=recomputed)


def _e4(price: str) -> int:
    return parse_amount(price, decimals=PRICE_DECIMALS)


def _shown(price_e4: int) -> str:
    return text(price_e4, PRICE_DECIMALS)


def _days(settlement_day: str, maturity_day: str) -> int:
    return (date.fromisoformat(maturity_day) - date.fromisoformat(settlement_day)).days
