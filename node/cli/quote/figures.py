"""What the calculators share: figures as people write them, and what a face value costs."""

import contextlib
import re
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any, Final

import click
from typing_extensions import override

from node.cli.exits import CommandError, Exit
from node.ledger.dates import DatesError, parse_date

PRICE_DECIMALS: Final = 4
YIELD_DECIMALS: Final = 4
RATE_MAX: Final = 100
"""Per cent a year: what the ledger lets a security pay at most."""
_FIGURE: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")
_SHOWN_MAX: Final = 40


class Figure(click.ParamType[Fraction]):
    """A decimal number, taken exactly: never a float."""

    name = "number"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        """Return the number, or fail as an option does."""
        if isinstance(value, Fraction):
            return value
        if _FIGURE.fullmatch(value) is None:
            self.fail(f"{value[:_SHOWN_MAX]!r} is no figure: such as 98.3815", param, ctx)
        return Fraction(value)


class Day(click.ParamType[date]):
    """A date of the calendar."""

    name = "date"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the date, or fail as an option does."""
        if isinstance(value, date):
            return value
        try:
            return parse_date(value)
        except DatesError as error:
            self.fail(str(error), param, ctx)


DAY_COUNTS: Final = (
    "ACT/365F",
    "ACT/360",
    "ACT/ACT ICMA",
    "ACT/ACT ISDA",
    "ACT/ACT AFB",
    "30/360",
    "30E/360",
    "30E/360 ISDA",
)
FIGURE: Final = Figure()
DAY: Final = Day()


def one_of(**given: Fraction | None) -> str:
    """Return the name of the one option that is given.

    Raises:
        CommandError: none is, or several are.
    """
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        wanted = " or ".join(f"--{name}" for name in given)
        found = "none" if not named else " and ".join(f"--{name}" for name in named)
        raise CommandError(Exit.USAGE, f"found {found}, expected {wanted}")
    return named[0]


def in_percent(value: Fraction) -> Fraction:
    """Return the share of one that a figure in per cent is."""
    return Fraction(value, 100)


def percent_of(value: Fraction, option: str) -> Fraction:
    """Return the share of one that a coupon or rate in per cent is.

    Raises:
        CommandError: it is below 0 or above 100.
    """
    if not 0 <= value <= RATE_MAX:
        raise CommandError(
            Exit.USAGE, f"{option} is {plain(value)} %; expected from 0 to {RATE_MAX}"
        )
    return in_percent(value)


def face_of(value: Fraction) -> Fraction:
    """Return a face value.

    Raises:
        CommandError: it is not above 0.
    """
    if value <= 0:
        raise CommandError(
            Exit.USAGE,
            f"--face is {plain(value)}; expected above 0",
            advice="Whoever sells has the same figures as whoever buys.",
        )
    return value


def price_of(value: Fraction) -> Fraction:
    """Return a price per hundred.

    Raises:
        CommandError: it is not above 0.
    """
    if value <= 0:
        raise CommandError(
            Exit.USAGE, f"--price is {plain(value)} per hundred of face; expected above 0"
        )
    return value


def on_grid(value: Fraction, decimals: int) -> Fraction:
    """Return the value rounded half up to so many decimals."""
    from node.ledger.pricing import half_up

    return Fraction(half_up(value, decimals), 10**decimals)


def rate(share: Fraction) -> str:
    """Return how a yield is printed: in per cent, with four decimals."""
    from node.ledger.pricing import half_up, text

    return text(half_up(100 * share, YIELD_DECIMALS), YIELD_DECIMALS)


def plain(value: Fraction) -> str:
    """Return a figure as it was written, without zeros at its end."""
    from node.ledger.pricing import half_up, text

    shown = text(half_up(value, 12), 12).rstrip("0")
    return shown.removesuffix(".") or "0"


def amount(face: Fraction, price: Fraction) -> str:
    """Return what a face value costs at a price per hundred, to the hundredth, half up."""
    from node.ledger.pricing import half_up, text

    return text(half_up(face * price * Fraction(1, 100), 2), 2)


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Make of terms without a price the end of a command.

    Raises:
        CommandError: the terms contradict each other, or have no such price or yield.
    """
    from node.ledger.pricing import PricingError

    try:
        yield
    except PricingError as error:
        raise CommandError(Exit.USAGE, str(error)) from error
