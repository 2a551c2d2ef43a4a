"""Branches of the tree as bytes, where they are read from, and the hashes that bind them."""

from binascii import hexlify
from struct import Struct
from typing import Final, Protocol, TypeAlias

from node.hashing import HASH_SIZE, Domain, hasher, tagged_hash

Path: TypeAlias = bytes
"""Where a branch hangs: one byte, 0 to 15, for each nibble; at most 63 of them."""
PATH_SIZE_MAX: Final = 2 * HASH_SIZE - 1
BRANCH_SIZE_MIN: Final = 4
BRANCH_SIZE_MAX: Final = 4 + 16 * 2 * HASH_SIZE
EMPTY_BRANCH: Final = bytes(BRANCH_SIZE_MIN)
EMPTY_ROOT: Final = tagged_hash(Domain.STATE_NODE, EMPTY_BRANCH)
"""The root of a state without records."""
LEAF_SIZE: Final = 2 * HASH_SIZE
HEAD: Final = Struct(">I")
"""The two masks of a branch as one number: the slots taken are its upper half, the leaves its lower
one. So its bits that are set count the hashes that follow."""
MASKS: Final = tuple(
    (1 << 16 + slot, 1 << slot, ((1 << slot) - 1) * 0x1_0001) for slot in range(16)
)
"""Of each slot: that it is taken, that it is a leaf, and all about the slots before it."""
ONE_LEAF: Final = frozenset(is_taken | is_leaf for is_taken, is_leaf, _ in MASKS)
"""The masks of a branch with nothing but a leaf."""


# From hexadecimal digits to the numbers they stand for: the fast way to split bytes into nibbles.
_NIBBLES: Final = bytes(
    b"0123456789abcdef".index(code) if code in b"0123456789abcdef" else 0 for code in range(256)
)
NIBBLE: Final = tuple(bytes((nibble,)) for nibble in range(16))
Slot: TypeAlias = bytes
"""Nothing; a branch's digest, 32 bytes; or a leaf, 64 bytes."""


class NodeSource(Protocol):
    """Where the branches of the committed tree are read from."""

    def node(self, path: Path) -> bytes | None:
        """Return the branch at this path as it was last written, or None if there is none."""
        ...

    def read_ahead(self, first: Path, last: Path) -> None:
        """Be ready to be asked for most branches beneath these paths and those between them."""
        ...


class CommitmentError(Exception):
    """The stored tree contradicts itself: a branch is missing or malformed. The disk is damaged.

    Attributes:
        path: where.
    """

    def __init__(self, path: Path, explanation: str) -> None:
        """Take the branch's path and what is wrong there."""
        super().__init__(f"state commitment at path {path.hex()[1::2] or '(root)'}: {explanation}")
        self.path = path


hash_of_key: Final = hasher(Domain.STATE_KEY)
"""Returns the hash that places a full state key in the tree."""
hash_of_value: Final = hasher(Domain.STATE_VALUE)
"""Returns the hash that stands for an encoded record in its leaf."""
hash_of_branch: Final = hasher(Domain.STATE_NODE)
"""Returns the digest of a branch: what stands in the slot above it, or the root."""


def slots(path: Path, branch: bytes) -> tuple[tuple[int, bytes], ...]:
    """Return the slots of a branch that are taken, ascending: index, and a digest or a leaf.

    Raises:
        CommitmentError: these bytes are no branch.
    """
    taken = masks_of(path, branch) >> 16
    return tuple((index, slot_at(branch, index)) for index in range(16) if taken >> index & 1)


def state_root(nodes: NodeSource) -> bytes:
    """Return the root of the stored tree."""
    return hash_of_branch(nodes.node(b"") or EMPTY_BRANCH)


def slots_of(path: Path, branch: bytes, digest: bytes) -> tuple[bytes, ...]:
    """Return the 16 slots of the branch at this path: nothing, a leaf, or a digest in each.

    Raises:
        CommitmentError: these bytes are no branch, or not the one of this digest.
    """
    if hash_of_branch(branch) != digest:
        raise CommitmentError(path, "another branch than the one of this digest")
    masks_of(path, branch)
    return tuple(slot_at(branch, index) for index in range(16))


def nibbles_of(key_hash: bytes) -> bytes:
    """Return the path of a hash of a key, or of the first bytes of one: two nibbles a byte."""
    return hexlify(key_hash).translate(_NIBBLES)


def is_branch(data: bytes) -> bool:
    """Return whether these bytes are a well-formed branch."""
    if len(data) < BRANCH_SIZE_MIN:
        return False
    (masks,) = HEAD.unpack_from(data)
    # A leaf is a slot taken; and a leaf counts twice, as it has twice the size of a digest.
    return not masks & ~(masks >> 16) & 0xFFFF and (
        len(data) == BRANCH_SIZE_MIN + HASH_SIZE * masks.bit_count()
    )


def masks_of(path: Path, branch: bytes) -> int:
    """Return which slots of a well-formed branch are taken, and which of these are leaves."""
    masks = int.from_bytes(branch[:BRANCH_SIZE_MIN])
    # A leaf is a slot taken; and a leaf counts twice, as it has twice the size of a digest.
    if len(branch) != BRANCH_SIZE_MIN + HASH_SIZE * masks.bit_count() or (
        masks & ~(masks >> 16) & 0xFFFF
    ):
        raise malformed(path, branch)
    return masks


def malformed(path: Path, branch: bytes) -> CommitmentError:
    """Return the fault of bytes that are no branch."""
    return CommitmentError(path, f"these {len(branch)} bytes are no branch")


def slot_at(branch: bytes, index: int) -> Slot:
    """Return what a well-formed branch holds in the slot."""
    (masks,) = HEAD.unpack_from(branch)
    is_taken, is_leaf, below = MASKS[index]
    start = BRANCH_SIZE_MIN + HASH_SIZE * (masks & below).bit_count()
    return branch[start : start + HASH_SIZE * (masks & (is_taken | is_leaf)).bit_count()]


def existing(path: Path, branch: bytes | None) -> bytes:
    """Return a branch that was read.

    Raises:
        CommitmentError: there is none.
    """
    if branch is None:
        raise CommitmentError(path, "the branch is missing")
    return branch
