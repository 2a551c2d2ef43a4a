"""`khazana security strips`: the strips of a bond, and what an account has of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from node.cli.asking import ask, cell, grouped
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option


@click.command()
@click.argument("asset")
@click.option("--account", help="Address of a holder: what it has of each strip.")
@url_option
@timeout_option(10)
@json_option
@csv_option
def command(
    asset: str,
    account: str | None,
    url: str,
    timeout_s: float,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """List the strips of the bond ASSET: the payment that each is, and how much there is of it.

    With --account also what the account has available of each, and how much of the bond it can
    put together.

    \b
    Example:
      khazana security strips PIB-5Y --account tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j
    """
    ask(
        url,
        timeout_s,
        "khz_strips",
        as_json=as_json,
        as_csv=as_csv,
        text=_text,
        sheet=_sheet,
        asset=asset,
        account=account,
    )


_HEAD = ("strip", "payment", "payment day", "per 100 of the bond", "supply", "state")


def _sheet(result: Mapping[str, Any]) -> Sheet:
    head = (*_HEAD, "held") if result["held"] is not None else _HEAD
    rows = [_row(each) for each in (*result["coupons"], result["principal"])]
    return Sheet(head=head, rows=[row[: len(head)] for row in rows])


def _row(strip: Mapping[str, Any]) -> tuple[str | None, ...]:
    return (
        strip["asset"],
        str(strip["payment"]),
        strip["payment_day"],
        strip["per_hundred"],
        strip["supply"],
        "open" if strip["open"] else "closed",
        strip["held"],
    )


def _text(result: Mapping[str, Any]) -> str:
    sheet = _sheet(result)
    amounts = {sheet.head.index("supply"), len(_HEAD)}
    rows: list[Sequence[str]] = [
        [
            grouped(str(value)) if place in amounts else cell(value)
            for place, value in enumerate(row)
        ]
        for row in sheet.rows
    ]
    said = (
        f"of {result['asset']}, {grouped(result['stripped'])} is stripped and"
        f" {grouped(result['supply'])} is not; in multiples of {grouped(result['multiple'])}"
    )
    if result["held"] is not None:
        said += (
            f"\nthe account can strip what it has of {grouped(result['held'])}, and put"
            f" {grouped(result['reconstitutable'])} together"
        )
    return f"{said}\n\n{table(rows, head=sheet.head)}"
