"""`khazana access revoke`: an API key that opens nothing any more."""

from pathlib import Path

import click

from node.cli.access.files import keys_file
from node.cli.exits import CommandError, Exit
from node.cli.options import home_option
from node.cli.output import emit, json_option


@click.command()
@click.argument("name")
@home_option
@json_option
def command(name: str, home: Path, *, as_json: bool) -> None:
    """Let the API key of NAME open nothing any more. A running node knows it a second later.

    Connections that the key has opened are ended.

    \b
    Example:
      khazana access revoke exchange-one
    """
    from node.access import editing_api_keys

    path = keys_file(home)
    with editing_api_keys(path) as keys:
        if keys.pop(name, None) is None:
            raise CommandError(
                Exit.REFUSED,
                f"there is no key of this name in {path}",
                advice="`khazana access list` says which there are.",
            )
    emit({"name": name, "file": str(path)}, f"revoked {name}", as_json=as_json)
