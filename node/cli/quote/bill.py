"""`khazana quote bill`: price and yield of a bill."""

from datetime import date
from fractions import Fraction

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import json_option, table
from node.cli.quote.figures import (
    DAY,
    FIGURE,
    PRICE_DECIMALS,
    YIELD_DECIMALS,
    amount,
    face_of,
    in_percent,
    on_grid,
    one_of,
    plain,
    price_of,
    rate,
    refusing,
)
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
@click.option(
    "--decimals",
    type=click.IntRange(0, 12),
    default=PRICE_DECIMALS,
    show_default=True,
    help="Of the price.",
)
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
    else is printed belongs to that price. The discount rate is on 360 days; between two dates the
    coupon-equivalent yield is printed too, which compounds at half-years as bonds do (both as in
    the United States, 31 CFR 356).

    \b
    Example:
      khazana quote bill --days 84 --yield 7.1485 --face 25000000000
    """
    from node.ledger.pricing import (
        bill_discount_rate,
        bill_price_from_discount,
        bill_price_from_yield,
        bill_yield,
    )

    left = _days(days, settlement, maturity)
    one_of(**{"price": price, "yield": yield_, "discount": discount})
    face = None if face is None else face_of(face)
    price = None if price is None else price_of(price)
    with refusing():
        if yield_ is not None:
            price = on_grid(bill_price_from_yield(in_percent(yield_), left, year=year), decimals)
        elif discount is not None:
            price = on_grid(bill_price_from_discount(in_percent(discount), left), decimals)
            if price <= 0:
                raise CommandError(
                    Exit.USAGE,
                    f"a discount rate of {plain(discount)} % over {left} days takes the whole face",
                )
        assert price is not None  # One of the three is given.
        facts: dict[str, object] = {
            "days": left,
            "price": plain(price),
            "yield_percent": rate(bill_yield(price, left, year=year)),
            "discount_percent": rate(bill_discount_rate(price, left)),
        }
        if settlement is not None:
            facts["coupon_equivalent_percent"] = _coupon_equivalent(price, left, settlement)
    if face is not None:
        facts |= {"face": plain(face), "cost": amount(face, price)}
    sheet = sheet_of_row(facts)
    emit_sheet(facts, table(list(facts.items())), sheet, as_json=as_json, as_csv=as_csv)


def _coupon_equivalent(price: Fraction, left: int, settlement: date) -> str:
    """Return the yield of a bond that would be worth as much, in per cent."""
    from node.ledger.pricing import add_months, investment_rate, text

    year = (add_months(settlement, 12, to_end=False) - settlement).days
    return text(investment_rate(price, left, year=year, decimals=YIELD_DECIMALS), YIELD_DECIMALS)


def _days(days: int | None, settlement: date | None, maturity: date | None) -> int:
    if days is not None and settlement is None and maturity is None:
        return days
    if days is None and settlement is not None and maturity is not None:
        return (maturity - settlement).days
    raise CommandError(
        Exit.USAGE, "expected --days, or --settlement and --maturity; found neither, or both"
    )
