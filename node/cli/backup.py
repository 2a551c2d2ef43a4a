"""`khazana backup`: a node's chain in one file, whether it runs or not."""

import asyncio
from pathlib import Path
from typing import Any

import click

from node.cli.exits import CommandError, Exit
from node.cli.options import home_option
from node.cli.output import emit, fields, json_option
from node.cli.upkeep import Home, Progress, load_home


@click.command()
@home_option
@click.option(
    "--to",
    "to",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; it must not be there.",
)
@click.option("--blocks", is_flag=True, help="Also the blocks that this node keeps.")
@json_option
def command(home: Path, to: Path, *, blocks: bool, as_json: bool) -> None:
    """Write the state of the last block, and what a node needs beside it, into one file.

    A running node does it itself, without stopping: over the control socket in its home. The file
    holds no key and no consensus log.

    \b
    Example:
      khazana backup --home central-bank --to chain.backup
    """
    place = load_home(home)
    progress = Progress()
    target = to.absolute()
    made = _of_running(place, target, progress, blocks=blocks)
    if made is None:
        made = _of_stopped(place, target, progress, blocks=blocks)
    progress.end()
    facts = made | {"file": str(target), "seconds": round(progress.elapsed_s, 1)}
    kept = f"with {made['blocks']:,} blocks" if blocks else "the state alone (blocks: --blocks)"
    shown = {
        "file": target,
        "height": f"{made['height']}, block {made['block_id']}",
        "state root": made["state_root"],
        "size": f"{made['size_bytes']:,} bytes, {kept}",
    }
    emit(facts, fields(shown), as_json=as_json)


def _of_running(
    place: Home, to: Path, progress: Progress, *, blocks: bool
) -> dict[str, Any] | None:
    """Ask the running node; None where none is running."""
    from node.control import ControlError, Refused, ask_for_backup

    try:
        return asyncio.run(
            ask_for_backup(
                place.control,
                to,
                blocks=blocks,
                progress=lambda written: progress("bytes written", written, None),
            )
        )
    except Refused as error:
        raise CommandError(
            Exit.REFUSED,
            str(error),
            advice="Nothing that is whole was written. Name a new file on a disk with room, which"
            " the node's user may write: --to FILE.",
        ) from None
    except ControlError as error:
        if place.is_running():
            raise CommandError(
                Exit.UNREACHABLE,
                f"the node is running and does not answer: {error}",
                advice="The socket belongs to the node's user: run this as the same.",
            ) from None
        return None


def _of_stopped(place: Home, to: Path, progress: Progress, *, blocks: bool) -> dict[str, Any]:
    from node.app import software
    from node.upkeep import BackupError, back_up_stopped

    try:
        written = back_up_stopped(
            place.chain,
            place.genesis,
            to,
            blocks=blocks,
            software=software(),
            progress=lambda size: progress("bytes written", size, None),
        )
    except BackupError as error:
        raise CommandError(
            Exit.REFUSED,
            str(error),
            advice="Nothing that is whole was written. Name a new file on a disk with room, which"
            " the node's user may write: --to FILE.",
        ) from None
    return {
        "height": written.about.height,
        "block_id": written.about.block_id.hex(),
        "state_root": written.about.state_root.hex(),
        "size_bytes": written.size_bytes,
        "blocks": written.blocks,
    }
