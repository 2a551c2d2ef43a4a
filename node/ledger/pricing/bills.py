"""Bills: sold below par, no coupon. Everything is rational, so exact.

Prices are per hundred; rates are shares of one (0.071485, see `grid.percent`).
"""

from fractions import Fraction
from math import isqrt
from typing import Final

from node.ledger.pricing.grid import HUNDRED, half_up, ten_to, told
from node.ledger.pricing.problems import PricingError

YEAR_365: Final = 365
YEAR_360: Final = 360


def bill_price_from_yield(yield_: Fraction, days: int, *, year: int = YEAR_365) -> Fraction:
    """Return 100 / (1 + y·d/year): Pakistan's and India's market, simple interest.

    Raises:
        PricingError: no days are left, or the yield takes all.
    """
    _check_days(days)
    growth = 1 + yield_ * Fraction(days, year)
    if growth <= 0:
        raise PricingError(f"a yield of {told(HUNDRED * yield_)} % over {days} days has no price")
    return Fraction(HUNDRED, growth)


def bill_yield(price: Fraction, days: int, *, year: int = YEAR_365) -> Fraction:
    """Return (100/P - 1)·year/d, a share of one.

    Raises:
        PricingError: no days are left, or the price is not above 0.
    """
    _check_days(days)
    _check_price(price)
    return (Fraction(HUNDRED, price) - 1) * Fraction(year, days)


def bill_price_from_discount(rate: Fraction, days: int, *, year: int = YEAR_360) -> Fraction:
    """Return 100·(1 - d·n/360).

    Source: 31 CFR 356 appendix B VI.A.

    Raises:
        PricingError: no days are left.
    """
    _check_days(days)
    return HUNDRED * (1 - rate * Fraction(days, year))


def bill_discount_rate(price: Fraction, days: int, *, year: int = YEAR_360) -> Fraction:
    """Return the discount rate at which a bill has this price.

    Source: 31 CFR 356 appendix B VI.C.

    Raises:
        PricingError: no days are left.
    """
    _check_days(days)
    return (1 - Fraction(price, HUNDRED)) * Fraction(year, days)


def investment_rate(price: Fraction, days: int, *, year: int, decimals: int) -> int:
    """Return the coupon-equivalent yield in per cent, on a grid of so many decimals, half up.

    Up to a half-year simple, above it the positive root of the quadratic that compounds once.

    Args:
        year: days in the year that follows the issue: 365, or 366 with a 29 February in it.

    Source: 31 CFR 356 appendix B VI.D.

    Raises:
        PricingError: no days are left, or the price is not above 0.
    """
    _check_days(days)
    _check_price(price)
    gain = Fraction(HUNDRED, price) - 1
    if 2 * days <= year:
        return half_up(gain * Fraction(year, days) * HUNDRED, decimals)
    # a·i² + b·i + c = 0 with a = n/2y - 1/4, b = n/y, c = -gain: i = (-b + sqrt(b² - 4ac)) / 2a.
    share = Fraction(days, year)
    half = share - Fraction(1, 2)
    root = share * share + 2 * half * gain
    return _half_up_root(
        Fraction(root * HUNDRED * HUNDRED, half * half), Fraction(-share * HUNDRED, half), decimals
    )


def _half_up_root(square: Fraction, plus: Fraction, decimals: int) -> int:
    """Return sqrt(square) + plus on a grid, half up: the largest n with n - 1/2 not above it."""
    shift = (plus * ten_to(decimals)) + Fraction(1, 2)
    scaled = square * ten_to(decimals) ** 2
    # floor(sqrt(x) + s): guess by whole roots, then settle it by squares, exactly.
    guess = isqrt(scaled.numerator // scaled.denominator) + shift.numerator // shift.denominator
    while _at_most(guess + 1 - shift, scaled):
        guess += 1
    while not _at_most(guess - shift, scaled):
        guess -= 1
    return guess


def _at_most(value: Fraction, square: Fraction) -> bool:
    """Return whether the value is at most the root of the square."""
    return value <= 0 or value * value <= square


def _check_days(days: int) -> None:
    if days < 1:
        raise PricingError(f"{days} days to maturity: at least 1 was expected")


def _check_price(price: Fraction) -> None:
    if price <= 0:
        raise PricingError(f"a price of {told(price)} per hundred: it must be above 0")
