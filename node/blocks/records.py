"""The block: a header that commits to everything, and the bytes it commits to.

A block's id is the hash of its header. The header carries the state root **after** the block, so
one commit certificate over the id proves the result. What each root covers:

====================  ==============================================================================
transactions_root     the ids, in order. An id covers body and genesis, not the signatures: two
                      nodes may hold different, equally valid signatures over one body, and still
                      hold the same block. Whoever takes a block from outside verifies them.
receipts_root         each transaction's id followed by its encoded receipt, in order; then the
                      encoded events of the block itself, so that a receipt alone proves what became
                      of which transaction.
evidence_root         the encoded equivocations, in order.
state_root            the commitment over every state record after the block.
validators_hash       names and keys of those who decide this height; `next_` of the height after.
parameters_hash       the ledger's parameters ruling after this block.
====================  ==============================================================================

Limits here are those of the format; a genesis may set lower ones, never higher.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import add
from typing import Annotated, Final

import msgspec

from node.blocks.merkle import Hash, list_root
from node.codec import Record, decode, encode
from node.hashing import Domain, tagged_hash
from node.ledger.transactions import TRANSACTION_SIZE_MAX, Network
from node.ledger.units import Milliseconds

BLOCK_SIZE_MAX: Final = 8 << 20  # half of the codec's largest record: room for the frame around it
BLOCK_TRANSACTIONS_MAX: Final = 20_000
BLOCK_EVIDENCE_MAX: Final = 64
EVIDENCE_SIZE_MAX: Final = 16 << 10
INTEGER_MAX: Final = (1 << 63) - 1

_ROOTS_KEPT: Final = 4  # lists of ids whose root is remembered: those of one height

HeightNumber = Annotated[int, msgspec.Meta(ge=1, le=INTEGER_MAX)]
RoundNumber = Annotated[int, msgspec.Meta(ge=0, le=(1 << 31) - 1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=32, pattern=r"^[a-z0-9-]+\Z")]
KeyBytes = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
SignatureBytes = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]


class Header(Record):
    """What validators sign, by its hash."""

    version: Annotated[int, msgspec.Meta(ge=0, le=255)]
    """Of the protocol: by its rules the block was applied."""
    network: Network
    height: HeightNumber
    round: RoundNumber
    """The round in which the block was built; a later round may decide it."""
    time_ms: Milliseconds
    """Milliseconds since 1970-01-01 UTC by the proposer's clock; greater than the parent's."""
    parent: Hash
    """Id of the block before; the genesis hash at height 1."""
    proposer: Name
    transactions_root: Hash
    receipts_root: Hash
    evidence_root: Hash
    state_root: Hash
    """After this block."""
    validators_hash: Hash
    next_validators_hash: Hash
    parameters_hash: Hash
    transaction_count: Annotated[int, msgspec.Meta(ge=0, le=BLOCK_TRANSACTIONS_MAX)]


RawTransaction = Annotated[bytes, msgspec.Meta(min_length=1, max_length=TRANSACTION_SIZE_MAX)]
RawEvidence = Annotated[bytes, msgspec.Meta(min_length=1, max_length=EVIDENCE_SIZE_MAX)]


class Block(Record):
    """A header and what it commits to, as stored and as sent to those who catch up."""

    header: Header
    transactions: Annotated[
        tuple[RawTransaction, ...], msgspec.Meta(max_length=BLOCK_TRANSACTIONS_MAX)
    ]
    evidence: Annotated[tuple[RawEvidence, ...], msgspec.Meta(max_length=BLOCK_EVIDENCE_MAX)]


class ValidatorKey(Record):
    """The part of a validator that decides what a certificate is worth."""

    name: Name
    public_key: KeyBytes


def block_id(header: Header) -> bytes:
    """Return the 32-byte id of the block that has this header."""
    return tagged_hash(Domain.HEADER, encode(header))


def transactions_root(ids: Sequence[bytes]) -> bytes:
    """Return the root of the transaction ids, in their order in the block.

    A voter asks for that of a block twice: when the proposal comes, and when its transactions are
    together.
    """
    return _transactions_root(tuple(ids))


@lru_cache(maxsize=_ROOTS_KEPT)
def _transactions_root(ids: tuple[bytes, ...]) -> bytes:
    return list_root(Domain.TRANSACTION_LIST, ids)


receipt_leaf: Final[Callable[[bytes, bytes], bytes]] = add
"""Returns the item of the receipt list that says what became of a transaction: its id, then its
encoded receipt."""


def receipts_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of the receipt leaves, in order, then of the block's own events' encoding."""
    return list_root(Domain.RECEIPT_LIST, leaves)


def evidence_root(evidence: Sequence[bytes]) -> bytes:
    """Return the root of the encoded equivocations, in their order in the block."""
    return list_root(Domain.EVIDENCE_LIST, evidence)


def validators_hash(validators: Iterable[ValidatorKey]) -> bytes:
    """Return the hash of a validator set; the caller's order does not matter."""
    ordered = tuple(sorted(validators, key=lambda validator: validator.name))
    return tagged_hash(Domain.VALIDATORS, encode(ordered))


def encode_block(block: Block) -> bytes:
    """Return the canonical bytes of a block."""
    return encode(block)


def decode_block(data: bytes) -> Block:
    """Return the block of these bytes.

    Raises:
        CodecError: not the canonical encoding of a block within the limits of the format.
    """
    return decode(data, Block, size_max=BLOCK_SIZE_MAX)


def decode_header(data: bytes) -> Header:
    """Return the header of these bytes.

    Raises:
        CodecError: not the canonical encoding of a header.
    """
    return decode(data, Header, size_max=1024)
