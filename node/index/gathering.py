"""From blocks in a store to gathered rows, and the beginning of an index. Blocks its thread."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from node.genesis import Genesis
from node.index.errors import RebuildNeeded
from node.index.projection import Given, HoldingKey, Projector, Rows
from node.index.source import Classes, Moment, moment
from node.index.writing import Checkpoint, check_network
from node.storage import KeyValueStore, ReadView

TRANSACTIONS_AT_ONCE: Final = 10_000
"""Of one write: it ends with the block that reaches this. Some 12 MiB of rows."""
BLOCKS_AT_ONCE: Final = 2_000
"""Of one write, where blocks are nearly empty."""
HOLDINGS_AT_ONCE: Final = 50_000
"""Of one write, while an index begins."""


class Gatherer:
    """Makes rows of the blocks of one network. Each method is for one thread at a time."""

    def __init__(self, store: KeyValueStore, genesis: Genesis) -> None:
        self._store = store
        self._genesis = genesis
        self._projector = Projector(genesis.hash)
        self.classes = Classes(store)

    def stored(self, checkpoint: Checkpoint) -> Rows | None:
        """Return the rows of the next blocks in the store; None: there is none.

        Raises:
            IndexUnusable: the next one is no longer kept.
            ChainDamaged, StorageError: the disk's reasons.
        """
        with moment(self._store, self._genesis) as now:
            height = checkpoint.height + 1
            if height > now.head:
                return None
            rows = Rows(first=height)
            while (
                height <= now.head
                and rows.transactions < TRANSACTIONS_AT_ONCE
                and height - rows.first < BLOCKS_AT_ONCE
            ):
                self._add(rows, now.given(height), checkpoint)
                height += 1
            return rows

    def given(self, blocks: Sequence[Given], checkpoint: Checkpoint) -> Rows:
        """Return the rows of blocks that are in memory."""
        rows = Rows(first=blocks[0].height)
        for each in blocks:
            self._add(rows, each, checkpoint)
        return rows

    def _add(self, rows: Rows, given: Given, checkpoint: Checkpoint) -> None:
        self._projector.add(rows, given, moves=given.height > checkpoint.holders_from)

    def beginning(self) -> "Beginning":
        """Return how a new index begins. Close it."""
        return Beginning(self._store.view(), self._genesis)

    def fits(self, checkpoint: Checkpoint) -> bool:
        """Whether an index can go on from its checkpoint; False: blocks after it are gone.

        Raises:
            IndexUnusable: it is of another network.
            RebuildNeeded: it is of blocks that this chain does not have.
        """
        check_network(checkpoint, self._genesis.hash)
        with moment(self._store, self._genesis) as now:
            ours = now.block_id(checkpoint.height)
            if checkpoint.block_id and ours is not None and ours != checkpoint.block_id:
                raise RebuildNeeded(
                    f"block {checkpoint.height} is {checkpoint.block_id.hex()} in the index and"
                    f" {ours.hex()} on the chain"
                )
            return checkpoint.height + 1 >= now.earliest


class Beginning:
    """Where a new index begins: at the first block that is kept, with whoever holds something."""

    def __init__(self, view: ReadView, genesis: Genesis) -> None:
        self._view = view
        now = Moment(view, genesis)
        from_height = max(1, now.earliest)
        # What moved in blocks that are gone is in the state alone: it is taken as it is now, and
        # the blocks up to now move nothing.
        holders_from = 0 if from_height == 1 else now.head
        self.checkpoint = Checkpoint(
            network=genesis.hash,
            from_height=from_height,
            holders_from=holders_from,
            height=from_height - 1,
            block_id=b"",
            time_ms=0,
        )
        self._holdings = now.holdings() if holders_from else iter(())

    def piece(self) -> dict[HoldingKey, int]:
        """Return some more of the holdings; none: these were all."""
        return dict(islice(self._holdings, HOLDINGS_AT_ONCE))

    def close(self) -> None:
        """Let go of the moment."""
        self._view.close()
