"""Typed records by key: what is committed, and what a block has changed on top of it.

A `Table` is a kind of record under a one-byte prefix; `tables.py` lists them all. A `RecordSource`
gives the committed records; the shell implements it over its store and cache, `MemoryRecords` is
its twin for tests and simulation. A `LedgerState` is one block's view: reads fall through to the
source, writes stay here, and `changes()` gives the net difference once the block is applied.

`begin`, `keep` and `discard` bracket a transaction, and inside it a proposal: what is discarded
leaves no trace. Every write notes what it replaced, so reads cost one dictionary look-up whatever
the depth.

Records are immutable values; a key's bytes never change. Nothing here depends on the order of a
dictionary or set: what is hashed is sorted by whoever hashes it.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

from node.codec import Record, decode, encode

R = TypeVar("R", bound=Record)
R_co = TypeVar("R_co", bound=Record, covariant=True)

_SCAN_CHUNK_MAX: Final = 64
"""Most records fetched from the source at a time while merging a scan."""
_SCAN_WHOLE_MAX: Final = 8_192
"""Records fetched in one go where this block has written nothing behind them."""
_INSERTED_SHARE_MAX: Final = 64
"""Up to one new key for so many in order they are inserted one by one; more are sorted at once."""


class Table(Generic[R_co]):
    """A kind of record: where its keys begin, and how its values decode."""

    __slots__ = ("name", "ordered", "prefix", "record")

    def __init__(
        self, name: str, prefix: bytes, record: type[R_co], *, ordered: bool = False
    ) -> None:
        """Describe a table.

        Args:
            name: as in the README; for people.
            prefix: one byte, permanent, unlike that of any other table.
            record: what its values are.
            ordered: whether the rules scan it in order of key; others cannot be scanned.
        """
        assert len(prefix) == 1
        self.name = name
        self.prefix = prefix
        self.record = record
        self.ordered = ordered


Written: TypeAlias = tuple[Table[Record], bytes, Record | None, Record | None]
"""Table, full key, the record before a block and the record after it; None where there is none."""


class RecordSource(Protocol):
    """The committed records, as of the block before."""

    def record(self, table: Table[R], key: bytes) -> R | None:
        """Return the record at this key of the table, or None."""
        ...

    def records(self, table: Table[R], full_keys: Sequence[bytes]) -> Sequence[R | None]:
        """Return the record at each of these full keys of the table, or None: many in one go."""
        ...

    def scan(self, table: Table[R], start: bytes, limit: int) -> Sequence[tuple[bytes, R]]:
        """Return up to `limit` records with keys from `start` on, in ascending order of key.

        The keys are those of the table, without its prefix. Fewer than `limit` means: no more.
        """
        ...


class StateRows(Protocol):
    """The records of a whole state, read in the order of their keys or one by one."""

    def items(self, table: Table[R]) -> Iterator[tuple[bytes, R]]:
        """Yield all records of a table, ascending by key."""
        ...

    def get(self, table: Table[R], key: bytes) -> R | None:
        """Return the record at this key of the table, or None."""
        ...


class MemoryRecords:
    """A record source held in memory, in encoded form. Also a sink for `LedgerState.changes()`."""

    def __init__(self) -> None:
        """Begin empty."""
        self._encoded: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []

    def record(self, table: Table[R], key: bytes) -> R | None:
        """Return the record at this key of the table, or None."""
        value = self._encoded.get(table.prefix + key)
        return None if value is None else decode(value, table.record)

    def records(self, table: Table[R], full_keys: Sequence[bytes]) -> Sequence[R | None]:
        """Return the record at each of these full keys of the table, or None."""
        return [self.record(table, full_key[1:]) for full_key in full_keys]

    def scan(self, table: Table[R], start: bytes, limit: int) -> Sequence[tuple[bytes, R]]:
        """Return up to `limit` records with keys from `start` on, in ascending order of key."""
        first = bisect_left(self._keys, table.prefix + start)
        keys = self._keys[first : first + limit]
        return [
            (key[1:], decode(self._encoded[key], table.record))
            for key in keys
            if key.startswith(table.prefix)
        ]

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Take over what a block changed."""
        for key, value in changes.items():
            if value is not None:
                if key not in self._encoded:
                    insort(self._keys, key)
                self._encoded[key] = value
            elif self._encoded.pop(key, None) is not None:
                del self._keys[bisect_left(self._keys, key)]

    def items(self) -> Iterable[tuple[bytes, bytes]]:
        """Return every full key with its encoded record, in ascending order of key."""
        return [(key, self._encoded[key]) for key in self._keys]


class LedgerState:
    """The state as one block sees it. Not to be used again once its block is committed."""

    __slots__ = (
        "_fresh_keys",
        "_journal",
        "_marks",
        "_ordered_keys",
        "_originals",
        "_records",
        "_source",
        "_tables",
    )

    def __init__(self, source: RecordSource) -> None:
        """See the committed records of `source`, and nothing changed yet."""
        self._source = source
        # Current values by full key, read or written.
        self._records: dict[bytes, Record | None] = {}
        # What was there before the block, for each full key ever written in it; and the tables, by
        # prefix, in which anything was. Not together: thousands of pairs are the collector's work.
        self._originals: dict[bytes, Record | None] = {}
        self._tables: dict[bytes, Table[Record]] = {}
        # For each ordered table, the keys ever written in this block: sorted, as of the last scan,
        # and those written since. Most blocks never ask for the order of what they write most.
        self._ordered_keys: dict[bytes, list[bytes]] = {}
        self._fresh_keys: dict[bytes, list[bytes]] = {}
        # Full key and what stood there before each write since the outermost `begin`.
        self._journal: list[tuple[bytes, Record | None]] = []
        self._marks: list[int] = []

    def get(self, table: Table[R], key: bytes) -> R | None:
        """Return the record at this key of the table, or None."""
        full_key = table.prefix + key
        records = self._records
        if full_key in records:
            return records[full_key]  # type: ignore[return-value]  # the prefix says the type
        record = self._source.record(table, key)
        records[full_key] = record
        return record

    def get_each(self, table: Table[R], keys: Sequence[bytes]) -> list[R | None]:
        """Return what `get` returns of each of these keys: thousands at a fraction of it."""
        return self.records(table, list(map(table.prefix.__add__, keys)))

    def records(self, table: Table[R], full_keys: Sequence[bytes]) -> list[R | None]:
        """Return what `get_each` does, of full keys."""
        records = self._records
        if records.keys().isdisjoint(full_keys):
            found = self._source.records(table, full_keys)
            records.update(zip(full_keys, found, strict=True))
            return list(found)
        missing = [full_key for full_key in full_keys if full_key not in records]
        found = self._source.records(table, missing)
        records.update(zip(missing, found, strict=True))
        return [records[full_key] for full_key in full_keys]  # type: ignore[misc]  # as in `get`

    def remember(self, table: Table[R], entries: Iterable[tuple[bytes, R]]) -> None:
        """Keep what a scan has just returned, so that what is written there is not read again."""
        prefix, records = table.prefix, self._records
        for key, record in entries:
            records[prefix + key] = record

    def put(self, table: Table[R], key: bytes, record: R | None) -> None:
        """Set the record at this key of the table; None removes it."""
        full_key = table.prefix + key
        records = self._records
        before = records[full_key] if full_key in records else self._source.record(table, key)
        originals = self._originals
        if full_key not in originals:
            originals[full_key] = before
            self._tables[table.prefix] = table
            if table.ordered:
                self._fresh_keys.setdefault(table.prefix, []).append(key)
        if self._marks:
            self._journal.append((full_key, before))
        records[full_key] = record

    def put_each(self, table: Table[R], keys: Sequence[bytes], now: Sequence[R | None]) -> None:
        """Do what `put` does for each of these keys, which have been read: a little faster."""
        prefix, ordered = table.prefix, table.ordered
        records, originals = self._records, self._originals
        full_keys = [prefix + key for key in keys]
        before = [records[full_key] for full_key in full_keys]
        fresh = self._fresh_keys.setdefault(prefix, []) if ordered else []
        self._tables[prefix] = table
        for full_key, record in zip(full_keys, before, strict=True):
            if full_key not in originals:
                originals[full_key] = record
                if ordered:
                    fresh.append(full_key[1:])
        if self._marks:
            self._journal += zip(full_keys, before, strict=True)
        records.update(zip(full_keys, now, strict=True))

    def adopt(self, other: "LedgerState") -> None:
        """Write what was written to another state, which read what is here; outside of brackets."""
        assert not self._marks
        originals, theirs = self._originals, other._originals
        is_apart = originals.keys().isdisjoint(theirs)
        for written in (other._ordered_keys, other._fresh_keys):
            for prefix, keys in written.items():
                new = keys if is_apart else [key for key in keys if prefix + key not in originals]
                self._fresh_keys.setdefault(prefix, []).extend(new)
        originals.update(theirs if is_apart else {**theirs, **originals})
        self._tables.update(other._tables)
        self._records.update(other._records)

    def delete(self, table: Table[R], key: bytes) -> None:
        """Remove the record at this key of the table; nothing happens when there is none."""
        self.put(table, key, None)

    def begin(self) -> None:
        """Open a bracket; brackets nest."""
        self._marks.append(len(self._journal))

    def keep(self) -> None:
        """Close the innermost bracket; what was written since belongs to the one around it."""
        self._marks.pop()
        if not self._marks:
            self._journal.clear()

    def discard(self) -> None:
        """Close the innermost bracket and undo all that was written since."""
        journal, records, mark = self._journal, self._records, self._marks.pop()
        for full_key, before in reversed(journal[mark:]):
            records[full_key] = before
        del journal[mark:]

    def scan(self, table: Table[R], start: bytes, limit: int) -> list[tuple[bytes, R]]:
        """Return up to `limit` records with keys from `start` on, in ascending order of key.

        The table must be an ordered one. Reads few more records from the source than it returns,
        not counting those that this block deleted.
        """
        assert table.ordered
        written = self._written_keys(table)
        index = bisect_left(written, start)
        if index == len(written) and limit <= _SCAN_WHOLE_MAX:
            return list(self._source.scan(table, start, limit))
        found: list[tuple[bytes, R]] = []
        for key, record in self._committed(table, start, limit):
            while index < len(written) and written[index] < key and len(found) < limit:
                self._take(table, written[index], found)
                index += 1
            if len(found) == limit:
                return found
            if index < len(written) and written[index] == key:
                self._take(table, key, found)
                index += 1
            else:
                found.append((key, record))
        while index < len(written) and len(found) < limit:
            self._take(table, written[index], found)
            index += 1
        return found

    def _take(self, table: Table[R], key: bytes, found: list[tuple[bytes, R]]) -> None:
        record = self.get(table, key)
        if record is not None:
            found.append((key, record))

    def _written_keys(self, table: Table[R]) -> list[bytes]:
        """Return the keys of an ordered table that this block ever wrote, in their order.

        Whoever scans and writes in turn pays no more for each write than an insertion.
        """
        ordered = self._ordered_keys.setdefault(table.prefix, [])
        fresh = self._fresh_keys.pop(table.prefix, ())
        if len(fresh) * _INSERTED_SHARE_MAX <= len(ordered):
            for key in fresh:
                insort(ordered, key)
        else:
            ordered.extend(fresh)
            ordered.sort()
        return ordered

    def _committed(self, table: Table[R], start: bytes, limit: int) -> Iterator[tuple[bytes, R]]:
        chunk_size = min(limit, _SCAN_CHUNK_MAX)
        while chunk_size:
            chunk = self._source.scan(table, start, chunk_size)
            yield from chunk
            if len(chunk) < chunk_size:
                return
            start = chunk[-1][0] + b"\0"  # the least key above the last one
            chunk_size = min(2 * chunk_size, _SCAN_CHUNK_MAX)

    def changed(self, table: Table[R]) -> bool:
        """Whether this block has changed anything in an ordered table."""
        for key in self._written_keys(table):
            full_key = table.prefix + key
            if self._records[full_key] != self._originals[full_key]:
                return True
        return False

    def has_written(self, prefixes: frozenset[bytes]) -> bool:
        """Whether anything was put into one of the tables with these prefixes, or deleted there."""
        return not prefixes.isdisjoint(self._tables)

    def written(self) -> tuple[Written, ...]:
        """Return table, full key, record before the block and record now, where the two differ.

        In the order of the first write, which is the same on every node.
        """
        records, tables = self._records, self._tables
        return tuple(
            [
                (tables[full_key[:1]], full_key, before, now)
                for full_key, before in self._originals.items()
                if (now := records[full_key]) is not before and now != before
            ]
        )

    def changes(self) -> dict[bytes, bytes | None]:
        """Return the encoded record, or None for a deleted one, by full key; net of the block."""
        return {
            full_key: None if now is None else encode(now) for _, full_key, _, now in self.written()
        }
