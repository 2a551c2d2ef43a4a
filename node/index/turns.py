"""How many questions may wait for a database: what waits is memory, and its answer comes late."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from node.index.errors import IndexOverrun

QUESTIONS_MAX: Final = 128
"""That wait or are answered. A question takes some milliseconds, at most five seconds."""


class Turns:
    """Counts the questions of one database."""

    def __init__(self) -> None:
        self._taken = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Have one of them while the block is in.

        Raises:
            IndexOverrun: there are as many as there may be.
        """
        if self._taken >= QUESTIONS_MAX:
            raise IndexOverrun(
                f"{QUESTIONS_MAX} questions wait for the index already; ask again in a moment"
            )
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
