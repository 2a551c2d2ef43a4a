"""`khazana keys development`: the keys that everybody knows."""

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import emit, json_option, note, table


@click.command()
@click.argument("labels", nargs=-1)
@json_option
def command(labels: tuple[str, ...], *, as_json: bool) -> None:
    """Print the development keys of LABELS, private key included; all labels without an argument.

    They are the same on every machine and worth nothing: a node refuses them on any network whose
    genesis does not say `development`.

    \b
    Example:
      khazana keys development account-0 account-1
    """
    from node.keys.development import DEVELOPMENT_LABELS, development_signer

    if not labels:
        names = sorted(DEVELOPMENT_LABELS, key=_by_number)
        emit({"labels": names}, "\n".join(names), as_json=as_json)
        return
    rows = []
    for label in labels:
        try:
            signer = development_signer(label)
        except KeyError:
            raise CommandError(
                Exit.USAGE,
                f"no development key has the label {label!r}",
                advice="`khazana keys development` lists them.",
            ) from None
        rows.append((label, signer.public_key.hex(), signer.seed.hex()))
    note("DEVELOPMENT ONLY: everybody knows these keys.")
    emit(
        {"keys": [{"label": a, "public_key": b, "private_key": c} for a, b, c in rows]},
        table(rows, head=("label", "public key", "private key")),
        as_json=as_json,
    )


def _by_number(label: str) -> tuple[str, int]:
    """Return what sorts account-2 before account-10."""
    kind, _, number = label.rpartition("-")
    return (kind, int(number)) if number.isdecimal() else (label, -1)
