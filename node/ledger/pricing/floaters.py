"""Floating-rate notes: the price at a discount margin, the reference held where it is.

Each payment is A = (reference + spread)·T/360 of the face, T the days of its period; each period is
discounted by B = 1 + (reference + margin)·T/360. The first payment carries what has accrued.
Everything is rational, so exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Final

from node.ledger.pricing.grid import HUNDRED, half_up
from node.ledger.pricing.problems import PricingError

YEAR_360: Final = 360


@dataclass(frozen=True, slots=True)
class Floater:
    """What is left of a floating-rate note; rates are shares of one."""

    reference: Fraction
    """As last fixed, on a money-market basis."""
    spread: Fraction
    """What the note pays above the reference."""
    payments: tuple[date, ...]
    """The dates that are left, ascending; the last one redeems."""


def floater_price(
    note: Floater, settlement: date, margin: Fraction, *, accrued: Fraction, decimals: int
) -> int:
    """Return the clean price per hundred at a discount margin, on a grid, half up.

    Args:
        accrued: per hundred, from the last payment to the settlement.

    Source: 31 CFR 356 appendix B IV.

    Raises:
        PricingError: no payment is left, they are out of order, or the margin takes everything.
    """
    value, discount, carried = Fraction(0), Fraction(1), accrued
    for days in _periods(settlement, note.payments):
        share = Fraction(days, YEAR_360)
        growth = 1 + (note.reference + margin) * share
        if growth <= 0:
            raise PricingError(f"a margin of {margin} leaves nothing of a period of {days} days")
        discount = Fraction(discount, growth)
        # The rate that is paid never falls below nothing.
        paid = max(Fraction(0), note.reference + note.spread) * HUNDRED * share
        value += (paid + carried) * discount
        carried = Fraction(0)
    return half_up(value + HUNDRED * discount - accrued, decimals)


def _periods(settlement: date, payments: Sequence[date]) -> list[int]:
    days = [(after - before).days for before, after in pairwise((settlement, *payments))]
    if not days or min(days) < 1:
        raise PricingError(f"payments after {settlement} must ascend, found {payments}")
    return days
