"""What a holder gets in a switch: the new line for what the old one is worth, and the rest in cash.

Both lines count with their price and what has accrued on each, so no value comes in or goes out:
what is given is worth what is got, to the minor unit. The new line comes in whole multiples of its
denomination, as many as the old one pays for; what is left is paid in cash, by the issuer. It is
never below nothing, and less than one multiple costs and two minor units: a face is priced by two
roundings of half a unit each, so a multiple that would cost a unit too much is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from node.ledger.auctions.allotment import paid_price
from node.ledger.auctions.averages import PRICE_UNIT, due_for
from node.ledger.auctions.problems import AuctionError
from node.ledger.auctions.records import (
    Accrual,
    AuctionResult,
    LadderRecord,
    LadderRow,
    RowState,
    delivered_of,
    deliveries_of,
)
from node.ledger.auctions.terms import AuctionTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What is given for a face that is taken."""

    face: int
    """Of the new line, in minor units."""
    remainder: int
    """In minor units of cash."""


def worth_of(price_e4: int, accrual: Accrual | None) -> Fraction:
    """Return what a unit of face is worth, exactly: its price and what has accrued on it."""
    accrued = 0 if accrual is None else Fraction(accrual.numerator, accrual.denominator)
    return Fraction(price_e4, PRICE_UNIT) + accrued


def given_for(
    terms: AuctionTerms,
    result: AuctionResult,
    row: LadderRow,
    piece: LadderRecord,
    multiple: int,
) -> Exchange:
    """Return what was given for a row that was settled: cash, or in a switch a face as well.

    Args:
        piece: in which the row stands: it says what had accrued.
        multiple: in which the new line of a switch is issued.

    Raises:
        AuctionError: as `exchange`.
    """
    parts = parts_for(terms, result, row, piece, multiple)
    return Exchange(
        face=sum(part.face for part in parts), remainder=sum(part.remainder for part in parts)
    )


def parts_for(
    terms: AuctionTerms,
    result: AuctionResult,
    row: LadderRow,
    piece: LadderRecord,
    multiple: int,
) -> list[Exchange]:
    """Return what was given for each delivery of a row: what is re-allotted is one of its own.

    Raises:
        AuctionError: as `exchange`.
    """
    price_e4 = paid_price(terms, result, row)
    return [_given_for(terms, price_e4, face, piece, multiple) for face in deliveries_of(row)]


def _given_for(
    terms: AuctionTerms, price_e4: int, face: int, piece: LadderRecord, multiple: int
) -> Exchange:
    """Return what was given for a face that was delivered at once."""
    worth = due_for(face, price_e4, piece.accrual)
    if terms.destination is None:
        return Exchange(face=0, remainder=worth)
    return exchange(worth, terms.destination.price_e4, piece.destination_accrual, multiple)


def sums_of(
    terms: AuctionTerms, result: AuctionResult, pieces: Sequence[LadderRecord], multiple: int
) -> dict[str, int]:
    """Return what was settled, failed, re-allotted, paid and issued, by the states of the rows.

    Args:
        multiple: in which the new line of a switch is issued.

    Raises:
        AuctionError: as `exchange`.
    """
    sums = dict.fromkeys(("settled", "failed", "reallotted", "paid", "issued"), 0)
    for piece in pieces:
        for row in piece.rows:
            if row.state is RowState.FAILED:
                sums["failed"] += row.allotted
            elif row.state is RowState.SETTLED:
                given = given_for(terms, result, row, piece, multiple)
                sums["settled"] += delivered_of(row)
                sums["reallotted"] += row.reallotted
                sums["paid"] += given.remainder
                sums["issued"] += given.face
    return sums


def exchange(worth: int, price_e4: int, accrual: Accrual | None, multiple: int) -> Exchange:
    """Return what is given for what is worth so much.

    Args:
        worth: of the face that is taken, in minor units, with what has accrued on it.
        price_e4: of the new line, as it was announced.
        accrual: on the new line; None: nothing accrues.
        multiple: in which the new line is issued.

    Raises:
        AuctionError: the new line is worth nothing, so nothing says how much of it to give.
    """
    each = worth_of(price_e4, accrual) * multiple
    if each <= 0:
        raise AuctionError("with the interest that stays with others the new line is worth nothing")
    face = int(worth // each) * multiple
    if due_for(face, price_e4, accrual) > worth:
        face = max(0, int((worth - 1) // each)) * multiple
    return Exchange(face=face, remainder=worth - due_for(face, price_e4, accrual))
