"""What falls due in the next block, worked out before it comes, for the block to compare with.

Nothing is taken because it was rehearsed, only where it comes out the same: what a rule did where
it would read the same again, the bytes of a record where just this record came of it, the leaf of
these bytes, the branches above these leaves. So no result depends on whether there was a rehearsal.

One thread may be learning while another one asks: each piece appears whole.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from node.codec import Record, encode
from node.ledger import commitment
from node.ledger.commitment import NodeSource, TreeRehearsal
from node.ledger.due import apply_due
from node.ledger.rehearsing import Rehearsal
from node.ledger.state import LedgerState, RecordSource, Written


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a block changes, net."""

    encoded: Mapping[bytes, bytes | None]
    """By full state key."""
    records: Mapping[bytes, Record | None]
    """The same, decoded."""
    keys: Mapping[bytes, bytes | None]
    """The full keys of records that appear, and None for those that vanish, by their hashes."""


_NO_CHANGES = Changes(encoded={}, records={}, keys={})


class BlockRehearsal:
    """What is known about the next block beforehand."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.due = Rehearsal()
        self.tree = TreeRehearsal()
        self._changes = _NO_CHANGES
        self._events: tuple[Sequence[Record], bytes] = ((), encode(()))

    def learn(self, records: RecordSource, nodes: NodeSource, time_ms: int) -> Iterator[None]:
        """Let fall due what does at this time, and work out all that follows from it, step by step.

        Raises:
            CommitmentError: the stored tree contradicts itself.
        """
        state = LedgerState(records)
        events = tuple(apply_due(state, time_ms, self.due.learn))
        yield
        self._events = (events, encode(events))
        yield
        self._changes = changes = self.changes(state.written())
        yield
        yield from self.tree.learn(nodes, changes.encoded)

    def encode_events(self, events: Sequence[Record]) -> bytes:
        """Return the encoding of the events of a block."""
        known, encoded = self._events
        # What is rehearsed makes these very events, which are found to be equal at a glance.
        return encoded if events == known else encode(events)

    def changes(self, written: Iterable[Written]) -> Changes:
        """Return what follows from all that a block has written."""
        known_records, known = self._changes.records, self._changes.encoded
        encoded: dict[bytes, bytes | None] = {}
        records: dict[bytes, Record | None] = {}
        keys: dict[bytes, bytes | None] = {}
        for _, full_key, before, record in written:
            records[full_key] = record
            if record is None:
                encoded[full_key] = None
            elif known_records.get(full_key) is record:
                encoded[full_key] = known[full_key]
            else:
                encoded[full_key] = encode(record)
            if before is None or record is None:
                key_hash = commitment.hash_of_key(full_key)
                keys[key_hash] = None if record is None else full_key
        return Changes(encoded=encoded, records=records, keys=keys)
