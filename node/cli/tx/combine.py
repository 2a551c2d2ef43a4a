"""`khazana tx combine`: signed copies of one transaction become one file."""

from pathlib import Path

import click

from node.cli.output import emit, json_option


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File for the transaction with all signatures.",
)
@json_option
def command(files: tuple[Path, ...], out: Path, *, as_json: bool) -> None:
    """Put the signatures in FILES, copies of one transaction, together.

    \b
    Example:
      khazana tx combine issue.bank.tx.json issue.ministry.tx.json --out issue.tx.json
    """
    from node.cli.tx.files import load_draft

    first, *others = [load_draft(file) for file in files]
    draft = first.combine(*others)
    draft.save(out)
    missing = [key.hex() for key in draft.missing]
    rest = f"still to be signed by {', '.join(missing)}" if missing else "complete"
    emit(
        {"id": draft.id.hex(), "file": str(out), "missing": missing},
        f"{draft.id.hex()} in {out}; {rest}",
        as_json=as_json,
    )
