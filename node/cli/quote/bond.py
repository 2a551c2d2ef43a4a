"""`khazana quote bond`: price, yield and accrued interest of a bond."""

from datetime import date
from fractions import Fraction

import click

from node.cli.output import json_option, table
from node.cli.quote.figures import DAY, DAY_COUNTS, FIGURE, decimals_option, refusing
from node.cli.sheets import csv_option, emit_sheet, sheet_of_row


@click.command()
@click.option("--coupon", type=FIGURE, required=True, help="In per cent a year; 0 for none.")
@click.option("--dated", type=DAY, required=True, help="From when interest accrues.")
@click.option("--maturity", type=DAY, required=True, help="When it redeems.")
@click.option("--settlement", type=DAY, required=True, help="When it is paid for.")
@click.option("--price", type=FIGURE, help="Clean, per hundred of face value.")
@click.option("--yield", "yield_", type=FIGURE, help="In per cent, compounded at each coupon.")
@click.option("--face", type=FIGURE, help="Face value, for what it costs.")
@click.option(
    "--frequency",
    type=click.Choice(["1", "2", "4", "12"]),
    default="2",
    show_default=True,
    help="Coupons a year.",
)
@click.option("--first-payment", type=DAY, help="Where the first period is a long one.")
@click.option("--end-of-month", is_flag=True, help="Month ends stay month ends.")
@click.option(
    "--accrual",
    type=click.Choice(DAY_COUNTS),
    default="ACT/ACT ICMA",
    show_default=True,
    help="How interest accrues.",
)
@click.option(
    "--pricing",
    type=click.Choice(DAY_COUNTS),
    default="ACT/ACT ICMA",
    show_default=True,
    help="How many days are left of the period, where it is discounted.",
)
@click.option(
    "--first-period",
    type=click.Choice(["street", "simple"]),
    default="street",
    help="How what is left of the period is discounted; simple: United States.",
)
@decimals_option
@json_option
@csv_option
def command(
    coupon: Fraction,
    dated: date,
    maturity: date,
    settlement: date,
    price: Fraction | None,
    yield_: Fraction | None,
    face: Fraction | None,
    frequency: str,
    first_payment: date | None,
    accrual: str,
    pricing: str,
    first_period: str,
    decimals: int,
    *,
    end_of_month: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Convert between the clean price and the yield of a bond, with its accrued interest.

    A price that comes of a yield is rounded half up to --decimals; the yield is printed as it was
    given, also where that price is too coarse to lead back to it. At a yield of 0 all that is still
    to be paid counts in full; below 0 more than in full. The cost of a face value is at the clean
    price and with the interest that has accrued, which the buyer pays too.

    \b
    Example:
      khazana quote bond --coupon 7 --dated 2020-08-20 --maturity 2023-08-20 \\
        --settlement 2021-03-04 --price 95.0711 --face 250000000
    """
    from node.quotes import bond_of, bond_quote

    with refusing():
        bond = bond_of(
            coupon=coupon,
            dated=dated,
            maturity=maturity,
            frequency=int(frequency),
            end_of_month=end_of_month,
            first_payment=first_payment,
            accrual=accrual,
            pricing=pricing,
            first_period=first_period,
        )
        facts = bond_quote(
            bond, settlement, price=price, yield_=yield_, face=face, decimals=decimals
        )
    emit_sheet(
        facts, table(list(facts.items())), sheet_of_row(facts), as_json=as_json, as_csv=as_csv
    )
