"""`khazana security redeem`: the issuer takes out of existence what was brought back to it."""

import click

from node.cli.submission import Offices, office_options


@click.command()
@click.argument("asset")
@click.argument("amount")
@click.option("--holder", help="Account of the issuer that it came back to. Otherwise: --account.")
@office_options
def command(asset: str, amount: str, holder: str | None, *, offices: Offices) -> None:
    """Redeem AMOUNT of ASSET that its holders have brought back, from its maturity on.

    Only bills that were defined with --brought-back take it: the ledger pays no holder of them.
    Who holds one transfers it to the issuer in one transaction with the issuer's payment, so that
    neither goes without the other (`khazana tx build` of two transfers, signed by both). All other
    securities the ledger redeems by itself; nothing is to be done.

    \b
    Example:
      khazana security redeem MTB-1M-0312 50000 \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --approver tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl \\
        --development finance-ministry/account --development central-bank/account
    """
    offices.send(
        {"type": "redeem", "asset": asset, "amount": amount, "holder": holder or offices.account}
    )
