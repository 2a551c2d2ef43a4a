"""`khazana auction calendar`: what is planned and announced of auctions, and what falls due."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import grouped, read_all, with_client
from node.cli.exits import CommandError, Exit
from node.cli.moments import zone_of
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option, emit_sheet
from node.cli.trusted import amendments_option, founded, max_age_option, recency_of

if TYPE_CHECKING:
    from node.client import Client
    from node.genesis import Genesis

_STEPS: Final = ("opens", "closes", "settles")
_OVER: Final = frozenset({"rejected", "settled"})
_HEAD: Final = ("time", "step", "auction", "asset", "form", "target", "maturing")
_PLANNED: Final = (
    "day",
    "settlement_day",
    "kind",
    "tenor_months",
    "form",
    "line",
    "target",
    "currency",
    "maturing",
    "provisional",
    "plan",
)
_NONE: Final = "0"


@click.command("calendar")
@click.option("--plan", "planned", is_flag=True, help="Only what is planned.")
@click.option(
    "--genesis",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --plan: the network's genesis, against which each plan is proven.",
)
@amendments_option
@max_age_option
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(
    genesis: Path | None,
    amendments: tuple[Path, ...],
    max_age_s: float,
    url: str,
    timeout_s: float,
    *,
    planned: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print the auctions that are planned, and what is still to happen in those announced.

    A plan promises nothing; `provisional` is what hangs on a day that is not certain. Bids of an
    auction come in from when it opens to when it closes; who was allotted something pays for it, or
    is paid, when it settles. A settlement by a calendar moves with that calendar. Times are local;
    with --json and --csv in UTC.

    With --plan --genesis each plan is read with its proof, and no node is believed what one says;
    that none is left out, nothing proves.

    Maturing is the principal that falls due on the day of the settlement in the same currency,
    worked out here from what is owed on the face that is held now.

    \b
    Examples:
      khazana auction calendar
      khazana auction calendar --plan --csv
      khazana auction calendar --plan --genesis genesis.json
    """
    if (genesis or amendments) and not (planned and genesis):
        raise CommandError(
            Exit.USAGE,
            "--genesis goes with --plan, and --amendment with both",
            advice="Of an auction that is decided, `khazana auction verify` proves everything.",
        )
    trusted = None if genesis is None else founded(genesis, amendments)
    found = with_client(url, timeout_s, lambda client: _read(client, trusted, max_age_s))
    place = {name: found[name] for name in ("height", "block_id", "time")}
    steps, plan = found["calendar"], found["plan"]
    facts = {**place, "proven": trusted is not None, "plan": plan, "calendar": steps}
    rows = [tuple(each[name] or "" for name in _HEAD) for each in steps]
    plan_rows = [tuple(_cell(each[name]) for name in _PLANNED) for each in plan]
    parts = [
        table([_grouped(row, _PLANNED) for row in plan_rows], head=_PLANNED)
        if plan
        else "nothing is planned"
    ]
    if trusted is not None:
        parts.append("each plan is proven against the genesis; what falls due is the node's word")
    if not planned:
        zone = zone_of(found["parameters"])
        local = [(_local(row[0], zone), *row[1:]) for row in rows]
        parts.append(
            table([_grouped(row, _HEAD) for row in local], head=("local time", *_HEAD[1:]))
            if rows
            else "nothing is announced"
        )
    parts.append(f"as of block {found['height']}, {found['time']}")
    sheet = Sheet(head=_PLANNED, rows=plan_rows) if planned else Sheet(head=_HEAD, rows=rows)
    emit_sheet(facts, "\n\n".join(parts), sheet, as_json=as_json, as_csv=as_csv)


async def _read(client: "Client", trusted: "Genesis | None", max_age_s: float) -> dict[str, Any]:
    from node.debt import maturing, read_lines

    plans = await read_all(client, "khz_auctionPlans", "plans")
    if trusted is not None:
        from node.cli.auction.proven_plans import proven_plan

        recency = recency_of(max_age_s)
        plans["plans"] = [
            await proven_plan(client, each["plan"], trusted, recency) for each in plans["plans"]
        ]
    lines = await read_all(client, "khz_debt", "lines")
    found = await read_all(client, "khz_auctions", "auctions")
    due = {
        (currency, day.isoformat()): str(amount)
        for (currency, day), amount in maturing(read_lines(lines["lines"])).items()
    }
    return {
        **{name: found[name] for name in ("height", "block_id", "time")},
        "calendar": steps_of(found, due),
        "plan": planned_of(plans["plans"], due, found["today"]),
        "parameters": (await client.parameters()).value,
    }


def steps_of(found: Mapping[str, Any], due: Mapping[tuple[str, str], str]) -> list[dict[str, Any]]:
    """Return what is to happen after the time of the answer, in order of time and then of name.

    Args:
        due: principal by currency and day.
    """
    steps = [
        {
            "time": auction[step],
            "step": step,
            **{name: auction[name] for name in ("auction", "asset", "form", "target")},
            "maturing": (
                due.get((auction["currency"], auction["settlement_day"]), _NONE)
                if step == "settles"
                else None
            ),
        }
        for auction in found["auctions"]
        if auction["stage"] not in _OVER
        for step in _STEPS
        if auction[step] > found["time"]  # RFC 3339 in UTC sorts as text
    ]
    return sorted(steps, key=lambda each: (each["time"], each["auction"]))


def planned_of(
    plans: Sequence[Mapping[str, Any]], due: Mapping[tuple[str, str], str], today: str
) -> list[dict[str, Any]]:
    """Return what is planned from today on, in order of day and then of plan.

    Args:
        due: principal by currency and day.
        today: the ledger's day, as YYYY-MM-DD.
    """
    planned = [
        {
            **each,
            "maturing": due.get((each["currency"], each["settlement_day"]), _NONE),
            "plan": plan["plan"],
        }
        for plan in plans
        for each in plan["auctions"]
        if each["day"] >= today
    ]
    return sorted(planned, key=lambda each: (each["day"], each["plan"]))


def _local(moment: str, zone: timezone) -> str:
    """Return a moment as people read it beside the ledger's days: what settles at the beginning of
    a day would stand on the day before in UTC.
    """
    return f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d %H:%M}"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _grouped(row: Sequence[str], head: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        grouped(value) if value and name in {"target", "maturing"} else value
        for name, value in zip(head, row, strict=True)
    )
