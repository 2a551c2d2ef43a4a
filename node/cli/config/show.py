"""`khazana config show`: the settings in force, defaults and environment included."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from node.cli.options import home_option
from node.cli.output import emit, fields, json_option


@click.command()
@home_option
@json_option
def command(home: Path, *, as_json: bool) -> None:
    """Print the settings in force: the file's, the environment's, and the defaults.

    Secrets are never in a configuration, only the names of their files.

    \b
    Example:
      khazana config show --home central-bank
    """
    from node.config import load_config
    from node.provision.homes import CONFIG_FILE

    settings = _plain(load_config(home / CONFIG_FILE, check_files=False))
    assert isinstance(settings, dict)
    emit(settings, fields(dict(_flat(settings))), as_json=as_json)


def _plain(value: object) -> object:
    from pydantic import BaseModel

    from node.config import Endpoint

    match value:
        case BaseModel():
            return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
        case Endpoint() | Path():
            return str(value)
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def _flat(tree: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif value is not None:
            yield prefix + key, value
