"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

HOME_VARIABLE: Final = "KHAZANA_HOME"
URL_VARIABLE: Final = "KHAZANA_URL"
URL_DEFAULT: Final = "http://127.0.0.1:26680"


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
    )(command)


def url_option(command: Command) -> Command:
    """Give a command the option `--url`: the node to ask."""
    return click.option(
        "--url",
        default=URL_DEFAULT,
        envvar=URL_VARIABLE,
        show_default=True,
        show_envvar=True,
        help="Where the node answers clients.",
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
