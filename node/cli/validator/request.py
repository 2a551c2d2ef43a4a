"""`khazana validator request`: what the others need to let this node vote."""

from pathlib import Path

import click

from node.cli.options import home_option
from node.cli.output import json_option
from node.cli.validator.writing import request_options


@click.command()
@home_option
@request_options
@click.option(
    "--prepared",
    is_flag=True,
    help="Of the keys that `khazana validator prepare` has made, not of those in use.",
)
@json_option
def command(
    home: Path, participant: str | None, out: Path | None, *, prepared: bool, as_json: bool
) -> None:
    """Write the request of this home's node: its name, key, certificate, and a proof of its key.

    Nothing in it is secret. Give it to the offices; one of them proposes it with `khazana
    validator add FILE`.

    \b
    Example:
      khazana validator request --home first-bank --participant participant-0
    """
    from node.app.loading import (
        load_following_identity,
        load_following_signer,
        load_identity,
        load_signer,
    )
    from node.cli.upkeep import load_home
    from node.cli.validator.writing import (
        no_key_waits,
        no_voting_key,
        request_path,
        write_request,
    )

    place = load_home(home)
    signer = load_signer(place.config, place.genesis)
    if signer is None:
        raise no_voting_key(home)
    identity = load_identity(place.config)
    if prepared:
        signer = load_following_signer(place.config, place.genesis)
        identity = load_following_identity(place.config) or identity
        if signer is None:
            raise no_key_waits(home)
    write_request(
        signer,
        identity.certificate,
        place,
        participant=participant,
        path=request_path(place, out),
        as_json=as_json,
    )
