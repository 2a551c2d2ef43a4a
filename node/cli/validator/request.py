"""`khazana validator request`: what the others need to let this node vote."""

from pathlib import Path

import click

from node.cli.options import home_option
from node.cli.output import json_option


@click.command()
@home_option
@click.option("--participant", help="Who runs it; by default of the node's own name.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="By default NAME.request.json."
)
@json_option
def command(home: Path, participant: str | None, out: Path | None, *, as_json: bool) -> None:
    """Write the request of this home's node: its name, key, certificate, and a proof of its key.

    Nothing in it is secret. Give it to the offices; one of them proposes it with `khazana
    validator add FILE`.

    \b
    Example:
      khazana validator request --home /srv/khazana --participant bank
    """
    from node.app.loading import load_identity, load_signer
    from node.cli.upkeep import load_home
    from node.cli.validator.writing import no_voting_key, write_request

    place = load_home(home)
    signer = load_signer(place.config, place.genesis)
    if signer is None:
        raise no_voting_key(home)
    write_request(
        signer,
        load_identity(place.config).certificate,
        place,
        participant=participant,
        out=out,
        as_json=as_json,
    )
