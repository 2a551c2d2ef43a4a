"""`khazana security fund`: somebody pays what a paying agent owes."""

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import click

from node.cli.asking import grouped, with_client
from node.cli.output import note
from node.cli.submission import Submission, submission_options

if TYPE_CHECKING:
    from node.client import Client

_UNPAID: Final = frozenset({"late", "in_grace", "in_default"})


@click.command()
@click.argument("asset")
@click.option("--account", required=True, help="Address that pays: the agent's or anybody's.")
@submission_options
def command(asset: str, account: str, *, submission: Submission) -> None:
    """Pay what is unpaid on ASSET from an account, the oldest payment first, whole.

    A late payment, one in grace or in default is cured so at once; holders are paid from the next
    block on. Without it the ledger tries the paying agent's account again each day. What is unpaid,
    `khazana schedule ASSET` shows; how much it is, is printed before anything is signed.

    \b
    Example:
      khazana security fund PIB-1Y \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --development finance-ministry/account
    """
    told = with_client(
        submission.url, submission.timeout_s, lambda client: _unpaid(client, asset, account)
    )
    if told:
        note(told)
    submission.send({"type": "fund_payment", "account": account, "asset": asset})


async def _unpaid(client: "Client", asset: str, account: str) -> str:
    """Return which payment would be paid, and how much; nothing where none is unpaid."""
    schedule = await client.call("khz_schedule", asset=asset)
    for payment in schedule["payments"]:
        made = payment["made"]
        if made is not None and made["status"] in _UNPAID:
            due = Decimal(made["interest_due"]) + Decimal(made["principal_due"])
            return (
                f"payment {payment['number']} of {asset}, {made['status'].replace('_', ' ')}:"
                f" {grouped(str(due))} {schedule['cash']} from {account}"
            )
    return ""
