"""`khazana tx sign`: a signature more on a transaction in a file. Needs no node."""

from pathlib import Path

import click

from node.cli.output import emit, json_option
from node.cli.signing import load_signers, signing_options


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the signed copy; by default FILE itself.",
)
@signing_options
@json_option
def command(
    file: Path,
    out: Path | None,
    keys: tuple[Path, ...],
    passphrase_files: tuple[Path, ...],
    development: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Sign the transaction in FILE. Offline: no node is asked. Look at it first with `tx show`.

    \b
    Example:
      khazana tx sign issue.tx.json --development finance-ministry/account \\
        --out issue.ministry.tx.json
    """
    from node.cli.tx.files import load_draft

    draft = load_draft(file).sign(*load_signers(keys, passphrase_files, development))
    draft.save(out or file)
    missing = [key.hex() for key in draft.missing]
    rest = f"still to be signed by {', '.join(missing)}" if missing else "complete"
    emit(
        {"id": draft.id.hex(), "file": str(out or file), "missing": missing},
        f"signed {draft.id.hex()} in {out or file}; {rest}",
        as_json=as_json,
    )
