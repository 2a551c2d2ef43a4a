"""What the calculators share: figures as people write them, and what a face value costs."""

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import date
from fractions import Fraction
from typing import Any, Final, TypeVar

import click
from typing_extensions import override

from node.cli.exits import CommandError, Exit
from node.ledger.dates import DatesError, parse_date

Command = TypeVar("Command", bound=Callable[..., Any])

PRICE_DECIMALS: Final = 4
_MEMBER: Final = re.compile("`([a-z_]+)`")


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
        from node.quotes import QuoteError, figure_of

        try:
            return figure_of(value)
        except QuoteError as error:
            self.fail(str(error), param, ctx)


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


def percent_of(value: Fraction, name: str) -> Fraction:
    """Return the share of one that a rate in per cent is.

    Raises:
        CommandError: it is below 0 or above 100.
    """
    from node import quotes

    with refusing():
        return quotes.percent_of(value, name)


def face_of(value: Fraction) -> Fraction:
    """Return a face value.

    Raises:
        CommandError: it is not above 0.
    """
    from node import quotes

    with refusing():
        return quotes.face_of(value)


def price_of(value: Fraction) -> Fraction:
    """Return a price per hundred.

    Raises:
        CommandError: it is not above 0.
    """
    from node import quotes

    with refusing():
        return quotes.price_of(value)


def plain(value: Fraction) -> str:
    """Return a figure as it was written, without zeros at its end."""
    from node import quotes

    return quotes.plain(value)


def amount(face: Fraction, price: Fraction) -> str:
    """Return what a face value costs at a price per hundred, to the hundredth, half up."""
    from node import quotes

    return quotes.amount(face, price)


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
        said = _MEMBER.sub(lambda name: f"--{name[1].replace('_', '-')}", str(error))
        command = click.get_current_context().command_path
        advice = getattr(error, "advice", "") or (
            f"Change that figure; `{command} --help` says what each is, with an example."
        )
        raise CommandError(Exit.USAGE, said, advice=advice) from error


def decimals_option(command: Command) -> Command:
    """Give a calculator `--decimals`: of the price that it prints."""
    return click.option(
        "--decimals",
        type=click.IntRange(0, 12),
        default=PRICE_DECIMALS,
        show_default=True,
        help="Of the price.",
    )(command)
