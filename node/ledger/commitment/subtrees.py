"""All records beneath a path, by themselves: what they make there follows from them alone."""

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from node.ledger.commitment.branches import (
    HEAD,
    MASKS,
    CommitmentError,
    Path,
    Slot,
    hash_of_branch,
    hash_of_key,
    hash_of_value,
    nibbles_of,
)

AnyBranch = TypeVar("AnyBranch", bytes, bytes | None)
Entry: TypeAlias = tuple[bytes, Slot]
"""The nibbles and the leaf of a record beneath a new branch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtree:
    """What a set of records makes beneath a path."""

    slot: bytes
    """What stands above it: nothing, a leaf, or the digest of the branch at the path. At the empty
    path always a digest: the root."""

    nodes: dict[Path, bytes]
    """The branches at the path and beneath it."""

    keys: dict[bytes, bytes]
    """Full state keys by their hashes."""


def plant(path: Path, records: Iterable[tuple[bytes, bytes]]) -> Subtree:
    """Return the subtree of these records, full state keys with their encodings, each key once.

    Raises:
        CommitmentError: a record does not belong beneath the path, or a key comes twice.
    """
    entries: list[Entry] = []
    keys: dict[bytes, bytes] = {}
    for key, value in records:
        key_hash = hash_of_key(key)
        nibbles = nibbles_of(key_hash)
        if not nibbles.startswith(path):
            raise CommitmentError(path, f"the record {key.hex()} does not belong here")
        entries.append((nibbles, key_hash + hash_of_value(value)))
        keys[key_hash] = key
    if len(keys) != len(entries):
        raise CommitmentError(path, "a record is there twice")
    entries.sort()
    nodes: dict[Path, bytes] = {}
    if path and len(entries) < 2:
        slot = entries[0][1] if entries else b""
    else:
        slot = plant_branch(path, entries, nodes)
    return Subtree(slot=slot, nodes=nodes, keys=keys)


def plant_branch(path: Path, entries: list[Entry], nodes: MutableMapping[Path, AnyBranch]) -> Slot:
    """Make the branch for sorted entries, two or more unless at the root; return its digest."""
    depth = len(path)
    masks = 0
    slots = []
    low = 0
    while low < len(entries):
        nibbles, slot = entries[low]
        end = low + 1
        while end < len(entries) and entries[end][0][depth] == nibbles[depth]:
            end += 1
        is_taken, is_leaf, _ = MASKS[nibbles[depth]]
        masks |= is_taken
        if end - low == 1:
            masks |= is_leaf
        else:
            slot = plant_branch(nibbles[: depth + 1], entries[low:end], nodes)
        slots.append(slot)
        low = end
    branch = HEAD.pack(masks) + b"".join(slots)
    nodes[path] = branch
    return hash_of_branch(branch)
