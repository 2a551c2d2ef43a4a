"""`khazana report auction`: the ladder of an auction and what was decided on it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import with_client
from node.cli.exits import CommandError, Exit
from node.cli.options import timeout_option, url_option
from node.cli.output import emit, json_option
from node.cli.report.drawing import COLOURS, CUT, REST, out_option, paper, unit_of

if TYPE_CHECKING:
    from node.cli.auction.recomputing import Figure
    from node.client import Client


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
      khazana report auction mtb-6m-12 --out mtb-6m-12.pdf
    """
    result, figures = with_client(url, timeout_s, lambda client: _read(client, auction))
    wrong = [figure.name for figure in figures if not figure.agrees]
    if wrong:
        raise CommandError(
            Exit.REFUSED,
            f"the result of {auction} is not what it comes to: {', '.join(wrong)}",
            advice=f"See `khazana auction verify {auction}`.",
        )
    rows = [
        (float(row["price"]), float(row["face"]), float(row["allotted"]))
        for row in result["ladder"]
        if row["price"] is not None
    ]
    decided = result["result"]
    unit, name = unit_of(sum(face for _, face, _ in rows))
    asset = result["terms"]["asset"]
    with paper(out, f"Auction {auction} of {asset}", result) as axes:
        left = 0.0
        for price, face, allotted in rows:
            for width, colour in ((allotted, COLOURS["bill"]), (face - allotted, REST)):
                if width:
                    axes.bar(
                        left, price, width / unit, align="edge", color=colour, edgecolor="white"
                    )
                    left += width / unit
        cut_off = float(decided["cut_off"])
        axes.axhline(cut_off, color=CUT, linestyle="--", linewidth=1.2)
        prices = [price for price, _, _ in rows]
        room = (max(prices) - min(prices)) or 1.0
        axes.set_ylim(min(prices) - room * 0.25, max(prices) + room * 0.45)
        axes.set_xlim(0, left)
        axes.set_ylabel(_BID.get(result["terms"]["form"], "price per hundred"))
        axes.set_xlabel(f"face bid for with a price, {name}; accepted in green".replace(", ;", ";"))
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
    emit(facts, f"drew {len(rows)} bids into {out}; every figure verified", as_json=as_json)


async def _read(client: "Client", auction: str) -> tuple[dict[str, Any], list["Figure"]]:
    from node.cli.auction.recomputing import recompute
    from node.cli.auction.result import read

    figures = await recompute(client, auction)
    return await read(client, auction), figures


_BID: Final = {
    "rate": "rate, per cent a year",
    "margin": "margin over the reference, per cent a year",
}
"""What is bid where it is no price."""


def _summary(result: dict[str, Any], verified: int) -> str:
    from node.cli.asking import grouped

    decided = result["result"]
    average = f"average {decided['average_price']}"
    if decided["average_yield"] is not None:
        average += f", {decided['average_yield']} % a year"
    lines = [
        f"cut-off {decided['cut_off']}; {average}",
        f"allotted {grouped(decided['competitive'])} with a price,"
        f" {grouped(decided['noncompetitive'])} without",
        f"{result['stage']}: {grouped(result['settled'])} delivered,"
        f" {grouped(result['failed'])} not paid for",
        f"all {verified} figures worked out again and found equal",
    ]
    return "\n".join(lines)
