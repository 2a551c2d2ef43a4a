"""The root of a list, and the proof that an item stands at a place in it.

A binary tree over the items in their order. Leaves and inner nodes are hashed under different
domains, so that a node can never be shown as an item. A node without a sibling moves up a level
unhashed; it is never paired with itself (Bitcoin's rule lets two lists share a root,
CVE-2012-2459). The root binds the number of items and the kind of list.

Source: the tree of RFC 6962 section 2.1, with domain tags in place of its prefix bytes.
"""

from collections.abc import Sequence
from operator import add
from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.hashing import HASH_SIZE, Domain, hasher, hasher_of_each, tagged_hash

LIST_LENGTH_MAX: Final = 1 << 20
"""Items in one list: far above any block's limit, low enough that a proof has a bounded depth."""
DEPTH_MAX: Final = 20

_hash_of_leaf: Final = hasher(Domain.MERKLE_LEAF)
_hash_of_node: Final = hasher(Domain.MERKLE_NODE)
_hashes_of_leaves: Final = hasher_of_each(Domain.MERKLE_LEAF)
_hashes_of_nodes: Final = hasher_of_each(Domain.MERKLE_NODE)

Hash = Annotated[bytes, msgspec.Meta(min_length=HASH_SIZE, max_length=HASH_SIZE)]


class ListProof(Record):
    """That one item stands at `index` of a list of `length` items."""

    index: Annotated[int, msgspec.Meta(ge=0, lt=LIST_LENGTH_MAX)]
    length: Annotated[int, msgspec.Meta(ge=1, le=LIST_LENGTH_MAX)]
    siblings: Annotated[tuple[Hash, ...], msgspec.Meta(max_length=DEPTH_MAX)]
    """From the item's own level upwards; levels where it has no sibling are left out."""


def list_root(domain: Domain, items: Sequence[bytes]) -> bytes:
    """Return the 32-byte root of the items in their order; an empty list has a root too."""
    level = _hashes_of_leaves(items)
    while len(level) > 1:
        level = _parents(level)
    return _seal(domain, len(items), level[0] if level else b"")


def prove_item(items: Sequence[bytes], index: int) -> ListProof:
    """Return the proof of the item at this index, which must exist."""
    assert 0 <= index < len(items)
    siblings: list[bytes] = []
    level = _hashes_of_leaves(items)
    place = index
    while len(level) > 1:
        sibling = place ^ 1
        if sibling < len(level):
            siblings.append(level[sibling])
        level = _parents(level)
        place >>= 1
    return ListProof(index=index, length=len(items), siblings=tuple(siblings))


def verify_item(domain: Domain, root: bytes, item: bytes, proof: ListProof) -> bool:
    """Whether the item stands where the proof says in the list that has this root."""
    if proof.index >= proof.length:
        return False
    siblings = iter(proof.siblings)
    node = _hash_of_leaf(item)
    place, width = proof.index, proof.length
    while width > 1:
        if place ^ 1 < width:
            sibling = next(siblings, None)
            if sibling is None:
                return False
            left, right = (sibling, node) if place & 1 else (node, sibling)
            node = _hash_of_node(left + right)
        place, width = place >> 1, (width + 1) >> 1
    return next(siblings, None) is None and _seal(domain, proof.length, node) == root


def _parents(level: list[bytes]) -> list[bytes]:
    # In pairs, without an odd one at the end.
    parents = _hashes_of_nodes(map(add, level[::2], level[1::2]))
    if len(level) & 1:
        parents.append(level[-1])
    return parents


def _seal(domain: Domain, length: int, top: bytes) -> bytes:
    return tagged_hash(domain, length.to_bytes(4, "big"), top)
