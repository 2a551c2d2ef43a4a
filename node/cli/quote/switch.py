"""`khazana quote switch`: what a face of an old line comes to in a new one, and in cash."""

from fractions import Fraction
from typing import TYPE_CHECKING

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import json_option, table
from node.cli.quote.figures import FIGURE, PRICE_DECIMALS, face_of, plain, price_of
from node.cli.sheets import csv_option, emit_sheet, sheet_of_row

if TYPE_CHECKING:
    from node.ledger.auctions.records import Accrual

ACCRUED_MAX = 1_000
"""Per hundred of face, either way."""


@click.command()
@click.option("--face", type=FIGURE, required=True, help="Of the old line, that is offered.")
@click.option("--price", type=FIGURE, required=True, help="Bid for it, per hundred.")
@click.option(
    "--accrued",
    type=FIGURE,
    default="0",
    show_default=True,
    help="Interest accrued on it, per hundred; below zero after the record of a payment.",
)
@click.option("--for-price", type=FIGURE, required=True, help="Of the new line, as announced.")
@click.option(
    "--for-accrued",
    type=FIGURE,
    default="0",
    show_default=True,
    help="Interest accrued on the new line, per hundred.",
)
@click.option(
    "--multiple", type=FIGURE, default="5000", show_default=True, help="Of the new line's face."
)
@json_option
@csv_option
def command(
    face: Fraction,
    price: Fraction,
    accrued: Fraction,
    for_price: Fraction,
    for_accrued: Fraction,
    multiple: Fraction,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print what a face of an old line comes to in a new one, and what is left in cash.

    As the ledger settles a switch: both lines count with price and accrued interest, the new one
    comes in whole multiples, and what is left is paid in cash. Money has two decimals.

    \b
    Example:
      khazana quote switch --face 1000000 --price 98.5 --accrued 1.25 --for-price 102
    """
    from node.ledger.auctions import AuctionError, due_for, exchange
    from node.ledger.pricing import text

    old_e4 = _grid(price_of(price), "--price", PRICE_DECIMALS)
    new_e4 = _grid(price_of(for_price), "--for-price", PRICE_DECIMALS)
    minor = _grid(face_of(face), "--face", 2)
    step = _grid(face_of(multiple), "--multiple", 2)
    old, new = _accrual(accrued, "--accrued"), _accrual(for_accrued, "--for-accrued")
    worth = due_for(minor, old_e4, old)
    try:
        given = exchange(worth, new_e4, new, step)
    except AuctionError as error:
        raise CommandError(Exit.USAGE, str(error)) from None
    facts = {
        "face": text(minor, 2),
        "worth": text(worth, 2),
        "given": text(given.face, 2),
        "given_worth": text(worth - given.remainder, 2),
        "cash": text(given.remainder, 2),
    }
    sheet = sheet_of_row(facts)
    emit_sheet(facts, table(list(facts.items())), sheet, as_json=as_json, as_csv=as_csv)


def _grid(value: Fraction, option: str, decimals: int) -> int:
    """Return a figure in its last decimal.

    Raises:
        CommandError: it has more decimals.
    """
    scaled = value * 10**decimals
    if scaled.denominator != 1:
        raise CommandError(
            Exit.USAGE, f"{option} is {plain(value)}; expected at most {decimals} decimals"
        )
    return int(scaled)


def _accrual(per_hundred: Fraction, option: str) -> "Accrual | None":
    """Return what accrued on a unit of face.

    Raises:
        CommandError: it is more than any period pays.
    """
    from node.ledger.auctions.records import Accrual

    if abs(per_hundred) > ACCRUED_MAX:
        raise CommandError(
            Exit.USAGE,
            f"{option} is {plain(per_hundred)}; expected from -{ACCRUED_MAX} to {ACCRUED_MAX}",
        )
    share = per_hundred / 100
    return Accrual(day=0, numerator=share.numerator, denominator=share.denominator)
