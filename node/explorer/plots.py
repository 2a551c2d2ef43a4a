"""The drawings of the debt: wall of maturities, yield curve, ladder of an auction, in a language.

What each shows stands in words beside it (`aria-label`), and as a table on the same page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isqrt
from typing import Final

from markupsafe import Markup

from node.debt import CURVES, KINDS
from node.explorer.catalogues import Catalogue
from node.explorer.charts import dotted, stacked, steps
from node.explorer.contents import CurvePoint, WallColumn

_SCALE: Final = 1_000
_LOWEST: Final = 120
"""How high the lowest price of a ladder stands: a bid at the lowest price is still to be seen."""
_SIZES: Final = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A drawing with its title."""

    title: str
    drawing: Markup


def rounded(catalogue: Catalogue, amount: str) -> str:
    """Return an amount as a headline says it: two decimals of a million, billion or trillion."""
    value = Decimal(amount)
    for unit, name in _SIZES:
        if value >= unit:
            # A hundredth of the unit more is told of than is there at most: half up.
            hundredths = (int(value) * 100 * 2 + unit) // (2 * unit)
            shown = f"{hundredths // 100:,}.{hundredths % 100:02}"
            return catalogue.text(f"amount-{name}", amount=shown)
    return f"{int(value):,}"


def tenor(catalogue: Catalogue, months: int) -> str:
    """Return a tenor in months, or in years where it is whole years."""
    if months and months % 12 == 0:
        return catalogue.text("tenor-years", count=months // 12)
    return catalogue.text("tenor-months", count=months)


def walls(catalogue: Catalogue, columns: Sequence[WallColumn]) -> Iterator[Plot]:
    """Yield a wall of maturities for each currency."""
    for currency in dict.fromkeys(each.currency for each in columns):
        chosen = [each for each in columns if each.currency == currency]
        highest = max(chosen, key=lambda each: Decimal(each.total))
        total = sum(Decimal(each.total) for each in chosen)
        yield Plot(
            title=f"{catalogue.text('wall')}, {currency}",
            drawing=stacked(
                [
                    (each.period, [int(Decimal(each.by_kind[kind])) for kind in KINDS])
                    for each in chosen
                ],
                layers=KINDS,
                top=rounded(catalogue, highest.total),
                kind="wall",
                label=catalogue.text(
                    "wall-label",
                    total=rounded(catalogue, str(total)),
                    currency=currency,
                    first=chosen[0].period,
                    last=chosen[-1].period,
                    highest=rounded(catalogue, highest.total),
                    period=highest.period,
                ),
            ),
        )


def curve(catalogue: Catalogue, points: Sequence[CurvePoint]) -> Plot:
    """Return the yield curve; short tenors, of which there are most, get the most room."""
    places = [isqrt(point.days * 10_000) for point in points]
    rates = [Decimal(point.average_yield) for point in points]
    label = ", ".join(
        f"{tenor(catalogue, point.months)} {point.average_yield} %" for point in points
    )
    return Plot(
        title=catalogue.text("curve"),
        drawing=dotted(
            [
                (
                    place * _SCALE // max(places),
                    _between(rate, min(rates), max(rates)),
                    point.kind,
                    f"{rate:.2f}",
                    tenor(catalogue, point.months),
                )
                for point, place, rate in zip(points, places, rates, strict=True)
            ],
            joined=CURVES,
            kind="curve",
            label=f"{catalogue.text('curve')}: {label}",
        ),
    )


def demand(catalogue: Catalogue, rows: Sequence[tuple[str, str]], cut_off: str | None) -> Plot:
    """Return what was bid for at each price, the highest first, and where it was cut off."""
    prices = [Decimal(price) for price, _ in rows]
    faces = [Decimal(face) for _, face in rows]
    low, high = min(prices), max(prices)

    def height(price: Decimal) -> int:
        return _LOWEST + _between(price, low, high) * (_SCALE - _LOWEST) // _SCALE

    return Plot(
        title=catalogue.text("demand"),
        drawing=steps(
            [
                (int(face * _SCALE // max(faces)), height(price))
                for price, face in zip(prices, faces, strict=True)
            ],
            cut=None if cut_off is None else height(Decimal(cut_off)),
            kind="demand",
            label=catalogue.text(
                "demand-label",
                face=rounded(catalogue, str(sum(faces))),
                highest=str(high),
                lowest=str(low),
            ),
            ends=(str(high), str(low)),
        ),
    )


def _between(value: Decimal, low: Decimal, high: Decimal) -> int:
    """Return how far up from the lowest to the highest a value is, in thousandths."""
    return int((value - low) * _SCALE // (high - low)) if high > low else _SCALE // 2
