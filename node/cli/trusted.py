"""What a reader trusts who believes no node: the genesis, and amendments of the validator set."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from node.genesis import Genesis


def founded(genesis: Path, amendments: Sequence[Path]) -> "Genesis":
    """Return the genesis in a file as these amendments have it.

    Raises:
        GenesisError, AmendmentError: a file is none, or they do not follow each other.
    """
    from node.genesis import load_genesis, read_amendment

    given = sorted(map(read_amendment, amendments), key=lambda each: each.serial)
    return load_genesis(genesis).amended(given)
