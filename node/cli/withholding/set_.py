"""`khazana withholding set`: offices set the rates of a class of taxpayer."""

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from node.cli.asking import with_client
from node.cli.exits import CommandError, Exit
from node.cli.output import fields, table
from node.cli.quote.figures import DAY, FIGURE, plain
from node.cli.submission import Offices, office_options
from node.cli.tables import cell, read_table
from node.cli.withholding.classes import KINDS, TAXPAYERS

if TYPE_CHECKING:
    from node.client import Client
    from node.client.reads import Withholding

Row: TypeAlias = Mapping[str, Any]

_BPS_OF_PERCENT: Final = 100
_ALL_BPS: Final = 100 * _BPS_OF_PERCENT
_HEAD: Final = ("change", "from_day", "rate", "source", "before")


@click.command()
@click.argument("taxpayer", type=click.Choice(TAXPAYERS))
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--from", "from_day", type=DAY, help="From when another rate rules: YYYY-MM-DD.")
@click.option("--rate", type=FIGURE, help="Per cent of the interest, such as 15 or 12.5.")
@click.option("--source", help="The law that says so: Income Tax Ordinance 2001, section 151.")
@click.option(
    "--collector", help="Account that receives what is withheld. Otherwise: the one that does."
)
@office_options
def command(
    taxpayer: str,
    kind: str,
    file: Path | None,
    from_day: date | None,
    rate: Fraction | None,
    source: str | None,
    collector: str | None,
    *,
    offices: Offices,
) -> None:
    """Set what is withheld from what securities of KIND pay to taxpayers of the class TAXPAYER.

    A class is a kind of participant, such as person, for those who are active taxpayers, and
    person-inactive for those who are not. As long as none of its own rates rules, an inactive class
    has those of the active one.

    With --from, --rate and --source one rate is added to those that are there, or takes the place
    of the one from that day on. With FILE, a CSV table with the columns from_day, rate and source,
    all of them are replaced; `khazana withholding show --csv` prints such tables, and a row that
    names another TAXPAYER or KIND is refused.

    Either way the whole table is replaced. With --from its other rows, and without --collector the
    account that receives, are as they stood on the node when the command was run: what others set
    until it is applied is replaced too. All of it is printed first, each row with what becomes of
    it; with --dry-run nothing else happens. Payments whose record is taken keep what was settled
    then.

    \b
    Examples:
      khazana withholding set person bond --from 2027-07-01 --rate 20 --source "Finance Act 2027" \\
        --collector tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl \\
        --approver tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --development central-bank/account --development finance-ministry/account
      khazana withholding set company sukuk rates.csv \\
        --collector tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl \\
        --propose --development central-bank/account
    """
    one = (from_day, rate, source)
    if (file is None) is (one == (None, None, None)) or (file is None and None in one):
        raise CommandError(
            Exit.USAGE,
            "expected either a FILE or --from, --rate and --source",
            advice='One rate: --from 2026-07-01 --rate 15 --source "Finance Act 2026"; a whole'
            " table: a CSV file with from_day, rate and source.",
        )
    given = offices.submission

    async def read(client: "Client") -> "Withholding | None":
        found = (await client.withholding()).value
        return next(
            (each for each in found if (each.taxpayer, each.kind) == (taxpayer, kind)), None
        )

    ruling = with_client(given.url, given.timeout_s, read)
    receiver = collector or (None if ruling is None else ruling.collector)
    if receiver is None:
        raise CommandError(
            Exit.USAGE,
            f"nothing is withheld yet from what a {kind} pays a {taxpayer}",
            advice="Say with --collector which account receives it.",
        )
    before = {
        each.from_day.isoformat(): _row(each.from_day, Fraction(each.rate), each.source)
        for each in (() if ruling is None else ruling.rates)
    }
    if file is not None:
        rows = read_rates(file, taxpayer, kind)
    else:
        assert from_day is not None
        assert rate is not None
        added = {from_day.isoformat(): _row(from_day, rate, source or "")}
        rows = [row for _, row in sorted((before | added).items())]
    collectors = {"collector": receiver}
    if ruling is not None and ruling.collector != receiver:
        collectors["before"] = ruling.collector
    offices.send(
        {
            "type": "set_withholding",
            "taxpayer": taxpayer,
            "kind": kind,
            "collector": receiver,
            "rows": rows,
        },
        f"from what a {kind} pays a {taxpayer}, in place of the whole table:\n"
        f"{table(changes_of(before, rows), head=_HEAD)}\n{fields(collectors)}\n",
    )


def changes_of(before: Mapping[str, Row], rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Return what a table becomes, a line for each day, and what stood there.

    Args:
        before: the rows that are replaced, each by its day.
        rows: those that will be there.
    """
    after = {row["from_day"]: row for row in rows}
    found: list[tuple[str, ...]] = []
    for day in sorted(before.keys() | after.keys()):
        old, new = before.get(day), after.get(day)
        if new is None:
            assert old is not None
            found.append(("removed", day, "-", "-", ", ".join(_words(old))))
        elif old is None:
            found.append(("added", day, *_words(new), ""))
        elif old == new:
            found.append(("kept", day, *_words(new), ""))
        else:
            found.append(("replaced", day, *_words(new), ", ".join(_words(old))))
    return found


def _words(row: Row) -> tuple[str, str]:
    percent, hundredths = divmod(row["rate_bps"], _BPS_OF_PERCENT)
    # On one line, whatever a node says.
    source = row["source"].replace("\n", "\\n").replace("\t", "\\t")
    return f"{percent}.{hundredths:02d}", source


def read_rates(file: Path, taxpayer: str, kind: str) -> list[dict[str, Any]]:
    """Return the rates of a table, as `khazana tx operations set_withholding` has them.

    Args:
        taxpayer: the only one whom its rows may name, where they name any.
        kind: likewise, of securities.

    Raises:
        CommandError: the file cannot be read, or a line of it is no rate, or one of another class.
    """
    from node.ledger.dates import DatesError, parse_date
    from node.quotes import QuoteError, figure_of

    rows = {}
    for line, row in read_table(file, ("from_day", "rate", "source"), ("taxpayer", "kind")):
        for name, expected in (("taxpayer", taxpayer), ("kind", kind)):
            found = cell(row, name)
            if found not in {"", expected}:
                raise CommandError(
                    Exit.USAGE,
                    f"{file}, line {line}: {name} is '{found}', expected {expected} or nothing",
                    advice=f"A table of one class: `khazana withholding show --taxpayer {taxpayer}"
                    f" --kind {kind} --csv`.",
                )
        try:
            day, rate = parse_date(cell(row, "from_day")), figure_of(cell(row, "rate"))
        except (DatesError, QuoteError) as error:
            raise CommandError(
                Exit.USAGE,
                f"{file}, line {line}: {error}",
                advice="Write the day as 2026-07-01 and the rate in per cent, such as 15 or 12.5.",
            ) from None
        if day in rows:
            raise CommandError(
                Exit.USAGE,
                f"{file}, line {line}: found {day} twice, expected each day once",
                advice="Keep the row that is meant; `khazana withholding show` prints what rules"
                " now.",
            )
        rows[day] = _row(day, rate, cell(row, "source"))
    return [row for _, row in sorted(rows.items())]


def _row(day: date, rate: Fraction, source: str) -> dict[str, Any]:
    bps = rate * _BPS_OF_PERCENT
    if bps.denominator != 1 or not 0 <= bps <= _ALL_BPS:
        raise CommandError(
            Exit.USAGE,
            f"a rate is {plain(rate)} %; expected from 0 to 100, with at most two decimals",
            advice="Write the rate in per cent, such as 15 or 12.25.",
        )
    return {"from_day": day.isoformat(), "rate_bps": bps.numerator, "source": source}
