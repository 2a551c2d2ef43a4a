"""The grids on which prices and yields are quoted, and the one rounding to them.

A figure on a grid is an integer: 98.3815 with four decimals is 983,815.
"""

from fractions import Fraction
from typing import Final

from node.ledger.pricing.problems import PricingError

HUNDRED: Final = 100
_TOLD_DECIMALS: Final = 6
"""Prices are per hundred of face value, yields and rates in per cent."""
DECIMALS_MAX: Final = 12


def half_up(value: Fraction, decimals: int) -> int:
    """Return the value in units of 10^-decimals, ties away from zero, as tables are printed."""
    scaled = abs(value) * ten_to(decimals)
    # floor((2x + 1) / 2) of what is not negative: up from the half on
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return units if value >= 0 else -units


def ten_to(decimals: int) -> int:
    """Return 10^decimals: how many units of a grid make one.

    Raises:
        PricingError: there are no such grids.
    """
    if not 0 <= decimals <= DECIMALS_MAX:
        raise PricingError(f"{decimals} decimals: 0 to {DECIMALS_MAX} were expected")
    return int(10**decimals)


def percent(units: int, decimals: int) -> Fraction:
    """Return a rate, a share of one, quoted in per cent: 71,485 with four decimals is 0.071485."""
    return Fraction(units, HUNDRED * ten_to(decimals))


def text(units: int, decimals: int) -> str:
    """Return how a figure on a grid is printed: 983,815 with four decimals is `98.3815`."""
    digits = f"{abs(units):0{decimals + 1}d}"
    whole, rest = (digits[:-decimals], digits[-decimals:]) if decimals else (digits, "")
    return ("-" if units < 0 else "") + whole + ("." + rest if rest else "")


def told(value: Fraction) -> str:
    """Return a figure for a sentence: up to six decimals, half up, without zeros at its end."""
    shown = text(half_up(value, _TOLD_DECIMALS), _TOLD_DECIMALS).rstrip("0")
    return shown.removesuffix(".")
