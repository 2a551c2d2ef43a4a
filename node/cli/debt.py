"""`khazana debt`: what the state owes, when it falls due, and what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import cell, grouped, read_all, with_client
from node.cli.exits import CommandError, Exit
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option, emit_sheet

if TYPE_CHECKING:
    from node.client import Client
    from node.debt import Cost, DebtLine

VIEWS: Final = {
    "lines": "Outstanding by line",
    "ladder": "Maturity ladder: face by the time that remains",
    "service": "Debt service: what is to be paid",
    "cost": "Cost of debt, weighted by outstanding face",
}
_AMOUNTS: Final = frozenset(
    {"outstanding", "bills", "bonds", "sukuk", "principal", "interest", "total", "next amount"}
)
"""Columns of which people read the thousands set apart."""
NAMED_MAX: Final = 10
"""Bills that are named below the tables; `--json` says it of each line."""
_QUIET: Final = frozenset({"planned", "estimated", "recorded", "announced"})
"""What a payment is on its way to its day."""


@click.command()
@click.argument("view", metavar="[VIEW]", type=click.Choice(list(VIEWS)), required=False)
@click.option(
    "--by",
    "span",
    type=click.Choice(["day", "month", "quarter", "year"]),
    default="month",
    show_default=True,
    help="What the service is added up by.",
)
@url_option
@timeout_option(60)
@json_option
@csv_option
def command(
    view: str | None, span: str, url: str, timeout_s: float, *, as_json: bool, as_csv: bool
) -> None:
    """Print what the state owes, when it falls due, and what it costs.

    VIEW is lines (outstanding by line), ladder (by the time that remains), service (payments to
    come) or cost (average coupon, yield and time to maturity); without it all four. What is to
    come is computed on the face that is held today; what fell due by the ledger's day and is not
    paid is `due`. The yield is that of the auctions on this ledger, each weighted by the face that
    it delivered: of bills the average of their bids, of others that of their average price
    (`khazana auction result` has the average of a bond's bids).

    \b
    Examples:
      khazana debt
      khazana debt ladder
      khazana debt service --by year --csv > service.csv
    """
    if as_csv and view is None:
        raise CommandError(
            Exit.USAGE,
            f"--csv prints one table; expected one of {', '.join(VIEWS)}",
            advice="Such as: khazana debt ladder --csv",
        )
    result = with_client(url, timeout_s, read_debt)
    views = _views(result, span)
    shown = [view] if view else list(VIEWS)
    facts: dict[str, object] = {"today": result["today"]}
    facts |= {name: views[name].facts for name in shown}
    facts |= {name: result[name] for name in ("height", "block_id", "time")}
    parts = [f"{VIEWS[name]}\n\n{_text(views[name].sheet)}" for name in shown]
    brought = [line["asset"] for line in result["lines"] if line.get("brought_back")]
    if brought:
        parts.append(
            f"Not paid by the ledger, but brought back by holders and redeemed: {_few(brought)}"
        )
    place = f"on {result['today']}, as of block {result['height']}, {result['time']}"
    said = "\n\n".join([*parts, place])
    emit_sheet(facts, said, views[shown[0]].sheet, as_json=as_json, as_csv=as_csv)


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """One of the tables, for a program twice: as JSON and as a sheet."""

    facts: object
    sheet: Sheet


async def read_debt(client: "Client") -> Mapping[str, Any]:
    """Return what is owed and every auction, as the node tells them, at the place of the first."""
    debt = await read_all(client, "khz_debt", "lines")
    auctions = await read_all(client, "khz_auctions", "auctions")
    return {**debt, "auctions": auctions["auctions"]}


def _views(result: Mapping[str, Any], span: str) -> Mapping[str, _View]:
    from msgspec import to_builtins

    from node.debt import (
        Span,
        auction_yields,
        cost,
        ladder,
        read_lines,
        read_sales,
        service,
    )

    lines = read_lines(result["lines"])
    today = date.fromisoformat(result["today"])
    yields = auction_yields(read_sales(result["auctions"], lines))
    steps = ladder(lines, today)
    periods = service(lines, Span(span))
    costs = cost(lines, today, yields)
    return {
        "lines": _View(facts=result["lines"], sheet=_lines(lines, yields)),
        "ladder": _View(
            facts=to_builtins(steps),
            sheet=Sheet(
                head=("currency", "due in", "bills", "bonds", "sukuk", "total", "share %"),
                rows=[
                    (step.currency, step.name, *step.by_kind.values(), step.total, step.share)
                    for step in steps
                ],
            ),
        ),
        "service": _View(
            facts=to_builtins(periods),
            sheet=Sheet(
                head=("period", "currency", "interest", "principal", "total", "payments"),
                rows=[
                    (
                        each.period,
                        each.currency,
                        each.interest,
                        each.principal,
                        each.total,
                        each.payments,
                    )
                    for each in periods
                ],
            ),
        ),
        "cost": _View(facts=to_builtins(costs), sheet=_costs(costs)),
    }


def _costs(costs: Sequence["Cost"]) -> Sheet:
    head = (
        "currency",
        "kind",
        "lines",
        "outstanding",
        "coupon %",
        "of face %",
        "yield %",
        "known of %",
        "years",
    )
    rows = [
        (
            each.currency,
            each.kind,
            each.lines,
            each.outstanding,
            each.coupon,
            each.coupon_share,
            each.auction_yield,
            each.yield_share,
            each.years,
        )
        for each in costs
    ]
    return Sheet(head=head, rows=rows)


def _lines(lines: Sequence["DebtLine"], yields: Mapping[str, Fraction]) -> Sheet:
    from node.debt import percent

    rows: list[Sequence[object]] = []
    for line in lines:
        coming = line.payments[0]
        late = [each.status for each in line.payments if each.status not in _QUIET]
        rows.append(
            (
                line.asset,
                line.kind,
                line.currency,
                line.issue_day,
                line.maturity_day,
                line.outstanding,
                line.rate,
                None if line.asset not in yields else percent(yields[line.asset]),
                coming.payment_day,
                coming.interest + coming.principal,
                late[0].replace("_", " ") if late else coming.status,
            )
        )
    head = (
        "asset",
        "kind",
        "currency",
        "issued",
        "matures",
        "outstanding",
        "coupon %",
        "yield %",
        "next payment",
        "next amount",
        "status",
    )
    return Sheet(head=head, rows=rows)


def _few(assets: Sequence[str]) -> str:
    more = len(assets) - NAMED_MAX
    named = ", ".join(assets[:NAMED_MAX])
    return named if more <= 0 else f"{named} and {more} more"


def _text(sheet: Sheet) -> str:
    """Return a sheet for people."""
    if not sheet.rows:
        return "nothing is outstanding"
    rows = [
        [
            grouped(str(value)) if name in _AMOUNTS and value else cell(value or None)
            for name, value in zip(sheet.head, row, strict=True)
        ]
        for row in sheet.rows
    ]
    return table(rows, head=sheet.head)
