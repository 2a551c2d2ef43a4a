"""`khazana keys generate`: a new key in an encrypted file."""

from pathlib import Path
from typing import Literal

import click

from node.cli.output import emit, fields, json_option
from node.cli.passphrases import obtain_passphrase, passphrase_option


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--purpose",
    type=click.Choice(["account", "consensus"]),
    default="account",
    show_default=True,
    help="What the key will sign: a key has one purpose.",
)
@passphrase_option
@json_option
def command(
    file: Path,
    purpose: Literal["account", "consensus"],
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Make a new Ed25519 key in an encrypted FILE (Argon2id, ChaCha20-Poly1305).

    An existing file is never overwritten.

    \b
    Example:
      khazana keys generate treasury.json --passphrase-file treasury.passphrase
    """
    from node.keys import LocalSigner
    from node.keys.keystore import store_key

    signer = LocalSigner.generate()
    passphrase = obtain_passphrase(passphrase_file, of=str(file), new=True)
    store_key(file, signer.seed, passphrase, purpose=purpose)
    facts = {"file": str(file), "purpose": purpose, "public_key": signer.public_key.hex()}
    emit(facts, fields(facts), as_json=as_json)
