"""Options of the commands that build transactions."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_MEMO_MAX: Final = 140
"""As of `node.ledger.transactions`, which takes long to import."""


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
        click.option(
            "--memo",
            default="",
            callback=_memo,
            help=f"Up to {_MEMO_MAX} characters, for people.",
        ),
    ):
        command = option(command)
    return command


def _memo(context: click.Context, option: click.Parameter, memo: str) -> str:
    if len(memo) > _MEMO_MAX:
        raise click.BadParameter(
            f"found {len(memo)} characters, expected at most {_MEMO_MAX}",
            ctx=context,
            param=option,
        )
    return memo
