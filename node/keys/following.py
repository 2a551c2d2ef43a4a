"""Where the key stands that is prepared to follow another: beside it, until the ledger names it.

A validator's new keys are made while the old ones are in use (`khazana validator rotate`), loaded
together with them, and taken up when the ledger says so. Then `settle_files` gives them the names
of the old ones, which are kept.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

FOLLOWING: Final = ".next"
FORMER: Final = ".former"


def following_of(path: Path) -> Path:
    """Return where the file stands that is to follow this one."""
    return path.with_name(path.name + FOLLOWING)


def settle_files(paths: Sequence[Path]) -> None:
    """Let the files that followed take the places of these; a former one is kept beside it.

    Files without one are left alone. At every moment each of these is there, the former or the one
    that followed; what it was interrupted in, it ends when called again.
    """
    for path in paths:
        following = following_of(path)
        if following.exists():
            former = path.with_name(path.name + FORMER)
            former.unlink(missing_ok=True)
            former.hardlink_to(path)
            following.replace(path)
