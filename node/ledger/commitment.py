"""The state commitment: one hash that stands for every record of the ledger, and proofs against it.

The state is a map from keys to encoded records. Its root is a function of that map alone: the order
in which records came, changed and went leaves no trace. Two nodes with the same root have the same
state, and one record can be shown to be in it, or a key not to be, without the rest.

The tree
    A key is hashed; the hash is read as 64 nibbles, a path from the root through branches of 16
    slots. Hashing spreads the keys evenly, whatever their authors choose, so the depth grows with
    log16 of the number of records: 4 to 5 levels for 100,000, 6 to 7 for 40 million. A slot holds

    - nothing, when no record's path goes through it;
    - a leaf, when exactly one does: its key hash and value hash stand in the slot itself;
    - the digest of the branch below it, when two or more do.

    So a leaf is stored as high as it is alone, and sinks or rises as neighbours come and go. Every
    branch but the root has at least two leaves beneath it. The root is always a branch, for an
    empty state an empty one.

A branch in bytes, which are both what is stored and what is hashed
    2 bytes   which slots are taken, bit i for slot i, big-endian
    2 bytes   which of these are leaves
    then for each slot taken, in ascending order:
      branch  32 bytes: its digest
      leaf    64 bytes: the key hash, then the value hash

    The two masks fix the length, at most 1,028 bytes, and no bytes have a second reading. Digests
    are SHA-256 under a tag of their own, likewise the hashes of keys and values.

Storage
    Branches are kept by path, one byte for each nibble, the root under the empty path. An update
    overwrites what it changes, so nothing stays behind to be collected, and only the newest state
    can be proven from the store.

Update
    One pass over the changed keys in the order of their hashes: every touched branch is read,
    patched and hashed once, however many changes lie beneath it. The work for one change grows with
    the depth, the memory with the number of branches touched.

Proof
    The branches on the key's path, from the root to the one whose slot decides. A verifier hashes
    the first and compares it with the root, follows the slot, and so on. The slot that decides is a
    leaf with this key and the hash of this value, or shows that there is none: empty, or another
    key's leaf. About 2.5 kB at 100,000 records. No step takes the prover's word for anything.

Subtree
    All records whose key hashes begin with a path, by themselves: the branches beneath the path and
    the slot above it follow from the records alone. So a part of the state that somebody sends is
    compared with one digest, and a part is as good as any other that has the same digest.

What this module does not know: what a record means, where branches are kept, certificates.
"""

from binascii import hexlify
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Annotated, Final, Protocol, TypeAlias, TypeVar

from msgspec import Meta

from node.codec import Record
from node.hashing import HASH_SIZE, Domain, hasher, tagged_hash

Path: TypeAlias = bytes
"""Where a branch hangs: one byte, 0 to 15, for each nibble; at most 63 of them."""

PATH_SIZE_MAX: Final = 2 * HASH_SIZE - 1
BRANCH_SIZE_MIN: Final = 4
BRANCH_SIZE_MAX: Final = 4 + 16 * 2 * HASH_SIZE

_EMPTY_BRANCH: Final = bytes(BRANCH_SIZE_MIN)
EMPTY_ROOT: Final = tagged_hash(Domain.STATE_NODE, _EMPTY_BRANCH)
"""The root of a state without records."""

_LEAF_SIZE: Final = 2 * HASH_SIZE
_AHEAD_BYTES: Final = 2
"""Of a key hash: the path of the branches beneath which what lies close together is read ahead."""
_CLOSE: Final = 4
"""So many neighbours among the changes, beneath one such branch, lie close together."""
REHEARSED_TOGETHER_MAX: Final = 64
"""Changes that are rehearsed as one: taken as they are, or all worked out again."""
_from_bytes: Final = int.from_bytes
_HEAD: Final = Struct(">I")
"""The two masks of a branch as one number: the slots taken are its upper half, the leaves its lower
one. So its bits that are set count the hashes that follow."""
_MASKS: Final = tuple(
    (1 << 16 + slot, 1 << slot, ((1 << slot) - 1) * 0x1_0001) for slot in range(16)
)
"""Of each slot: that it is taken, that it is a leaf, and all about the slots before it."""
_ONE_LEAF: Final = frozenset(is_taken | is_leaf for is_taken, is_leaf, _ in _MASKS)
"""The masks of a branch with nothing but a leaf."""

# From hexadecimal digits to the numbers they stand for: the fast way to split bytes into nibbles.
_NIBBLES: Final = bytes(
    b"0123456789abcdef".index(code) if code in b"0123456789abcdef" else 0 for code in range(256)
)

_NIBBLE: Final = tuple(bytes((nibble,)) for nibble in range(16))
_HIGH_NIBBLES: Final = bytes(byte >> 4 for byte in range(256))
_LOW_NIBBLES: Final = bytes(byte & 15 for byte in range(256))

_Slot: TypeAlias = bytes
"""Nothing; a branch's digest, 32 bytes; or a leaf, 64 bytes."""

_AFTER_ALL: Final = b"\xff" * HASH_SIZE


class NodeSource(Protocol):
    """Where the branches of the committed tree are read from."""

    def node(self, path: Path) -> bytes | None:
        """Return the branch at this path as it was last written, or None if there is none."""
        ...

    def read_ahead(self, first: Path, last: Path) -> None:
        """Be ready to be asked for most branches beneath these paths and those between them."""
        ...


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


class StateProof(Record):
    """Evidence for what the state holds, or does not hold, under one key."""

    branches: Annotated[
        tuple[Annotated[bytes, Meta(min_length=BRANCH_SIZE_MIN, max_length=BRANCH_SIZE_MAX)], ...],
        Meta(min_length=1, max_length=PATH_SIZE_MAX + 1),
    ]
    """From the root to the branch whose slot decides."""


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

KEY_HASHES_MAX: Final = 1 << 15
"""Hashes of keys that are remembered, for records that change again and again: some 11 MB."""
_hash_of_recent_key: Final = lru_cache(maxsize=KEY_HASHES_MAX)(hash_of_key)

hash_of_value: Final = hasher(Domain.STATE_VALUE)
"""Returns the hash that stands for an encoded record in its leaf."""

hash_of_branch: Final = hasher(Domain.STATE_NODE)
"""Returns the digest of a branch: what stands in the slot above it, or the root."""


def slots(path: Path, branch: bytes) -> tuple[tuple[int, bytes], ...]:
    """Return the slots of a branch that are taken, ascending: index, and a digest or a leaf.

    Raises:
        CommitmentError: these bytes are no branch.
    """
    taken = _masks_of(path, branch) >> 16
    return tuple((index, _slot(branch, index)) for index in range(16) if taken >> index & 1)


def state_root(nodes: NodeSource) -> bytes:
    """Return the root of the stored tree."""
    return hash_of_branch(nodes.node(b"") or _EMPTY_BRANCH)


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
    leaves: dict[bytes, _Slot] = {}
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
    return _nibbles(key_hash[:_AHEAD_BYTES])


def plant(path: Path, records: Iterable[tuple[bytes, bytes]]) -> Subtree:
    """Return the subtree of these records, full state keys with their encodings, each key once.

    Raises:
        CommitmentError: a record does not belong beneath the path, or a key comes twice.
    """
    entries: list[_Entry] = []
    keys: dict[bytes, bytes] = {}
    for key, value in records:
        key_hash = hash_of_key(key)
        nibbles = _nibbles(key_hash)
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
        slot = _plant(path, entries, nodes)
    return Subtree(slot=slot, nodes=nodes, keys=keys)


def slots_of(path: Path, branch: bytes, digest: bytes) -> tuple[bytes, ...]:
    """Return the 16 slots of the branch at this path: nothing, a leaf, or a digest in each.

    Raises:
        CommitmentError: these bytes are no branch, or not the one of this digest.
    """
    if hash_of_branch(branch) != digest:
        raise CommitmentError(path, "another branch than the one of this digest")
    _masks_of(path, branch)
    return tuple(_slot(branch, index) for index in range(16))


def prove(nodes: NodeSource, key: bytes) -> StateProof:
    """Return the proof of what the stored tree holds under a full state key, present or absent.

    Raises:
        CommitmentError: a branch that should be there is missing or malformed.
    """
    nibbles = _nibbles(hash_of_key(key))
    branches = [nodes.node(b"") or _EMPTY_BRANCH]
    while True:
        path = nibbles[: len(branches) - 1]
        _masks_of(path, branches[-1])
        if len(_slot(branches[-1], nibbles[len(path)])) != HASH_SIZE:
            return StateProof(branches=tuple(branches))
        below = nibbles[: len(branches)]
        branches.append(_existing(below, nodes.node(below)))


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
    for depth, (nibble, branch) in enumerate(zip(_nibbles(key_hash), proof.branches, strict=False)):
        if hash_of_branch(branch) != expected or not _is_branch(branch):
            return False
        slot = _slot(branch, nibble)
        if len(slot) != HASH_SIZE:
            # Nothing may follow the branch that decides: a proof has one form.
            return depth == last and _decides(slot, key_hash, value)
        expected = slot
    return False


def _decides(slot: _Slot, key_hash: bytes, value: bytes | None) -> bool:
    held = slot[HASH_SIZE:] if slot[:HASH_SIZE] == key_hash else None
    return held == (None if value is None else hash_of_value(value))


# Branches as bytes.


def _nibbles(key_hash: bytes) -> bytes:
    return hexlify(key_hash).translate(_NIBBLES)


def _is_branch(data: bytes) -> bool:
    if len(data) < BRANCH_SIZE_MIN:
        return False
    (masks,) = _HEAD.unpack_from(data)
    # A leaf is a slot taken; and a leaf counts twice, as it has twice the size of a digest.
    return not masks & ~(masks >> 16) & 0xFFFF and (
        len(data) == BRANCH_SIZE_MIN + HASH_SIZE * masks.bit_count()
    )


def _masks_of(path: Path, branch: bytes) -> int:
    """Return which slots of a well-formed branch are taken, and which of these are leaves."""
    masks = int.from_bytes(branch[:BRANCH_SIZE_MIN])
    # A leaf is a slot taken; and a leaf counts twice, as it has twice the size of a digest.
    if len(branch) != BRANCH_SIZE_MIN + HASH_SIZE * masks.bit_count() or (
        masks & ~(masks >> 16) & 0xFFFF
    ):
        raise _malformed(path, branch)
    return masks


def _malformed(path: Path, branch: bytes) -> CommitmentError:
    return CommitmentError(path, f"these {len(branch)} bytes are no branch")


def _slot(branch: bytes, index: int) -> _Slot:
    """Return what a well-formed branch holds in the slot."""
    (masks,) = _HEAD.unpack_from(branch)
    is_taken, is_leaf, below = _MASKS[index]
    start = BRANCH_SIZE_MIN + HASH_SIZE * (masks & below).bit_count()
    return branch[start : start + HASH_SIZE * (masks & (is_taken | is_leaf)).bit_count()]


def _existing(path: Path, branch: bytes | None) -> bytes:
    if branch is None:
        raise CommitmentError(path, "the branch is missing")
    return branch


# The update.

_AnyBranch = TypeVar("_AnyBranch", bytes, bytes | None)

_Entry: TypeAlias = tuple[bytes, _Slot]
"""The nibbles and the leaf of a record beneath a new branch."""


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
        leaves: Mapping[bytes, _Slot],
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
                _nibbles(first.to_bytes(_AHEAD_BYTES)), _nibbles(last.to_bytes(_AHEAD_BYTES))
            )

    def change(self, path: Path, low: int, high: int) -> _Slot:
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
            before = _EMPTY_BRANCH
        # As `_masks_of`, which a call for each branch is too dear for.
        found = masks = _from_bytes(before[:BRANCH_SIZE_MIN])
        if len(before) != BRANCH_SIZE_MIN + HASH_SIZE * masks.bit_count() or (
            masks & ~(masks >> 16) & 0xFFFF
        ):
            raise _malformed(path, before)
        depth = len(path)
        columns = self._columns
        column = columns[depth] if depth < len(columns) else self._column(depth)
        branch = bytearray(before)
        while low < high:
            nibble = column[low]
            end = low + 1
            if end < high:
                end = column.rfind(nibble, low, high) + 1
            is_taken, is_leaf, below = _MASKS[nibble]
            start = BRANCH_SIZE_MIN + HASH_SIZE * (masks & below).bit_count()
            if masks & is_leaf:
                key_hash = self._hashes[low]
                stop = start + _LEAF_SIZE
                if end - low == 1 and branch.startswith(key_hash, start):
                    slot = self._leaves[key_hash]
                else:
                    slot = self._grow(path + _NIBBLE[nibble], bytes(branch[start:stop]), low, end)
            elif masks & is_taken:
                stop = start + HASH_SIZE
                slot = self.change(path + _NIBBLE[nibble], low, end)
            else:
                stop = start
                slot = self._grow(path + _NIBBLE[nibble], b"", low, end)
            branch[start:stop] = slot
            if len(slot) != stop - start:
                masks &= ~(is_taken | is_leaf)
                if slot:
                    masks |= is_taken if len(slot) == HASH_SIZE else is_taken | is_leaf
            low = end
        if masks != found:
            _HEAD.pack_into(branch, 0, masks)
            if path and (masks in _ONE_LEAF or not masks):
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
            below = path + _NIBBLE[column[low]]
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

    def _grow(self, path: Path, leaf: _Slot, low: int, high: int) -> _Slot:
        """Return what replaces an empty slot or a leaf once the changes low to high are in it."""
        hashes = self._hashes[low:high]
        if leaf and leaf[:HASH_SIZE] not in hashes:
            hashes.append(leaf[:HASH_SIZE])
            hashes.sort()
        entries: list[_Entry] = []
        for key_hash in hashes:
            changed = self._leaves.get(key_hash, leaf)
            if changed:
                entries.append((_nibbles(key_hash), changed))
        if not entries:
            return b""
        if len(entries) == 1:
            return entries[0][1]
        return _plant(path, entries, self.nodes)


def _plant(path: Path, entries: list[_Entry], nodes: MutableMapping[Path, _AnyBranch]) -> _Slot:
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
        is_taken, is_leaf, _ = _MASKS[nibbles[depth]]
        masks |= is_taken
        if end - low == 1:
            masks |= is_leaf
        else:
            slot = _plant(nibbles[: depth + 1], entries[low:end], nodes)
        slots.append(slot)
        low = end
    branch = _HEAD.pack(masks) + b"".join(slots)
    nodes[path] = branch
    return hash_of_branch(branch)
