"""SHA-256, each use under its own domain tag: a hash of one kind can never pass for another kind.

A tag is padded to one SHA-256 block and absorbed beforehand: a tagged hash costs no more than a
bare one. Parts are concatenated: every part but the last must have a fixed size, or the caller
encodes them first.
"""

import hashlib
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Final

HASH_SIZE: Final = 32


class Domain(Enum):
    """What is hashed. The values are part of the protocol: permanent, never reused."""

    def __init__(self, tag: bytes) -> None:
        # Kept on the member: a look-up by member would hash its name each time, in Python.
        self.absorbed = hashlib.sha256(tag.ljust(64, b"\0"))

    GENESIS = b"khazana/genesis/1"
    TRANSACTION = b"khazana/transaction/1"
    TRANSACTION_LIST = b"khazana/transaction-list/1"
    RECEIPT_LIST = b"khazana/receipt-list/1"
    EVIDENCE_LIST = b"khazana/evidence-list/1"
    EVIDENCE = b"khazana/evidence/1"
    HEADER = b"khazana/header/1"
    VALIDATORS = b"khazana/validators/1"
    PARAMETERS = b"khazana/parameters/1"
    ACCOUNT = b"khazana/account/1"
    PROPOSAL = b"khazana/proposal/1"
    HOLD = b"khazana/hold/1"
    STATE_KEY = b"khazana/state-key/1"
    STATE_VALUE = b"khazana/state-value/1"
    STATE_NODE = b"khazana/state-node/1"
    MERKLE_LEAF = b"khazana/merkle-leaf/1"
    MERKLE_NODE = b"khazana/merkle-node/1"
    DEVELOPMENT_KEY = b"khazana/development-key/1"
    POSSESSION = b"khazana/possession/1"
    AMENDMENT = b"khazana/amendment/1"
    SEALED_BID = b"khazana/sealed-bid/1"
    AUCTION = b"khazana/auction/1"
    SERVICE = b"khazana/service/1"
    ESCROW = b"khazana/escrow/1"


def hasher(domain: Domain, *first: bytes) -> Callable[[bytes], bytes]:
    """Return the function that hashes one part under this domain: for whoever hashes thousands.

    Args:
        first: parts that come before it, always the same; absorbed beforehand like the tag.
    """
    absorbed = domain.absorbed.copy()
    for part in first:
        absorbed.update(part)
    copy = absorbed.copy

    def tagged(part: bytes) -> bytes:
        state = copy()
        state.update(part)
        return state.digest()

    return tagged


def hasher_of_each(domain: Domain, *first: bytes) -> Callable[[Iterable[bytes]], list[bytes]]:
    """Return the function that hashes each of some parts by itself: `hasher`, without its call."""
    absorbed = domain.absorbed.copy()
    for part in first:
        absorbed.update(part)
    copy = absorbed.copy

    def tagged(parts: Iterable[bytes]) -> list[bytes]:
        hashes = []
        for part in parts:
            state = copy()
            state.update(part)
            hashes.append(state.digest())
        return hashes

    return tagged


def tagged_hash(domain: Domain, *parts: bytes) -> bytes:
    """Return the 32-byte SHA-256 of the domain's padded tag followed by the parts."""
    state = domain.absorbed.copy()
    for part in parts:
        state.update(part)
    return state.digest()
