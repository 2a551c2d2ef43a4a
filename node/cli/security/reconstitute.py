"""`khazana security reconstitute`: whoever has all strips that are left has the bond again."""

import click

from node.cli.submission import Submission, submission_options


@click.command()
@click.argument("asset")
@click.argument("face")
@click.option("--account", required=True, help="Address of the holder.")
@submission_options
def command(asset: str, face: str, account: str, *, submission: Submission) -> None:
    """Put FACE of the bond ASSET together in the account, from all strips that are left of it.

    Coupons of any line of the series serve; `khazana security strips ASSET --account ADDRESS` says
    how much the account can put together, and which strip it lacks.

    \b
    Example:
      khazana security reconstitute PIB-5Y 100000 \\
        --account tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j --development account-0
    """
    submission.send(
        {"type": "reconstitute_security", "account": account, "asset": asset, "face": face}
    )
