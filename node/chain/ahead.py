"""What the next block will read, read before it comes, where blocks are written.

While holders are paid, each block reads thousands of records and branches that no block before it
had, and which ones is known when the block before it is durable. Until somebody builds or checks
the next one the store's thread has nothing to do. So it reads them then, piece by piece, and ends
where it is when the block comes, which reads the rest itself.

Reading ahead changes no result: what is read is the committed state, and the next commit drops it.
A failure is nobody's yet: the block meets the same one where it needs what could not be read.
"""

from collections.abc import Callable
from typing import Final

from node.chain.errors import ChainDamaged
from node.chain.records import CommittedRecords
from node.ledger import servicing
from node.ledger.commitment import Path, hash_ahead, neighbourhood
from node.ledger.securities import POSITIONS
from node.ledger.servicing import Foresight
from node.ledger.state import LedgerState
from node.ledger.tables import HOLDINGS
from node.storage import StorageError
from node.storage.nodes import StoredNodes

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
        state = LedgerState(self._records)
        foreseen = servicing.foresee(state, time_ms, servicing.HOLDERS_PER_BLOCK_MAX)
        if not foreseen:
            return None
        self._reading = _Reading(foreseen, self._records, self._nodes)
        return self._reading.run

    def stop(self) -> None:
        """End after the piece that is being read: the block has come."""
        if self._reading is not None:
            self._reading.is_wanted = False
            self._reading = None


class _Reading:
    """What is read ahead of one block. It runs in another thread than the one that made it."""

    def __init__(
        self, foreseen: tuple[Foresight, ...], records: CommittedRecords, nodes: StoredNodes
    ) -> None:
        self._foreseen = foreseen
        self._records = records.ahead()
        self._read_branches = nodes.reader_ahead()
        self.is_wanted = True

    def run(self) -> None:
        """Read until all is there, or nobody wants it any more."""
        try:
            left = servicing.HOLDERS_PER_BLOCK_MAX
            for foresight in self._foreseen:
                left -= self._read(foresight, min(left, foresight.holders))
        except (ChainDamaged, StorageError):
            return

    def _read(self, foresight: Foresight, holders_max: int) -> int:
        """Read up to so many holders of one register; return how many there are."""
        start, found = foresight.start, 0
        place: Path | None = None
        while self.is_wanted and found < holders_max:
            wanted = min(holders_max - found, PIECE_HOLDERS)
            piece = self._records.read_piece(POSITIONS, start, wanted)
            keys = [foresight.cash_key(key) for key, _ in piece if foresight.is_paid(key)]
            if not keys:
                break
            self._records.read_each(HOLDINGS, keys)
            # The register is in the order of these hashes.
            hashes = hash_ahead([HOLDINGS.prefix + key for key in keys])
            first, place = place or neighbourhood(hashes[0]), neighbourhood(hashes[-1])
            self._read_branches(first, place)
            found += len(keys)
            if len(keys) < wanted:
                break
            start = piece[-1][0] + b"\0"
        return found
