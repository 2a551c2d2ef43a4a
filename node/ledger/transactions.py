"""The transaction: what is signed, its id, its canonical bytes, and the limits of its validity.

What a signer signs is the 32-byte id, which covers the genesis and the whole body; the body names
its signers. So a signature counts on one network only, a block that holds a transaction with a
missing or wrong signature is itself invalid, and nobody can spoil an id by taking signatures away.

A body says until which block time it is valid. Within that window an id is applied at most once
(the chain looks it up), after it never again. Its operations are applied in order, all or none.

This module knows no keys: signatures are verified by whoever admits transactions.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Final

import msgspec

from node.codec import CodecError, Record, reader, reader_of_each
from node.hashing import Domain, hasher, hasher_of_each, tagged_hash
from node.ledger.identifiers import PublicKey
from node.ledger.operations import Operations
from node.ledger.outcomes import Outcome, Reject
from node.ledger.phrases import EncodingFault
from node.ledger.policies import SIGNERS_MAX, Salt
from node.ledger.units import Milliseconds, is_text
from node.ledger.unread import why_unread

TRANSACTION_SIZE_MAX: Final = 64 << 10
TRANSACTION_VERSION: Final = 1
NETWORK_SIZE: Final = 8
"""A body names its network by so many first bytes of the genesis hash."""
SIGNATURE_SIZE: Final = 64
MEMO_MAX: Final = 140

Network = Annotated[bytes, msgspec.Meta(min_length=NETWORK_SIZE, max_length=NETWORK_SIZE)]
Signature = Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_SIZE, max_length=SIGNATURE_SIZE)]


class TransactionError(Reject):
    """Refused by its envelope, before any state is read. Never in a block."""


class TransactionBody(Record):
    """Everything that is signed."""

    version: Annotated[int, msgspec.Meta(ge=0, le=255)]
    network: Network
    valid_until_ms: Milliseconds
    """The last block time at which it may be applied."""
    salt: Salt
    """Makes two otherwise equal transactions different; random."""
    signers: Annotated[tuple[PublicKey, ...], msgspec.Meta(min_length=1, max_length=SIGNERS_MAX)]
    """Whose signatures go with it: in ascending order, each once."""
    operations: Operations
    memo: Annotated[str, msgspec.Meta(max_length=MEMO_MAX)]
    """Plain text, may be empty. Not interpreted."""


class SignedTransaction(Record):
    """The wire form."""

    body: Annotated[bytes, msgspec.Meta(min_length=1, max_length=TRANSACTION_SIZE_MAX)]
    """Canonical encoding of a `TransactionBody`."""
    signatures: Annotated[tuple[Signature, ...], msgspec.Meta(min_length=1, max_length=SIGNERS_MAX)]
    """One for each signer of the body, in the same order."""


def network_of(genesis_hash: bytes) -> bytes:
    """Return how a body names the network of this genesis."""
    return genesis_hash[:NETWORK_SIZE]


def transaction_id(genesis_hash: bytes, body: bytes) -> bytes:
    """Return the 32-byte id of the transaction with this encoded body: what its signers sign."""
    return tagged_hash(Domain.TRANSACTION, genesis_hash, body)


def transaction_ids(genesis_hash: bytes) -> Callable[[bytes], bytes]:
    """Return `transaction_id` for one genesis: for whoever asks for thousands."""
    return hasher(Domain.TRANSACTION, genesis_hash)


def transaction_ids_of_each(genesis_hash: bytes) -> Callable[[Iterable[bytes]], list[bytes]]:
    """Return what gives `transaction_id` of each of some encoded bodies, for one genesis."""
    return hasher_of_each(Domain.TRANSACTION, genesis_hash)


def decode_transaction(raw: bytes) -> SignedTransaction:
    """Return the wire form that these bytes are; its body is not looked into yet.

    Raises:
        TransactionError: TOO_LARGE, MALFORMED.
    """
    if len(raw) > TRANSACTION_SIZE_MAX:
        raise TransactionError(Outcome.TOO_LARGE, found=len(raw), expected=TRANSACTION_SIZE_MAX)
    try:
        return _read_signed(raw)
    except CodecError as error:
        raise TransactionError(Outcome.MALFORMED, reason=why_unread(error)) from None


def decode_transactions(raws: Sequence[bytes]) -> list[SignedTransaction]:
    """Return `decode_transaction` of each of these, by a whole column: for whoever has thousands.

    Raises:
        TransactionError: as `decode_transaction`, of the first that is refused.
    """
    if raws and max(map(len, raws)) <= TRANSACTION_SIZE_MAX:
        try:
            return _read_each_signed(raws)
        except CodecError:
            pass  # Which, and why, is said below.
    return [decode_transaction(raw) for raw in raws]


def decode_body(body: bytes) -> TransactionBody:
    """Return the body that these bytes are, canonical and well formed.

    Raises:
        TransactionError: MALFORMED.
    """
    if len(body) > TRANSACTION_SIZE_MAX:
        raise TransactionError(
            Outcome.MALFORMED,
            reason=EncodingFault.TOO_MANY_BYTES.of(found=len(body), most=TRANSACTION_SIZE_MAX),
        )
    try:
        decoded = _read_body(body)
    except CodecError as error:
        raise TransactionError(Outcome.MALFORMED, reason=why_unread(error)) from None
    signers = decoded.signers
    if len(signers) > 1 and any(left >= right for left, right in pairwise(signers)):
        raise TransactionError(Outcome.MALFORMED, reason=EncodingFault.SIGNERS_OUT_OF_ORDER.of())
    if decoded.memo and not is_text(decoded.memo, MEMO_MAX):
        raise TransactionError(Outcome.MALFORMED, reason=EncodingFault.MEMO_NOT_TEXT.of())
    return decoded


def decode_signed(raw: bytes) -> tuple[SignedTransaction, TransactionBody]:
    """Return wire form and body, with as many signatures as signers. None is verified yet.

    Raises:
        TransactionError: TOO_LARGE, MALFORMED, WRONG_SIGNATURE_COUNT.
    """
    signed = decode_transaction(raw)
    body = decode_body(signed.body)
    if len(signed.signatures) != len(body.signers):
        raise TransactionError(
            Outcome.WRONG_SIGNATURE_COUNT,
            found=len(signed.signatures),
            expected=len(body.signers),
        )
    return signed, body


def decode_each(
    raws: Sequence[bytes],
) -> list[tuple[SignedTransaction, TransactionBody]] | None:
    """Return `decode_signed` of each of these, by whole columns: for whoever decodes thousands.

    None where one of them is refused: `decode_signed` says which, and why.
    """
    if raws and max(map(len, raws)) > TRANSACTION_SIZE_MAX:
        return None
    try:
        signed = _read_each_signed(raws)
        bodies = _read_each_body([each.body for each in signed])
    except CodecError:
        return None
    decoded = list(zip(signed, bodies, strict=True))
    for one, body in decoded:
        signers = body.signers
        if len(signers) != len(one.signatures) or (
            len(signers) > 1 and any(left >= right for left, right in pairwise(signers))
        ):
            return None
        if body.memo and not is_text(body.memo, MEMO_MAX):
            return None
    return decoded


def check_envelope(body: TransactionBody, *, network: bytes, now_ms: int, window_ms: int) -> None:
    """Refuse a body that cannot be applied in a block of this time, whatever the state.

    Args:
        network: as `network_of` the genesis hash.
        now_ms: time of the block, or of the head for one that is still to come.
        window_ms: how far ahead of that the end of its validity may lie.

    Raises:
        TransactionError: WRONG_VERSION, WRONG_NETWORK, EXPIRED, TOO_FAR_AHEAD.
    """
    if body.version != TRANSACTION_VERSION:
        raise TransactionError(
            Outcome.WRONG_VERSION, found=body.version, expected=TRANSACTION_VERSION
        )
    if body.network != network:
        raise TransactionError(Outcome.WRONG_NETWORK, found=body.network, expected=network)
    if body.valid_until_ms < now_ms:
        raise TransactionError(Outcome.EXPIRED, found=body.valid_until_ms, expected=now_ms)
    if body.valid_until_ms > now_ms + window_ms:
        raise TransactionError(
            Outcome.TOO_FAR_AHEAD, found=body.valid_until_ms, expected=now_ms + window_ms
        )


_read_signed: Final = reader(SignedTransaction)
_read_body: Final = reader(TransactionBody)
_read_each_signed: Final = reader_of_each(SignedTransaction)
_read_each_body: Final = reader_of_each(TransactionBody)
