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
      khazana security redeem MTB-3M-0511 50000 \\
        --account tkhz1… --approver tkhz1… --key ministry.json --key bank.json
    """
    offices.send(
        {"type": "redeem", "asset": asset, "amount": amount, "holder": holder or offices.account}
    )
