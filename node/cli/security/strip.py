"""`khazana security strip`: a bond becomes its payments, each a security of its own."""

import click

from node.cli.submission import Submission, submission_options


@click.command()
@click.argument("asset")
@click.argument("face")
@click.option("--account", required=True, help="Address of the holder.")
@submission_options
def command(asset: str, face: str, account: str, *, submission: Submission) -> None:
    """Take FACE of the bond ASSET apart in the account: into a strip of each payment that is left.

    The face is a multiple of that of its strips; `khazana security strips` says which.

    \b
    Example:
      khazana security strip PIB-5Y 100000 \\
        --account tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j --development account-0
    """
    submission.send({"type": "strip_security", "account": account, "asset": asset, "face": face})
