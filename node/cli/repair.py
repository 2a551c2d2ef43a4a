"""`khazana repair`: a sound database in the place of a damaged one."""

from pathlib import Path

import click

from node.cli.check import SHOWN_MAX, facts_of
from node.cli.exits import CommandError, Exit
from node.cli.options import home_option
from node.cli.output import emit, json_option
from node.cli.upkeep import Progress, load_home


@click.command()
@home_option
@click.option(
    "--to-height",
    type=click.IntRange(min=0),
    help="Go back to this block, whatever the check finds: for a node that computed otherwise than"
    " the network.",
)
@json_option
def command(home: Path, to_height: int | None, *, as_json: bool) -> None:
    """Check the database of a stopped node, and put a sound one in its place if it is damaged.

    The good blocks are replayed into a new database. The old one is renamed, never deleted, and the
    consensus log is not touched. Needs as much room again as the database has.

    \b
    Example:
      khazana repair --home central-bank
    """
    from node.storage import StorageMissing
    from node.upkeep import Part, check_home
    from node.upkeep.repairing import Done, RepairRefused, repair

    place = load_home(home)
    progress = Progress()
    try:
        report = check_home(
            chain=place.chain,
            log=place.log,
            genesis=place.genesis,
            name=place.config.name,
            public_key=place.public_key,
            progress=progress,
        )
    except StorageMissing:
        report = None
    try:
        repaired = repair(
            place.chain,
            place.genesis,
            report,
            to_height=to_height,
            progress=lambda done, of: progress("replayed", done, of),
        )
    except RepairRefused as error:
        raise CommandError(Exit.REFUSED, str(error), advice="Nothing was changed.") from None
    progress.end()
    facts = {
        "done": repaired.done.value,
        "height": repaired.height,
        "moved_to": None if repaired.moved_to is None else str(repaired.moved_to),
        "stopped_by": repaired.stopped_by,
        "next": repaired.next,
        "seconds": round(progress.elapsed_s, 1),
        "check": None if report is None else facts_of(report),
    }
    lines = []
    if report is not None:
        lines += [f"{fault.part.value}: {fault.place}" for fault in report.faults[:SHOWN_MAX]]
        lines += sorted({fault.advice for fault in report.faults if fault.part is Part.LOG})
    if repaired.moved_to is not None:
        lines.append(f"the old database is kept at {repaired.moved_to}")
    if repaired.done is Done.REBUILT:
        lines.append(f"a new one holds the blocks up to height {repaired.height}")
    if repaired.stopped_by:
        lines.append(f"no further: {repaired.stopped_by}")
    lines.append(repaired.next)
    emit(facts, "\n".join(lines), as_json=as_json)
