"""An auction's result beside what its ladder comes to, for the page that shows both.

From the announced terms, the rows and the cut-off, by the same rule as the decision; whoever trusts
no node does it elsewhere (`khazana auction verify`). Not a method of the interface.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from node.amounts import render_amount
from node.chain import Chain
from node.ledger.auctions import AuctionError, allot, average_yield_e4
from node.ledger.auctions.allotment import Allotment, price_of
from node.ledger.auctions.averages import PRICE_DECIMALS, YIELD_DECIMALS
from node.ledger.auctions.records import (
    AuctionRecord,
    AuctionResult,
    LadderRecord,
)
from node.ledger.auctions.switches import sums_of
from node.ledger.pricing import bill_yield, text
from node.ledger.tables import ASSETS, LADDERS, AssetRecord, ladder_key, name_key
from node.ledger.terms import bill_maturity_day

PIECES_RECOMPUTED_MAX: Final = 8
"""Of a ladder, 2,000 rows: some 20 ms. A larger one is for `khazana auction verify`."""


FIGURES: Final = (
    "cut_off",
    "average_price",
    "average_yield",
    "noncompetitive_price",
    "competitive",
    "noncompetitive",
    "rows",
    "settled",
    "failed",
    "reallotted",
    "paid",
    "issued",
)
"""What is worked out; the yield where one was published, what was issued in a switch."""


class RecomputedFigure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of a result, as it was published and as it comes out."""

    name: str
    published: str
    recomputed: str
    agrees: bool


def recomputing(
    chain: Chain, auction: str, record: AuctionRecord
) -> Callable[[], list[RecomputedFigure]] | None:
    """Return what works the figures of a result out, from what is read here; None: nothing is
    decided, or the ladder is too long."""
    pieces = record.competitive_pieces + record.noncompetitive_pieces
    if record.result is None or pieces > PIECES_RECOMPUTED_MAX:
        return None
    asset = chain.record(ASSETS, name_key(record.terms.asset))
    assert asset is not None, "an auction of an asset that is not defined"
    ladder: list[LadderRecord] = []
    for number in range(pieces):
        piece = chain.record(LADDERS, ladder_key(auction, number))
        assert piece is not None, "a piece that an auction counts"
        ladder.append(piece)
    given, multiple = record.terms.destination, 1
    if given is not None:
        line = chain.record(ASSETS, name_key(given.asset))
        assert line is not None, "a switch for an asset that is not defined"
        multiple = line.multiple
    return partial(_worked_out, record, asset, multiple, record.result, ladder)


def _worked_out(
    record: AuctionRecord,
    asset: AssetRecord,
    multiple: int,
    published: AuctionResult,
    ladder: list[LadderRecord],
) -> list[RecomputedFigure]:
    rows = [row for piece in ladder for row in piece.rows]
    priced = [row for row in rows if row.price_e4 is not None]
    unpriced = [row for row in rows if row.price_e4 is None]
    cut_off = text(published.cut_off_e4, PRICE_DECIMALS)
    try:
        found = allot(record.terms, priced, unpriced, published.cut_off_e4)
    except AuctionError as error:
        return [
            RecomputedFigure(name="cut_off", published=cut_off, recomputed=str(error), agrees=False)
        ]
    return _figures(record, asset, multiple, published, found, ladder)


def _figures(
    record: AuctionRecord,
    asset: AssetRecord,
    multiple: int,
    published: AuctionResult,
    found: Allotment,
    ladder: list[LadderRecord],
) -> list[RecomputedFigure]:
    rows = [row for piece in ladder for row in piece.rows]
    amount = partial(render_amount, decimals=asset.decimals)
    price = partial(text, decimals=PRICE_DECIMALS)
    expected = (*found.competitive, *found.noncompetitive)
    equal = sum(a.allotted == b.allotted for a, b in zip(expected, rows, strict=True))
    last = [row.price_e4 or 0 for row in found.competitive if row.allotted][-1]
    pairs = [
        ("cut_off", price(published.cut_off_e4), price(last)),
        ("average_price", price(published.average_price_e4), price(found.average_price_e4)),
        (
            "noncompetitive_price",
            price(published.noncompetitive_price_e4),
            price(found.noncompetitive_price_e4),
        ),
        ("competitive", amount(published.competitive), amount(found.competitive_face)),
        ("noncompetitive", amount(published.noncompetitive), amount(found.noncompetitive_face)),
        ("rows", str(len(rows)), str(equal)),
    ]
    maturity_day = bill_maturity_day(asset.terms)
    if published.average_yield_e4 is not None and maturity_day is not None:
        days = maturity_day - published.settlement_day
        paid = (
            (row.allotted, price_of(record.terms, row, found.cut_off_e4))
            for row in found.competitive
            if row.allotted
        )
        average = average_yield_e4(paid, partial(bill_yield, days=days))
        shown = partial(text, decimals=YIELD_DECIMALS)
        pairs.insert(2, ("average_yield", shown(published.average_yield_e4), shown(average)))
    sums = sums_of(record.terms, published, ladder, multiple)
    pairs += [
        (name, amount(getattr(record, name)), amount(sums[name]))
        for name in ("settled", "failed", "reallotted", "paid", "issued")
        if name != "issued" or record.terms.destination is not None
    ]
    return [
        RecomputedFigure(name=name, published=told, recomputed=comes, agrees=told == comes)
        for name, told, comes in pairs
    ]
