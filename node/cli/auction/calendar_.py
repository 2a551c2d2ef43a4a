"""`khazana auction calendar`: what is to happen in auctions, day by day."""

from collections.abc import Mapping
from typing import Any, Final

import click

from node.cli.asking import grouped, read_all, with_client
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option, emit_sheet

_STEPS: Final = ("opens", "closes", "settles")
_OVER: Final = frozenset({"rejected", "settled"})
_HEAD: Final = ("time", "step", "auction", "asset", "form", "target")


@click.command("calendar")
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """Print what is still to happen in auctions that were announced, the next first.

    Bids of an auction come in from when it opens to when it closes; who was allotted something pays
    for it, or is paid, when it settles. A settlement by a calendar moves with that calendar.

    \b
    Example:
      khazana auction calendar
    """
    found = with_client(url, timeout_s, lambda client: read_all(client, "khz_auctions", "auctions"))
    steps = steps_of(found)
    facts = {**{name: found[name] for name in ("height", "block_id", "time")}, "calendar": steps}
    rows = [tuple(each[name] for name in _HEAD) for each in steps]
    shown = [(*row[:-1], grouped(row[-1])) for row in rows]
    said = table(shown, head=_HEAD) if rows else "nothing is announced"
    place = f"as of block {found['height']}, {found['time']}"
    emit_sheet(
        facts, f"{said}\n\n{place}", Sheet(head=_HEAD, rows=rows), as_json=as_json, as_csv=as_csv
    )


def steps_of(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what is to happen after the time of the answer, in order of time and then of name."""
    steps = [
        {
            "time": auction[step],
            "step": step,
            **{name: auction[name] for name in ("auction", "asset", "form", "target")},
        }
        for auction in found["auctions"]
        if auction["stage"] not in _OVER
        for step in _STEPS
        if auction[step] > found["time"]  # RFC 3339 in UTC sorts as text
    ]
    return sorted(steps, key=lambda each: (each["time"], each["auction"]))
