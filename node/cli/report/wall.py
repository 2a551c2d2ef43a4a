"""`khazana report wall`: what falls due, year by year."""

from pathlib import Path
from typing import Final

import click

from node.cli.asking import with_client
from node.cli.debt import read_debt
from node.cli.exits import CommandError, Exit
from node.cli.options import timeout_option, url_option
from node.cli.output import emit, json_option
from node.cli.report.drawing import COLOURS, GROUPED, LABELS, counted, out_option, paper, unit_of

COLUMNS_MAX: Final = 40
_COLUMNS_LEAST: Final = 6
_ROOM: Final = 1.08
"""Above the highest column, in its heights: that it ends where the page does would look cut off."""


@click.command()
@out_option
@click.option("--currency", default="PKR", show_default=True, help="Whose debt is drawn.")
@url_option
@timeout_option(60)
@json_option
def command(out: Path, currency: str, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Draw what falls due, by year and kind; by quarter where everything ends within four years.

    The figures are those of `khazana debt service`; with --json they are printed too.

    \b
    Example:
      khazana report wall --out wall.pdf
    """
    from datetime import date

    from msgspec import to_builtins

    from node.debt import KINDS, read_lines, wall

    result = with_client(url, timeout_s, read_debt)
    lines = [line for line in read_lines(result["lines"]) if line.currency == currency]
    columns = wall(lines, date.fromisoformat(result["today"]), columns_max=COLUMNS_MAX)
    if not columns:
        raise CommandError(
            Exit.REFUSED,
            f"nothing is owed in {currency}",
            advice="`khazana debt lines` says what is owed, and in which currency.",
        )
    unit, name = unit_of(max(each.principal for each in columns))
    periods = [each.period for each in columns]
    with paper(out, f"Repayments by maturity, {currency}", result) as axes:
        below = [0.0] * len(columns)
        for kind in KINDS:
            heights = [float(each.by_kind[kind] / unit) for each in columns]
            if any(heights):
                axes.bar(periods, heights, bottom=below, color=COLOURS[kind], label=LABELS[kind])
                below = [low + high for low, high in zip(below, heights, strict=True)]
        axes.set_ylim(0, max(below) * _ROOM or 1)
        axes.set_ylabel(f"{currency} {name}".rstrip())
        axes.yaxis.set_major_formatter(GROUPED)
        if len(periods) < _COLUMNS_LEAST:  # or a single one would fill the page
            axes.set_xlim(-0.6, _COLUMNS_LEAST - 0.4)
        axes.tick_params(axis="x", rotation=0 if len(periods) <= 12 else 90)
    facts = {"file": str(out), "currency": currency, "columns": to_builtins(columns)}
    emit(facts, f"drew {counted(len(columns), 'column')} into {out}", as_json=as_json)
