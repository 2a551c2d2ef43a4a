"""A block that has been applied but not decided, and the few of them that are kept.

What was applied for voting is what is committed: a candidate holds the block with everything that
committing it will write. Candidates of a height are kept until the height is decided, the latest
few of them; one that fell out is applied again if it is decided after all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from node.blocks import Block, Header
from node.codec import Record
from node.ledger.outcomes import Outcome
from node.ledger.tables import ValidatorRecord
from node.ledger.transition import Event, Receipt

CANDIDATES_MAX: Final = 4
"""Of one height: a block, its receipts and its changes each, at most some 60 MB together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A block on top of the head, applied once, and what it changes."""

    block_id: bytes
    block: Block
    transaction_ids: tuple[bytes, ...]
    receipts: tuple[Receipt, ...]
    """One for each transaction, in order."""
    counts: Mapping[tuple[type[Record], Outcome], int]
    """How many transactions have such a first operation and came to such an outcome."""
    events: tuple[Event, ...]
    """Of the block itself, such as expiries."""
    encoded_receipts: bytes
    """As stored: a `BlockReceipts`."""
    changes: Mapping[bytes, bytes | None]
    """Encoded records by full state key."""
    records: Mapping[bytes, Record | None]
    """The same, decoded."""
    keys: Mapping[bytes, bytes | None]
    """Full state keys of the records that appear, None for those that vanish, by their hashes."""
    nodes: Mapping[bytes, bytes | None]
    """Branches of the commitment by path."""
    evidence_ids: tuple[bytes, ...]
    next_validators: tuple[ValidatorRecord, ...] | None
    """The set that rules from the next height, where this block changes it."""
    changes_standing: bool
    """Whether it writes of what a `Standing` speaks."""
    dropped: tuple[bytes, ...] = ()
    """Ids left out of a block built here that no later block can hold either: expired, or applied
    already. The pool forgets them."""

    @property
    def header(self) -> Header:
        """The block's header."""
        return self.block.header

    @property
    def height(self) -> int:
        """The block's height."""
        return self.block.header.height


class Candidates:
    """Those of the height being decided, by block id; the latest few."""

    def __init__(self) -> None:
        self._by_id: dict[bytes, Candidate] = {}

    def get(self, block_id: bytes) -> Candidate | None:
        """Return the candidate of this id, if it is still kept."""
        return self._by_id.get(block_id)

    def add(self, candidate: Candidate) -> None:
        """Keep a candidate; the oldest goes when there are too many."""
        self._by_id[candidate.block_id] = candidate
        if len(self._by_id) > CANDIDATES_MAX:
            del self._by_id[next(iter(self._by_id))]

    def clear(self) -> None:
        """Forget all: the height is decided."""
        self._by_id.clear()
