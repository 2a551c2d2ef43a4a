"""Where a passphrase comes from: a file, or a person at a terminal. Never the command line."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from node.cli.exits import CommandError, Exit

Command = TypeVar("Command", bound=Callable[..., Any])


def passphrase_option(command: Command) -> Command:
    """Give a command the option `--passphrase-file`."""
    return click.option(
        "--passphrase-file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="File whose one line is the passphrase; without it you are asked.",
    )(command)


def obtain_passphrase(file: Path | None, *, of: str, new: bool = False) -> str:
    """Return the passphrase in the file, or ask the person at the terminal.

    Args:
        of: what it opens, for the question.
        new: ask twice, because nothing can tell a typing error later.

    Raises:
        CommandError: no file was named and nobody can be asked.
        PassphraseError: the file holds no passphrase.
    """
    from node.keys.keystore import read_passphrase

    if file is not None:
        return read_passphrase(file)
    if not sys.stdin.isatty():
        raise CommandError(
            Exit.USAGE,
            f"the passphrase of {of} is needed, and there is no terminal to ask at",
            advice="Name a file with --passphrase-file.",
        )
    answer: str = click.prompt(
        f"Passphrase of {of}", hide_input=True, confirmation_prompt=new, err=True
    )
    return answer
