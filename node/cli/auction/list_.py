"""`khazana auction list`: the auctions on the ledger."""

from collections.abc import Mapping, Sequence
from datetime import timezone
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import grouped, read_all, with_client
from node.cli.moments import told, zone_at
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option, emit_sheet

if TYPE_CHECKING:
    from node.client import Client


@click.command("list")
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """List the auctions that were announced: name, asset, stage, target and times.

    Times are local; with --json and --csv in UTC.

    \b
    Example:
      khazana auction list
    """

    async def read(client: "Client") -> tuple[dict[str, Any], timezone]:
        found = await read_all(client, "khz_auctions", "auctions")
        return found, await zone_at(client)

    result, zone = with_client(url, timeout_s, read)
    auctions = result["auctions"]
    text = _text(auctions, zone) if auctions else "no auctions"
    place = f"as of block {result['height']}, {told(result['time'], zone)}, local time ({zone})"
    emit_sheet(result, f"{text}\n\n{place}", _sheet(auctions), as_json=as_json, as_csv=as_csv)


_MOMENTS: Final = ("opens", "closes", "settles")
_HEAD: Final = ("auction", "asset", "stage", "target", *_MOMENTS)


def _text(auctions: Sequence[Mapping[str, Any]], zone: timezone) -> str:
    return table(
        [
            (
                each["auction"],
                each["asset"],
                each["stage"],
                grouped(each["target"]),
                *(told(each[name], zone) for name in _MOMENTS),
            )
            for each in auctions
        ],
        head=_HEAD,
    )


def _sheet(auctions: Sequence[Mapping[str, Any]]) -> Sheet:
    return Sheet(head=_HEAD, rows=[tuple(each[name] for name in _HEAD) for each in auctions])
