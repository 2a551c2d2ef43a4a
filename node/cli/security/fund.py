"""`khazana security fund`: somebody pays what a paying agent owes."""

import click

from node.cli.submission import Submission, submission_options


@click.command()
@click.argument("asset")
@click.option("--account", required=True, help="Address that pays: the agent's or anybody's.")
@submission_options
def command(asset: str, account: str, *, submission: Submission) -> None:
    """Pay what is unpaid on ASSET from an account, the oldest payment first, whole.

    A late payment, one in grace or in default is cured so at once; holders are paid from the next
    block on. Without it the ledger tries the paying agent's account again each day. What is unpaid,
    `khazana schedule ASSET` shows.

    \b
    Example:
      khazana security fund PIB-5Y-2031 --account tkhz1… --key bank.json
    """
    submission.send({"type": "fund_payment", "account": account, "asset": asset})
