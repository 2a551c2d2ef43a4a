"""`khazana report auction`: the ladder of an auction and what was decided on it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import with_client
from node.cli.auction.naming import named
from node.cli.auction.summary import TAKING
from node.cli.exits import CommandError, Exit
from node.cli.options import timeout_option, url_option
from node.cli.output import emit, json_option
from node.cli.report.drawing import (
    COLOURS,
    CUT,
    GROUPED,
    REST,
    blocks,
    counted,
    out_option,
    paper,
    unit_of,
)

if TYPE_CHECKING:
    from node.client import Client
    from node.recomputing import Figure


@click.command()
@click.argument("auction")
@out_option
@url_option
@timeout_option(60)
@json_option
def command(auction: str, out: Path, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Draw the ladder of an AUCTION that is decided, with cut-off, averages and allotments.

    Everything is worked out again first, as `khazana auction verify` does: what does not come out
    as it was published is not drawn, and the command ends with 1.

    \b
    Example:
      khazana report auction mtb-3m-574 --out mtb-3m-574.pdf
    """
    result, figures = with_client(url, timeout_s, lambda client: _read(client, auction))
    wrong = [named(figure) for figure in figures if not figure.agrees]
    if wrong:
        raise CommandError(
            Exit.REFUSED,
            f"the result of {auction} is not what it comes to: {', '.join(wrong)}",
            advice=f"See `khazana auction verify {auction}`.",
        )
    rows = _steps(result["ladder"])
    bids = sum(row["price"] is not None for row in result["ladder"])
    decided = result["result"]
    prices = [price for price, _, _ in rows]
    room = (max(prices) - min(prices)) or 1.0
    floor = min(prices) - room * 0.25
    unit, name = unit_of(sum(face for _, face, _ in rows))
    with paper(out, _title(result), result) as axes:
        left, shapes = 0.0, []
        for price, face, allotted in rows:
            for width, colour in ((allotted, COLOURS["bill"]), (face - allotted, REST)):
                if width:
                    shapes.append((left, left + width / unit, price, colour))
                    left += width / unit
        blocks(axes, shapes, floor=floor)
        axes.axhline(float(decided["cut_off"]), color=CUT, linestyle="--", linewidth=1.2)
        axes.set_ylim(floor, max(prices) + room * 0.45)
        axes.set_xlim(0, left)
        axes.xaxis.set_major_formatter(GROUPED)
        axes.set_ylabel(_BID.get(result["terms"]["form"], "price per hundred"))
        axes.set_xlabel(
            ", ".join(filter(None, ("face bid for with a price", name)))
            + "; accepted in green, the rest in grey"
        )
        axes.text(
            0.99,
            0.97,
            _summary(result, len(figures)),
            transform=axes.transAxes,
            ha="right",
            va="top",
            fontsize=10,
            linespacing=1.5,
            bbox={"facecolor": "white", "edgecolor": "none"},
        )
    facts = {"file": str(out), "auction": auction, "figures_verified": len(figures)}
    emit(facts, f"drew {counted(bids, 'bid')} into {out}; every figure verified", as_json=as_json)


def _title(result: Mapping[str, Any]) -> str:
    title = f"Auction {result['auction']} of {result['terms']['asset']}"
    given = result["destination"]
    return title if given is None else f"{title} for {given}"


def _steps(ladder: Sequence[Mapping[str, Any]]) -> list[tuple[float, float, float]]:
    """Return price, face and what was allotted of it, in order; bids at one price as one."""
    found: list[tuple[float, float, float]] = []
    for row in ladder:
        if row["price"] is None:
            continue
        price, face, allotted = (float(row[name]) for name in ("price", "face", "allotted"))
        if found and found[-1][0] == price:
            _, before, got = found.pop()
            face, allotted = before + face, got + allotted
        found.append((price, face, allotted))
    return found


async def _read(client: "Client", auction: str) -> tuple[dict[str, Any], tuple["Figure", ...]]:
    from node.cli.auction.result import read

    figures = (await client.verify_auction(auction)).figures
    return await read(client, auction), figures


_BID: Final = {
    "rate": "rate, per cent a year",
    "margin": "margin over the reference, per cent a year",
}
"""What is bid where it is no price."""


def _summary(result: dict[str, Any], verified: int) -> str:
    from node.cli.asking import grouped

    decided = result["result"]
    is_taken = result["terms"]["form"] in TAKING
    given, missing = ("taken back", "not delivered") if is_taken else ("delivered", "not paid for")
    average = f"average {decided['average_price']}"
    if decided["average_yield"] is not None:
        average += f", {decided['average_yield']} % a year"
    lines = [
        f"cut-off {decided['cut_off']}; {average}",
        f"allotted {grouped(decided['competitive'])} with a price,"
        f" {grouped(decided['noncompetitive'])} without",
        f"{result['stage']}: {grouped(result['settled'])} {given}, {grouped(result['failed'])}"
        f" {missing}",
        f"all {verified} figures worked out again and found equal",
    ]
    return "\n".join(lines)
