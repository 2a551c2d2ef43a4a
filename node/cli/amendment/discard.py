"""`khazana amendment discard`: an amendment that nothing was decided on is let go."""

from pathlib import Path

import click

from node.cli.amendment.telling import facts_of
from node.cli.asking import confirm
from node.cli.exits import CommandError, Exit
from node.cli.options import home_option
from node.cli.output import emit, json_option


@click.command()
@click.option(
    "--although-signed",
    is_flag=True,
    help="Also if this key has voted under it: only where all institutions let go of it.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
@json_option
def command(home: Path, *, although_signed: bool, yes: bool, as_json: bool) -> None:
    """Let go of the last amendment that this home's node follows, before any block stands on it.

    For a ceremony that was called off. Refused: while the node runs, where it holds a block that
    the new set has decided, and, without --although-signed, where its key has voted under the
    amendment: others may have decided a block with that vote.

    \b
    Example:
      khazana amendment discard --home central-bank
    """
    from node.cli.upkeep import load_home
    from node.genesis.installed import discard
    from node.upkeep import check_undecided, has_signed

    place = load_home(home)
    if not place.genesis.amendments:
        raise CommandError(
            Exit.REFUSED,
            "no amendment is installed here",
            advice="Nothing has to be done: this node follows the validators that the ledger"
            " itself has. Is --home the node that is meant?",
        )
    amendment = place.genesis.amendments[-1]
    check_undecided(amendment, chain=place.chain, log=place.log, genesis=place.genesis)
    if has_signed(place.log, amendment) and not although_signed:
        raise CommandError(
            Exit.REFUSED,
            f"the key of {place.config.name} has voted under amendment {amendment.serial}: others"
            " may have decided a block with that vote",
            advice="Ask every institution for its head. Only where none holds block"
            f" {amendment.rules_from}, and all let go of it: --although-signed.",
        )
    if not yes:
        confirm(f"Let go of amendment {amendment.id.hex()}?")
    try:
        discard(place.config.amendments, amendment)
    except OSError as error:
        raise CommandError(
            Exit.DAMAGED,
            f"{place.config.amendments} cannot be written: {error.strerror}",
            advice="Run this as the node's user, who owns that folder, and look at the disk:"
            " `khazana doctor`. The amendment is still followed.",
        ) from None
    emit(
        facts_of(amendment),
        f"{place.config.name} follows amendment {amendment.serial} no more.",
        as_json=as_json,
    )
