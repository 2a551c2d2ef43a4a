"""`khazana quote interest`: what accrues between two days, by any day count."""

from datetime import date
from fractions import Fraction

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import json_option, table
from node.cli.quote.figures import DAY, FIGURE, plain, refusing
from node.cli.sheets import Sheet, csv_option, emit_sheet
from node.ledger.pricing.daycounts import DayCount


@click.command()
@click.option("--rate", type=FIGURE, required=True, help="In per cent a year.")
@click.option("--from", "begins", type=DAY, required=True, help="The first day that counts.")
@click.option("--to", "ends", type=DAY, required=True, help="The day after the last that counts.")
@click.option("--face", type=FIGURE, default="100", show_default=True, help="On which it accrues.")
@click.option(
    "--day-count",
    "named",
    type=click.Choice([each.value for each in DayCount]),
    help="By which one; all of them if none is named.",
)
@click.option("--period-from", type=DAY, help="Of ACT/ACT ICMA: the regular period's first day.")
@click.option("--period-to", type=DAY, help="Of ACT/ACT ICMA: the regular period's end.")
@click.option(
    "--frequency",
    type=click.Choice(["1", "2", "4", "12"]),
    default="2",
    show_default=True,
    help="Of ACT/ACT ICMA: regular periods a year.",
)
@click.option("--end-of-month", is_flag=True, help="Of ACT/ACT ICMA: month ends stay month ends.")
@click.option("--matures", type=DAY, help="Of 30E/360 ISDA: the end of the security.")
@json_option
@csv_option
def command(
    rate: Fraction,
    begins: date,
    ends: date,
    face: Fraction,
    named: str | None,
    period_from: date | None,
    period_to: date | None,
    frequency: str,
    matures: date | None,
    *,
    end_of_month: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print what accrues on a face between two days, by one day count or by all of them.

    The share of a year is exact; interest is rounded half up to the hundredth, as money is. ACT/ACT
    ICMA counts by the regular period beside which the days lie, which has to be said; without one,
    all the others are printed.

    \b
    Examples:
      khazana quote interest --rate 11.5 --from 2026-01-31 --to 2026-07-31 --face 5000
      khazana quote interest --rate 7 --from 2020-08-20 --to 2021-03-04 --day-count ACT/365F
    """
    from node.quotes import interest_quote

    if (period_from is None) is not (period_to is None):
        raise CommandError(
            Exit.USAGE,
            "a regular period has two ends: --period-from and --period-to",
            advice="Say both, --period-from 2026-01-15 --period-to 2026-07-15, or neither.",
        )
    period = None if period_from is None or period_to is None else (period_from, period_to)
    with refusing():
        facts = interest_quote(
            rate=rate,
            begins=begins,
            ends=ends,
            face=face,
            day_count=None if named is None else DayCount(named),
            period=period,
            frequency=int(frequency),
            end_of_month=end_of_month,
            matures=matures,
        )
    counts = facts["day_counts"]
    assert isinstance(counts, list)
    rows = [
        (each["day_count"], each["share"], each["decimal"], each["interest"]) for each in counts
    ]
    head = ("day count", "of a year", "as a decimal", "interest")
    said = (
        f"{plain(rate)} % a year on {plain(face)}, {facts['days']} days\n\n{table(rows, head=head)}"
    )
    emit_sheet(facts, said, Sheet(head=head, rows=rows), as_json=as_json, as_csv=as_csv)
