"""The ids of recent blocks, from a certified header back to the edge of the window: pure.

An id may come again while its window of validity is open. After the last block of a snapshot that
is true of every id in a block later than that block's time less the window. The headers are linked
by their parents' ids, each list of ids is held to its header's root, and the first block at or
before the edge has to be shown too, so that nobody can stop early.

What was verified stays true: a walk that begins at a newer snapshot stops at the newest block of a
walk before it and goes on where that one ended.
"""

from typing import Annotated

import msgspec

from node.blocks import block_id, transactions_root
from node.blocks.merkle import Hash
from node.codec import Record
from node.genesis import Genesis
from node.ledger.units import Milliseconds
from node.snapshots.errors import BadPart
from node.snapshots.parts import BlockIds, PointRecord

HeightNumber = Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)]


class Walked(Record):
    """Blocks without a gap whose ids are known; as stored while joining."""

    top: HeightNumber
    top_id: Hash
    bottom: HeightNumber
    parent: Hash
    """Id of the block before the bottom one."""
    time_ms: Milliseconds
    """Of the bottom block."""


class RecentIds:
    """A walk down from one snapshot's header."""

    def __init__(
        self,
        point: PointRecord,
        *,
        genesis: Genesis,
        window_ms: int,
        walked: Walked | None = None,
    ) -> None:
        """Begin at the snapshot's block.

        Args:
            point: verified.
            walked: what an earlier walk of this store has seen.
        """
        self._top = point.header.height
        self._top_id = block_id(point.header)
        self._edge_ms = point.header.time_ms - window_ms
        self._genesis = genesis
        self._former = walked
        self.walked: Walked | None = None
        """What this walk has seen; None before the first block."""
        self._go_on_from_former()

    @property
    def is_complete(self) -> bool:
        """Whether every id that can come again is known."""
        walked = self.walked
        return walked is not None and (walked.bottom == 1 or walked.time_ms <= self._edge_ms)

    @property
    def below(self) -> int:
        """The next block wanted is the one right below this height."""
        return self._top + 1 if self.walked is None else self.walked.bottom

    def accept(self, blocks: tuple[BlockIds, ...]) -> list[tuple[bytes, int, int]]:
        """Take blocks, descending from right below `below`; return each id, its height and index.

        Raises:
            BadPart: one of them is not. Then none counts.
        """
        if not blocks:
            raise BadPart(self._name(), "no block, with the edge of the window not reached")
        before = self.walked, self._former
        taken: list[tuple[bytes, int, int]] = []
        try:
            for block in blocks:
                height = block.header.height
                if self.is_complete or height >= self.below:
                    break
                self._take(block)
                taken += [(each, height, index) for index, each in enumerate(block.ids)]
                self._go_on_from_former()
        except BadPart:
            self.walked, self._former = before
            raise
        return taken

    def _take(self, block: BlockIds) -> None:
        header = block.header
        found, wanted = block_id(header), self._wanted()
        if header.height != self.below - 1 or found != wanted:
            raise BadPart(
                self._name(), f"block {header.height} {found.hex()}, expected {wanted.hex()}"
            )
        root = transactions_root(block.ids)
        if root != header.transactions_root:
            raise BadPart(
                self._name(), f"the ids make {root.hex()}, not {header.transactions_root.hex()}"
            )
        elsewhere = self._genesis.why_elsewhere(header)
        if elsewhere is not None:
            raise BadPart(self._name(), elsewhere)
        if header.height == 1 and self._genesis.before(header) != self._genesis.hash:
            raise BadPart(self._name(), "the first block does not stand on the genesis")
        self.walked = Walked(
            top=self._top,
            top_id=self._top_id,
            bottom=header.height,
            parent=self._genesis.before(header),
            time_ms=header.time_ms,
        )

    def _wanted(self) -> bytes:
        return self._top_id if self.walked is None else self.walked.parent

    def _go_on_from_former(self) -> None:
        """Jump over what an earlier walk has seen, once this one has come down to it."""
        former = self._former
        if former is None or former.top != self.below - 1 or former.top_id != self._wanted():
            return
        self._former = None
        self.walked = Walked(
            top=self._top,
            top_id=self._top_id,
            bottom=former.bottom,
            parent=former.parent,
            time_ms=former.time_ms,
        )

    def _name(self) -> str:
        return f"ids of block {self.below - 1}"
