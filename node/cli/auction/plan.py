"""`khazana auction plan`: publish which auctions are planned, from a table in a file."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import with_client
from node.cli.exits import CommandError, Exit
from node.cli.submission import Offices, office_options
from node.cli.tables import cell, read_table

if TYPE_CHECKING:
    from node.client import Client

_NEEDED: Final = ("day", "settlement_day", "kind", "tenor_months", "target")
_BESIDES: Final = ("form", "line", "asset", "provisional")
_MONTHS: Final = re.compile(r"[0-9]{1,4}")
_WORDS: Final = {"yes": True, "true": True, "no": False, "false": False, "": False}


@click.command()
@click.argument("plan")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--cash", help="In what they are paid, where the column `asset` does not say it.")
@click.option("--withdraw", is_flag=True, help="Withdraw the plan: nothing is planned any more.")
@office_options
def command(
    plan: str, file: Path | None, cash: str | None, *, withdraw: bool, offices: Offices
) -> None:
    """Publish PLAN, such as 2027-q1, from the CSV table in FILE; another version replaces it.

    A line for each auction: day, settlement_day, kind (bill, bond, sukuk), tenor_months, target,
    and where they are more than usual form (price), line (none yet), asset (the cash), provisional
    (no). What `khazana auction calendar --plan --csv` prints can be changed and published again. A
    plan promises nothing: an auction is held by its announcement alone.

    \b
    Examples:
      khazana auction plan 2027-q1 plan.csv --cash PKR \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --development finance-ministry/account
      khazana auction plan 2027-q1 --withdraw \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --development finance-ministry/account
    """
    if withdraw is (file is not None):
        raise CommandError(
            Exit.USAGE,
            "expected either a FILE or --withdraw",
            advice=f"To publish it: `khazana auction plan {plan} FILE.csv`; to take it back:"
            f" `khazana auction plan {plan} --withdraw`.",
        )
    auctions = [] if file is None else read_plan(file, cash)

    async def ruling(client: "Client") -> int:
        for code in sorted({each["asset"] for each in auctions}):
            await client.asset(code)  # or its amounts cannot be read
        found = (await client.auction_plans()).value
        return next((each.version for each in found if each.plan == plan), 0)

    given = offices.submission
    version = with_client(given.url, given.timeout_s, ruling)
    offices.send(
        {"type": "publish_plan", "plan": plan, "version": version, "auctions": auctions},
        f"{plan}, version {version + 1}: {len(auctions)} auctions",
    )


def read_plan(file: Path, cash: str | None) -> list[dict[str, Any]]:
    """Return the auctions of a table, as `khazana tx operations publish_plan` has them, in order.

    Raises:
        CommandError: the file cannot be read, or a line of it is no planned auction.
    """
    rows = read_table(file, _NEEDED, _BESIDES)
    planned = [_planned(row, f"{file}, line {line}", cash) for line, row in rows]
    return sorted(
        planned,
        key=lambda each: (
            each["day"],
            each["kind"],
            each["tenor_months"],
            each["line"] or "",
            _rank(each["form"]),
        ),
    )


def _rank(form: str) -> int:
    from node.ledger.auctions.terms import Form

    return next((each.value for each in Form if each.name.lower() == form), 0)


def _planned(row: Mapping[str, str | None], where: str, cash: str | None) -> dict[str, Any]:
    text = {name: cell(row, name) for name in (*_NEEDED, "form", "line")}
    asset = cell(row, "asset") or cash
    provisional = cell(row, "provisional").lower()
    if asset is None:
        raise CommandError(
            Exit.USAGE,
            f"{where}: nothing says in what is paid",
            advice="Say it for all with --cash PKR, or in a column `asset`.",
        )
    if _MONTHS.fullmatch(text["tenor_months"]) is None:
        raise CommandError(
            Exit.USAGE,
            f"{where}: tenor_months is {text['tenor_months'][:20]!r}, expected such as 3",
            advice="Write the months in digits: 3 for a bill of three months, 60 for a bond of"
            " five years.",
        )
    if provisional not in _WORDS:
        raise CommandError(
            Exit.USAGE,
            f"{where}: provisional is {provisional[:20]!r}, expected yes or no",
            advice="Write yes where the day may still move, no where it is fixed; an empty cell is"
            " no.",
        )
    return {
        **{name: text[name] for name in ("day", "settlement_day", "kind", "target")},
        "tenor_months": int(text["tenor_months"]),
        "form": text["form"] or "price",
        "line": text["line"] or None,
        "asset": asset,
        "provisional": _WORDS[provisional],
    }
