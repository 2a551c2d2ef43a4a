"""Where things stand: transactions and blocks by id and height, proofs.

A few decoded blocks are kept: whoever asks for one transaction of a block asks for the next.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from consensus.certificates import QuorumCertificate
from node.blocks import Block
from node.chain import BlockReceipts, Chain
from node.chain.errors import NothingToProve
from node.ledger.commitment import CommitmentError, verify_proof
from node.ledger.state import R, Table
from node.ledger.transactions import (
    TransactionBody,
    decode_body,
    decode_transaction,
    transaction_id,
)
from node.mempool import Mempool
from node.proofs import ProofRecord, table_of
from node.rpc import results
from node.rpc.errors import NotFound, NotReady, Pruned
from node.rpc.views import Views

BLOCKS_KEPT: Final = 4
"""At most some 8 MiB each."""
PROOF_ATTEMPTS: Final = 5
PROOF_PAUSE_S: Final = 0.01
"""A synced batch takes a few milliseconds."""
PROOF_RETRY_MS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlock:
    """A committed block with what became of it."""

    height: int
    block: Block
    certificate: QuorumCertificate
    receipts: BlockReceipts


class Places:
    """Looks things up in the committed blocks, and in the pool."""

    def __init__(self, chain: Chain, views: Views) -> None:
        """Store what is given."""
        self._chain = chain
        self._views = views
        self._blocks: OrderedDict[int, StoredBlock] = OrderedDict()

    def block(self, height: int) -> StoredBlock:
        """Return a committed block.

        Raises:
            NotFound: there is no block of this height yet.
            Pruned: it is no longer kept.
        """
        stored = self._blocks.get(height)
        if stored is not None:
            self._blocks.move_to_end(height)
            return stored
        history, head = self._chain.history, self._chain.head.height
        block = history.block(height)
        certificate = history.certificate(height)
        receipts = history.receipts(height)
        if block is None or certificate is None or receipts is None:
            if history.is_pruned(height):
                raise self.pruned(f"block {height}")
            raise NotFound(
                f"this node has no block {height}; its last is {head}",
                {"height": head, "earliest_height": history.earliest},
            )
        stored = StoredBlock(height=height, block=block, certificate=certificate, receipts=receipts)
        self._blocks[height] = stored
        if len(self._blocks) > BLOCKS_KEPT:
            self._blocks.popitem(last=False)
        return stored

    def pruned(self, what: str) -> Pruned:
        """Return the error for something that is no longer kept."""
        return Pruned(what, height=self._chain.head.height, earliest=self._chain.history.earliest)

    def decode(self, raw: bytes) -> tuple[bytes, TransactionBody]:
        """Return id and body of a committed transaction."""
        signed = decode_transaction(raw)
        return transaction_id(self._chain.genesis.hash, signed.body), decode_body(signed.body)

    def ids(self, stored: StoredBlock, *, start: int = 0, stop: int | None = None) -> list[bytes]:
        """Return the ids of the block's transactions, in order."""
        genesis_hash = self._chain.genesis.hash
        return [
            transaction_id(genesis_hash, decode_transaction(raw).body)
            for raw in stored.block.transactions[start:stop]
        ]

    def status(self, identifier: bytes, mempool: Mempool) -> tuple[str, results.ReceiptView | None]:
        """Return whether a transaction is final, pending or unknown, and its receipt.

        Raises:
            Pruned: it is known to be in a block, which is no longer kept.
        """
        place = self._chain.transaction(identifier)
        if place is None:
            return ("pending" if identifier in mempool else "unknown"), None
        height, index = place
        return "final", self.receipt(self.block(height), index)

    def receipt(
        self, stored: StoredBlock, index: int, body: TransactionBody | None = None
    ) -> results.ReceiptView:
        """Return the receipt of a transaction of the block; its body, where that is at hand."""
        return self._views.receipt(
            stored.receipts.receipt(index),
            height=stored.height,
            index=index,
            time_ms=stored.block.header.time_ms,
            body=body,
        )

    def transaction(
        self, identifier: bytes, mempool: Mempool
    ) -> tuple[str, results.TransactionView | None, results.ReceiptView | None]:
        """Return a transaction's status, what it asks for, and its receipt.

        Raises:
            Pruned: as `status`.
        """
        place = self._chain.transaction(identifier)
        if place is not None:
            height, index = place
            stored = self.block(height)
            _, body = self.decode(stored.block.transactions[index])
            return "final", self.transaction_at(stored, index), self.receipt(stored, index, body)
        waiting = mempool.get(identifier)
        if waiting is not None:
            view = self._views.transaction(identifier, waiting.body, waiting.size_bytes)
            return "pending", view, None
        return "unknown", None, None

    def transaction_at(self, stored: StoredBlock, index: int) -> results.TransactionView:
        """Return what a transaction of the block asks for."""
        raw = stored.block.transactions[index]
        return self._views.transaction(*self.decode(raw), len(raw))

    def in_full(
        self, stored: StoredBlock, indices: Sequence[int]
    ) -> list[results.BlockTransactionView]:
        """Return transactions of the block with what became of them."""
        views = []
        for index in indices:
            receipt = stored.receipts.receipt(index)
            views.append(
                results.BlockTransactionView(
                    index=index,
                    transaction=self.transaction_at(stored, index),
                    outcome=self._views.receipt_outcome(receipt),
                    events=self._views.events(receipt.events),
                )
            )
        return views

    async def prove(self, table: Table[R], key: bytes) -> ProofRecord:
        """Return the proof of what the state after the last block holds under this key.

        While a block is being written the store is ahead of the head for a moment; a proof made
        then does not hold, and is made again.

        Raises:
            NotReady: there is no block yet, or blocks follow each other too fast.
        """
        for _ in range(PROOF_ATTEMPTS):
            try:
                proof = self._chain.prove(table, key)
                if _holds(proof):
                    return proof
            except CommitmentError:
                pass  # the tree as well is ahead in parts
            except NothingToProve:
                raise NotReady(
                    "there is no block yet, so nobody has signed anything",
                    {"height": 0, "retry_after_ms": PROOF_RETRY_MS},
                ) from None
            await asyncio.sleep(PROOF_PAUSE_S)
        raise NotReady(
            "blocks follow each other too fast for a proof right now",
            {"height": self._chain.head.height, "retry_after_ms": PROOF_RETRY_MS},
        )


def _holds(proof: ProofRecord) -> bool:
    for entry in proof.entries:
        table = table_of(entry.table)
        assert table is not None, "the chain proves its own tables"
        if not verify_proof(
            proof.header.state_root, table.prefix + entry.key, entry.value, entry.proof
        ):
            return False
    return True
