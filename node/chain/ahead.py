"""What the next block will read, read before it comes, where blocks are written; and rehearsed.

While holders are paid, each block reads thousands of records and branches that no block before it
had, and which ones is known when the block before it is durable. Until somebody builds or checks
the next one the store's thread has nothing to do. So it reads them then, piece by piece, and ends
where it is when the block comes, which reads the rest itself.

When all is read it pays the holders for itself, on a state that nobody else sees, and works out
what that does to the tree. The block applies its own rules to its own state all the same; only
where just these leaves came of it does it take the branches above them as they were worked out.
Records of securities that a block leaves to the next one are rehearsed likewise, and so is the
marking of taxpayers; what that reads is there for the block.

Neither changes a result: what is read is the committed state, what is worked out follows from it,
and the next commit drops both. A failure is nobody's yet: the block meets the same one where it
needs what could not be read.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from node.chain.errors import ChainDamaged
from node.chain.records import CommittedRecords, RecordsAhead
from node.chain.rehearsal import BlockRehearsal
from node.codec import Record
from node.ledger import servicing
from node.ledger.commitment import CommitmentError, Path, hash_ahead, neighbourhood
from node.ledger.due import marking_waits, records_wait
from node.ledger.securities import POSITIONS
from node.ledger.servicing import Foresight
from node.ledger.state import LedgerState, Table
from node.ledger.tables import HOLDINGS
from node.storage import StorageError
from node.storage.nodes import StoredNodes

R = TypeVar("R", bound=Record)

PIECE_HOLDERS: Final = 256
"""Read in one go: 2 ms, after which it is seen whether the block has come."""


class Ahead:
    """Reads ahead for one chain."""

    def __init__(self, records: CommittedRecords, nodes: StoredNodes) -> None:
        """Store what is given."""
        self._records = records
        self._nodes = nodes
        self._reading: _Reading | None = None

    def plan(self, time_ms: int) -> Callable[[], None] | None:
        """Return what to do in the storage thread now that a block of this time is durable.

        None: nothing is foreseen, as after most blocks.
        """
        before, self._reading = self._reading, None
        state = LedgerState(self._records)
        foreseen = servicing.foresee(state, time_ms, servicing.HOLDERS_PER_BLOCK_MAX)
        if not (foreseen or records_wait(state) or marking_waits(state)):
            return None
        self._reading = _Reading(foreseen, self._records, self._nodes, time_ms, before)
        return self._reading.run

    def stop(self) -> BlockRehearsal:
        """End after the piece that is being read: the block has come. Return what was rehearsed."""
        if self._reading is None:
            return BlockRehearsal()
        self._reading.errand.is_wanted = False
        return self._reading.rehearsal


class _Reading:
    """What is read ahead of one block. It runs in another thread than the one that made it."""

    def __init__(
        self,
        foreseen: tuple[Foresight, ...],
        records: CommittedRecords,
        nodes: StoredNodes,
        time_ms: int,
        before: "_Reading | None",
    ) -> None:
        self._before = before
        """What nobody needs any more: forgetting so much takes milliseconds, of this thread."""
        self._foreseen = foreseen
        self._records = records.ahead()
        self._nodes = nodes.ahead()
        self._time_ms = time_ms
        self.errand = _Errand()
        self.rehearsal = BlockRehearsal()

    def run(self) -> None:
        """Read until all is there, or nobody wants it any more; then rehearse."""
        self._before = None
        if not self._nodes.are_stored():
            return  # Their writing has failed, and what the store holds is another tree.
        try:
            left = servicing.HOLDERS_PER_BLOCK_MAX
            for foresight in self._foreseen:
                left -= self._read(foresight, min(left, foresight.holders))
            self._rehearse()
        except (ChainDamaged, CommitmentError, StorageError, _Unwanted):
            return

    def _rehearse(self) -> None:
        """Let fall due what does in the next block, and work out what comes of it."""
        source = _WhileWanted(self.errand, self._records)
        for _ in self.rehearsal.learn(source, self._nodes, self._time_ms + 1):
            source.check()

    def _read(self, foresight: Foresight, holders_max: int) -> int:
        """Read up to so many holders of one register; return how many there are."""
        start, found = foresight.start, 0
        place: Path | None = None
        while self.errand.is_wanted and found < holders_max:
            wanted = min(holders_max - found, PIECE_HOLDERS)
            piece = self._records.read_piece(POSITIONS, start, wanted)
            paid = [key for key, _ in piece if foresight.is_paid(key)]
            if not paid:
                break
            keys = list(map(foresight.cash_key, paid))
            self._records.read_each(HOLDINGS, [*keys, *foresight.redeemed_keys(paid)])
            # The register is in the order of these hashes.
            hashes = hash_ahead([HOLDINGS.prefix + key for key in keys])
            first, place = place or neighbourhood(hashes[0]), neighbourhood(hashes[-1])
            self._nodes.read_ahead(first, place)
            found += len(keys)
            if len(keys) < wanted:
                break
            start = piece[-1][0] + b"\0"
        return found


class _Errand:
    """Whether the block is still to come. By itself, so that what is learnt leads back to nothing:
    tens of thousands of objects, which then are gone without the garbage collector.
    """

    def __init__(self) -> None:
        self.is_wanted = True


class _Unwanted(Exception):
    """The block has come, and what is rehearsed would only be in its way."""


class _WhileWanted:
    """A source of records that ends whoever reads, once the block has come."""

    def __init__(self, errand: "_Errand", records: RecordsAhead) -> None:
        self._errand = errand
        self._records = records

    def check(self) -> None:
        """Raise `_Unwanted` if it is so."""
        if not self._errand.is_wanted:
            raise _Unwanted

    def record(self, table: Table[R], key: bytes) -> R | None:
        self.check()
        return self._records.record(table, key)

    def records(self, table: Table[R], full_keys: Sequence[bytes]) -> Sequence[R | None]:
        self.check()
        return self._records.records(table, full_keys)

    def scan(self, table: Table[R], start: bytes, limit: int) -> Sequence[tuple[bytes, R]]:
        self.check()
        return self._records.scan(table, start, limit)
