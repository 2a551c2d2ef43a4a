"""The receipts of one block, as stored under its height.

Each receipt is kept as the bytes that stand in the header's receipt list, so that a proof of one
needs nothing encoded anew.
"""

from typing import Annotated

import msgspec

from node.blocks import BLOCK_TRANSACTIONS_MAX
from node.codec import Record, decode, encode
from node.ledger.transition import Event, Receipt


class BlockReceipts(Record):
    """What became of each transaction of a block, and what happened by itself."""

    receipts: Annotated[tuple[bytes, ...], msgspec.Meta(max_length=BLOCK_TRANSACTIONS_MAX)]
    """Encoded, in the order of the transactions."""
    events: bytes
    """The block's own events, encoded."""

    def receipt(self, index: int) -> Receipt:
        """Return one receipt, decoded."""
        return decode(self.receipts[index], Receipt)

    def decoded(self) -> tuple[Receipt, ...]:
        """Return all receipts, decoded."""
        return tuple(decode(receipt, Receipt) for receipt in self.receipts)

    def block_events(self) -> tuple[Event, ...]:
        """Return the block's own events, decoded."""
        return decode(self.events, tuple[Event, ...])


def encode_block_receipts(receipts: list[bytes], events: bytes) -> bytes:
    """Return the stored form of these encoded receipts and events."""
    return encode(BlockReceipts(receipts=tuple(receipts), events=events))
