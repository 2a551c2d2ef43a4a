"""`khazana quote floater`: price and discount margin of a floating bond."""

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import click

from node.cli.output import json_option, table
from node.cli.quote.figures import (
    DAY,
    FIGURE,
    PRICE_DECIMALS,
    YIELD_DECIMALS,
    amount,
    face_of,
    in_percent,
    one_of,
    percent_of,
    plain,
    price_of,
    refusing,
)
from node.cli.sheets import csv_option, emit_sheet, sheet_of_row

if TYPE_CHECKING:
    from node.ledger.pricing import Floater

YEARS_MAX: Final = 100
_MONTHS: Final = 12
_YEAR_FIRST: Final = 1_700
"""Before it there is no debt, and no year to count back to."""


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
    --decimals. At a margin equal to the spread a bond is worth par on the day of a payment.

    \b
    Example:
      khazana quote floater --maturity 2029-02-11 --settlement 2027-03-11 --reference 11.25 \\
        --spread 0.5 --price 99.4500 --face 100000000
    """
    from node.ledger.pricing import floater_margin, floater_price, floater_share, half_up, text

    one_of(**{"price": price, "discount-margin": discount_margin})
    face = None if face is None else face_of(face)
    price = None if price is None else price_of(price)
    on = percent_of(reference, "--reference")
    rate = max(Fraction(0), on + in_percent(spread))
    rate = rate if fixed is None else percent_of(fixed, "--fixed")
    with refusing():
        note = _note(on, in_percent(spread), maturity, settlement, int(frequency), day_count)
        assert note.begins is not None, "a note is made with it"
        accrued = 100 * rate * floater_share(note, note.begins, settlement)
        first = 100 * rate * floater_share(note, note.begins, note.payments[0])
        if price is None:
            assert discount_margin is not None, "one of the two"
            units = floater_price(
                note,
                settlement,
                in_percent(discount_margin),
                accrued=accrued,
                first=first,
                decimals=decimals,
            )
            price = Fraction(units, 10**decimals)
        margin = floater_margin(
            note, settlement, price, accrued=accrued, first=first, decimals=YIELD_DECIMALS
        )
    full = price + accrued
    facts: dict[str, object] = {
        "price": plain(price),
        "discount_margin_percent": text(margin, YIELD_DECIMALS),
        "accrued": text(half_up(accrued, decimals), decimals),
        "full_price": text(half_up(full, decimals), decimals),
        "next_payment": note.payments[0].isoformat(),
        "next_payment_per_hundred": text(half_up(first, decimals), decimals),
    }
    if face is not None:
        facts |= {
            "face": plain(face),
            "cost": amount(face, price),
            "accrued_interest": amount(face, accrued),
            "payable": amount(face, full),
        }
    sheet = sheet_of_row(facts)
    emit_sheet(facts, table(list(facts.items())), sheet, as_json=as_json, as_csv=as_csv)


def _note(
    reference: Fraction,
    spread: Fraction,
    maturity: date,
    settlement: date,
    frequency: int,
    day_count: str,
) -> "Floater":
    """Return what is left of a bond, its payments counted back from its maturity.

    Raises:
        PricingError: it has matured, or lives for too long.
    """
    from node.ledger.pricing import DayCount, Floater, PricingError
    from node.ledger.pricing.periods import add_months

    if settlement >= maturity:
        raise PricingError(f"settlement on {settlement}: expected before {maturity}")
    if maturity.year - settlement.year > YEARS_MAX or settlement.year < _YEAR_FIRST:
        raise PricingError(f"from {settlement} to {maturity} are more than {YEARS_MAX} years")
    days = [maturity]
    while days[-1] > settlement:
        days.append(add_months(maturity, -_MONTHS // frequency * len(days), to_end=False))
    begins, *payments = reversed(days)
    return Floater(
        reference=reference,
        spread=spread,
        payments=tuple(payments),
        day_count=DayCount(day_count),
        begins=begins,
        frequency=frequency,
    )
