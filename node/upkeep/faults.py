"""What an offline check finds: each fault with its place, and what helps."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FAULTS_MAX: Final = 1_000
"""Faults that are kept in full; the rest is counted. A thousand say as much as a million."""

REPAIR: Final = "run `khazana repair`: it moves the database aside and keeps what is good"
RESTART: Final = (
    "nothing is wrong with the blocks: `khazana repair` builds the state anew from them"
)
LOG_ADVICE: Final = (
    "move the directory of the consensus log aside, keep it, and start the node: it signs nothing"
    " before it has heard the others"
)


class Part(StrEnum):
    """What was looked at."""

    DATABASE = "database"
    """Whether it opens, its format and network, the head, keys that belong to nothing."""
    BLOCKS = "blocks"
    """Blocks, certificates, receipts and the ids of transactions."""
    TRAIL = "trail"
    """The validator sets and how each handed over to the next."""
    STATE = "state"
    """The records, their tree and its root."""
    LEDGER = "ledger"
    """What must hold between the records."""
    LOG = "log"
    """The consensus log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is not as it was written, or cannot have been written."""

    part: Part
    place: str
    """Where: a height, a key, a file."""
    found: str
    expected: str
    advice: str


class Faults:
    """Those of one check: the first ones in full, all of them counted."""

    def __init__(self) -> None:
        self.first: list[Fault] = []
        self.count = 0
        self.by_part: Counter[Part] = Counter()

    def add(self, part: Part, place: str, *, found: object, expected: object, advice: str) -> None:
        """Note a fault."""
        self.count += 1
        self.by_part[part] += 1
        if len(self.first) < FAULTS_MAX:
            self.first.append(
                Fault(
                    part=part,
                    place=place,
                    found=_render(found),
                    expected=_render(expected),
                    advice=advice,
                )
            )

    def agree(
        self, part: Part, place: str, found: object, expected: object, advice: str = REPAIR
    ) -> bool:
        """Return whether two values are the same; note a fault where they are not."""
        if found == expected:
            return True
        self.add(part, place, found=found, expected=expected, advice=advice)
        return False


def _render(value: object) -> str:
    return value.hex() or "nothing" if isinstance(value, bytes) else str(value)
