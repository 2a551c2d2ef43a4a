"""Where x^(r/s) stands, without ever rounding it: between two decimals, and exactly by powers."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

_DIGITS: Final = 40
"""A price has up to nine digits, so a bracket this narrow leaves about one doubt in 10^30."""
_SCALE: Final = 10**_DIGITS


@dataclass(frozen=True, slots=True)
class Radical:
    """x^(power/root) with a positive rational x; power not negative, root positive."""

    base: Fraction
    power: int
    root: int

    def bracket(self) -> tuple[Fraction, Fraction]:
        """Return a value not above it and one not below it, 10^-40 apart at most."""
        raised = self.base**self.power
        scaled = raised.numerator * _SCALE**self.root // raised.denominator
        low = integer_root(scaled, self.root)
        return Fraction(low, _SCALE), Fraction(low + 1, _SCALE)

    def reaches(self, value: Fraction) -> bool:
        """Return whether it is at least this value; exact, by whole powers."""
        return value <= 0 or self.base**self.power >= value**self.root


def integer_root(value: int, root: int) -> int:
    """Return the largest integer whose power `root` is at most the value: Newton from above.

    Args:
        value: not negative.
        root: at least 1.
    """
    if value < 2 or root == 1:
        return value
    guess = 1 << -(-value.bit_length() // root)
    while True:
        better = ((root - 1) * guess + value // guess ** (root - 1)) // root
        if better >= guess:
            return guess
        guess = better
