"""`khazana validator settle`: keys that have followed get the names of those before them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli.asking import with_client
from node.cli.exits import CommandError, Exit
from node.cli.options import home_option, timeout_option, url_option
from node.cli.output import emit, json_option

if TYPE_CHECKING:
    from node.client import Client


@click.command()
@home_option
@url_option
@timeout_option(10)
@json_option
def command(home: Path, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Put keys that are in force by now in the place of the former ones, which are kept.

    The running node is not concerned. Do it before the next `khazana validator prepare`.

    \b
    Example:
      khazana validator settle --home first-bank --url http://127.0.0.1:26680
    """
    from node.cli.upkeep import load_home
    from node.cli.validator.writing import no_key_waits
    from node.keys.following import FORMER, following_of, settle_files
    from node.keys.keystore import read_keystore

    place = load_home(home)
    validator, tls, name = place.config.validator, place.config.tls, place.config.name
    keystore = None if validator is None else validator.keystore
    if keystore is None:
        raise no_key_waits(home)
    files = [keystore, tls.key, tls.certificate]
    if not any(following_of(path).exists() for path in files):
        raise no_key_waits(home)
    # Killed in the middle it has the voting key in its place, and goes on with what is left.
    waiting = following_of(keystore)
    prepared = read_keystore(waiting if waiting.exists() else keystore).public_key

    async def present(client: "Client") -> str | None:
        found = (await client.validators()).value.validators
        return next((each.public_key for each in found if each.name == name), None)

    in_force = with_client(url, timeout_s, present)
    if in_force != prepared.hex():
        raise CommandError(
            Exit.REFUSED,
            f"{name} {f'votes with the key {in_force}' if in_force else 'is no validator'}, the key"
            f" prepared is {prepared.hex()}",
            advice="Wait until the offices have decided: `khazana validator list` shows what is"
            " pending.",
        )
    settle_files(files)
    emit(
        {"home": str(home), "public_key": prepared.hex()},
        f"{name} has the key {prepared.hex()}; the former files end in {FORMER}",
        as_json=as_json,
    )
