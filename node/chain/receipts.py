"""The receipts of one block, as stored under its height.

Each receipt is kept as the bytes that stand in the header's receipt list, so that a proof of one
needs nothing encoded anew.
"""

from typing import Annotated, Final

import msgspec

from node.blocks import BLOCK_TRANSACTIONS_MAX
from node.codec import RECORD_SIZE_MAX, Record, decode, encode, reader_of_each
from node.ledger.transition import Event, Receipt

RECEIPTS_SIZE_MAX: Final = 4 * RECORD_SIZE_MAX
"""Bytes of one block's receipts, which never leave the node whole. A refusal of 700 bytes can come
of a transaction of 170, and an event is up to twice its operation: of the largest block that a
genesis can allow they are more than a record elsewhere may be."""


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
        receipts = self.receipts
        if receipts and max(map(len, receipts)) <= RECORD_SIZE_MAX:
            return tuple(_read_each(receipts))
        return tuple(decode(receipt, Receipt) for receipt in receipts)

    def block_events(self) -> tuple[Event, ...]:
        """Return the block's own events, decoded."""
        return decode(self.events, tuple[Event, ...])


def decode_block_receipts(data: bytes) -> BlockReceipts:
    """Return what was stored.

    Raises:
        CodecError: it is not what `encode_block_receipts` makes.
    """
    return decode(data, BlockReceipts, size_max=RECEIPTS_SIZE_MAX)


def encode_block_receipts(receipts: list[bytes], events: bytes) -> bytes:
    """Return the stored form of these encoded receipts and events."""
    return encode(BlockReceipts(receipts=tuple(receipts), events=events))


_read_each: Final = reader_of_each(Receipt)
