"""`khazana check`: a node's whole database, offline."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.exits import Exit
from node.cli.options import home_option
from node.cli.output import emit, json_option
from node.cli.upkeep import Progress, load_home

if TYPE_CHECKING:
    from node.upkeep import Report

SHOWN_MAX: Final = 20
"""Faults told to a person; --json has the first thousand."""


@click.command()
@home_option
@json_option
@click.pass_context
def command(ctx: click.Context, home: Path, *, as_json: bool) -> None:
    """Check the database of a stopped node: every block, signature, record and index, and the log.

    Writes nothing. Exit code 5 when anything is not as it should be; `khazana repair` mends it.

    \b
    Example:
      khazana check --home central-bank
    """
    from node.upkeep import check_home

    place = load_home(home)
    progress = Progress()
    report = check_home(
        chain=place.chain,
        log=place.log,
        genesis=place.genesis,
        name=place.config.name,
        public_key=place.public_key,
        progress=progress,
    )
    progress.end()
    facts = facts_of(report) | {"seconds": round(progress.elapsed_s, 1)}
    emit(facts, render(report, progress.elapsed_s), as_json=as_json)
    if not report.is_whole:
        ctx.exit(Exit.DAMAGED)


def facts_of(report: "Report") -> dict[str, Any]:
    """Return a report for machines."""
    return {
        "whole": report.is_whole,
        "height": report.height,
        "from_height": report.from_height,
        "good_to": report.good_to,
        "blocks": report.blocks,
        "transactions": report.transactions,
        "records": report.records,
        "state_is_whole": report.state_is_whole,
        "faults_count": report.faults_count,
        "faults": [
            {
                "part": fault.part.value,
                "place": fault.place,
                "found": fault.found,
                "expected": fault.expected,
                "advice": fault.advice,
            }
            for fault in report.faults
        ],
        "notes": list(report.notes),
    }


def render(report: "Report", seconds: float) -> str:
    """Return a report for people."""
    lines = [
        f"checked {report.blocks:,} blocks with {report.transactions:,} transactions and"
        f" {report.records:,} records in {seconds:.1f} s"
    ]
    lines += [
        f"{fault.part.value}: {fault.place}: {fault.found}, expected {fault.expected}"
        for fault in report.faults[:SHOWN_MAX]
    ]
    if report.faults_count > SHOWN_MAX:
        lines.append(f"and {report.faults_count - SHOWN_MAX:,} more (--json shows them)")
    lines += [f"note: {note}" for note in report.notes]
    if report.is_whole:
        lines.append(f"whole, at height {report.height:,}")
    else:
        faults = "1 fault" if report.faults_count == 1 else f"{report.faults_count:,} faults"
        known = f"every block is good up to {report.good_to}"
        if report.good_to < report.from_height:
            known = "no block is known to be good"
        lines.append(f"{faults}; {known}")
        lines += sorted({fault.advice for fault in report.faults})
    return "\n".join(lines)
