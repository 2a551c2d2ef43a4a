"""`khazana schedule`: what a security pays and when, before and after its issue."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import cell, grouped, with_client
from node.cli.exits import CommandError, Exit
from node.cli.moments import day_told
from node.cli.options import timeout_option, url_option
from node.cli.output import counted, json_option, table
from node.cli.sheets import Sheet, csv_option, emit_sheet

if TYPE_CHECKING:
    from node.client import Client

_ROLLS: Final = {
    "none": "nowhere",
    "following": "to the following one of business",
    "modified-following": "to the following one of business, or the preceding one if that is in the"
    " next month",
    "preceding": "to the preceding one of business",
}
NOT_FIXED: Final = "not fixed"
_FIGURE: Final = re.compile(r"[0-9]+\.[0-9]+")


@click.command()
@click.argument("asset", required=False)
@click.option(
    "--terms",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File with a define_asset operation, of which nothing is on the ledger yet.",
)
@url_option
@timeout_option(20)
@json_option
@csv_option
def command(
    asset: str | None,
    file: Path | None,
    url: str,
    timeout_s: float,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print the payments of ASSET, or of the terms in a file, by the calendar as it is.

    Where the rate floats, interest is exact from its fixing on; before it is "not fixed", and
    stands beside the day of its fixing. "awaited" is what no auction gave: the offices fix it.

    What the issuer has called is repaid at its price; nothing follows on the whole. Of a bill that
    its holders bring back there is the day from which they may: the ledger does not pay it.

    "by the terms" is the day before any roll; "moved over" says which days without business lie
    between it and the payment, and of what sort they are. "provisional" are holidays to come that
    are not confirmed: if one is put on another day, the record or the payment moves. Days of
    payments whose record is taken are those that count; later ones move when the calendar is
    amended. What was paid stands beside its payment.

    \b
    Examples:
      khazana schedule PIB-5Y
      khazana schedule --terms bond.json --csv
    """
    if (asset is None) is (file is None):
        raise CommandError(
            Exit.USAGE,
            "one of ASSET and --terms was expected",
            advice="See `khazana query assets`.",
        )

    async def call(client: "Client") -> Mapping[str, Any]:
        given = {"asset": asset} if file is None else {"terms": await _encoded_terms(client, file)}
        result: Mapping[str, Any] = await client.call("khz_schedule", **given)
        return result

    result = with_client(url, timeout_s, call)
    sheet = Sheet(head=_HEAD, rows=[_row(payment) for payment in result["payments"]])
    emit_sheet(result, _text(result), sheet, as_json=as_json, as_csv=as_csv)


async def _encoded_terms(client: "Client", file: Path) -> str:
    """Return the canonical bytes of the terms that a file would define, in hexadecimal."""
    from node.cli.tx.files import read_operations
    from node.cli.tx.submitting import operation_reader
    from node.codec import encode
    from node.ledger.operations import DefineAsset

    values = read_operations(file)
    reader = await operation_reader(client, values)
    for value in values:
        operation = reader.read(value)
        if isinstance(operation, DefineAsset):
            return encode(operation.terms).hex()
    raise CommandError(
        Exit.USAGE,
        f"{file} has no define_asset operation",
        advice="Let `khazana security define ... --dry-run > FILE` write it; `khazana tx"
        " operations define_asset` says how it is written.",
    )


def _text(result: Mapping[str, Any]) -> str:
    named = f"{result['asset']}, a" if result["asset"] else "terms of a"
    rows = [
        [_told(name, value) for name, value in zip(_HEAD, _row(payment), strict=True)]
        for payment in result["payments"]
    ]
    # A table as wide as this one has no room for columns in which nothing stands.
    used = [
        place for place, cells in enumerate(zip(*rows, strict=True)) if set(cells) != {cell(None)}
    ]
    shown = [[row[place] for place in used] for row in rows]
    return (
        f"{named} {result['kind']}, {_paid(result)}\n{_callable(result['call'])}\n"
        f"{table(shown, head=[_HEAD[place] for place in used])}\n\n"
        f"as of block {result['height']}, {result['time']}"
    )


def _paid(result: Mapping[str, Any]) -> str:
    """Return in what it is paid, and by whose days."""
    if result["brought_back"]:
        return (
            f"in {result['currency']}, which the ledger does not pay: from its day on those who\n"
            "hold it bring it back to its issuer, which redeems it"
        )
    calendar = f"{result['calendar']}, version {result['calendar_version']}"
    return (
        f"paid in {result['cash']}\n"
        f"days by {calendar}; one without business moves {_ROLLS[result['roll']]}\n"
        f"interest accrues by {result['day_count']}, priced by {result['pricing_day_count']}"
    )


def _callable(right: Mapping[str, Any] | None) -> str:
    """Return when the issuer may repay early, one window a line; nothing where it may not."""
    if right is None:
        return ""
    windows = "".join(
        f"may be repaid early from {day_told(each['from_day'])} to {day_told(each['to_day'])}"
        f" at {_shown(each['price'])}\n"
        for each in right["windows"]
    )
    parts = "also in part" if right["in_part"] else "only whole"
    earliest = right["earliest_day"]
    now = "" if earliest is None else f": called today, from {day_told(earliest)} on"
    notice = counted(right["notice_days"], "day")
    return f"{windows}{parts}, {notice} after it is called or later{now}\n"


def _told(name: str, value: str | None) -> str:
    """Return a cell for people."""
    if value is None:
        return cell(None)
    if name in _DAYS:
        return day_told(value)
    return cell(value).replace("_", " ") if name == "status" else _shown(value)


_HEAD: Final = (
    "number",
    "record day",
    "by the terms",
    "payment day",
    "moved over",
    "provisional",
    "rate",
    "fixing",
    "interest per 100",
    "principal per 100",
    "price",
    "status",
    "interest due",
    "principal due",
    "paid",
    "withheld",
    "residue",
)


_DAYS: Final = frozenset({"record day", "by the terms", "payment day"})
_MADE: Final = ("status", "interest_due", "principal_due", "paid", "withheld", "residue")


def _row(payment: Mapping[str, Any]) -> tuple[str | None, ...]:
    made = payment["made"]
    return (
        str(payment["number"]),
        payment["record_day"],
        payment["nominal_day"],
        payment["payment_day"],
        _moved(payment) or None,
        ", ".join(payment["provisional"]) or None,
        payment["rate"] or NOT_FIXED,
        _fixing(payment),
        payment["interest_per_hundred"] or NOT_FIXED,
        payment["principal_per_hundred"],
        payment["price"],
        *((None,) * len(_MADE) if made is None else (made[member] for member in _MADE)),
    )


def _moved(payment: Mapping[str, Any]) -> str:
    """Return which days without business a payment moved over, by their sort."""
    sorts: dict[str, list[str]] = {}
    for passed in payment["passed"]:
        sorts.setdefault(passed["why"], []).append(passed["day"])
    return "; ".join(f"{why} {', '.join(days)}" for why, days in sorts.items())


def _fixing(payment: Mapping[str, Any]) -> str | None:
    """Return by what a rate is fixed, or when it will be; None: it does not float."""
    fixing: Mapping[str, str | None] | None = payment["fixing"]
    if fixing is None:
        day: str | None = payment["fixing_day"]
        return day
    return fixing["auction"] or fixing["source"] or "awaited"


def _shown(text: str | None) -> str:
    """Return a cell for people: thousands set apart, decimals as many as it needs, two at least."""
    if text is None or not _FIGURE.fullmatch(text):
        return cell(text)
    whole, _, decimals = grouped(text).partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
