"""`khazana keys tls`: what a node shows to its peers."""

import os
from pathlib import Path

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import emit, fields, json_option


@click.command()
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default=True,
    help="Folder for tls.pem (the key, mode 0600) and tls.der (the certificate).",
)
@json_option
def command(name: str, out: Path, *, as_json: bool) -> None:
    """Make the TLS key and certificate of the node NAME.

    Peers know a node by exactly this certificate: it stands on the ledger, or in their list of
    observers. Existing files are never overwritten.

    \b
    Example:
      khazana keys tls central-bank --out home/keys
    """
    from node.keys.certificates import NAME_PATTERN, certificate_public_key, create_tls_identity

    if NAME_PATTERN.fullmatch(name) is None:
        raise CommandError(
            Exit.USAGE,
            f"{name!r} is no name: 1 to 32 of a-z, 0-9 and hyphens",
            advice="Name the node as the ledger and its node.toml do: `khazana keys tls"
            " central-bank --out FOLDER`.",
        )
    key_pem, certificate = create_tls_identity(name)
    out.mkdir(parents=True, exist_ok=True)
    key_file, certificate_file = out / "tls.pem", out / "tls.der"
    try:
        with open(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key_pem)
        with certificate_file.open("xb") as file:
            file.write(certificate)
    except FileExistsError as error:
        raise CommandError(
            Exit.CONFIGURATION,
            f"{error.filename} is there already, and is never overwritten",
            advice="Name another folder with --out, or move the old pair aside if no node shows it"
            " any more.",
        ) from None
    facts = {
        "name": name,
        "key": str(key_file),
        "certificate": str(certificate_file),
        "public_key": certificate_public_key(certificate).hex(),
    }
    emit(facts, fields(facts), as_json=as_json)
