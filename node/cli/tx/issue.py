"""`khazana tx issue`: new amounts of an asset come into being."""

import click

from node.cli.submission import Submission, submission_options


@click.command()
@click.option("--account", required=True, help="Address of the issuing office.")
@click.option(
    "--approver",
    "approvers",
    multiple=True,
    help="Address of another office that has to stand behind it; once for each.",
)
@click.option("--to", required=True, help="Address that receives.")
@click.option("--asset", required=True, help="Code of the asset.")
@click.option("--amount", required=True, help="In units of the asset, such as 5000.00.")
@submission_options
def command(
    account: str,
    approvers: tuple[str, ...],
    to: str,
    asset: str,
    amount: str,
    *,
    submission: Submission,
) -> None:
    """Create an amount of a defined asset in an account, and wait until it is final.

    The powers matrix says which offices it takes. Where their keys are not in one place, build the
    transaction with `khazana tx build` and let each of them sign it.

    \b
    Example:
      khazana tx issue --to tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j --asset PKR --amount 5000 \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl --development central-bank/account
    """
    operation = {
        "type": "issue",
        "account": account,
        "approvers": list(approvers),
        "asset": asset,
        "amount": amount,
        "to": to,
    }
    submission.send(operation)
