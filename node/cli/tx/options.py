"""Options of the commands that build transactions."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def building_options(command: Command) -> Command:
    """Give a command `--memo` and `--valid-for`."""
    for option in (
        click.option(
            "--valid-for",
            "valid_for_s",
            type=click.FloatRange(1, 3_600),
            default=120,
            show_default=True,
            help="Seconds after which it can no longer be applied.",
        ),
        click.option("--memo", default="", help="Up to 140 characters, for people."),
    ):
        command = option(command)
    return command
