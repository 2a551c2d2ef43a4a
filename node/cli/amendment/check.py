"""`khazana amendment check`: what an amendment decides, who has signed it, and whether it fits."""

from pathlib import Path

import click

from node.cli.amendment.telling import FILE, facts_of, text_of
from node.cli.exits import Exit
from node.cli.output import emit, json_option


@click.command()
@click.argument("file", type=FILE)
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also hold it against this stopped node's chain and log.",
)
@json_option
def command(file: Path, home: Path | None, *, as_json: bool) -> int:
    """Print what the amendment in FILE decides and who has not signed it yet.

    Every signature in it is verified. Exit code 1 while one is missing.

    \b
    Example:
      khazana amendment check 1.amendment --home central-bank
    """
    from node.cli.upkeep import load_home
    from node.genesis import read_amendment
    from node.upkeep import check_fits

    amendment = read_amendment(file)
    if home is not None:
        place = load_home(home)
        check_fits(
            amendment,
            chain=place.chain,
            log=place.log,
            genesis=place.genesis,
            is_draft=True,
        )
    emit(facts_of(amendment), text_of(amendment), as_json=as_json)
    return Exit.REFUSED if amendment.missing else Exit.OK
