"""`khazana auction list`: the auctions on the ledger."""

from collections.abc import Mapping, Sequence
from datetime import timezone
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import grouped, read_all, with_client
from node.cli.auction.summary import OF_A_LINE
from node.cli.moments import told, zone_at
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option, emit_sheet

if TYPE_CHECKING:
    from node.client import Client


@click.command("list")
@url_option
@timeout_option(30)
@json_option
@csv_option
def command(url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """List the auctions that were announced: name, asset, stage, target, times, and the cut-off.

    A cut-off price stands with its yield in per cent a year, where the line is a bill or pays one
    rate to the end and its face at once. Times are local; with --json and --csv in UTC.

    \b
    Example:
      khazana auction list
    """

    async def read(client: "Client") -> tuple[dict[str, Any], timezone]:
        found = await read_all(client, "khz_auctions", "auctions")
        yields = await _yields(client, found["auctions"])
        auctions = [
            {**each, "cut_off_yield": yields.get(each["auction"])} for each in found["auctions"]
        ]
        return {**found, "auctions": auctions}, await zone_at(client)

    result, zone = with_client(url, timeout_s, read)
    auctions = result["auctions"]
    text = _text(auctions, zone) if auctions else "no auctions"
    place = f"as of block {result['height']}, {told(result['time'], zone)}, local time ({zone})"
    emit_sheet(result, f"{text}\n\n{place}", _sheet(auctions), as_json=as_json, as_csv=as_csv)


_MOMENTS: Final = ("opens", "closes", "settles")
_HEAD: Final = ("auction", "asset", "stage", "target", *_MOMENTS, "cut_off", "cut_off_yield")


async def _yields(client: "Client", auctions: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the yields at the prices that were decided, by auction; each line is asked once."""
    from node.debt import AT_PAR, cut_off_yield

    priced = [each for each in auctions if each["result"] and each["form"] not in AT_PAR]
    lines: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for code in {each["asset"] for each in priced}:
        line = (await client.call("khz_asset", asset=code))["asset"]
        lines[code] = (line["kind"], line["terms"])
    found = {
        each["auction"]: cut_off_yield(
            each["form"],
            *lines[each["asset"]],
            cut_off=each["result"]["cut_off"],
            settlement_day=each["result"]["settlement_day"],
        )
        for each in priced
    }
    return {name: str(rate) for name, rate in found.items() if rate is not None}


def _text(auctions: Sequence[Mapping[str, Any]], zone: timezone) -> str:
    return table(
        [
            (
                each["auction"],
                each["asset"],
                each["stage"],
                grouped(each["target"]),
                *(told(each[name], zone) for name in _MOMENTS),
                _cut_off(each),
                f"{each['cut_off_yield']} %" if each["cut_off_yield"] else "-",
            )
            for each in auctions
        ],
        head=(*_HEAD[:-2], "cut-off", "its yield"),
    )


def _cut_off(auction: Mapping[str, Any]) -> str:
    """Return what was decided: a price, or a rate or margin in per cent."""
    if not auction["result"]:
        return "-"
    unit = " %" if auction["form"] in OF_A_LINE else ""
    return f"{auction['result']['cut_off']}{unit}"


def _sheet(auctions: Sequence[Mapping[str, Any]]) -> Sheet:
    rows = [{**each, "cut_off": (each["result"] or {}).get("cut_off")} for each in auctions]
    return Sheet(head=_HEAD, rows=[tuple(each[name] for name in _HEAD) for each in rows])
