"""`khazana security define-strips`: the issuer registers the strips of a bond."""

from pathlib import Path

import click

from node.cli.exits import CommandError, Exit
from node.cli.security.submitting import Submission, office_options, submission_options


@click.command("define-strips")
@click.argument("asset")
@click.option("--series", required=True, help="How the codes of its coupons begin, such as PIBS.")
@click.option(
    "--document",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The document that governs the strips; its SHA-256 goes on the ledger.",
)
@office_options
@submission_options
def command(
    asset: str,
    series: str,
    document: Path,
    account: str,
    approvers: tuple[str, ...],
    *,
    submission: Submission,
) -> None:
    """Register the strips of the bond ASSET: from then on every holder may strip it.

    Lines of a series share the coupons of a day, where issuer, agent, cash, calendar and days are
    the same. The codes follow: PIBS-20310215 for the coupons of a day, ASSET-P for the face.

    \b
    Example:
      khazana security define-strips PIB-5Y-2031 --series PIBS --document strips.pdf \\
        --account tkhz1… --approver tkhz1… --key ministry.json --key bank.json
    """
    submission.send(
        {
            "type": "define_strips",
            "account": account,
            "approvers": list(approvers),
            "asset": asset,
            "series": series,
            "term_sheet_hash": _digest(document),
        }
    )


def _digest(document: Path) -> str:
    from hashlib import file_digest

    try:
        with document.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CommandError(Exit.CONFIGURATION, f"{document}: {error.strerror}") from None
