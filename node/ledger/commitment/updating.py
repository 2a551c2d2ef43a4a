"""What a set of changes does to the tree: one pass, each touched branch hashed once.

What will probably come can be rehearsed before it does: an update that meets the same changes in a
part of the tree takes what was worked out for it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from node.codec import Record
from node.hashing import HASH_SIZE
from node.ledger.commitment.branches import (
    BRANCH_SIZE_MIN,
    EMPTY_BRANCH,
    HEAD,
    LEAF_SIZE,
    MASKS,
    NIBBLE,
    ONE_LEAF,
    CommitmentError,
    NodeSource,
    Path,
    Slot,
    hash_of_branch,
    hash_of_key,
    hash_of_value,
    malformed,
    nibbles_of,
)
from node.ledger.commitment.subtrees import Entry, plant_branch

_AHEAD_BYTES: Final = 2
"""Of a key hash: the path of the branches beneath which what lies close together is read ahead."""
_CLOSE: Final = 4
"""So many neighbours among the changes, beneath one such branch, lie close together."""
REHEARSED_TOGETHER_MAX: Final = 64
"""Changes that are rehearsed as one: taken as they are, or all worked out again."""
_from_bytes: Final = int.from_bytes
_HIGH_NIBBLES: Final = bytes(byte >> 4 for byte in range(256))
_LOW_NIBBLES: Final = bytes(byte & 15 for byte in range(256))
KEY_HASHES_MAX: Final = 1 << 15
"""Hashes of keys that are remembered, for records that change again and again: some 11 MB."""
_hash_of_recent_key: Final = lru_cache(maxsize=KEY_HASHES_MAX)(hash_of_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeUpdate:
    """What a set of changes does to the tree."""

    root: bytes
    """The root of the state after the changes."""

    nodes: dict[Path, bytes | None]
    """The branches to write, None to delete: to be stored together with the records."""


class Leaf(Record):
    """What comes to the place of a record. No dataclass: thousands, which no collector looks at."""

    value: bytes | None
    """The record, encoded; None to delete it."""
    key_hash: bytes
    slot: bytes
    """Nothing to delete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What changes beneath a path would do to it, should they come."""

    hashes: Sequence[bytes]
    """Of the keys that change, all beneath the path, ascending."""
    leaves: Sequence[bytes]
    """What comes there, in the same order: nothing to delete."""
    slot: bytes
    """What then stands above it."""
    nodes: dict[Path, bytes | None]
    """The branches at the path and beneath it that change."""


class TreeRehearsal:
    """What an update would do, should these changes come. One thread may learn while others ask."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.leaves: dict[bytes, Leaf] = {}
        """By full state key."""
        self.subtrees: dict[Path, Rehearsed] = {}
        """What some changes would do to the subtree in which they lie together."""

    def learn(self, nodes: NodeSource, changes: Mapping[bytes, bytes | None]) -> Iterator[None]:
        """Work out what an update with these changes would do, step by step.

        They are taken apart by the subtrees they lie in: few enough in each that another change
        beside them spoils little, and enough that little is left to be done above them.

        Args:
            nodes: as for `update`.

        Raises:
            CommitmentError: as for `update`.
        """
        self.leaves = {key: _leaf(key, value) for key, value in changes.items()}
        leaves = {leaf.key_hash: leaf.slot for leaf in self.leaves.values()}
        one_pass = _Pass(nodes, leaves, {})
        hashes = sorted(leaves)
        for path, low, high in one_pass.parts(b"", 0, len(leaves)):
            if nodes.node(path) is None:
                continue  # They meet in a leaf, or come where there is nothing yet.
            one_pass.nodes = {}
            slot = one_pass.change(path, low, high)
            together = hashes[low:high]
            self.subtrees[path] = Rehearsed(
                hashes=together,
                leaves=[leaves[each] for each in together],
                slot=slot,
                nodes=one_pass.nodes,
            )
            yield


_NOTHING_REHEARSED: Final = TreeRehearsal()


def update(
    nodes: NodeSource,
    changes: Mapping[bytes, bytes | None],
    rehearsal: TreeRehearsal = _NOTHING_REHEARSED,
) -> TreeUpdate:
    """Return the root after these changes and the branches that change with it.

    Args:
        nodes: the tree before; it is only read.
        changes: full state keys with their new encoded records, None to delete. Deleting what is
            absent, or writing what is there, changes nothing.
        rehearsal: on this tree. Where other changes came, it does nothing.

    Raises:
        CommitmentError: a branch that should be there is missing or malformed.
    """
    leaves: dict[bytes, Slot] = {}
    known = rehearsal.leaves
    for key, value in changes.items():
        leaf = known.get(key)
        if leaf is None or leaf.value != value:
            leaf = _leaf(key, value)
        leaves[leaf.key_hash] = leaf.slot
    one_pass = _Pass(nodes, leaves, rehearsal.subtrees)
    return TreeUpdate(root=one_pass.change(b"", 0, len(leaves)), nodes=one_pass.nodes)


def _leaf(key: bytes, value: bytes | None) -> Leaf:
    key_hash = _hash_of_recent_key(key)
    slot = b"" if value is None else key_hash + hash_of_value(value)
    return Leaf(value=value, key_hash=key_hash, slot=slot)


def hash_ahead(keys: Iterable[bytes]) -> list[bytes]:
    """Return the hashes of full state keys, and remember them: an update with them is close."""
    return list(map(_hash_of_recent_key, keys))


def neighbourhood(key_hash: bytes) -> Path:
    """Return the path beneath which an update reads ahead what lies close to this hash of a key."""
    return nibbles_of(key_hash[:_AHEAD_BYTES])


class _Pass:
    """One walk over the tree along the changes, which are sorted by key hash.

    The hot path of every block. Most changes replace a leaf by one of the same size, so that a
    branch is patched in place rather than taken apart; and which changes lie beneath which slot is
    looked up in a column of nibbles for each depth, so that nothing is done for each change at each
    depth.
    """

    def __init__(
        self,
        source: NodeSource,
        leaves: Mapping[bytes, Slot],
        rehearsed: Mapping[Path, Rehearsed],
    ) -> None:
        """Take the leaf to put there by key hash: nothing to delete."""
        self._source = source
        self._rehearsed = rehearsed
        self._leaves = leaves
        self._hashes = sorted(leaves)
        self._joined = b"".join(self._hashes)
        self._columns: list[bytes] = []
        self.nodes: dict[Path, bytes | None] = {}
        self._read_ahead()

    def _read_ahead(self) -> None:
        """Tell the source where changes lie so close that it had better read all of it at once."""
        hashes = self._hashes
        runs: list[list[int]] = []
        for low in range(0, len(hashes) - _CLOSE, _CLOSE):
            place = hashes[low][:_AHEAD_BYTES]
            if hashes[low + _CLOSE].startswith(place):
                number = _from_bytes(place)
                if runs and number - runs[-1][1] <= 1:
                    runs[-1][1] = number
                else:
                    runs.append([number, number])
        for first, last in runs:
            self._source.read_ahead(
                nibbles_of(first.to_bytes(_AHEAD_BYTES)), nibbles_of(last.to_bytes(_AHEAD_BYTES))
            )

    def change(self, path: Path, low: int, high: int) -> Slot:
        """Apply the changes low to high, all beneath the path; return the new slot above it."""
        if path in self._rehearsed:
            known, leaves = self._rehearsed[path], self._leaves
            if known.hashes == self._hashes[low:high] and known.leaves == [
                leaves[each] for each in known.hashes
            ]:
                self.nodes.update(known.nodes)
                return known.slot
        before = self._source.node(path)
        if before is None:
            if path:
                raise CommitmentError(path, "the branch is missing")
            before = EMPTY_BRANCH
        # As `masks_of`, which a call for each branch is too dear for.
        found = masks = _from_bytes(before[:BRANCH_SIZE_MIN])
        if len(before) != BRANCH_SIZE_MIN + HASH_SIZE * masks.bit_count() or (
            masks & ~(masks >> 16) & 0xFFFF
        ):
            raise malformed(path, before)
        depth = len(path)
        columns = self._columns
        column = columns[depth] if depth < len(columns) else self._column(depth)
        branch = bytearray(before)
        while low < high:
            nibble = column[low]
            end = low + 1
            if end < high:
                end = column.rfind(nibble, low, high) + 1
            is_taken, is_leaf, below = MASKS[nibble]
            start = BRANCH_SIZE_MIN + HASH_SIZE * (masks & below).bit_count()
            if masks & is_leaf:
                key_hash = self._hashes[low]
                stop = start + LEAF_SIZE
                if end - low == 1 and branch.startswith(key_hash, start):
                    slot = self._leaves[key_hash]
                else:
                    slot = self._grow(path + NIBBLE[nibble], bytes(branch[start:stop]), low, end)
            elif masks & is_taken:
                stop = start + HASH_SIZE
                slot = self.change(path + NIBBLE[nibble], low, end)
            else:
                stop = start
                slot = self._grow(path + NIBBLE[nibble], b"", low, end)
            branch[start:stop] = slot
            if len(slot) != stop - start:
                masks &= ~(is_taken | is_leaf)
                if slot:
                    masks |= is_taken if len(slot) == HASH_SIZE else is_taken | is_leaf
            low = end
        if masks != found:
            HEAD.pack_into(branch, 0, masks)
            if path and (masks in ONE_LEAF or not masks):
                # At most one leaf is left: it rises into the parent's slot.
                self.nodes[path] = None
                return bytes(branch[BRANCH_SIZE_MIN:])
        after = bytes(branch)
        if after != before:
            self.nodes[path] = after if masks else None
        return hash_of_branch(after)

    def parts(self, path: Path, low: int, high: int) -> Iterator[tuple[Path, int, int]]:
        """Yield the largest subtrees beneath a path in which not too many of the changes low to
        high lie together; and which.
        """
        column = self._column(len(path))
        while low < high:
            end = column.rfind(column[low], low, high) + 1
            below = path + NIBBLE[column[low]]
            if end - low > REHEARSED_TOGETHER_MAX:
                yield from self.parts(below, low, end)
            else:
                yield below, low, end
            low = end

    def _column(self, depth: int) -> bytes:
        """Return the nibble at this depth of every change, in their order."""
        columns = self._columns
        while len(columns) <= depth:
            at = len(columns)
            each = self._joined[at >> 1 :: HASH_SIZE]
            columns.append(each.translate(_LOW_NIBBLES if at & 1 else _HIGH_NIBBLES))
        return columns[depth]

    def _grow(self, path: Path, leaf: Slot, low: int, high: int) -> Slot:
        """Return what replaces an empty slot or a leaf once the changes low to high are in it."""
        hashes = self._hashes[low:high]
        if leaf and leaf[:HASH_SIZE] not in hashes:
            hashes.append(leaf[:HASH_SIZE])
            hashes.sort()
        entries: list[Entry] = []
        for key_hash in hashes:
            changed = self._leaves.get(key_hash, leaf)
            if changed:
                entries.append((nibbles_of(key_hash), changed))
        if not entries:
            return b""
        if len(entries) == 1:
            return entries[0][1]
        return plant_branch(path, entries, self.nodes)
