"""The words of the algorithm: positions, names and the two enumerations.

Identifiers are `NewType`s: they cost nothing and swapped arguments fail the type check. Numbers
of encoded enumerations are part of the protocol: permanent, never reused.
"""

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, NewType

from typing_extensions import override

Height = NewType("Height", int)
"""Position in the chain: 1 to HEIGHT_MAX; genesis is 0."""

Round = NewType("Round", int)
"""Attempt to decide a height: 0 to ROUND_MAX; "no round" is None."""

ValidatorId = NewType("ValidatorId", str)
"""A validator's name: 1 to 32 of a-z, 0-9 and hyphen."""

BlockId = NewType("BlockId", bytes)
"""32 bytes; opaque to this room."""

Signature = NewType("Signature", bytes)
"""64 bytes; made and verified by the shell."""

HEIGHT_MAX: Final = 2**63 - 1  # Fits the signed 64-bit columns of every database.
ROUND_MAX: Final = 2**31 - 1  # At the capped timeout of 30 s: two thousand years.
ROUND_FIRST: Final = Round(0)
BLOCK_ID_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64
NETWORK_SIZE: Final = 32

_VALIDATOR_ID: Final = re.compile(r"[a-z0-9-]{1,32}")


class FaultModel(StrEnum):
    """What the faulty may do. The value is the word used in the genesis."""

    BYZANTINE = "byzantine"
    """Anything at all: more than two thirds decide."""

    CRASH = "crash"
    """Stop, and nothing else: a majority decides. A double signature is provable, not survived."""


class VoteType(IntEnum):
    """The two votes of a round; the numbers are signed."""

    PREVOTE = 1
    PRECOMMIT = 2


class Step(IntEnum):
    """Where in its round a validator stands; ordered (line 36 compares)."""

    PROPOSE = 1
    PREVOTE = 2
    PRECOMMIT = 3
    DECIDED = 4
    """After line 51: nothing more happens at this height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """The name of a timer; at most one of each name runs."""

    height: Height
    round: Round
    step: Step
    """PROPOSE, PREVOTE or PRECOMMIT."""

    @override
    def __str__(self) -> str:
        """Return e.g. `propose 12/0`."""
        return f"{self.step.name.lower()} {self.height}/{self.round}"


def is_validator_id(name: str) -> bool:
    """Say whether the name may be a validator's."""
    return _VALIDATOR_ID.fullmatch(name) is not None
