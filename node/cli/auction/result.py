"""`khazana auction result`: what was decided, with the ladder that it was decided on."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import grouped, render, with_client
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option, emit_sheet

if TYPE_CHECKING:
    from node.client import Client

_PLACE: Final = ("height", "block_id", "time")
_LADDER: Final = ("price", "yield", "face", "allotted", "state")


@click.command()
@click.argument("auction")
@url_option
@timeout_option(60)
@json_option
@csv_option
def command(auction: str, url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """Print the result of an AUCTION and its whole ladder: every valid bid, no bidder.

    A price stands with its yield where the line is a bill, or pays one rate to the end and its face
    at once. With --csv the ladder alone; a bid without a price has none there.

    \b
    Example:
      khazana auction result mtb-3m-574
    """
    result = with_client(url, timeout_s, lambda client: read(client, auction))
    emit_result(result, as_json=as_json, as_csv=as_csv)


async def read(client: "Client", name: str) -> dict[str, Any]:
    """Return an auction with the rows of its ladder."""
    found = await client.call("khz_auction", auction=name)
    rows: list[Any] = []
    after: str | None = None
    while True:
        page = await client.call("khz_auctionLadder", auction=name, after=after)
        rows += page["rows"]
        after = page["next"]
        if after is None:
            break
    auction = found["auction"]
    line = await client.call("khz_asset", asset=auction["terms"]["asset"])
    ladder = [{**row, "yield": _yield_of(auction, line["asset"], row)} for row in rows]
    return {**{name: found[name] for name in _PLACE}, **auction, "ladder": ladder}


def _yield_of(
    auction: Mapping[str, Any], asset: Mapping[str, Any], row: Mapping[str, Any]
) -> str | None:
    from node.debt import AT_PAR, yield_at

    if row["price"] is None or auction["terms"]["form"] in AT_PAR:
        return None
    day = date.fromisoformat(auction["settlement_day"])
    found = yield_at(asset["kind"], asset["terms"], day, Decimal(row["price"]))
    return None if found is None else str(found)


def emit_result(result: dict[str, Any], *, as_json: bool, as_csv: bool) -> None:
    """Print an auction as `read` returns it."""
    is_switch = result["destination"] is not None
    rows = [
        (
            row["price"] or "at the average",
            row["yield"] or "-",
            grouped(row["face"]),
            grouped(row["allotted"]),
            *((grouped(row["issued"] or "0"), grouped(row["paid"] or "0")) if is_switch else ()),
            row["state"],
        )
        for row in result["ladder"]
    ]
    decided = result["result"]
    parts = [
        f"auction {result['auction']} of {result['terms']['asset']}{_given(result)}:"
        f" {result['stage']}",
        "not decided" if decided is None else render(decided),
        table(rows, head=(*_LADDER[:4], *(("given", "cash") if is_switch else ()), ""))
        if rows
        else "no ladder",
        f"as of block {result['height']}, {result['time']}",
    ]
    head = (*_LADDER, "issued", "paid") if is_switch else _LADDER
    sheet = Sheet(head=head, rows=[tuple(row[name] for name in head) for row in result["ladder"]])
    emit_sheet(result, "\n\n".join(parts), sheet, as_json=as_json, as_csv=as_csv)


def _given(result: dict[str, Any]) -> str:
    """Return what a switch gives, at what price; nothing of another auction."""
    if result["destination"] is None:
        return ""
    return f" for {result['destination']} at {result['destination_price']}"
