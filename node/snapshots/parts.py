"""The parts of a snapshot as bytes: what is sent, and what a backup file holds.

Every field is bounded, and nothing here is believed: `assembly`, `trail` and `recent` compare each
part with what it must be.
"""

from typing import Annotated, Final, TypeAlias

import msgspec

from node.blocks import BLOCK_TRANSACTIONS_MAX, CERTIFICATE_SIZE_MAX, CertificateRecord, Header
from node.blocks.merkle import Hash
from node.codec import CodecError, Record, decode
from node.ledger.commitment import BRANCH_SIZE_MAX, BRANCH_SIZE_MIN, PATH_SIZE_MAX
from node.proofs import Handover
from node.snapshots.errors import BadPart

CHUNK_RECORDS_MAX: Final = 8_192
"""Records of one chunk: some 1.2 MB of accounts and holdings, verified in a tenth of a second."""
CHUNK_BYTES_MAX: Final = 1 << 20
"""Keys and values of a chunk of two or more records."""
STATE_KEY_MAX: Final = 512
STATE_VALUE_MAX: Final = 1 << 20
"""Far above every record that the ledger's own limits allow."""
CHUNK_SIZE_MAX: Final = CHUNK_BYTES_MAX + STATE_KEY_MAX + 16 * CHUNK_RECORDS_MAX
"""Bytes of an encoded chunk."""

PAGE_SIZE_TARGET: Final = 1 << 20
"""A page of handovers or ids stops growing here; one item is sent whatever its size."""
HANDOVER_SIZE_MAX: Final = CERTIFICATE_SIZE_MAX + (16 << 10)
BLOCK_IDS_SIZE_MAX: Final = 1024 + BLOCK_TRANSACTIONS_MAX * 34
PAGE_ITEMS_MAX: Final = 8_192
POINT_SIZE_MAX: Final = CERTIFICATE_SIZE_MAX + 1024

StateKey: TypeAlias = Annotated[bytes, msgspec.Meta(min_length=1, max_length=STATE_KEY_MAX)]
StateValue: TypeAlias = Annotated[bytes, msgspec.Meta(min_length=1, max_length=STATE_VALUE_MAX)]
PathBytes: TypeAlias = Annotated[bytes, msgspec.Meta(max_length=PATH_SIZE_MAX)]


class PointRecord(Record):
    """Where a snapshot stands: the block after which the state was this, and who decided it."""

    header: Header
    certificate: CertificateRecord


class Leaves(Record, tag=1):
    """All records beneath a path."""

    keys: Annotated[tuple[StateKey, ...], msgspec.Meta(max_length=CHUNK_RECORDS_MAX)]
    """Full state keys."""
    values: Annotated[tuple[StateValue, ...], msgspec.Meta(max_length=CHUNK_RECORDS_MAX)]
    """One for each key."""


class Split(Record, tag=2):
    """More is beneath the path than a chunk can hold: the branch there, whose slots come singly."""

    branch: Annotated[bytes, msgspec.Meta(min_length=BRANCH_SIZE_MIN, max_length=BRANCH_SIZE_MAX)]


Chunk: TypeAlias = Leaves | Split


class BlockIds(Record):
    """A block's header and the ids of its transactions: what replay protection needs of it."""

    header: Header
    ids: Annotated[tuple[Hash, ...], msgspec.Meta(max_length=BLOCK_TRANSACTIONS_MAX)]


def decode_point(data: bytes) -> PointRecord:
    """Return the point of these bytes.

    Raises:
        BadPart: they are no point.
    """
    try:
        return decode(data, PointRecord, size_max=POINT_SIZE_MAX)
    except CodecError as error:
        raise BadPart("point", str(error)) from None


def decode_chunk(data: bytes) -> Chunk:
    """Return the chunk of these bytes.

    Raises:
        BadPart: they are no chunk.
    """
    try:
        chunk: Chunk = decode(data, Chunk, size_max=CHUNK_SIZE_MAX)  # type: ignore[arg-type]  # a union
    except CodecError as error:
        raise BadPart("chunk", str(error)) from None
    if isinstance(chunk, Leaves) and len(chunk.keys) != len(chunk.values):
        raise BadPart("chunk", f"{len(chunk.keys)} keys and {len(chunk.values)} values")
    return chunk


def decode_handover(data: bytes) -> Handover:
    """Return the handover of these bytes.

    Raises:
        BadPart: they are no handover.
    """
    try:
        return decode(data, Handover, size_max=HANDOVER_SIZE_MAX)
    except CodecError as error:
        raise BadPart("handover", str(error)) from None


def decode_block_ids(data: bytes) -> BlockIds:
    """Return the ids of a block.

    Raises:
        BadPart: these bytes are nothing of the kind.
    """
    try:
        return decode(data, BlockIds, size_max=BLOCK_IDS_SIZE_MAX)
    except CodecError as error:
        raise BadPart("ids of a block", str(error)) from None
