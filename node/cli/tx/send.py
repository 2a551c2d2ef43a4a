"""`khazana tx send`: operations from a file, signed and submitted."""

from pathlib import Path

import click

from node.cli.submission import Submission, submission_options


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@submission_options
def command(
    file: Path,
    *,
    submission: Submission,
) -> None:
    """Build, sign and submit the operations in FILE: all of them are applied, or none.

    FILE holds one JSON object or a list of them, in the form in which `khazana query transaction`
    shows operations; `khazana tx operations` lists their fields.

    \b
    Example:
      khazana tx send payment.json --key alice.json --passphrase-file alice.passphrase
    """
    from node.cli.tx.files import read_operations

    submission.send(*read_operations(file))
