"""`khazana quote floater`: price and discount margin of a floating bond."""

from datetime import date
from fractions import Fraction

import click

from node.cli.output import json_option, table
from node.cli.quote.figures import DAY, FIGURE, decimals_option, refusing
from node.cli.sheets import csv_option, emit_sheet, sheet_of_row


@click.command()
@click.option("--maturity", type=DAY, required=True, help="When it redeems.")
@click.option("--settlement", type=DAY, required=True, help="When it is paid for.")
@click.option(
    "--reference",
    type=FIGURE,
    required=True,
    help="In per cent a year: held where it is for all periods whose rate is not fixed.",
)
@click.option(
    "--spread", type=FIGURE, default="0", show_default=True, help="The margin that its terms pay."
)
@click.option(
    "--fixed",
    type=FIGURE,
    help="Rate of the period that runs, in per cent a year; otherwise reference and spread.",
)
@click.option("--price", type=FIGURE, help="Clean, per hundred of face value.")
@click.option("--discount-margin", type=FIGURE, help="Over the reference, in per cent a year.")
@click.option("--face", type=FIGURE, help="Face value, for what it costs.")
@click.option(
    "--frequency",
    type=click.Choice(["1", "2", "4", "12"]),
    default="2",
    show_default=True,
    help="Payments a year.",
)
@click.option(
    "--day-count",
    type=click.Choice(["ACT/ACT ICMA", "ACT/365F", "ACT/360"]),
    default="ACT/ACT ICMA",
    show_default=True,
    help="How interest accrues, and how periods are discounted.",
)
@decimals_option
@json_option
@csv_option
def command(
    maturity: date,
    settlement: date,
    reference: Fraction,
    spread: Fraction,
    fixed: Fraction | None,
    price: Fraction | None,
    discount_margin: Fraction | None,
    face: Fraction | None,
    frequency: str,
    day_count: str,
    decimals: int,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Convert between the clean price and the discount margin of a floating bond.

    Each period is discounted at the reference and the margin, simply; what is not fixed yet is
    taken at the reference as it is now. A price that comes of a margin is rounded half up to
    --decimals; the margin is printed as it was given. At a margin equal to the spread a bond is
    worth par on the day of a payment.

    \b
    Example:
      khazana quote floater --maturity 2029-02-11 --settlement 2027-03-11 --reference 11.25 \\
        --spread 0.5 --price 99.4500 --face 100000000
    """
    from node.quotes import floater_quote

    with refusing():
        facts = floater_quote(
            maturity=maturity,
            settlement=settlement,
            reference=reference,
            spread=spread,
            fixed=fixed,
            price=price,
            discount_margin=discount_margin,
            face=face,
            frequency=int(frequency),
            day_count=day_count,
            decimals=decimals,
        )
    emit_sheet(
        facts, table(list(facts.items())), sheet_of_row(facts), as_json=as_json, as_csv=as_csv
    )
