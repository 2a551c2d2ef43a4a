"""`khazana tx operations`: which operations there are, and their fields."""

import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import emit, fields, json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from node.cli.tx.describing import Described

WIDTH: Final = 96


@click.command("operations")
@click.argument("name", required=False)
@json_option
def command(name: str | None, *, as_json: bool) -> None:
    """List the operations that a transaction can hold.

    With NAME: how each field of that operation is written.

    \b
    Examples:
      khazana tx operations
      khazana tx operations announce_auction
    """
    from typing import get_type_hints

    from node.cli.tx.describing import describe
    from node.cli.tx.operations import key_of
    from node.ledger.catalogue import ACTS

    operations = {act.name: act.operation for act in ACTS}
    if name is None:
        found = {
            each: [key_of(*hint) for hint in get_type_hints(kind, include_extras=True).items()]
            for each, kind in operations.items()
        }
        text = fields({each: ", ".join(names) for each, names in found.items()})
        emit(found, text, as_json=as_json)
        return
    if name not in operations:
        raise CommandError(
            Exit.USAGE,
            f"there is no operation {name!r}",
            advice="`khazana tx operations` lists them.",
        )
    rows = list(describe(operations[name]))
    emit({"type": name, "fields": [asdict(row) for row in rows]}, _text(rows), as_json=as_json)


def _text(rows: "Sequence[Described]") -> str:
    lines = []
    for row in rows:
        lines.append(f"{row.path}: {row.written}")
        lines += textwrap.wrap(row.means, WIDTH, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines)
