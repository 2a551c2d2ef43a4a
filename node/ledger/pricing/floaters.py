"""Floating-rate notes: the price at a discount margin, the reference held where it is.

Each payment is A = (reference + spread)·T of the face, T the length of its period in years; each
period is discounted by B = 1 + (reference + margin)·T. The first payment carries what has accrued,
or is known already where its rate was fixed in advance. Everything is rational, so exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Final

from node.ledger.pricing.daycounts import DayCount, year_fraction
from node.ledger.pricing.grid import HUNDRED, half_up, ten_to, told
from node.ledger.pricing.problems import PricingError

_TAKEN: Final = Fraction(9, 10)
"""Of a year: no period is so long that less than nothing would be left."""
_MARGIN_MAX: Final = 100
"""10,000 per cent a year."""


@dataclass(frozen=True, slots=True)
class Floater:
    """What is left of a floating-rate note; rates are shares of one."""

    reference: Fraction
    """As last fixed, on a money-market basis."""
    spread: Fraction
    """What the note pays above the reference."""
    payments: tuple[date, ...]
    """The dates that are left, ascending; the last one redeems."""
    day_count: DayCount = DayCount.ACT_360
    begins: date | None = None
    """When the period began that runs: of ACT/ACT ICMA, which counts by it."""
    frequency: int | None = None
    """Payments a year: of ACT/ACT ICMA."""


def floater_price(
    note: Floater,
    settlement: date,
    margin: Fraction,
    *,
    accrued: Fraction,
    decimals: int,
    first: Fraction | None = None,
) -> int:
    """Return the clean price per hundred at a discount margin, on a grid, half up.

    Args:
        accrued: per hundred, from the last payment to the settlement.
        first: what the next payment pays per hundred, where its rate was fixed in advance; None: it
            is what has accrued, and the reference from now on.

    Source: 31 CFR 356 appendix B IV.

    Raises:
        PricingError: no payment is left, they are out of order, or the margin takes everything.
    """
    return half_up(Fraction(*_value(note, settlement, margin, accrued, first)) - accrued, decimals)


def floater_margin(
    note: Floater,
    settlement: date,
    price: Fraction,
    *,
    accrued: Fraction,
    decimals: int,
    first: Fraction | None = None,
) -> int:
    """Return the discount margin in per cent at a clean price per hundred, on a grid.

    The price falls as the margin rises, so the figure printed is the largest n of which n - 1/2 is
    still priced at no less. The rest as in `floater_price`.

    Raises:
        PricingError: the price belongs to no margin that leaves something, up to 10,000 per cent.
    """
    full, scale = price + accrued, 2 * HUNDRED * ten_to(decimals)

    def is_reached(units: int) -> bool:
        """Return whether the margin is at least (units - 1/2) on the grid."""
        at = Fraction(2 * units - 1, scale)
        value, unit = _value(note, settlement, at, accrued, first)
        return value * full.denominator >= full.numerator * unit

    lowest = -(note.reference + _TAKEN) * HUNDRED * ten_to(decimals)
    low = lowest.numerator // lowest.denominator + 2  # above it, whatever the half
    high = _MARGIN_MAX * HUNDRED * ten_to(decimals)
    if not is_reached(low) or is_reached(high):
        raise PricingError(f"a price of {told(price)} belongs to no discount margin")
    while high - low > 1:
        middle = (low + high) // 2  # floor: any point in between will do
        low, high = (middle, high) if is_reached(middle) else (low, middle)
    return low


def floater_share(note: Floater, start: date, end: date) -> Fraction:
    """Return the length in years of a part of the period that runs.

    Raises:
        PricingError: the dates are in the wrong order, or ICMA has no regular period.
    """
    reference = None if note.begins is None else (note.begins, note.payments[0])
    return year_fraction(note.day_count, start, end, reference=reference, frequency=note.frequency)


# Private.


def _value(
    note: Floater, settlement: date, margin: Fraction, accrued: Fraction, first: Fraction | None
) -> tuple[int, int]:
    """Return what is left of a note, per hundred, with what has accrued: numerator, denominator.

    From the last payment back over whole numbers, none of them reduced: a hundred years of months
    take milliseconds so, and seconds as fractions.
    """
    shares = _shares(note, settlement)
    # The rate that is paid never falls below nothing.
    rate = max(Fraction(0), note.reference + note.spread)
    paid = [rate * HUNDRED * share for share in shares]
    paid[0] = paid[0] + accrued if first is None else first
    growths = [1 + (note.reference + margin) * share for share in shares]
    if min(growths) <= 0:
        raise PricingError(f"a margin of {told(margin)} leaves nothing of a period")
    unit = lcm(*(each.denominator for each in paid))
    scale = lcm(*(each.denominator for each in growths))
    # What is left after a payment is total / (unit · below).
    total, below = HUNDRED * unit, 1
    for payment, growth in zip(reversed(paid), reversed(growths), strict=True):
        total = (int(payment * unit) * below + total) * scale
        below *= int(growth * scale)
    return total, unit * below


def _shares(note: Floater, settlement: date) -> list[Fraction]:
    """Return the lengths in years of what is left of the period that runs, and of those after."""
    _check(settlement, note.payments)
    shares = [floater_share(note, settlement, note.payments[0])]
    for start, end in pairwise(note.payments):
        shares.append(
            year_fraction(
                note.day_count, start, end, reference=(start, end), frequency=note.frequency
            )
        )
    return shares


def _check(settlement: date, payments: Sequence[date]) -> None:
    days = [(after - before).days for before, after in pairwise((settlement, *payments))]
    if not days or min(days) < 1:
        raise PricingError(f"payments after {settlement} must ascend, found {payments}")
