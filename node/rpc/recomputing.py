"""An auction's result beside what its ladder comes to, by a node's own records.

The same that `Client.verify_auction` works out from records that are proven (`node.recomputing`);
here it is the node's own word, for who looks at its pages or trusts it anyway.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import msgspec

from node.chain import Chain
from node.ledger.auctions.records import Accrual, AuctionRecord, AuctionResult, LadderRecord
from node.ledger.courses import read_calls
from node.ledger.dates import Calendar
from node.ledger.instruments import NOT_CALLED
from node.ledger.securities import CALLS, FIXINGS, payment_key
from node.ledger.tables import ASSETS, CALENDARS, LADDERS, ladder_key, name_key
from node.ledger.terms import is_serviced
from node.recomputing import Evidence, Line, figures_of, floating_in
from node.rpc.rendering import render_day

PIECES_RECOMPUTED_MAX: Final = 8
"""Of a ladder, 2,000 rows: some 20 ms. A larger one is for `khazana auction verify`."""


class RecomputedFigure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of a result, as it was published and as it comes out."""

    name: str
    """`order`, `cut_off`, `average_price`, `noncompetitive_price`, `competitive`,
    `noncompetitive`, `rows`, `average_yield` (of a bill), `accrued` and `destination_accrued` (for
    each day of settlement), `settled`, `failed`, `reallotted`, `paid`, `issued` (in a switch);
    `settlement` and `reallotment` only where they are at fault."""
    day: str | None
    """Of settlement, of what had accrued; null of anything else."""
    published: str
    """Prices with four decimals, yields in per cent, amounts in units of the asset, rows in number,
    what accrued as a fraction of a unit of face."""
    recomputed: str
    """The same, or a sentence that says why nothing comes out."""
    agrees: bool


def recomputing(
    chain: Chain, auction: str, record: AuctionRecord
) -> Callable[[], list[RecomputedFigure]] | None:
    """Return what works the figures of a result out, from what is read here; None: nothing is
    decided, or the ladder is too long."""
    pieces = record.competitive_pieces + record.noncompetitive_pieces
    if record.result is None or pieces > PIECES_RECOMPUTED_MAX:
        return None
    ladder: list[LadderRecord] = []
    for number in range(pieces):
        piece = chain.record(LADDERS, ladder_key(auction, number))
        assert piece is not None, "a piece that an auction counts"
        ladder.append(piece)
    given = record.terms.destination
    found = Evidence(
        auction=record,
        pieces=tuple(ladder),
        line=_line(chain, record.terms.asset, [piece.accrual for piece in ladder]),
        destination=(
            None
            if given is None
            else _line(chain, given.asset, [piece.destination_accrual for piece in ladder])
        ),
    )
    return partial(_worked_out, found, record.result)


def _line(chain: Chain, code: str, accruals: Sequence[Accrual | None]) -> Line:
    """Return a security, and by what accrued on it on the days of these accruals."""
    asset = chain.record(ASSETS, name_key(code))
    assert asset is not None, "an auction of an asset that is not defined"
    calendar: Calendar | None = None
    rates: dict[int, int] = {}
    calls = NOT_CALLED
    if is_serviced(asset.terms):
        ruling = chain.record(CALENDARS, name_key(asset.terms.plan.calendar))
        assert ruling is not None, "a security by a calendar that is not defined"
        calendar = ruling.calendar
        for number in floating_in(asset.terms, calendar, accruals):
            fixing = chain.record(FIXINGS, payment_key(code, number))
            if fixing is not None and fixing.rate_ppm is not None:
                rates[number] = fixing.rate_ppm
        if asset.terms.plan.call is not None:
            called = chain.record(CALLS, name_key(code))
            calls = NOT_CALLED if called is None else read_calls(called)
    return Line(asset=asset, calendar=calendar, rates=rates, calls=calls)


def _worked_out(found: Evidence, published: AuctionResult) -> list[RecomputedFigure]:
    return [
        RecomputedFigure(
            name=figure.name,
            day=None if figure.day is None else render_day(figure.day),
            published=figure.published,
            recomputed=figure.recomputed,
            agrees=figure.agrees,
        )
        for figure in figures_of(found, published)
    ]
