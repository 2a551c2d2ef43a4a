"""`khazana auction bids`: what a bidder has in an auction, and how it stands."""

from collections.abc import Mapping
from datetime import timezone
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import cell, grouped, with_client
from node.cli.moments import told, zone_at
from node.cli.options import timeout_option, url_option
from node.cli.output import fields, json_option, table
from node.cli.sheets import Sheet, csv_option, emit_sheet, sheet_of_row

if TYPE_CHECKING:
    from node.client import Client


@click.command()
@click.argument("participant")
@click.option("--auction", help="Print its bids in this auction too, until it is over.")
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(
    participant: str,
    auction: str | None,
    url: str,
    timeout_s: float,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print the bids of a PARTICIPANT in an auction, and what it has failed to do in any.

    What a sealed bid says, the ledger does not know; the files of `khazana auction bid` do. With
    --csv the bids, or what it has failed to do where no auction is named. Times are local; with
    --json and --csv in UTC.

    \b
    Example:
      khazana auction bids participant-0 --auction mtb-3m-574
    """

    async def read(client: "Client") -> tuple[Mapping[str, Any], timezone]:
        asked = {"participant": participant} | ({} if auction is None else {"auction": auction})
        return await client.call("khz_bidder", **asked), await zone_at(client)

    result, zone = with_client(url, timeout_s, read)
    sheet = sheet_of_row(_record(result)) if auction is None else _sheet(result)
    emit_sheet(result, _text(result, auction, zone), sheet, as_json=as_json, as_csv=as_csv)


_HEAD: Final = (
    "number",
    "account",
    "commitment",
    "price",
    "face",
    "cash_account",
    "office",
    "void",
)


def _text(result: Mapping[str, Any], auction: str | None, zone: timezone) -> str:
    standing = result["standing"]
    excluded = standing["excluded_until"]
    is_excluded = excluded is not None and excluded > result["time"]  # in UTC they sort as text
    parts = [
        fields(
            {
                "participant": result["participant"],
                "bids left unopened": standing["unrevealed"],
                "allotments not paid for": standing["failed"],
                "envelopes not entered": standing["unentered"],
                "may bid": f"not before {told(excluded, zone)}" if is_excluded else "yes",
            }
        )
    ]
    if auction is not None:
        rows = [[_cell(name, bid[name]) for name in _HEAD] for bid in result["bids"]]
        parts.append(table(rows, head=_HEAD) if rows else f"no bids in {auction}")
    parts.append(f"as of block {result['height']}, {told(result['time'], zone)}, local time")
    return "\n\n".join(parts)


def _cell(name: str, value: Any) -> str:
    return grouped(value) if name == "face" and value is not None else cell(value)


def _record(result: Mapping[str, Any]) -> Mapping[str, object]:
    return {"participant": result["participant"], **result["standing"]}


def _sheet(result: Mapping[str, Any]) -> Sheet:
    rows = [
        tuple(_word(bid[name]) if name == "void" else bid[name] for name in _HEAD)
        for bid in result["bids"]
    ]
    return Sheet(head=_HEAD, rows=rows)


def _word(value: object) -> str:
    return "yes" if value else "no"
