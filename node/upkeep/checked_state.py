"""The walk over the stored state: tree, index and records in step, from the root down.

Branches, the index by key hash and the tree's own slots have one order, so they are read side by
side: every branch must hash to what stands in the slot above it, the root to what the head's header
says, every leaf must have its entry in the index, and the record of that key must hash to the leaf.
Since each is counted too, nothing else can be there. Memory: one path of the tree.
"""

from collections.abc import Callable, Iterator

from node.chain.caches import GenerationCache
from node.codec import CodecError, Record, decode
from node.hashing import HASH_SIZE
from node.ledger.commitment import (
    EMPTY_ROOT,
    CommitmentError,
    hash_of_branch,
    hash_of_key,
    hash_of_value,
    slots,
)
from node.ledger.state import R, Table
from node.ledger.tables import PARTICIPANTS, TABLES
from node.storage import ReadView, StorageError, layout
from node.upkeep.faults import RESTART, Faults, Part

CACHE_BYTES = 32 << 20

_TABLE_OF = {table.prefix: table for table in TABLES}


class StateCheck:
    """Checks the records of one database against their tree."""

    def __init__(
        self, view: ReadView, faults: Faults, progress: Callable[[int], None] = lambda _: None
    ) -> None:
        """Store what is given.

        Args:
            progress: told how many records have been checked.
        """
        self._view = view
        self._faults = faults
        self._progress = progress
        self._branches = _Cursor(self._scan(b"N"))
        self._keys = _Cursor(self._scan(b"K"))
        self.records = 0
        """How many are in the tree."""

    def check(self, root: bytes) -> None:
        """Walk the whole tree, which must have this root.

        Raises:
            StorageError: a part of the database cannot be read; what follows is not checked.
        """
        if root == EMPTY_ROOT:
            self._agree("tree", self._branches.key, None)
        else:
            self._branch(b"", root)
        self._end("branch", self._branches)
        self._end("index entry", self._keys)
        stored = sum(1 for _ in self._scan(b"S"))
        self._agree("records", stored, self.records)

    def _branch(self, path: bytes, digest: bytes) -> None:
        """Check the branch at this path and all below it."""
        while self._branches.key is not None and self._branches.key < path:
            self._fault(f"branch {_nibbles(self._branches.key)}", "a branch", "none here")
            self._branches.advance()
        if self._branches.key != path:
            self._fault(f"branch {_nibbles(path)}", "nothing", digest)
            self._skip(path)
            return
        branch = self._branches.value
        self._branches.advance()
        try:
            taken = slots(path, branch)
        except CommitmentError as error:
            self._fault(f"branch {_nibbles(path)}", error, digest)
            self._skip(path)
            return
        if not self._agree(f"branch {_nibbles(path)}", hash_of_branch(branch), digest):
            self._skip(path)
            return
        for index, slot in taken:
            if len(slot) == HASH_SIZE:
                self._branch(path + bytes((index,)), slot)
            else:
                self._leaf(slot[:HASH_SIZE], slot[HASH_SIZE:])

    def _leaf(self, key_hash: bytes, value_hash: bytes) -> None:
        self.records += 1
        if self.records % 10_000 == 0:
            self._progress(self.records)
        self._stray_keys(key_hash)
        if self._keys.key != key_hash:
            self._fault(f"index entry {key_hash.hex()}", "nothing", "the key of a record")
            return
        full_key = self._keys.value
        self._keys.advance()
        if not self._agree(f"index entry {key_hash.hex()}", hash_of_key(full_key), key_hash):
            return
        record = self._view.get(layout.state_key(full_key))
        if record is None:
            self._fault(f"record {_name(full_key)}", "nothing", value_hash)
        elif self._agree(f"record {_name(full_key)}", hash_of_value(record), value_hash):
            self._decode(full_key, record)

    def _stray_keys(self, before: bytes) -> None:
        while self._keys.key is not None and self._keys.key < before:
            self._fault(f"index entry {self._keys.key.hex()}", "an entry", "none here")
            self._keys.advance()

    def _decode(self, full_key: bytes, record: bytes) -> None:
        table = _TABLE_OF.get(full_key[:1])
        if table is None:
            self._fault(f"record {_name(full_key)}", "a record", "one of a table")
            return
        try:
            decode(record, table.record)
        except CodecError as error:
            self._fault(f"record {_name(full_key)}", error, f"a record of {table.name}")

    def _skip(self, path: bytes) -> None:
        """Pass over what lies below a branch that is not there."""
        while self._branches.key is not None and self._branches.key.startswith(path):
            self._branches.advance()
        start, stop = _hash_from(path), _hash_after(path)
        self._stray_keys(start)
        while self._keys.key is not None and (stop is None or self._keys.key < stop):
            self.records += 1
            self._keys.advance()

    def _end(self, name: str, cursor: "_Cursor") -> None:
        while cursor.key is not None:
            self._fault(f"{name} {cursor.key.hex()}", f"a {name}", "none here")
            cursor.advance()

    def _scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        return self._view.scan(*layout.range_of(prefix))

    def _fault(self, place: str, found: object, expected: object) -> None:
        self._faults.add(Part.STATE, place, found=found, expected=expected, advice=RESTART)

    def _agree(self, place: str, found: object, expected: object) -> bool:
        return self._faults.agree(Part.STATE, place, found, expected, RESTART)


class StoredRows:
    """The records of a database as `node.ledger.invariants` reads them."""

    def __init__(self, view: ReadView) -> None:
        self._view = view
        self._cache: GenerationCache[Record | None] = GenerationCache(CACHE_BYTES)

    def items(self, table: Table[R]) -> Iterator[tuple[bytes, R]]:
        """Yield all records of a table, ascending by key."""
        start, stop = layout.range_of(layout.state_key(table.prefix))
        for key, value in self._view.scan(start, stop):
            yield key[len(start) :], decode(value, table.record)

    def get(self, table: Table[R], key: bytes) -> R | None:
        """Return the record at this key of the table, or None."""
        if table.prefix != PARTICIPANTS.prefix:
            return self._load(table, key)
        # Every account asks for its owner: most of them for the same few.
        cached = self._cache.get(key, _UNKNOWN)
        if cached is not _UNKNOWN:
            return cached  # type: ignore[return-value]  # of the participants only
        record = self._load(table, key)
        self._cache.put(key, record, 400)
        return record

    def _load(self, table: Table[R], key: bytes) -> R | None:
        value = self._view.get(layout.state_key(table.prefix + key))
        return None if value is None else decode(value, table.record)


class _Cursor:
    """One step ahead in a scan: the pair that comes next, without its prefix."""

    def __init__(self, pairs: Iterator[tuple[bytes, bytes]]) -> None:
        self._pairs = pairs
        self.key: bytes | None = None
        self.value = b""
        self.advance()

    def advance(self) -> None:
        """Go on; at the end the key is None.

        Raises:
            StorageError: what follows cannot be read.
        """
        pair = next(self._pairs, None)
        self.key, self.value = (None, b"") if pair is None else (pair[0][1:], pair[1])


class _Unknown(Record):
    """Not in the cache."""


_UNKNOWN = _Unknown()


def unreadable(faults: Faults, error: StorageError) -> None:
    """Note that the state ends in damage: what follows it was not looked at."""
    faults.add(
        Part.STATE,
        "records and branches",
        found=error.detail,
        expected="readable bytes; what comes after them was not checked",
        advice=RESTART,
    )


def _nibbles(path: bytes) -> str:
    return path.hex()[1::2] or "(root)"


def _name(full_key: bytes) -> str:
    table = _TABLE_OF.get(full_key[:1])
    return f"{full_key[:1]!r}" if table is None else f"{table.name} {full_key[1:].hex()}"


def _hash_from(path: bytes) -> bytes:
    return bytes.fromhex(path.hex()[1::2].ljust(2 * HASH_SIZE, "0"))


def _hash_after(path: bytes) -> bytes | None:
    """Return the first key hash that is not below this path; None: all the rest are."""
    nibbles = path.rstrip(b"\x0f")
    if not nibbles:
        return None
    return _hash_from(nibbles[:-1] + bytes((nibbles[-1] + 1,)))
