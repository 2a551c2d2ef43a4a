"""`khazana security call`: the issuer repays early, within the terms."""

from datetime import date
from fractions import Fraction

import click

from node.cli.exits import CommandError, Exit
from node.cli.quote.figures import DAY, FIGURE
from node.cli.submission import Offices, office_options

_PPM_OF_PERCENT = 10_000
_ALL_PPM = 100 * _PPM_OF_PERCENT


@click.command()
@click.argument("asset")
@click.option("--day", required=True, type=DAY, help="On which it is repaid: YYYY-MM-DD.")
@click.option(
    "--share",
    type=FIGURE,
    help="Per cent of the face that was issued, repaid with the payment whose day --day is, before"
    " any roll; without it all that is left.",
)
@office_options
def command(
    asset: str,
    day: date,
    share: Fraction | None,
    *,
    offices: Offices,
) -> None:
    """Call ASSET for repayment on a day, whole or in part. Nothing takes a call back.

    Days, notice and price are those of its terms: `khazana query asset ASSET` has them, and
    `khazana schedule ASSET` shows afterwards what is called.

    \b
    Example:
      khazana security call PIB-10Y --day 2032-08-11 --share 25 \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --approver tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl \\
        --development finance-ministry/account --development central-bank/account
    """
    ppm = None if share is None else share * _PPM_OF_PERCENT
    if ppm is not None and (ppm.denominator != 1 or not 0 < ppm < _ALL_PPM):
        raise CommandError(
            Exit.USAGE,
            f"--share is {float(ppm) / _PPM_OF_PERCENT:.8g} %; expected above 0 and below 100, with"
            " at most four decimals",
            advice="Without --share all that is left is repaid.",
        )
    offices.send(
        {
            "type": "call_security",
            "asset": asset,
            "day": day.isoformat(),
            "share_ppm": None if ppm is None else ppm.numerator,
        }
    )
