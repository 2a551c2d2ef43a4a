"""`khazana quote switch`: what a face of an old line comes to in a new one, and in cash."""

from fractions import Fraction

import click

from node.cli.output import json_option, table
from node.cli.quote.figures import FIGURE, refusing
from node.cli.sheets import csv_option, emit_sheet, sheet_of_row


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
    from node.quotes import switch_quote

    with refusing():
        facts = switch_quote(
            face=face,
            price=price,
            accrued=accrued,
            for_price=for_price,
            for_accrued=for_accrued,
            multiple=multiple,
        )
    emit_sheet(
        facts, table(list(facts.items())), sheet_of_row(facts), as_json=as_json, as_csv=as_csv
    )
