"""`khazana access list`: the API keys that a node takes."""

from pathlib import Path

import click

from node.cli.access.files import keys_file
from node.cli.options import home_option
from node.cli.output import emit, json_option, table


@click.command()
@home_option
@json_option
def command(home: Path, *, as_json: bool) -> None:
    """List the API keys, and what each may. The keys themselves are nowhere.

    \b
    Example:
      khazana access list --home central-bank
    """
    from node.access import load_api_keys

    path = keys_file(home)
    keys = load_api_keys(path) if path.exists() else {}
    listed: list[dict[str, object]] = [
        {
            "name": name,
            "scopes": [scope.value for scope in key.scopes],
            "calls_per_s_max": key.calls_per_s_max,
            "expires": None if key.expires is None else key.expires.isoformat(),
        }
        for name, key in sorted(keys.items())
    ]
    rows = [
        (
            name,
            " ".join(scope.value for scope in key.scopes),
            key.calls_per_s_max or "-",
            "-" if key.expires is None else key.expires.isoformat(),
        )
        for name, key in sorted(keys.items())
    ]
    text = table(rows, head=("name", "scopes", "calls/s", "expires")) if rows else "no API keys"
    emit({"file": str(path), "api_keys": listed}, text, as_json=as_json)
