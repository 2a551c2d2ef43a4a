"""The branches of a block that changes very many, written right after it instead of with it.

They follow from the records, and are two thirds or more of what a block that pays a coupon, or
takes records of securities, would have to sync before it is final. So its own batch holds all else,
and instead of the branches the keys of the records that it changed. A second batch with the
branches follows, synced too, while nobody waits for it; it takes the keys away. Until it is there
`StoredNodes` answers from memory.

Where the power goes between the two, whoever opens the database works the branches out again from
the tree before and these keys, and then compares the root as at every start. The next block waits
for the second batch, so that it is never behind by more than one.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from node.chain.errors import ChainDamaged
from node.codec import CodecError, Record, decode, encode
from node.ledger import commitment
from node.ledger.commitment import CommitmentError
from node.storage import Batch, KeyValueStore, StorageThread, ended, layout
from node.storage.nodes import StoredNodes

BRANCHES_WITH_BLOCK_MAX: Final = 2_048
"""Some 500 kB. Blocks that pay a million holders change 4,600; most others far fewer than this."""
BRANCHES_OF_DUE_MAX: Final = 512
"""In a block in which the ledger itself works, without transactions: nobody sends the next one at
once. One that takes 50 records of securities changes 1,900, two thirds of its bytes."""
BRANCHES_OF_TRANSACTION: Final = 8
"""And so many more for each transaction, which changes fewer."""


class BehindRecord(Record):
    """As stored: the tree is that of the block before the head."""

    keys: tuple[bytes, ...]
    """Full state keys of what the head changed."""


def are_with_block(branches: int, transactions: int) -> bool:
    """Whether so many branches are written with the block of so many transactions."""
    by_its_kind = BRANCHES_OF_DUE_MAX + BRANCHES_OF_TRANSACTION * transactions
    return branches <= min(BRANCHES_WITH_BLOCK_MAX, by_its_kind)


def branch_entries(branches: Mapping[bytes, bytes | None]) -> Batch:
    """Return what writes branches by path, None for those that are gone."""
    return list(zip(map(layout.node_key, branches), branches.values(), strict=True))


def behind_entry(keys: Mapping[bytes, object]) -> tuple[bytes, bytes]:
    """Return what stands for the branches in the batch of a block that changed these records."""
    return layout.Meta.BEHIND.value, encode(BehindRecord(keys=tuple(keys)))


def catch_up(store: KeyValueStore) -> None:
    """Write the branches of the head, if the power went before they were; else nothing.

    Raises:
        ChainDamaged: they cannot be worked out from what is stored.
        StorageError: the disk's reasons.
    """
    data = store.get(layout.Meta.BEHIND.value)
    if data is None:
        return
    try:
        # As many as the block changed, which its own bounds bound.
        keys = decode(data, BehindRecord, size_max=len(data)).keys
        changes = {key: store.get(layout.state_key(key)) for key in keys}
        branches = commitment.update(StoredNodes(store), changes).nodes
    except (CodecError, CommitmentError) as error:
        raise ChainDamaged(f"the branches of the last block cannot be made: {error}") from None
    store.write(_batch_of(branches), sync=True)


class BranchesBehind:
    """Writes the branches of one chain that were not written with their block."""

    def __init__(
        self, store: KeyValueStore, nodes: StoredNodes, thread: StorageThread | None
    ) -> None:
        """Store what is given.

        Args:
            thread: where they are written; None: on the caller's.
        """
        self._store = store
        self._nodes = nodes
        self._thread = thread
        self._writing: asyncio.Future[None] | None = None

    def write(self, branches: Mapping[bytes, bytes | None]) -> None:
        """Write the branches of the block that has just become durable without them."""

        def work() -> None:
            self._store.write(_batch_of(branches), sync=True)
            self._nodes.caught_up()

        if self._thread is None:
            work()
        else:
            self._writing = self._thread.run(work)

    async def written(self) -> None:
        """Wait for them; a failure is one of the disk, and stops the node.

        Raises:
            StorageError: it is not known whether they are durable.
        """
        await self.settled()
        self._writing = None

    @property
    def is_writing(self) -> bool:
        """Whether the store is still without them."""
        return self._writing is not None and not self._writing.done()

    async def settled(self) -> None:
        """Wait until they are there; where they are already, the loop is not given up.

        Raises:
            StorageError: it is not known whether they are.
        """
        if self._writing is not None:
            await ended(self._writing)


def _batch_of(branches: Mapping[bytes, bytes | None]) -> Batch:
    return [*branch_entries(branches), (layout.Meta.BEHIND.value, None)]
