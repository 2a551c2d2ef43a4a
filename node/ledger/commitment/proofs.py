"""Evidence for what the state holds under one key, or that it holds nothing there."""

from typing import Annotated

from msgspec import Meta

from node.codec import Record
from node.hashing import HASH_SIZE
from node.ledger.commitment.branches import (
    BRANCH_SIZE_MAX,
    BRANCH_SIZE_MIN,
    EMPTY_BRANCH,
    PATH_SIZE_MAX,
    NodeSource,
    Slot,
    existing,
    hash_of_branch,
    hash_of_key,
    hash_of_value,
    is_branch,
    masks_of,
    nibbles_of,
    slot_at,
)


class StateProof(Record):
    """Evidence for what the state holds, or does not hold, under one key."""

    branches: Annotated[
        tuple[Annotated[bytes, Meta(min_length=BRANCH_SIZE_MIN, max_length=BRANCH_SIZE_MAX)], ...],
        Meta(min_length=1, max_length=PATH_SIZE_MAX + 1),
    ]
    """From the root to the branch whose slot decides."""


def prove(nodes: NodeSource, key: bytes) -> StateProof:
    """Return the proof of what the stored tree holds under a full state key, present or absent.

    Raises:
        CommitmentError: a branch that should be there is missing or malformed.
    """
    nibbles = nibbles_of(hash_of_key(key))
    branches = [nodes.node(b"") or EMPTY_BRANCH]
    while True:
        path = nibbles[: len(branches) - 1]
        masks_of(path, branches[-1])
        if len(slot_at(branches[-1], nibbles[len(path)])) != HASH_SIZE:
            return StateProof(branches=tuple(branches))
        below = nibbles[: len(branches)]
        branches.append(existing(below, nodes.node(below)))


def verify_proof(root: bytes, key: bytes, value: bytes | None, proof: StateProof) -> bool:
    """Return whether the proof shows that a state with this root holds this value under the key.

    Args:
        root: the only thing that is trusted; from a header under a certificate.
        key: the full state key.
        value: the encoded record, or None to show that there is none.
        proof: any; it has exactly the branches that are needed, or it is refused.
    """
    key_hash = hash_of_key(key)
    expected = root
    last = len(proof.branches) - 1
    steps = zip(nibbles_of(key_hash), proof.branches, strict=False)
    for depth, (nibble, branch) in enumerate(steps):
        if hash_of_branch(branch) != expected or not is_branch(branch):
            return False
        slot = slot_at(branch, nibble)
        if len(slot) != HASH_SIZE:
            # Nothing may follow the branch that decides: a proof has one form.
            return depth == last and _decides(slot, key_hash, value)
        expected = slot
    return False


def _decides(slot: Slot, key_hash: bytes, value: bytes | None) -> bool:
    held = slot[HASH_SIZE:] if slot[:HASH_SIZE] == key_hash else None
    return held == (None if value is None else hash_of_value(value))
