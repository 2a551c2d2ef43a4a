"""Where consensus stands at one node, for whoever watches: a copy, safe to keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from consensus.types import BlockId, Height, Round, Step, ValidatorId


@dataclass(slots=True, kw_only=True)
class Totals:
    """What has been committed since the node started, added up."""

    blocks: int = 0
    transactions: int = 0
    applied: int = 0
    rounds_skipped: int = 0
    signed_last: dict[str, int] = field(default_factory=dict)
    """The last height whose certificate names a validator, of those that rule."""
    signed_before: dict[str, int] = field(default_factory=dict)
    """The same of the blocks before the start or before it ruled; of one that none of those names
    which were looked at, the height before these: it has not signed since."""
    missed: dict[str, int] = field(default_factory=dict)
    """Rounds in which a validator brought no proposal in time, as far as this node waited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The height to be decided, and how far it is."""

    height: Height
    deciding: bool
    """Whether this node takes part: it is a validator, and the height has begun."""
    round: Round | None
    """None: not deciding. So is what follows."""
    step: Step | None
    proposer: ValidatorId
    """Whose turn it is; of round 0 while it has not begun."""
    prevotes: Mapping[ValidatorId, BlockId | None]
    """Of this round, as they have come here; None is a vote for nil."""
    precommits: Mapping[ValidatorId, BlockId | None]
