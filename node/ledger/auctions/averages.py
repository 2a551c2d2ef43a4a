"""Averages by face, and what a face costs. Each division says how it rounds."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Final

from node.ledger.auctions.records import Accrual
from node.ledger.pricing import half_up

PRICE_UNIT: Final = 100 * 10_000
"""Prices are per hundred, in units of 0.0001."""
PRICE_DECIMALS: Final = 4
YIELD_DECIMALS: Final = 4
_FINE_DECIMALS: Final = 12
"""Of each bid's own yield in per cent: so many prices have no common denominator of a usable size,
and what this leaves out is a hundred-millionth of the last digit printed."""


def consideration(face: int, price_e4: int) -> int:
    """Return what a face costs at a price, in minor units, half up; without accrued interest."""
    return (2 * face * price_e4 + PRICE_UNIT) // (2 * PRICE_UNIT)


def accrued_on(face: int, accrual: Accrual | None) -> int:
    """Return the interest accrued on a face, in minor units, half up; below zero half down."""
    if accrual is None:
        return 0
    return half_up(Fraction(accrual.numerator, accrual.denominator) * face, 0)


def accrued_over(faces: Iterable[int], accrual: Accrual) -> int:
    """Return the interest accrued on faces that were delivered, and so rounded, one by one."""
    return sum(accrued_on(face, accrual) for face in faces)


def due_for(face: int, price_e4: int, accrual: Accrual | None) -> int:
    """Return what is paid for a face: its price and the interest accrued, each rounded by itself.

    Never less than nothing, whatever interest stays with others.
    """
    return max(0, consideration(face, price_e4) + accrued_on(face, accrual))


def average_price_e4(allotted: Iterable[tuple[int, int]], *, quantum_e4: int = 1) -> int:
    """Return the price weighted by face, on a grid of the quantum, half up.

    Args:
        allotted: face and price of each; together more than nothing.
    """
    total = weighted = 0
    for face, price_e4 in allotted:
        total += face
        weighted += face * price_e4
    unit = total * quantum_e4
    return (2 * weighted + unit) // (2 * unit) * quantum_e4


def average_yield_e4(
    allotted: Iterable[tuple[int, int]], yield_of: Callable[[Fraction], Fraction]
) -> int:
    """Return the yield weighted by face, in per cent with four decimals, half up.

    Each bid's own counts to twelve decimals, half up; the mean of these is rounded once more.

    Args:
        allotted: face and price of each; together more than nothing.
        yield_of: a price per hundred; a share of one.
    """
    faces: defaultdict[int, int] = defaultdict(int)
    for face, price_e4 in allotted:
        faces[price_e4] += face
    weighted = sum(
        face * half_up(100 * yield_of(Fraction(price_e4, 10**PRICE_DECIMALS)), _FINE_DECIMALS)
        for price_e4, face in faces.items()
    )
    mean = Fraction(weighted, sum(faces.values()) * 10**_FINE_DECIMALS)
    return half_up(mean, YIELD_DECIMALS)
