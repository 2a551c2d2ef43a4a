"""`khazana tx send`: operations from a file, signed and submitted."""

from pathlib import Path

import click

from node.cli.options import timeout_option, url_option
from node.cli.output import json_option
from node.cli.signing import load_signers, signing_options
from node.cli.tx.options import building_options


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@signing_options
@building_options
@url_option
@timeout_option(60)
@json_option
def command(
    file: Path,
    keys: tuple[Path, ...],
    passphrase_files: tuple[Path, ...],
    development: tuple[str, ...],
    memo: str,
    valid_for_s: float,
    url: str,
    timeout_s: float,
    *,
    as_json: bool,
) -> None:
    """Build, sign and submit the operations in FILE: all of them are applied, or none.

    FILE holds one JSON object or a list of them, in the form in which `khazana query transaction`
    shows operations; `khazana tx operations` lists their fields.

    \b
    Example:
      khazana tx send payment.json --key alice.json --passphrase-file alice.passphrase
    """
    from node.cli.tx.files import read_operations
    from node.cli.tx.submitting import send

    send(
        read_operations(file),
        load_signers(keys, passphrase_files, development),
        url=url,
        timeout_s=timeout_s,
        memo=memo,
        valid_for_s=valid_for_s,
        as_json=as_json,
    )
