"""`khazana quote bill`: price and yield of a bill."""

from datetime import date
from fractions import Fraction

import click

from node.cli.output import json_option, table
from node.cli.quote.figures import DAY, FIGURE, decimals_option, refusing
from node.cli.sheets import csv_option, emit_sheet, sheet_of_row


@click.command()
@click.option("--days", type=click.IntRange(1, 3_660), help="From settlement to maturity.")
@click.option("--settlement", type=DAY, help="With --maturity, instead of --days.")
@click.option("--maturity", type=DAY, help="With --settlement, instead of --days.")
@click.option("--price", type=FIGURE, help="Per hundred of face value.")
@click.option("--yield", "yield_", type=FIGURE, help="Simple, in per cent a year.")
@click.option("--discount", type=FIGURE, help="Discount rate in per cent, on 360 days.")
@click.option("--face", type=FIGURE, help="Face value, for what it costs.")
@click.option(
    "--year", type=click.IntRange(360, 366), default=365, show_default=True, help="Days of a year."
)
@decimals_option
@json_option
@csv_option
def command(
    days: int | None,
    settlement: date | None,
    maturity: date | None,
    price: Fraction | None,
    yield_: Fraction | None,
    discount: Fraction | None,
    face: Fraction | None,
    year: int,
    decimals: int,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Convert between price, yield and discount rate of a bill: give one of them.

    The yield is simple interest over --year days, as Pakistan's treasury bills are quoted:
    P = 100 / (1 + y·d/365). The price is rounded half up to --decimals first, as it is bid; what
    was given is printed as it was, and what else is printed belongs to that price. The discount
    rate is on 360 days; between two dates the coupon-equivalent yield is printed too, which
    compounds at half-years as bonds do (both as in the United States, 31 CFR 356).

    \b
    Example:
      khazana quote bill --days 84 --yield 7.1485 --face 25000000000
    """
    from node.quotes import bill_quote

    with refusing():
        facts = bill_quote(
            days=days,
            settlement=settlement,
            maturity=maturity,
            price=price,
            yield_=yield_,
            discount=discount,
            face=face,
            year=year,
            decimals=decimals,
        )
    emit_sheet(
        facts, table(list(facts.items())), sheet_of_row(facts), as_json=as_json, as_csv=as_csv
    )
