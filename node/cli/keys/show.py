"""`khazana keys show`: what a key file says without its passphrase."""

from pathlib import Path

import click

from node.cli.output import emit, fields, json_option


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def command(file: Path, *, as_json: bool) -> None:
    """Print public key and purpose of a key FILE. Needs no passphrase.

    \b
    Example:
      khazana keys show treasury.json
    """
    from node.keys.keystore import read_keystore

    found = read_keystore(file)
    facts = {"file": str(file), "purpose": found.purpose, "public_key": found.public_key.hex()}
    emit(facts, fields(facts), as_json=as_json)
