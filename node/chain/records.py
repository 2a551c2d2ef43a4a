"""The committed records as the ledger reads them: decoded, through a bounded cache, from disk.

The answer is always as of the last committed block. `accept` is called once a block is durable,
never before: a candidate that is not decided leaves no trace here.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Final, TypeVar

from node.chain.caches import GenerationCache
from node.chain.errors import ChainDamaged
from node.codec import CodecError, Record, decode, reader
from node.ledger.state import Table
from node.ledger.tables import ACCOUNTS, HOLDINGS
from node.storage import KeyValueStore, layout

R = TypeVar("R", bound=Record)

RECORDS_BYTES_MAX: Final = 64 << 20
"""Default for decoded records: some 150,000 accounts and holdings."""
SCAN_MAX: Final = 10_000

_DECODED_FACTOR: Final = 4
"""A decoded record takes about four times its encoding: objects for its integers and strings."""

_SOUGHT: Final = frozenset({ACCOUNTS.prefix, HOLDINGS.prefix})
"""Tables that every transfer reads, of many records, few of which are ever deleted. In others what
was deleted lies side by side: holds, bids, what was due. A cursor walks past all of it to say that
something is not there, which is asked before each new record."""

_UNKNOWN: Final = object()
_key_of: Final = itemgetter(0)


class CommittedRecords:
    """The decoded records of the last committed state: a `node.ledger.state.RecordSource`."""

    def __init__(self, store: KeyValueStore, *, size_bytes_max: int = RECORDS_BYTES_MAX) -> None:
        self._store = store
        self.cache: GenerationCache[object] = GenerationCache(size_bytes_max)
        self._ahead = RecordsAhead(store)
        self._first: dict[bytes, bytes] = {}
        """For each table that was scanned from its beginning, by prefix: no record stands before
        this key. What was there once lies deleted, and a cursor walks past all of it."""

    def record(self, table: Table[R], key: bytes) -> R | None:
        """Return the record at this key of the table, or None.

        Raises:
            ChainDamaged: what is stored is not a record of this table.
        """
        full_key = table.prefix + key
        entry = self.cache.young.get(full_key)  # Nearly always, and without another call.
        if entry is not None:
            return entry[0]  # type: ignore[return-value]  # the prefix says the type
        found = self.cache.get(full_key, _UNKNOWN)
        if found is not _UNKNOWN:
            return found  # type: ignore[return-value]  # likewise
        found = self._ahead.found.get(full_key, _UNKNOWN)
        if found is not _UNKNOWN:
            return found  # type: ignore[return-value]  # likewise
        read = self._store.seek if table.prefix in _SOUGHT else self._store.get
        encoded = read(layout.state_key(full_key))
        record = None if encoded is None else _decoded(table, encoded)
        self.cache.put(full_key, record, _DECODED_FACTOR * len(encoded or b""))
        return record

    def records(self, table: Table[R], full_keys: Sequence[bytes]) -> Sequence[R | None]:
        """Return the record at each of these full keys of the table, or None: many in one go.

        What is read so is not remembered: whoever reads thousands reads them once.

        Raises:
            ChainDamaged: as for `record`.
        """
        if table.prefix not in _SOUGHT:
            return [self.record(table, full_key[1:]) for full_key in full_keys]
        found: list[object] = list(map(self._ahead.found.get, full_keys, repeat(_UNKNOWN)))
        if _UNKNOWN in found:
            cached = self.cache.get
            found = [
                cached(full_key, _UNKNOWN) if record is _UNKNOWN else record
                for full_key, record in zip(full_keys, found, strict=True)
            ]
        if _UNKNOWN in found:
            missing = sorted(
                [
                    full_key
                    for full_key, record in zip(full_keys, found, strict=True)
                    if record is _UNKNOWN
                ]
            )
            stored = dict(_sought(self._store, table, missing))
            found = [
                stored[full_key] if record is _UNKNOWN else record
                for full_key, record in zip(full_keys, found, strict=True)
            ]
        return found  # type: ignore[return-value]  # the prefix says the type

    def scan(
        self, table: Table[R], start: bytes, limit: int, *, prefix: bytes = b""
    ) -> Sequence[tuple[bytes, R]]:
        """Return up to `limit` records with keys from `start` on, in ascending order of key.

        Args:
            prefix: only keys that begin with it; the rest of the table is not read.

        Raises:
            ChainDamaged: as for `record`.
        """
        assert limit <= SCAN_MAX
        if not prefix:
            first = self._first.get(table.prefix, b"")
            found = self._ahead.scan(table, max(start, first), limit)
            if found and start <= first:
                self._first[table.prefix] = found[0][0]
            return found
        return _scanned(self._store, table, start, limit, prefix=prefix)

    def ahead(self) -> "RecordsAhead":
        """Return what another thread may fill for the next block, and for no later one."""
        return self._ahead

    def accept(
        self, records: Mapping[bytes, Record | None], encoded: Mapping[bytes, bytes | None]
    ) -> None:
        """Know what a block changed, by full state key, now that it is durable.

        What was read ahead of the block alone is not remembered: the next one is about others.
        """
        first = self._first
        for key in [key for key in records if key[:1] in first]:
            if records[key] is not None and key[1:] < first[key[:1]]:
                first[key[:1]] = key[1:]
        cache, ahead = self.cache, self._ahead.found
        self._ahead = RecordsAhead(self._store)
        if ahead:
            young, old = cache.young, cache.old
            records = {
                key: record
                for key, record in records.items()
                if key not in ahead or key in young or key in old
            }
        sizes_bytes = [_DECODED_FACTOR * len(encoded[key] or b"") for key in records]
        cache.put_all(records, records.values(), sizes_bytes)


class RecordsAhead:
    """Records of one committed state, read before the block that asks for them: a source of them
    for whoever fills it, too.

    Another thread fills it, while the store is what that state left. Nothing in it is ever changed,
    and no step of filling it leaves a dictionary or a list in between; so nobody waits for anybody.
    """

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store
        self.found: dict[bytes, Record | None] = {}
        """By full state key."""
        self._pieces: dict[bytes, list[tuple[bytes, list[tuple[bytes, Record]]]]] = {}
        """For each table, by prefix: from where on what was read without a gap."""

    def read_piece(self, table: Table[R], start: bytes, limit: int) -> list[tuple[bytes, R]]:
        """Read up to `limit` records from `start` on, as `CommittedRecords.scan`; return them."""
        piece = _scanned(self._store, table, start, limit)
        if piece:
            prefix = table.prefix
            pieces = self._pieces.setdefault(prefix, [])
            pieces.append((start, piece))  # type: ignore[arg-type]  # the prefix says the type
            self.found.update([(prefix + key, record) for key, record in piece])
        return piece

    def read_each(self, table: Table[R], keys: Sequence[bytes]) -> None:
        """Read the record at each of these keys."""
        full_keys = sorted(map(table.prefix.__add__, keys))
        self.found.update(_sought(self._store, table, full_keys))

    def record(self, table: Table[R], key: bytes) -> R | None:
        """Return the record at this key of the table, or None."""
        full_key = table.prefix + key
        found = self.found.get(full_key, _UNKNOWN)
        if found is not _UNKNOWN:
            return found  # type: ignore[return-value]  # the prefix says the type
        encoded = self._store.get(layout.state_key(full_key))
        record = None if encoded is None else _decoded(table, encoded)
        self.found[full_key] = record
        return record

    def records(self, table: Table[R], full_keys: Sequence[bytes]) -> Sequence[R | None]:
        """Return the record at each of these full keys of the table, or None."""
        return [self.record(table, full_key[1:]) for full_key in full_keys]

    def scan(self, table: Table[R], start: bytes, limit: int) -> Sequence[tuple[bytes, R]]:
        """Return up to `limit` records with keys from `start` on, in ascending order of key."""
        found = self.known(table, start, limit)
        if len(found) < limit:
            after = found[-1][0] + b"\0" if found else start
            found += _scanned(self._store, table, after, limit - len(found))
        return found

    def known(self, table: Table[R], start: bytes, limit: int) -> list[tuple[bytes, R]]:
        """Return up to `limit` records from `start` on, as far as they were read without a gap."""
        found: list[tuple[bytes, Record]] = []
        for first, piece in self._pieces.get(table.prefix, ()):
            if len(found) < limit and first <= start <= piece[-1][0]:
                index = bisect_left(piece, start, key=_key_of)
                found += piece[index : index + limit - len(found)]
                start = piece[-1][0] + b"\0"  # where the piece after it begins, if there is one
        return found  # type: ignore[return-value]  # the prefix says the type


def _sought(
    store: KeyValueStore, table: Table[R], full_keys: Sequence[bytes]
) -> list[tuple[bytes, R | None]]:
    """Return what is stored at each of these full keys of the table, which ascend."""
    values = store.seek_each(list(map(layout.state_key, full_keys)))
    read = reader(table.record)
    try:
        return [
            (full_key, None if value is None else read(value))
            for full_key, value in zip(full_keys, values, strict=True)
        ]
    except CodecError as error:
        raise _unreadable(table, error) from None


def _scanned(
    store: KeyValueStore, table: Table[R], start: bytes, limit: int, *, prefix: bytes = b""
) -> list[tuple[bytes, R]]:
    place = layout.state_key(table.prefix)
    first, stop = layout.range_of(place + prefix)
    pairs = store.scan(max(place + start, first), stop, limit=limit)
    begins, read = len(place), reader(table.record)
    try:
        return [(key[begins:], read(value)) for key, value in pairs]
    except CodecError as error:
        raise _unreadable(table, error) from None


def _decoded(table: Table[R], encoded: bytes) -> R:
    try:
        return decode(encoded, table.record)
    except CodecError as error:
        raise _unreadable(table, error) from None


def _unreadable(table: Table[R], error: CodecError) -> ChainDamaged:
    return ChainDamaged(f"a record of the table {table.name} is unreadable: {error}")
