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
    """Return the largest integer whose power `root` is at most the value.

    The upper half of its digits is found first, and those below by Newton from above. From further
    away a step of a high root gains little: of the 365th it took hundreds.

    Args:
        value: not negative.
        root: at least 1.
    """
    if value < 2 or root == 1:
        return value
    bits = -(-value.bit_length() // root)
    below = (bits - root.bit_length()) // 2  # floor; with so much above, each step doubles digits
    if below < 1:
        return _small_root(value, root, bits)
    guess = integer_root(value >> root * below, root) + 1 << below
    while True:
        better = ((root - 1) * guess + value // guess ** (root - 1)) // root
        if better >= guess:
            return guess
        guess = better


def _small_root(value: int, root: int, bits: int) -> int:
    """Return the same for a root of so few bits, one after the other."""
    found = 0
    for bit in reversed(range(bits)):
        if (found | 1 << bit) ** root <= value:
            found |= 1 << bit
    return found
