"""`khazana amendment sign`: this node's voting key stands behind an amendment."""

from pathlib import Path

import click

from node.cli.amendment.telling import FILE, facts_of, text_of, write
from node.cli.options import home_option
from node.cli.output import emit, json_option


@click.command()
@click.argument("file", type=FILE)
@home_option
@json_option
def command(file: Path, home: Path, *, as_json: bool) -> None:
    """Add the signature of this home's voting key to the amendment in FILE.

    Survivors sign, and every validator of the new set. Look at what it decides first (`khazana
    amendment check FILE`). Refused, besides what `khazana amendment install` refuses: a key that
    has not to sign.

    \b
    Example:
      khazana amendment sign 1.amendment --home central-bank
    """
    from node.app.loading import load_signer
    from node.cli.upkeep import load_home
    from node.cli.validator.writing import no_voting_key
    from node.genesis import read_amendment, signed_by
    from node.upkeep import check_fits

    place = load_home(home)
    amendment = read_amendment(file)
    check_fits(amendment, chain=place.chain, log=place.log, genesis=place.genesis, is_draft=True)
    signer = load_signer(place.config, place.genesis)
    if signer is None:
        raise no_voting_key(home)
    amendment = signed_by(amendment, signer)
    write(file, amendment)
    emit(
        {"file": str(file)} | facts_of(amendment),
        f"{text_of(amendment)}\n\nsigned by {place.config.name}",
        as_json=as_json,
    )
