"""The allotment: who gets how much at a cut-off price, by the announced rule.

    1. Bids without a price come first, up to their share of the target (rounded down to the
       multiple). Where they ask for more, the rule of over-subscription shares it out.
    2. What is left is for bids with a price. All better than the cut-off are filled: above it where
       something is sold by price, below it where it is sold by rate or margin, or bought back.
    3. At the cut-off, all are filled if what is left suffices; else it is shared pro rata.

Pro rata: bids up to `filled_whole` are filled first, if together they can be. The others get their
share by face, rounded down to `prorata_step`; what that leaves goes out in steps, one each, to
those from whom rounding took most, among equals to the earlier bid, never more to anybody than was
bid for. So the whole of what there is goes out, and nobody who does it again comes to something
else. (The circular of 2007 rounds to the nearest step and does not say what becomes of the rest.)

The price of bids without one is made by the others, whose rows alone count in the averages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.codec import replace
from node.ledger.auctions.averages import average_price_e4
from node.ledger.auctions.problems import CutOffError
from node.ledger.auctions.records import AuctionResult, LadderRow, RowState
from node.ledger.auctions.terms import (
    BPS,
    LINE_FORMS,
    AuctionTerms,
    Method,
    NoncompetitivePrice,
    Oversubscription,
    Reallotment,
)
from node.ledger.phrases import CutOffFault

PAR_E4: Final = 100 * 10_000
"""What a line costs whose rate or margin was bid for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotment:
    """What a cut-off price comes to."""

    competitive: tuple[LadderRow, ...]
    """The ladder as it was given, with what each row gets."""
    noncompetitive: tuple[LadderRow, ...]
    cut_off_e4: int
    average_price_e4: int
    noncompetitive_price_e4: int

    @property
    def competitive_face(self) -> int:
        """What bids with a price get together."""
        return sum(row.allotted for row in self.competitive)

    @property
    def noncompetitive_face(self) -> int:
        """What bids without a price get together."""
        return sum(row.allotted for row in self.noncompetitive)


def allot(
    terms: AuctionTerms,
    competitive: Sequence[LadderRow],
    noncompetitive: Sequence[LadderRow],
    cut_off_e4: int,
) -> Allotment:
    """Return the allotment at a cut-off price.

    Args:
        competitive: a ladder: the best price first, among equals the earlier bid.
        noncompetitive: the earlier bid first.

    Raises:
        CutOffError: no bid has this price, or all above it are more than there is.
    """
    without = _share_out(terms, noncompetitive)
    left = terms.target - sum(row.allotted for row in without)
    start = _first_at(competitive, cut_off_e4)
    above = sum(row.face for row in competitive[:start])
    if above >= left:
        raise CutOffError(CutOffFault.TARGET_SPENT_BEFORE.of(better=above, left=left))
    stop = start
    while stop < len(competitive) and competitive[stop].price_e4 == cut_off_e4:
        stop += 1
    at_margin = _pro_rata(
        [row.face for row in competitive[start:stop]],
        left - above,
        step=terms.prorata_step,
        filled_whole=terms.filled_whole,
    )
    amounts = [row.face for row in competitive[:start]] + at_margin
    filled = tuple(_with(row, face) for row, face in zip(competitive, amounts, strict=False))
    average = average_price_e4((row.allotted, price_of(terms, row, cut_off_e4)) for row in filled)
    return Allotment(
        competitive=(*filled, *(_with(row, 0) for row in competitive[stop:])),
        noncompetitive=tuple(without),
        cut_off_e4=cut_off_e4,
        average_price_e4=average,
        noncompetitive_price_e4=_noncompetitive_price(terms, filled, cut_off_e4),
    )


def price_of(terms: AuctionTerms, row: LadderRow, cut_off_e4: int) -> int:
    """Return what an accepted bid with a price pays."""
    assert row.price_e4 is not None
    return cut_off_e4 if terms.method is Method.UNIFORM_PRICE else row.price_e4


def paid_price(terms: AuctionTerms, result: AuctionResult, row: LadderRow) -> int:
    """Return at what price an accepted bid is settled, with a price of its own or without."""
    if terms.form in LINE_FORMS:
        return PAR_E4
    if row.price_e4 is None:
        return result.noncompetitive_price_e4
    return price_of(terms, row, result.cut_off_e4)


def reallotment_fault(
    terms: AuctionTerms, result: AuctionResult, rows: Sequence[LadderRow]
) -> str | None:
    """Return what the announced rule does not allow in what was re-allotted; None: nothing.

    Args:
        rows: the whole ladder, with what became of it.
    """
    failed = sum(row.allotted for row in rows if row.state is RowState.FAILED)
    more = sum(row.reallotted for row in rows)
    if more and terms.reallotment is not Reallotment.CUT_SHORT:
        return f"{more} went to others, and what is not paid for goes to nobody"
    if more > failed:
        return f"{more} went to others, and {failed} was not paid for"
    for row in rows:
        is_cut_short = row.price_e4 == result.cut_off_e4 and row.state is RowState.SETTLED
        room = row.face - row.allotted if is_cut_short else 0
        if not 0 <= row.reallotted <= room:
            return f"bid {row.number} got {row.reallotted} more, and could get {room}"
    return None


def _noncompetitive_price(terms: AuctionTerms, filled: Sequence[LadderRow], cut_off_e4: int) -> int:
    """Return what bids without a price pay: on the quantum, as every price of the auction."""
    if terms.noncompetitive_price is NoncompetitivePrice.CUT_OFF:
        return cut_off_e4
    return average_price_e4(
        ((row.allotted, price_of(terms, row, cut_off_e4)) for row in filled),
        quantum_e4=terms.quantum_e4,
    )


def _first_at(competitive: Sequence[LadderRow], price_e4: int) -> int:
    for index, row in enumerate(competitive):
        if row.price_e4 == price_e4:
            return index
    raise CutOffError(CutOffFault.NO_BID_AT_PRICE.of())


def _share_out(terms: AuctionTerms, rows: Sequence[LadderRow]) -> list[LadderRow]:
    share = terms.target * terms.noncompetitive_share_bps // BPS  # down, and so to the multiple
    there_is = share - share % terms.multiple
    faces = [row.face for row in rows]
    if terms.oversubscription is Oversubscription.SMALLEST_FIRST:
        amounts = _smallest_first(faces, there_is)
    else:
        amounts = _pro_rata(faces, there_is, step=terms.multiple, filled_whole=0)
    return [_with(row, amount) for row, amount in zip(rows, amounts, strict=True)]


def _smallest_first(faces: Sequence[int], there_is: int) -> list[int]:
    """Fill from the lowest face up, among equals the earlier; the last one gets what is left."""
    amounts = [0] * len(faces)
    for index in sorted(range(len(faces)), key=faces.__getitem__):  # stable: the earlier first
        amounts[index] = min(faces[index], there_is)
        there_is -= amounts[index]
        if not there_is:
            break
    return amounts


def _pro_rata(faces: Sequence[int], there_is: int, *, step: int, filled_whole: int) -> list[int]:
    """Return what each face gets of what there is; all of it goes out, or every face is filled."""
    if sum(faces) <= there_is:
        return list(faces)
    amounts = [face if face <= filled_whole else 0 for face in faces]
    small = sum(amounts)
    if small > there_is:
        amounts, small = [0] * len(faces), 0
    there_is -= small
    others = [index for index, amount in enumerate(amounts) if not amount]
    total = sum(faces[index] for index in others)
    lost: list[tuple[int, int]] = []
    for index in others:
        exact = faces[index] * there_is  # over total
        amounts[index] = exact // total // step * step  # down to a step
        lost.append((amounts[index] * total - exact, index))
    there_is -= sum(amounts[index] for index in others)
    lost.sort()  # who lost most first, among equals the earlier
    while there_is:
        for _, index in lost:
            more = min(step, faces[index] - amounts[index], there_is)
            amounts[index] += more
            there_is -= more
    return amounts


def _with(row: LadderRow, allotted: int) -> LadderRow:
    # What the row says already counts for nothing: whoever recomputes a result brings published
    # rows, and one that is to get nothing may claim something.
    return row if row.allotted == allotted else replace(row, allotted=allotted)
