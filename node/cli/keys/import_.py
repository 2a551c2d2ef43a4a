"""`khazana keys import`: an existing key into an encrypted file."""

from pathlib import Path
from typing import Literal

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import emit, fields, json_option
from node.cli.passphrases import obtain_passphrase, passphrase_option


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--seed-file",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    required=True,
    help="File with the 32-byte private key (RFC 8032 seed): raw, or 64 hexadecimal digits.",
)
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
    seed_file: Path,
    purpose: Literal["account", "consensus"],
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Put an existing Ed25519 key into an encrypted FILE.

    Destroy the seed file afterwards.

    \b
    Example:
      khazana keys import alice.json --seed-file seed.hex --passphrase-file alice.passphrase
    """
    from node.keys import LocalSigner
    from node.keys.keystore import store_key

    seed = read_seed(seed_file)
    passphrase = obtain_passphrase(passphrase_file, of=str(file), new=True)
    store_key(file, seed, passphrase, purpose=purpose)
    public_key = LocalSigner(seed).public_key.hex()
    facts = {"file": str(file), "purpose": purpose, "public_key": public_key}
    emit(facts, fields(facts), as_json=as_json)


def read_seed(path: Path) -> bytes:
    """Return the private key in a file.

    Raises:
        CommandError: it holds none.
    """
    with path.open("rb") as source:
        data = source.read(128)
    if len(data) == 32:
        return data
    try:
        seed = bytes.fromhex(data.decode("ascii").strip())
    except ValueError:
        seed = b""
    if len(seed) != 32:
        raise CommandError(
            Exit.CONFIGURATION,
            f"{path} holds no private key: 32 bytes or 64 hexadecimal digits are needed",
            advice="Give the seed of an Ed25519 key, raw or in hexadecimal digits, or make a new"
            " key: `khazana keys generate`.",
        )
    return seed
