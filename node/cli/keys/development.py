"""`khazana keys development`: the keys that everybody knows."""

from collections import Counter
from collections.abc import Sequence

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import emit, json_option, note, table


@click.command()
@click.argument("labels", nargs=-1)
@click.option("--all", "every", is_flag=True, help="List every label, one a line.")
@json_option
def command(labels: tuple[str, ...], *, every: bool, as_json: bool) -> None:
    """Print the development keys of LABELS, private key included; without any, which there are.

    They are the same on every machine and worth nothing: a node refuses them on any network whose
    genesis does not say `development`.

    \b
    Examples:
      khazana keys development account-0 account-1
      khazana keys development --all
    """
    from node.keys.development import DEVELOPMENT_LABELS, development_signer

    if labels and every:
        raise CommandError(
            Exit.USAGE, "either labels or --all", advice="One prints keys, the other names."
        )
    if not labels:
        names = sorted(DEVELOPMENT_LABELS, key=_by_number)
        text = "\n".join(names) if every else _grouped(names)
        emit({"labels": names}, text, as_json=as_json)
        return
    rows = []
    for label in labels:
        try:
            signer = development_signer(label)
        except KeyError:
            raise CommandError(
                Exit.USAGE,
                f"no development key has the label {label!r}",
                advice="`khazana keys development` says which there are.",
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


def _grouped(names: Sequence[str]) -> str:
    """Return a table of the labels: numbered ones in one row, each with the uses it also has."""
    stems: dict[str, list[str]] = {}
    uses: dict[str, set[str]] = {}
    counts: Counter[str] = Counter()
    for name in names:
        stem, _, use = name.partition("/")
        kind, _, number = stem.rpartition("-")
        group = kind if number.isdecimal() else stem
        counts[group] += 1
        if use:
            uses.setdefault(group, set()).add(f"/{use}")
        else:
            stems.setdefault(group, []).append(stem)
    rows = [
        (
            members[0] if len(members) == 1 else f"{members[0]} … {members[-1]}",
            " ".join(sorted(uses.get(group, ()))),
            str(counts[group]),
        )
        for group, members in stems.items()
    ]
    return "\n\n".join(
        [
            table(rows, head=("label", "also with", "keys")),
            f"{len(names)} labels: --all lists them; `khazana keys development LABEL`: a key.",
        ]
    )
