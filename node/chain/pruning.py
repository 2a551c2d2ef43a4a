"""Pruning: what lies far enough behind the head is deleted, a bounded piece after each block.

A node is told how many blocks to keep. Below that, blocks, certificates, receipts and the ids of
the transactions go; what proofs stand on stays for ever: the validator sets, and header and
certificate of every block that changed them.

An id is what keeps a transaction from being applied twice, so it stays at least until the
transaction's window is closed by block time. It stays for a second window after that: whoever asks
late what became of a transaction still gets the true answer, not that it cannot be known here.

One piece is one batch of its own, not synced: a power cut may bring back what was deleted, whole,
and it is deleted again. It runs where blocks are written and never while one is.
"""

from typing import Final

from node.chain.errors import ChainDamaged
from node.chain.head import Head, KeptRecord
from node.chain.history import History
from node.codec import encode
from node.genesis import Genesis
from node.ledger.transactions import decode_transaction, transaction_id
from node.storage import KeyValueStore, layout

PIECE_BLOCKS_MAX: Final = 16
"""Blocks deleted after one block: a node that begins to prune late needs a while for it."""
PIECE_TRANSACTIONS_MAX: Final = 2_000
"""A piece ends with the block that reaches this; it then takes some 20 ms of the storage thread."""
WINDOWS_KEPT: Final = 2


class Pruner:
    """Deletes from one store what need not be kept."""

    def __init__(
        self, store: KeyValueStore, history: History, genesis: Genesis, *, keep_blocks: int
    ) -> None:
        """Store what is given.

        Args:
            keep_blocks: how many blocks to keep, the head included; 0 keeps all.
        """
        self._store = store
        self._history = history
        self._genesis = genesis
        self._keep_blocks = keep_blocks
        self._not_before_ms = 0
        """Block time before which the earliest block kept is still needed."""

    def is_due(self, head: Head) -> bool:
        """Whether a block may be deleted now that this one is the head."""
        return (
            self._keep_blocks > 0
            and self._history.earliest <= head.height - self._keep_blocks
            and head.time_ms >= self._not_before_ms
        )

    def prune(self, head: Head) -> None:
        """Delete one piece. Runs in the storage thread.

        Raises:
            ChainDamaged: a block that is to be deleted is missing or unreadable.
            StorageError: the disk's reasons; nothing was deleted.
        """
        kept = self._history.kept
        batch: list[tuple[bytes, bytes | None]] = []
        height, count = kept.from_height, 0
        stop = min(head.height - self._keep_blocks + 1, height + PIECE_BLOCKS_MAX)
        while height < stop and count < PIECE_TRANSACTIONS_MAX:
            block = self._history.block(height)
            if block is None:
                raise ChainDamaged(f"the block of height {height} is missing")
            needed_until_ms = (
                block.header.time_ms + WINDOWS_KEPT * self._genesis.transactions.window_ms
            )
            if head.time_ms < needed_until_ms:
                self._not_before_ms = needed_until_ms
                break
            ids = [
                transaction_id(self._genesis.hash, decode_transaction(raw).body)
                for raw in block.transactions
            ]
            batch += [
                (layout.block_key(height), None),
                (layout.certificate_key(height), None),
                (layout.receipts_key(height), None),
                *((layout.transaction_key(each), None) for each in ids),
            ]
            count += len(ids)
            height += 1
            kept = KeptRecord(from_height=height, ids_after_ms=block.header.time_ms)
        if batch:
            self._history.keep_from(kept)
            batch.append((layout.Meta.KEPT.value, encode(kept)))
            self._store.write(batch, sync=False)
