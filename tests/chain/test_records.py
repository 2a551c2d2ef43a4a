"""Committed records: what is read of a table, and what is left alone."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from node.chain.caches import ENTRY_OVERHEAD_BYTES
from node.chain.errors import ChainDamaged
from node.chain.records import _DECODED_FACTOR, CommittedRecords
from node.codec import encode
from node.ledger.tables import (
    ACCOUNTS,
    DUE,
    HOLDINGS,
    HOLDS,
    TABLES,
    DueKind,
    DueRecord,
    HoldingRecord,
)
from node.storage import KeyValueStore, MemoryStore, layout, open_leveldb

RECORD = HoldingRecord(available=1, held=0)
# Few bytes and the largest, so that prefixes meet: also those after which no key of a length comes.
keys = st.lists(st.sampled_from(b"\x00a\xff"), max_size=4).map(bytes)


@pytest.fixture(scope="module")
def database() -> Iterator[KeyValueStore]:
    with tempfile.TemporaryDirectory() as folder:
        store = open_leveldb(Path(folder) / "db", create=True)
        yield store
        store.close()


def check(store: KeyValueStore, kept: set[bytes], prefix: bytes, start: bytes, limit: int) -> None:
    store.write(
        [
            (layout.state_key(table.prefix + key), encode(RECORD))
            for table in (HOLDINGS, HOLDS)
            for key in kept
        ],
        sync=False,
    )
    records = CommittedRecords(store)

    found = records.scan(HOLDINGS, start, limit, prefix=prefix)

    wanted = sorted(key for key in kept if key >= start and key.startswith(prefix))
    assert found == [(key, RECORD) for key in wanted[:limit]]
    store.write([(key, None) for key, _ in store.scan(b"S", b"T")], sync=False)


@given(st.sets(keys), keys, keys, st.integers(1, 9))
def test_scan_under_a_prefix_is_the_part_of_the_table_under_it(
    kept: set[bytes], prefix: bytes, start: bytes, limit: int
) -> None:
    check(MemoryStore(), kept, prefix, start, limit)


@pytest.mark.parametrize(
    ("prefix", "start"),
    [(b"", b""), (b"a", b""), (b"a", b"ab"), (b"a", b"b"), (b"\xff", b"\xff\xff"), (b"b", b"a")],
)
def test_the_database_reads_the_same(database: KeyValueStore, prefix: bytes, start: bytes) -> None:
    check(database, {b"", b"a", b"aa", b"ab", b"b", b"\xff", b"\xff\xff\xff"}, prefix, start, 9)


class SoughtStore(MemoryStore):
    """A store that tells which tables were read by its cursor."""

    def __init__(self) -> None:
        super().__init__()
        self.sought: set[bytes] = set()

    @override
    def seek(self, key: bytes) -> bytes | None:
        self.sought.add(key.removeprefix(layout.state_key(b""))[:1])
        return super().seek(key)


def test_only_what_mostly_stays_is_read_by_the_cursor() -> None:
    """It walks past all that was deleted: milliseconds, where holds come and go."""
    store = SoughtStore()
    records = CommittedRecords(store)

    for table in TABLES:
        assert records.record(table, b"absent") is None

    assert store.sought == {ACCOUNTS.prefix, HOLDINGS.prefix}


@given(st.sets(keys), st.lists(keys), st.sets(keys))
def test_many_records_are_read_as_each_would_be(
    kept: set[bytes], wanted: list[bytes], remembered: set[bytes]
) -> None:
    store = MemoryStore()
    store.write(
        [(layout.state_key(HOLDINGS.prefix + key), encode(RECORD)) for key in kept], sync=False
    )
    records = CommittedRecords(store)
    for key in remembered:
        records.record(HOLDINGS, key)

    for table in (HOLDINGS, HOLDS):
        full_keys = [table.prefix + key for key in wanted]
        assert records.records(table, full_keys) == [records.record(table, key) for key in wanted]


def test_what_is_read_in_one_go_is_not_remembered_and_damage_is_told() -> None:
    store = MemoryStore()
    store.write([(layout.state_key(HOLDINGS.prefix + b"a"), encode(RECORD))], sync=False)
    store.write([(layout.state_key(HOLDINGS.prefix + b"b"), b"\xc1")], sync=False)
    records = CommittedRecords(store)

    assert records.records(HOLDINGS, [HOLDINGS.prefix + b"a"]) == [RECORD]
    assert len(records.cache) == 0
    with pytest.raises(ChainDamaged, match="a record of the table holdings is unreadable"):
        records.records(HOLDINGS, [HOLDINGS.prefix + key for key in (b"a", b"b")])
    with pytest.raises(ChainDamaged, match="a record of the table holdings is unreadable"):
        records.scan(HOLDINGS, b"", 9)


@given(
    st.sets(keys),
    st.lists(st.tuples(keys, st.integers(1, 4)), max_size=4),
    st.lists(keys, max_size=4),
    st.lists(st.tuples(keys, st.integers(1, 9)), min_size=1, max_size=4),
)
def test_what_was_read_ahead_is_what_would_be_read(
    kept: set[bytes],
    pieces: list[tuple[bytes, int]],
    each: list[bytes],
    asked: list[tuple[bytes, int]],
) -> None:
    store = MemoryStore()
    store.write(
        [
            (layout.state_key(HOLDINGS.prefix + key), encode(HoldingRecord(available=9, held=n)))
            for n, key in enumerate(kept)
        ],
        sync=False,
    )
    records, plain = CommittedRecords(store), CommittedRecords(store)
    ahead = records.ahead()
    for start, limit in pieces:
        # Also the piece that follows without a gap.
        for key, _ in ahead.read_piece(HOLDINGS, start, limit)[-1:]:
            ahead.read_piece(HOLDINGS, key + b"\0", limit)
    ahead.read_each(HOLDINGS, each)

    for start, limit in asked:
        assert records.scan(HOLDINGS, start, limit) == plain.scan(HOLDINGS, start, limit)
    wanted = [HOLDINGS.prefix + key for key in (*each, *kept, *(start for start, _ in asked))]
    assert records.records(HOLDINGS, wanted) == plain.records(HOLDINGS, wanted)


def test_what_was_read_ahead_of_a_block_is_gone_after_it() -> None:
    store = MemoryStore()
    records = CommittedRecords(store)
    changed = {HOLDINGS.prefix + key: RECORD for key in (b"a", b"b")}
    encoded = {key: encode(record) for key, record in changed.items()}
    store.write([(layout.state_key(key), value) for key, value in encoded.items()], sync=False)
    ahead = records.ahead()
    ahead.read_each(HOLDINGS, [b"a", b"b"])
    ahead.read_piece(HOLDINGS, b"", 2)
    assert records.record(HOLDINGS, b"b") == RECORD
    after = HoldingRecord(available=2, held=0)
    changed = dict.fromkeys(changed, after)
    encoded = dict.fromkeys(encoded, encode(after))
    store.write([(layout.state_key(key), value) for key, value in encoded.items()], sync=False)

    records.accept(changed, encoded)
    ahead.read_each(HOLDINGS, [b"c"])  # By a thread that has not ended yet.

    assert HOLDINGS.prefix + b"a" not in records.cache  # It was read ahead alone.
    wanted = [HOLDINGS.prefix + key for key in (b"a", b"b", b"c")]
    assert records.records(HOLDINGS, wanted) == [after, after, None]
    assert list(records.scan(HOLDINGS, b"", 9)) == [(b"a", after), (b"b", after)]
    assert records.ahead() is not ahead


def test_what_is_remembered_is_never_what_was_there_before_the_block() -> None:
    """Read ahead besides or not, and however long ago it was used."""
    store = MemoryStore()
    before = {HOLDINGS.prefix + key: RECORD for key in (b"a", b"b", b"c")}
    store.write([(layout.state_key(key), encode(RECORD)) for key in before], sync=False)
    entry = ENTRY_OVERHEAD_BYTES + _DECODED_FACTOR * len(encode(RECORD))
    records = CommittedRecords(store, size_bytes_max=2 * 2 * entry)
    for key in before:
        records.record(HOLDINGS, key[1:])
    assert (len(records.cache.young), len(records.cache.old)) == (1, 2)
    records.ahead().read_piece(HOLDINGS, b"", 3)
    after = HoldingRecord(available=2, held=0)
    changed, encoded = dict.fromkeys(before, after), dict.fromkeys(before, encode(after))
    store.write([(layout.state_key(key), value) for key, value in encoded.items()], sync=False)

    records.accept(changed, encoded)

    assert [records.record(HOLDINGS, key[1:]) for key in before] == [after] * 3


class ScannedStore(MemoryStore):
    """A store that tells from where on it was scanned."""

    def __init__(self) -> None:
        super().__init__()
        self.starts: list[bytes] = []

    @override
    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        self.starts.append(start)
        return super().scan(start, stop, reverse=reverse, limit=limit)


def test_queue_is_not_read_from_where_all_of_it_is_done() -> None:
    store = ScannedStore()
    records = CommittedRecords(store)

    def write(key: bytes, record: DueRecord | None) -> None:
        full_key = DUE.prefix + key
        encoded = None if record is None else encode(record)
        store.write([(layout.state_key(full_key), encoded)], sync=False)
        records.accept({full_key: record}, {full_key: encoded})

    due = DueRecord(kind=DueKind.PROPOSAL_EXPIRES, target=b"t")
    for key in (b"b", b"c", b"d"):
        write(key, due)
    assert records.scan(DUE, b"", 1) == [(b"b", due)]
    write(b"b", None)

    assert records.scan(DUE, b"", 2) == [(b"c", due), (b"d", due)]
    assert records.scan(DUE, b"", 1) == [(b"c", due)]
    begins = layout.state_key(DUE.prefix)
    assert store.starts == [begins, begins + b"b", begins + b"c"]
    write(b"a", due)
    assert records.scan(DUE, b"", 9) == [(b"a", due), (b"c", due), (b"d", due)]
    assert records.scan(DUE, b"d", 9) == [(b"d", due)]
    for key in (b"a", b"c", b"d"):
        write(key, None)
    assert records.scan(DUE, b"", 9) == []
    write(b"aa", due)
    assert records.scan(DUE, b"", 9) == [(b"aa", due)]
