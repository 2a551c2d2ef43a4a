"""`khazana tx operations`: which operations there are, and their fields."""

from typing import get_type_hints

import click

from node.cli.output import emit, fields, json_option


@click.command("operations")
@json_option
def command(*, as_json: bool) -> None:
    """List the operations that a transaction can hold, with their fields.

    \b
    Example:
      khazana tx operations
    """
    from node.ledger.catalogue import ACTS

    found = {
        act.name: [
            name.removesuffix("_ms") for name in get_type_hints(act.operation) if name != "type"
        ]
        for act in ACTS
    }
    emit(found, fields({name: ", ".join(names) for name, names in found.items()}), as_json=as_json)
