"""`khazana amendment install`: a node follows an amendment from now on."""

from pathlib import Path
from typing import Final

import click

from node.cli.amendment.telling import FILE, facts_of, install_in, text_of
from node.cli.asking import confirm
from node.cli.options import home_option
from node.cli.output import box, emit, json_option, note

WARNING: Final = (
    "THIS NODE WILL FOLLOW VALIDATORS THAT THE CHAIN DID NOT DECIDE ON.",
    "If any node anywhere holds a block above this height, or a lost key",
    "comes back into hands that use it with others, two blocks may be",
    "final at one height, and no program can mend that. Compare the id",
    "of the amendment with every institution, not over this network.",
)


@click.command()
@click.argument("file", type=FILE)
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
@json_option
def command(file: Path, home: Path, *, yes: bool, as_json: bool) -> None:
    """Let this home's node follow the amendment in FILE, once it stands at its block.

    Every node does, observers too, each by its own operator. Refused: while the node runs, for
    another network, while a signature is missing, where this node holds a block above or another
    block at its height, where its log knows of one, where the ledger cannot have the new set.

    \b
    Example:
      khazana amendment install 1.amendment --home central-bank
    """
    from node.cli.upkeep import load_home
    from node.genesis import read_amendment
    from node.upkeep import check_fits

    place = load_home(home)
    amendment = read_amendment(file)
    check_fits(amendment, chain=place.chain, log=place.log, genesis=place.genesis)
    note(text_of(amendment))
    note(box(WARNING))
    if not yes:
        confirm(f"Follow amendment {amendment.id.hex()}?")
    path = install_in(place, amendment)
    emit(
        {"file": str(path)} | facts_of(amendment),
        f"{place.config.name} follows amendment {amendment.serial} from height"
        f" {amendment.rules_from} on; start it now.",
        as_json=as_json,
    )
