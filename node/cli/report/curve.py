"""`khazana report curve`: yields by tenor."""

from pathlib import Path

import click

from node.cli.asking import with_client
from node.cli.debt import read_debt
from node.cli.exits import CommandError, Exit
from node.cli.options import timeout_option, url_option
from node.cli.output import emit, json_option
from node.cli.report.drawing import COLOURS, LABELS, REST, out_option, paper


@click.command()
@out_option
@url_option
@timeout_option(60)
@json_option
def command(out: Path, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Draw the average yield of the last auction of each tenor, of what is still owed.

    Bills have the yield that their auction published, bonds the street yield of their average
    price. With --json the points are printed too.

    \b
    Example:
      khazana report curve --out curve.png
    """
    from node.debt import CURVES, KINDS, curve, read_lines, read_sales

    result = with_client(url, timeout_s, read_debt)
    points = curve(read_sales(result["auctions"], read_lines(result["lines"])))
    if not points:
        raise CommandError(
            Exit.REFUSED,
            "there is no yield to draw: nothing that is owed was auctioned here",
            advice="`khazana auction list` says what was auctioned.",
        )
    with paper(out, "Yield by tenor at the last auctions", result) as axes:
        years = [point.days / 365 for point in points]
        rates = [float(point.rate or 0) for point in points]
        for kinds in CURVES:
            on_one = [place for place, point in enumerate(points) if point.kind in kinds]
            xs, ys = ([values[place] for place in on_one] for values in (years, rates))
            axes.plot(xs, ys, color=REST, zorder=1)
        for kind in KINDS:
            chosen = [place for place, point in enumerate(points) if point.kind == kind]
            if chosen:
                axes.scatter(
                    [years[place] for place in chosen],
                    [rates[place] for place in chosen],
                    color=COLOURS[kind],
                    label=LABELS[kind],
                    s=60,
                    zorder=2,
                )
        for x, y, point in zip(years, rates, points, strict=True):
            axes.annotate(
                f"{point.rate} %\n{point.asset}",
                (x, y),
                textcoords="offset points",
                xytext=(0, 10),
                ha="center",
                fontsize=9,
            )
        axes.margins(x=0.1, y=0.25)
        axes.set_xlabel("years to maturity, from the settlement")
        axes.set_ylabel("per cent a year")
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
    emit(facts, f"drew {len(points)} points into {out}", as_json=as_json)
