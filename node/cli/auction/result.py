"""`khazana auction result`: what was decided, with the ladder that it was decided on."""

from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import grouped, render, with_client
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option, emit_sheet

if TYPE_CHECKING:
    from node.client import Client

_PLACE: Final = ("height", "block_id", "time")
_LADDER: Final = ("price", "face", "allotted", "state")


@click.command()
@click.argument("auction")
@url_option
@timeout_option(60)
@json_option
@csv_option
def command(auction: str, url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """Print the result of an AUCTION and its whole ladder: every valid bid, no bidder.

    With --csv the ladder alone; a bid without a price has none there.

    \b
    Example:
      khazana auction result mtb-3m-574
    """
    result = with_client(url, timeout_s, lambda client: read(client, auction))
    emit_result(result, as_json=as_json, as_csv=as_csv)


async def read(client: "Client", auction: str) -> dict[str, Any]:
    """Return an auction with the rows of its ladder."""
    found = await client.call("khz_auction", auction=auction)
    rows: list[Any] = []
    after: str | None = None
    while True:
        page = await client.call("khz_auctionLadder", auction=auction, after=after)
        rows += page["rows"]
        after = page["next"]
        if after is None:
            return {**{name: found[name] for name in _PLACE}, **found["auction"], "ladder": rows}


def emit_result(result: dict[str, Any], *, as_json: bool, as_csv: bool) -> None:
    """Print an auction as `read` returns it."""
    is_switch = result["destination"] is not None
    rows = [
        (
            row["price"] or "at the average",
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
        table(rows, head=(*_LADDER[:3], *(("given", "cash") if is_switch else ()), ""))
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
