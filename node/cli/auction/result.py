"""`khazana auction result`: what was decided, with the ladder that it was decided on."""

from collections.abc import Mapping, Sequence
from datetime import date, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import grouped, with_client
from node.cli.auction.summary import decided_of, settled_of
from node.cli.moments import told, zone_at
from node.cli.options import timeout_option, url_option
from node.cli.output import fields, json_option, table
from node.cli.sheets import Sheet, csv_option, emit_sheet

if TYPE_CHECKING:
    from node.client import Client

_PLACE: Final = ("height", "block_id", "time")
_LADDER: Final = ("price", "yield", "face", "allotted", "state")
_SHEET: Final = (*_LADDER, "reallotted", "paid", "accrued", "issued")
_PRICE_DECIMALS: Final = 4
_CERTAIN: Final = frozenset({"decided", "rejected", "settled"})
_WITHOUT_PRICE: Final = {"average": "at the average", "cut_off": "at the cut-off"}


@click.command()
@click.argument("auction")
@url_option
@timeout_option(60)
@json_option
@csv_option
def command(auction: str, url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """Print the result of an AUCTION and its whole ladder: every valid bid, no bidder.

    A price stands with its yield where the line is a bill, or pays one rate to the end and its face
    at once; so does the average, weighted by face, which of a bill is the ledger's own. What was
    paid is with the interest accrued. With --csv the ladder alone; a bid without a price has none
    there. Times are local; with --json in UTC.

    \b
    Example:
      khazana auction result mtb-3m-574
    """

    async def call(client: "Client") -> tuple[dict[str, Any], timezone]:
        return await read(client, auction), await zone_at(client)

    result, zone = with_client(url, timeout_s, call)
    emit_result(result, zone=zone, as_json=as_json, as_csv=as_csv)


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
    return {**{name: found[name] for name in _PLACE}, **with_yields(auction, line["asset"], rows)}


def with_yields(
    auction: Mapping[str, Any], asset: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return an auction with its ladder, and the yield of each price and of the average."""
    ladder = [{**row, "yield": _yield_of(auction, asset, row)} for row in rows]
    result = auction["result"]
    if result is not None and result["average_yield"] is None:
        result = {**result, "average_yield": _average_yield(auction, asset, rows)}
    return {**auction, "result": result, "ladder": ladder}


def _average_yield(
    auction: Mapping[str, Any], asset: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> str | None:
    """Return at what yield a bond was sold to those who named a price; None: it has none."""
    from node.debt import AT_PAR, average_yield_at

    terms, result = auction["terms"], auction["result"]
    if terms["form"] in AT_PAR or asset["kind"] == "bill":
        return None
    paid = result["cut_off"] if terms["method"] == "uniform_price" else None
    allotted = [
        (face, _units(paid or row["price"], _PRICE_DECIMALS))
        for row in rows
        if row["price"] is not None and (face := _units(row["allotted"], auction["decimals"]))
    ]
    day = date.fromisoformat(result["settlement_day"])
    found = average_yield_at(asset["terms"], day, allotted) if allotted else None
    return None if found is None else str(found)


def _units(figure: str, decimals: int) -> int:
    return int(Decimal(figure).scaleb(decimals))


def _yield_of(
    auction: Mapping[str, Any], asset: Mapping[str, Any], row: Mapping[str, Any]
) -> str | None:
    from node.debt import AT_PAR, yield_at

    if row["price"] is None or auction["terms"]["form"] in AT_PAR:
        return None
    day = date.fromisoformat(auction["settlement_day"])
    found = yield_at(asset["kind"], asset["terms"], day, Decimal(row["price"]))
    return None if found is None else str(found)


def emit_result(result: dict[str, Any], *, zone: timezone, as_json: bool, as_csv: bool) -> None:
    """Print an auction as `read` returns it."""
    is_switch = result["destination"] is not None
    more = ("issued",) if is_switch else ()
    if Decimal(result["reallotted"]):
        more = ("reallotted", *more)
    if result["stage"] == "settled":
        more = (*more, "paid")
    rows = [
        (
            row["price"] or _WITHOUT_PRICE[result["terms"]["noncompetitive_price"]],
            row["yield"] or "-",
            grouped(row["face"]),
            grouped(row["allotted"]),
            *(grouped(row[name] or "0.00") for name in more),
            _state_of(result["stage"], row),
        )
        for row in result["ladder"]
    ]
    parts = [
        f"auction {result['auction']} of {result['terms']['asset']}{_given(result)}:"
        f" {result['stage']}",
        _decided(result, zone),
        table(rows, head=(*_LADDER[:4], *(_named(name, is_switch=is_switch) for name in more), ""))
        if rows
        else "no ladder",
        f"as of block {result['height']}, {told(result['time'], zone)}, local time",
    ]
    sheet = Sheet(
        head=_SHEET, rows=[tuple(row[name] for name in _SHEET) for row in result["ladder"]]
    )
    emit_sheet(result, "\n\n".join(parts), sheet, as_json=as_json, as_csv=as_csv)


def _decided(result: Mapping[str, Any], zone: timezone) -> str:
    """Return what was decided, and of what was settled what came of it."""
    if result["result"] is None:
        over = result["stage"] == "rejected"
        return "no bid was accepted" if over else "not decided"
    settled = settled_of(result) if result["stage"] == "settled" else {}
    return fields(decided_of(result, zone=zone) | settled)


def _state_of(stage: str, row: Mapping[str, Any]) -> str:
    """Return how it stands with a bid: once it is certain, what it got, or that it got nothing."""
    if row["state"] == "open" and stage in _CERTAIN:
        is_accepted = stage != "rejected" and Decimal(row["allotted"])
        return "allotted" if is_accepted else "not accepted"
    return str(row["state"])


def _named(name: str, *, is_switch: bool) -> str:
    return {"issued": "given", "paid": "cash"}.get(name, name) if is_switch else name


def _given(result: dict[str, Any]) -> str:
    """Return what a switch gives, at what price; nothing of another auction."""
    if result["destination"] is None:
        return ""
    return f" for {result['destination']} at {result['destination_price']}"
