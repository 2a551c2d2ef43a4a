"""`khazana report curve`: yields by tenor."""

from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import with_client
from node.cli.debt import read_debt
from node.cli.exits import CommandError, Exit
from node.cli.options import timeout_option, url_option
from node.cli.output import emit, json_option
from node.cli.report.drawing import COLOURS, LABELS, REST, counted, out_option, paper

if TYPE_CHECKING:
    from node.debt import Sale

_MARKS: Final = (
    (1 / 12, "1 m"),
    (1 / 4, "3 m"),
    (1 / 2, "6 m"),
    (1, "1 y"),
    (2, "2 y"),
    (3, "3 y"),
    (5, "5 y"),
    (10, "10 y"),
    (15, "15 y"),
    (20, "20 y"),
    (30, "30 y"),
    (50, "50 y"),
    (100, "100 y"),
)
_APART: Final = 0.045
"""Of the axis: nearer to each other two marks could not be read."""
_LINES_MAX: Final = 30
"""Of the list beside the curve, in letters that need no glass."""


@click.command()
@out_option
@url_option
@timeout_option(60)
@json_option
def command(out: Path, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Draw the average yield of the last auction of each tenor, of what is still owed.

    Bills have the yield that their auction published, bonds the street yield of their average
    price; the distance of the tenors goes by the root of the time. With --json the points are
    printed too.

    \b
    Example:
      khazana report curve --out curve.png
    """
    from node.debt import CURVES, DAYS_OF_YEAR, KINDS, curve, read_lines, read_sales

    result = with_client(url, timeout_s, read_debt)
    points = curve(read_sales(result["auctions"], read_lines(result["lines"])))
    if not points:
        raise CommandError(
            Exit.REFUSED,
            "there is no yield to draw: nothing that is owed was auctioned here",
            advice="`khazana auction list` says what was auctioned.",
        )
    with paper(out, "Yield by tenor at the last auctions", result) as axes:
        # Bills lie close together: their distance goes by the root of the time, so that they part.
        places = [sqrt(point.days / DAYS_OF_YEAR) for point in points]
        rates = [float(point.rate or 0) for point in points]
        for kinds in CURVES:
            on_one = [place for place, point in enumerate(points) if point.kind in kinds]
            xs, ys = ([values[place] for place in on_one] for values in (places, rates))
            axes.plot(xs, ys, color=REST, zorder=1)
        for kind in KINDS:
            chosen = [place for place, point in enumerate(points) if point.kind == kind]
            if chosen:
                axes.scatter(
                    [places[place] for place in chosen],
                    [rates[place] for place in chosen],
                    color=COLOURS[kind],
                    label=LABELS[kind],
                    s=60,
                    zorder=2,
                )
        for number, (x, y, point) in enumerate(zip(places, rates, points, strict=True), 1):
            # Of two curves one has its numbers below, for where both have a tenor.
            is_below = point.kind not in CURVES[0]
            axes.annotate(
                str(number),
                (x, y),
                textcoords="offset points",
                xytext=(0, -16 if is_below else 9),
                ha="center",
                fontsize=9,
            )
        _measure(axes, places, rates)
        axes.set_xlabel("time to maturity, from the settlement")
        axes.set_ylabel("per cent a year")
        axes.text(
            1.02,
            1,
            "\n".join(_listed(points)),
            transform=axes.transAxes,
            va="top",
            family="monospace",
            fontsize=_small(len(points)),
            linespacing=1.6,
        )
    facts = {
        "file": str(out),
        "points": [
            {
                "auction": point.auction,
                "asset": point.asset,
                "kind": point.kind,
                "settlement_day": point.settlement_day.isoformat(),
                "days": point.days,
                "average_price": str(point.average_price),
                "average_yield": str(point.rate),
            }
            for point in points
        ],
    }
    emit(facts, f"drew {counted(len(points), 'point')} into {out}", as_json=as_json)


def _measure(axes: Any, places: Sequence[float], rates: Sequence[float]) -> None:
    """Give the axes their range, also where there is one point, and marks that people know."""
    last = max(places) * 1.08
    axes.set_xlim(0, last)
    marks: list[tuple[float, str]] = []
    for years, label in _MARKS:
        place = sqrt(years)
        if place <= last and (not marks or place - marks[-1][0] > last * _APART):
            marks.append((place, label))
    axes.set_xticks([place for place, _ in marks], [label for _, label in marks])
    room = max((max(rates) - min(rates)) * 0.2, 0.5)
    axes.set_ylim(min(rates) - room, max(rates) + room)


def _listed(points: "Sequence[Sale]") -> list[str]:
    """Return what the numbers at the points stand for, in columns."""
    wide = max(len(point.asset) for point in points)
    return [
        f"{number:>2}  {point.asset.ljust(wide)}  {point.rate} %"
        for number, point in enumerate(points, 1)
    ]


def _small(count: int) -> float:
    """Return in which size so many lines fit on the page."""
    return 8 if count <= _LINES_MAX else max(3.0, 8 * _LINES_MAX / count)
