"""`khazana auction show`: one auction."""

from collections.abc import Mapping
from datetime import timezone
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import indented, with_client
from node.cli.auction.summary import decided_of, settled_of, summary_of
from node.cli.moments import day_told, told, zone_at
from node.cli.options import timeout_option, url_option
from node.cli.output import fields, json_option
from node.cli.sheets import csv_option, emit_sheet, sheet_of_members

if TYPE_CHECKING:
    from node.client import Client
    from node.client.reads import Asset

_NEXT: Final = {
    "announced": ("bids come in from", "opens"),
    "open": ("bids come in until", "closes"),
    "revealing": ("sealed bids are opened until", "reveals_until"),
    "deciding": ("the book is complete, and is decided on until", "decides_until"),
    "decided": ("it settles from", "settles"),
}
"""What goes on in a stage that is not the last, up to which of the announced moments."""
_OVER: Final = {
    "rejected": "no bid was accepted",
    "settled": "each allotment was paid for, or has failed",
}


@click.command()
@click.argument("auction")
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(auction: str, url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """Print the terms of an AUCTION, how far it has come, and what was decided and settled.

    "not paid for" is what was allotted to who did not pay. By the announced rule it is not issued,
    or those get it who were cut short at the cut-off: "re-allotted" is how much they got.

    Times are local. With --json and --csv they are in UTC, and every figure as the ledger has it:
    prices in units of 0.0001, shares in hundredths of a per cent. With --csv a row for each member;
    one that lies in another is named with a dot between.

    \b
    Examples:
      khazana auction show mtb-3m-574
      khazana auction show mtb-3m-574 --csv
    """

    async def read(client: "Client") -> tuple[Mapping[str, Any], "Asset", timezone]:
        found: Mapping[str, Any] = await client.call("khz_auction", auction=auction)
        line = await client.asset(found["auction"]["terms"]["asset"])
        return found, line.value, await zone_at(client)

    result, line, zone = with_client(url, timeout_s, read)
    emit_sheet(
        result,
        _text(result, line, zone),
        sheet_of_members(result["auction"]),
        as_json=as_json,
        as_csv=as_csv,
    )


def _text(result: Mapping[str, Any], line: "Asset", zone: timezone) -> str:
    auction = result["auction"]
    terms, stage = auction["terms"], auction["stage"]
    parts = [
        f"auction {auction['auction']}: {stage}, {_stage(terms, stage, zone)}",
        _part("terms", summary_of(terms, line, zone=zone)),
        _part("book", _book(auction)),
    ]
    if auction["result"] is not None:
        parts.append(_part("result", decided_of(auction, zone=zone)))
    if stage == "settled":
        parts.append(_part("settlement", settled_of(auction)))
    parts.append(f"as of block {result['height']}, {told(result['time'], zone)}, local time")
    return "\n\n".join(parts)


def _stage(terms: Mapping[str, Any], stage: str, zone: timezone) -> str:
    if stage in _OVER:
        return _OVER[stage]
    what, until = _NEXT[stage]
    return f"{what} {told(terms[until], zone)}"


def _book(auction: Mapping[str, Any]) -> dict[str, str]:
    sealed, unopened = auction["sealed"], auction["unrevealed"]
    return {
        "sealed bids": f"{sealed}, {unopened} of them never opened" if unopened else str(sealed),
        "without a price": str(auction["noncompetitive_bids"]),
        "yields count": f"from {day_told(auction['settlement_day'])}",
    }


def _part(name: str, pairs: Mapping[str, str]) -> str:
    return f"{name}:\n{indented(fields(pairs))}"
