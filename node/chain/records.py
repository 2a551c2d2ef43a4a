"""The committed records as the ledger reads them: decoded, through a bounded cache, from disk.

The answer is always as of the last committed block. `accept` is called once a block is durable,
never before: a candidate that is not decided leaves no trace here.
"""

from collections.abc import Mapping, Sequence
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


class CommittedRecords:
    """The decoded records of the last committed state: a `node.ledger.state.RecordSource`."""

    def __init__(self, store: KeyValueStore, *, size_bytes_max: int = RECORDS_BYTES_MAX) -> None:
        self._store = store
        self.cache: GenerationCache[object] = GenerationCache(size_bytes_max)

    def record(self, table: Table[R], key: bytes) -> R | None:
        """Return the record at this key of the table, or None.

        Raises:
            ChainDamaged: what is stored is not a record of this table.
        """
        full_key = table.prefix + key
        found = self.cache.get(full_key, _UNKNOWN)
        if found is not _UNKNOWN:
            return found  # type: ignore[return-value]  # the prefix says the type
        read = self._store.seek if table.prefix in _SOUGHT else self._store.get
        encoded = read(layout.state_key(full_key))
        record = None if encoded is None else _decoded(table, encoded)
        self.cache.put(full_key, record, _DECODED_FACTOR * len(encoded or b""))
        return record

    def records(self, table: Table[R], keys: Sequence[bytes]) -> Sequence[R | None]:
        """Return the record at each of these keys of the table, or None: many in one go.

        What is read so is not remembered: whoever reads thousands reads them once.

        Raises:
            ChainDamaged: as for `record`.
        """
        if table.prefix not in _SOUGHT:
            return [self.record(table, key) for key in keys]
        cached = self.cache.get
        found: dict[bytes, object] = {}
        missing: list[bytes] = []
        for key in keys:
            record = cached(table.prefix + key, _UNKNOWN)
            if record is _UNKNOWN:
                missing.append(key)
            else:
                found[key] = record
        missing.sort()
        place = layout.state_key(table.prefix)
        values = self._store.seek_each([place + key for key in missing])
        read = reader(table.record)
        try:
            for key, value in zip(missing, values, strict=True):
                found[key] = None if value is None else read(value)
        except CodecError as error:
            raise _unreadable(table, error) from None
        return [found[key] for key in keys]  # type: ignore[misc]  # the prefix says the type

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
        place = layout.state_key(table.prefix)
        first, stop = layout.range_of(place + prefix)
        pairs = self._store.scan(max(place + start, first), stop, limit=limit)
        begins, read = len(place), reader(table.record)
        try:
            return [(key[begins:], read(value)) for key, value in pairs]
        except CodecError as error:
            raise _unreadable(table, error) from None

    def accept(
        self, records: Mapping[bytes, Record | None], encoded: Mapping[bytes, bytes | None]
    ) -> None:
        """Know what a block changed, by full state key, now that it is durable."""
        sizes_bytes = [_DECODED_FACTOR * len(encoded[key] or b"") for key in records]
        self.cache.put_all(records, records.values(), sizes_bytes)


def _decoded(table: Table[R], encoded: bytes) -> R:
    try:
        return decode(encoded, table.record)
    except CodecError as error:
        raise _unreadable(table, error) from None


def _unreadable(table: Table[R], error: CodecError) -> ChainDamaged:
    return ChainDamaged(f"a record of the table {table.name} is unreadable: {error}")
