"""Options that several commands share."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

from node.cli import homes

Command = TypeVar("Command", bound=Callable[..., Any])

HOME_VARIABLE: Final = "KHAZANA_HOME"
URL_VARIABLE: Final = "KHAZANA_URL"
URL_USUAL: Final = "http://127.0.0.1:26680"

_SHOWN_DEFAULT: Final = f"the running development network, else {URL_USUAL}"


def home_option(command: Command) -> Command:
    """Give a command the option `--home`: the folder of one node."""
    return click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("khazana-home"),
        envvar=HOME_VARIABLE,
        show_default=True,
        show_envvar=True,
        help="Folder of the node.",
        callback=_remembered,
    )(command)


def _remembered(context: click.Context, parameter: click.Parameter, home: Path) -> Path:
    """Keep a home that commands in what is said have to name too."""
    if context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE:
        homes.given.set(home)
    return home


def parse_id(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Return the id of a transaction or proposal as nodes write it: the callback of an argument.

    Raises:
        click.BadParameter: it is none.
    """
    if re.fullmatch("[0-9a-fA-F]{64}", value) is None:
        shown = value if len(value) <= 80 else value[:79] + "…"
        raise click.BadParameter(f"{shown!r} is no id: 64 hexadecimal digits are needed")
    return value.lower()


def parse_ids(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Return several ids, as `parse_id` does one.

    Raises:
        click.BadParameter: one is none.
    """
    return tuple(parse_id(context, parameter, each) for each in values)


def url_default() -> str:
    """Return whom a command asks where nobody says: your development network while it runs, else a
    node of this machine at the usual port.

    A person is told where it is not the usual one.
    """
    from node.cli.devnet.place import ROOT_VARIABLE, root_default
    from node.cli.output import note
    from node.provision.local import NoSuchNetwork, open_network

    try:
        network = open_network(Path(os.environ.get(ROOT_VARIABLE) or root_default()))
    except (NoSuchNetwork, RuntimeError):  # The latter: whoever runs this has no home.
        return URL_USUAL
    url = next((network.nodes[name].url for name, _ in network.running()), URL_USUAL)
    if url != URL_USUAL and sys.stderr.isatty():
        note(f"asking the development network at {url}; --url or {URL_VARIABLE} names another node")
    return url


def url_option(command: Command) -> Command:
    """Give a command the option `--url`: the node to ask, or several of which one is enough."""
    return click.option(
        "--url",
        default=url_default,
        envvar=URL_VARIABLE,
        show_default=_SHOWN_DEFAULT,
        show_envvar=True,
        help="Where the node answers clients; of several, separated by spaces, the next is asked"
        " where one does not answer.",
    )(command)


def urls_option(command: Command) -> Command:
    """Give a command the option `--url` as often as one likes, passed to it as `urls`."""
    return click.option(
        "--url",
        "urls",
        multiple=True,
        default=lambda: [url_default()],
        envvar=URL_VARIABLE,
        show_default=_SHOWN_DEFAULT,
        show_envvar=True,
        help="Where a node answers clients; once for each.",
    )(command)


def timeout_option(seconds: int) -> Callable[[Command], Command]:
    """Give a command the option `--timeout`, in seconds, with this default."""

    def decorate(command: Command) -> Command:
        return click.option(
            "--timeout",
            "timeout_s",
            type=click.FloatRange(0.1, 3_600),
            default=seconds,
            show_default=True,
            help="How long to wait, in seconds.",
        )(command)

    return decorate
