"""`khazana tx transfer`: give part of a holding to another account."""

import click

from node.cli.submission import Submission, submission_options


@click.command()
@click.option("--account", required=True, help="Address that gives.")
@click.option("--to", required=True, help="Address that receives.")
@click.option("--asset", required=True, help="Code of the asset.")
@click.option("--amount", required=True, help="In units of the asset, such as 100.50.")
@submission_options
def command(
    account: str,
    to: str,
    asset: str,
    amount: str,
    *,
    submission: Submission,
) -> None:
    """Give an amount of an asset to another account, and wait until it is final.

    \b
    Example:
      khazana tx transfer --asset PKR --amount 100.50 \\
        --to tkhz1m4jfmjaumapf949l52x4zamq3pykxjmvlxmm3u \\
        --account tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j --development account-0
    """
    operation = {"type": "transfer", "account": account, "to": to, "asset": asset, "amount": amount}
    submission.send(operation)
