"""`khazana amendment show`: the amendments that a node follows."""

from pathlib import Path

import click

from node.cli.amendment.telling import facts_of, text_of
from node.cli.options import home_option
from node.cli.output import emit, json_option


@click.command()
@home_option
@json_option
def command(home: Path, *, as_json: bool) -> None:
    """Print the amendments that are installed in a home, whether its node runs or not.

    \b
    Example:
      khazana amendment show --home central-bank
    """
    from node.cli.upkeep import load_home

    amendments = load_home(home).genesis.amendments
    emit(
        {"amendments": [facts_of(each) for each in amendments]},
        "\n\n".join(text_of(each) for each in amendments) or "no amendment is installed",
        as_json=as_json,
    )
