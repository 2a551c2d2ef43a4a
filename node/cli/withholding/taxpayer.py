"""`khazana withholding taxpayer`: an office tells whether a taxpayer is active."""

from datetime import date

import click

from node.cli.quote.figures import DAY
from node.cli.submission import Offices, office_options
from node.cli.withholding.classes import STATUSES


@click.command()
@click.argument("participant")
@click.argument("status", type=click.Choice(STATUSES))
@click.option("--from", "from_day", type=DAY, required=True, help="From when on: YYYY-MM-DD.")
@click.option("--source", required=True, help="Who says so: the list and its date.")
@office_options
def command(
    participant: str, status: str, from_day: date, source: str, *, offices: Offices
) -> None:
    """Tell that from a day to come on PARTICIPANT is an active taxpayer, or none.

    From what is inactive the rates of its class are withheld, such as `person-inactive`; as long as
    none of these rules, those of active ones. It counts for records that are taken on that day or
    later: a record is taken at the midnight that ends its day. A change that has not begun is
    replaced by the next one; telling what it is anyway takes it back. `khazana query participant`
    prints what rules and what is to come.

    \b
    Example:
      khazana withholding taxpayer participant-0 inactive --from 2027-07-01 \\
        --source "Active taxpayers list of 1 July 2027" \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 --development finance-ministry/account
    """
    offices.send(
        {
            "type": "set_tax_status",
            "participant": participant,
            "status": status,
            "from_day": from_day.isoformat(),
            "source": source,
        }
    )
