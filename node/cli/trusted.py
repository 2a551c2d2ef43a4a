"""What a reader trusts who believes no node: the genesis, and amendments of the validator set."""

from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from node.cli.exits import CommandError, Exit

if TYPE_CHECKING:
    from node.client.verifying import Recency
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


def max_age_option(command: Command) -> Command:
    """Give a command `--max-age`, passed to it as `max_age_s`: for `recency_of`."""
    return click.option(
        "--max-age",
        "max_age_s",
        type=click.FloatRange(0),
        default=7_200,
        show_default=True,
        help="How old the block may be, in seconds, that a record is proven as of; 0: of any age.",
    )(command)


def recency_of(max_age_s: float) -> "Recency":
    """Return what is demanded of the blocks that records are proven as of.

    Raises:
        CommandError: it is no number of seconds.
    """
    from node.client.verifying import Recency

    if not isfinite(max_age_s):
        raise CommandError(
            Exit.USAGE,
            f"--max-age is {max_age_s}; a number of seconds is expected",
            advice="0 takes a record as of a block of any age.",
        )
    return Recency(max_age_s=max_age_s or None)


def founded(genesis: Path, amendments: Sequence[Path]) -> "Genesis":
    """Return the genesis in a file as these amendments have it.

    Raises:
        GenesisError, AmendmentError: a file is none, or they do not follow each other.
    """
    from node.genesis import load_genesis, read_amendment

    given = sorted(map(read_amendment, amendments), key=lambda each: each.serial)
    return load_genesis(genesis).amended(given)
