"""`khazana restore`: the chain of a backup in a home that has none."""

from pathlib import Path

import click

from node.cli.amendment.telling import install_in
from node.cli.exits import CommandError, Exit
from node.cli.options import home_option, parse_ids
from node.cli.output import emit, fields, json_option
from node.cli.upkeep import Progress, load_home


@click.command()
@home_option
@click.option(
    "--from",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The backup.",
)
@click.option(
    "--amendment",
    "amendments",
    multiple=True,
    metavar="ID",
    callback=parse_ids,
    help="Id of an amendment of the validator set that may be taken from the backup and installed:"
    " one that you have compared with the institutions; once for each.",
)
@json_option
def command(home: Path, file: Path, amendments: tuple[str, ...], *, as_json: bool) -> None:
    """Verify a backup from the genesis on, and make the database of a home of it.

    Refused, with nothing written: a file of another network, a damaged, cut or forged one, one that
    goes through an amendment which the home does not have, and a home that has a chain. Compare
    height and block with another node's before you start this one: a backup proves that its block
    was decided, not that it is recent.

    \b
    Example:
      khazana restore --home central-bank --from chain.backup
    """
    from node.upkeep import BackupError, restore

    place = load_home(home)
    progress = Progress()
    try:
        restored = restore(
            file,
            place.chain,
            place.genesis,
            accepted=[bytes.fromhex(each) for each in amendments],
            progress=lambda parts: progress("parts verified", parts, None),
        )
    except BackupError as error:
        raise CommandError(Exit.REFUSED, str(error), advice="Nothing was changed.") from None
    progress.end()
    for amendment in restored.amendments:
        install_in(place, amendment)
    about = restored.about
    facts = {
        "height": about.height,
        "block_id": about.block_id.hex(),
        "state_root": about.state_root.hex(),
        "blocks": restored.blocks,
        "chunks": restored.chunks,
        "software": about.software,
        "amendments": [each.id.hex() for each in restored.amendments],
        "seconds": round(progress.elapsed_s, 1),
    }
    shown = {
        "height": f"{about.height}, block {about.block_id.hex()}",
        "state root": about.state_root.hex(),
        "with": f"blocks: {restored.blocks:,}, chunks of the state: {restored.chunks:,}",
        "next": "khazana start; a validator signs nothing before it has heard the others",
    }
    emit(facts, fields(shown), as_json=as_json)
