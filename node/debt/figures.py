"""Rates, shares and averages as they are printed."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from node.ledger.pricing import half_up, text

RATE_DECIMALS: Final = 4
SHARE_DECIMALS: Final = 2
YEARS_DECIMALS: Final = 2
DAYS_OF_YEAR: Final = 365
MONTHS_OF_YEAR: Final = 12


def percent(rate: Fraction) -> str:
    """Return a rate in per cent as it is printed, with four decimals, half up."""
    return text(half_up(rate, RATE_DECIMALS), RATE_DECIMALS)


def average(weighted: Sequence[tuple[Decimal, Fraction]], decimals: int) -> str | None:
    """Return the weighted average, half up; None where nothing has weight."""
    weight = sum((Fraction(each) for each, _ in weighted), Fraction(0))
    if not weight:
        return None
    total = sum((Fraction(each) * value for each, value in weighted), Fraction(0))
    return text(half_up(total / weight, decimals), decimals)


def share_of(part: Decimal, whole: Decimal) -> str:
    """Return what a part is of a whole, in per cent with two decimals; of nothing, none."""
    share = Fraction(part) / Fraction(whole) * 100 if whole else Fraction(0)
    return text(half_up(share, SHARE_DECIMALS), SHARE_DECIMALS)
