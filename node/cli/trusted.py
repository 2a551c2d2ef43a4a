"""What a reader trusts who believes no node: the genesis, and amendments of the validator set."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from node.genesis import Genesis

Command = TypeVar("Command", bound=Callable[..., Any])


def amendments_option(command: Command) -> Command:
    """Give a command `--amendment` as often as one likes, passed to it as `amendments`."""
    return click.option(
        "--amendment",
        "amendments",
        multiple=True,
        type=click.Path(dir_okay=False, path_type=Path),
        help="An amendment of the validator set, to be trusted like the genesis; once for each.",
    )(command)


def founded(genesis: Path, amendments: Sequence[Path]) -> "Genesis":
    """Return the genesis in a file as these amendments have it.

    Raises:
        GenesisError, AmendmentError: a file is none, or they do not follow each other.
    """
    from node.genesis import load_genesis, read_amendment

    given = sorted(map(read_amendment, amendments), key=lambda each: each.serial)
    return load_genesis(genesis).amended(given)
