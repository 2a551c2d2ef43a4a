"""`khazana security define-strips`: the issuer registers the strips of a bond."""

from pathlib import Path

import click

from node.cli.documents import digest_of
from node.cli.submission import Offices, office_options


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
def command(
    asset: str,
    series: str,
    document: Path,
    *,
    offices: Offices,
) -> None:
    """Register the strips of the bond ASSET: from then on every holder may strip it.

    Lines of a series share the coupons of a day, where issuer, agent, cash, calendar and days are
    the same. The codes follow: PIBS-20310215 for the coupons of a day, ASSET-P for the face.

    \b
    Example:
      khazana security define-strips PIB-5Y --series PIBS --document strips.pdf \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --approver tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl \\
        --development finance-ministry/account --development central-bank/account
    """
    offices.send(
        {
            "type": "define_strips",
            "asset": asset,
            "series": series,
            "term_sheet_hash": digest_of(document),
        }
    )
