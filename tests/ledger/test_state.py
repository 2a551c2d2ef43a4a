"""The overlay: brackets, net changes, merged scans; against dictionaries that are copied."""

from collections.abc import Sequence
from random import Random
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from node.codec import CodecError, encode
from node.ledger.state import LedgerState, MemoryRecords, R, Table
from node.ledger.tables import (
    ASSETS,
    HOLDINGS,
    OFFICES,
    TABLES,
    VALIDATORS,
    HoldingRecord,
    OfficeRecord,
)

KEYS: Final = [bytes([number]) for number in range(6)]


def holding(available: int) -> HoldingRecord:
    return HoldingRecord(available=available, held=0)


def make_records(**values: int) -> MemoryRecords:
    records = MemoryRecords()
    state = LedgerState(records)
    for name, available in values.items():
        state.put(HOLDINGS, name.encode(), holding(available))
    records.write(state.changes())
    return records


def test_read_falls_through_to_the_source_once() -> None:
    state = LedgerState(source := CountingRecords())

    assert state.get(HOLDINGS, b"a") is None
    assert state.get(HOLDINGS, b"a") is None
    state.put(HOLDINGS, b"a", holding(1))
    assert source.reads == 1


class CountingRecords:
    """No records, and a count of how often somebody asked."""

    def __init__(self) -> None:
        self.reads = 0

    def record(self, _table: Table[R], _key: bytes) -> R | None:
        self.reads += 1
        return None

    def records(self, table: Table[R], full_keys: Sequence[bytes]) -> Sequence[R | None]:
        return [self.record(table, full_key) for full_key in full_keys]

    def scan(self, _table: Table[R], _start: bytes, _limit: int) -> Sequence[tuple[bytes, R]]:
        return ()


def test_many_are_read_and_written_as_each_would_be() -> None:
    records = make_records(a=1, b=2, c=3)
    each, many = LedgerState(records), LedgerState(records)
    keys, after = [b"b", b"d", b"a"], [holding(7), holding(8), None]
    for state in (each, many):
        state.put(HOLDINGS, b"b", holding(5))
        state.begin()

    assert many.get_each(HOLDINGS, keys) == [holding(5), None, holding(1)]
    many.put_each(HOLDINGS, keys, after)
    for key, record in zip(keys, after, strict=True):
        each.put(HOLDINGS, key, record)

    assert many.get_each(HOLDINGS, [*keys, b"c"]) == [*after, holding(3)]
    assert list(many.written()) == list(each.written())
    assert many.scan(HOLDINGS, b"", 9) == each.scan(HOLDINGS, b"", 9)
    for state in (each, many):
        state.discard()
    assert many.changes() == each.changes() == {HOLDINGS.prefix + b"b": encode(holding(5))}


def test_what_was_read_is_not_read_again_with_many() -> None:
    state = LedgerState(source := CountingRecords())
    state.get(HOLDINGS, b"a")

    assert state.get_each(HOLDINGS, [b"a", b"b"]) == [None, None]
    assert state.get(HOLDINGS, b"b") is None
    assert source.reads == 2


def test_write_without_a_read_before_it_knows_what_was_there() -> None:
    state = LedgerState(make_records(a=1))

    state.put(HOLDINGS, b"a", holding(2))
    state.delete(HOLDINGS, b"b")

    assert list(state.written()) == [(HOLDINGS, b"Ha", holding(1), holding(2))]
    assert state.changes() == {b"Ha": encode(holding(2))}


def test_changes_are_net_of_the_block() -> None:
    state = LedgerState(make_records(a=1, b=2))

    state.put(HOLDINGS, b"a", holding(5))
    state.put(HOLDINGS, b"a", holding(1))
    state.delete(HOLDINGS, b"b")
    state.put(HOLDINGS, b"c", holding(3))
    state.delete(HOLDINGS, b"c")

    assert state.changes() == {b"Hb": None}


def test_discard_undoes_the_inner_bracket_only() -> None:
    state = LedgerState(make_records(a=1))

    state.begin()
    state.put(HOLDINGS, b"a", holding(2))
    state.begin()
    state.put(HOLDINGS, b"a", holding(3))
    state.put(HOLDINGS, b"b", holding(4))
    state.discard()

    assert state.get(HOLDINGS, b"a") == holding(2)
    assert state.get(HOLDINGS, b"b") is None
    state.discard()
    assert state.get(HOLDINGS, b"a") == holding(1)
    assert state.changes() == {}


def test_kept_inner_bracket_is_discarded_with_the_outer_one() -> None:
    state = LedgerState(make_records(a=1))

    state.begin()
    state.begin()
    state.put(HOLDINGS, b"a", holding(2))
    state.keep()
    state.discard()

    assert state.changes() == {}


def test_scan_crosses_chunks_of_the_source() -> None:
    records = MemoryRecords()
    state = LedgerState(records)
    for number in range(200):
        state.put(HOLDINGS, number.to_bytes(2, "big"), holding(number + 1))
    records.write(state.changes())
    state = LedgerState(records)
    for number in range(150):
        state.delete(HOLDINGS, number.to_bytes(2, "big"))

    found = state.scan(HOLDINGS, b"", 3)

    assert [record.available for _, record in found] == [151, 152, 153]
    assert state.scan(HOLDINGS, (199).to_bytes(2, "big"), 9) == [
        ((199).to_bytes(2, "big"), holding(200))
    ]
    assert state.scan(VALIDATORS, b"", 9) == []


def test_table_that_no_rule_scans_cannot_be_scanned() -> None:
    with pytest.raises(AssertionError):
        LedgerState(MemoryRecords()).scan(ASSETS, b"", 1)


def test_memory_records_hold_bytes_of_their_table() -> None:
    records = make_records(a=1)
    records.write({b"Sx": encode(OfficeRecord(participant="amina"))})

    assert records.scan(HOLDINGS, b"", 9) == [(b"a", holding(1))]
    assert records.scan(OFFICES, b"", 9) == [(b"x", OfficeRecord(participant="amina"))]
    records.write({b"Ha": None, b"Hb": None})
    assert list(records.items()) == [(b"Sx", encode(OfficeRecord(participant="amina")))]
    records.write({b"Ha": b"\x01"})
    with pytest.raises(CodecError):
        records.record(HOLDINGS, b"a")


def test_prefixes_are_one_byte_and_unique() -> None:
    prefixes = [table.prefix for table in TABLES]

    assert prefixes == sorted(set(prefixes))
    assert all(len(prefix) == 1 for prefix in prefixes)
    assert len({table.name for table in TABLES}) == len(TABLES)


class OverlayMachine(RuleBasedStateMachine):
    """Brackets as copies of a dictionary: slow, and obviously right."""

    def __init__(self) -> None:
        super().__init__()
        self.records = MemoryRecords()
        self.committed: dict[bytes, HoldingRecord] = {}
        self.new_block()

    def new_block(self) -> None:
        self.state = LedgerState(self.records)
        self.layers: list[dict[bytes, HoldingRecord]] = [dict(self.committed)]

    @rule(key=st.sampled_from(KEYS), value=st.integers(1, 3))
    def put(self, key: bytes, value: int) -> None:
        self.state.put(HOLDINGS, key, holding(value))
        self.layers[-1][key] = holding(value)

    @rule(key=st.sampled_from(KEYS))
    def delete(self, key: bytes) -> None:
        self.state.delete(HOLDINGS, key)
        self.layers[-1].pop(key, None)

    @rule(key=st.sampled_from(KEYS))
    def get(self, key: bytes) -> None:
        assert self.state.get(HOLDINGS, key) == self.layers[-1].get(key)

    @rule(start=st.sampled_from([b"", *KEYS]), limit=st.integers(0, 7))
    def scan(self, start: bytes, limit: int) -> None:
        expected: Sequence[tuple[bytes, HoldingRecord]] = sorted(
            (key, record) for key, record in self.layers[-1].items() if key >= start
        )
        assert self.state.scan(HOLDINGS, start, limit) == expected[:limit]

    @rule()
    def begin(self) -> None:
        self.state.begin()
        self.layers.append(dict(self.layers[-1]))

    @precondition(lambda self: len(self.layers) > 1)
    @rule()
    def keep(self) -> None:
        self.state.keep()
        self.layers[-2:] = [self.layers[-1]]

    @precondition(lambda self: len(self.layers) > 1)
    @rule()
    def discard(self) -> None:
        self.state.discard()
        self.layers.pop()

    @precondition(lambda self: len(self.layers) == 1)
    @rule()
    def commit(self) -> None:
        self.records.write(self.state.changes())
        self.committed = self.layers[0]
        self.new_block()

    @invariant()
    def changes_lead_from_the_committed_to_the_present(self) -> None:
        present = {b"H" + key: encode(record) for key, record in self.committed.items()}
        for key, value in self.state.changes().items():
            assert present.get(key) != value
            if value is None:
                del present[key]
            else:
                present[key] = value
        assert present == {b"H" + key: encode(record) for key, record in self.layers[-1].items()}

    @invariant()
    def a_changed_table_is_one_with_changes(self) -> None:
        assert self.state.changed(HOLDINGS) == bool(self.state.changes())


TestOverlay = OverlayMachine.TestCase


@given(st.lists(st.lists(st.integers(0, 999), max_size=200), max_size=6), st.randoms())
def test_keys_come_in_order_however_many_were_written_since_the_last_scan(
    runs: list[list[int]], random: Random
) -> None:
    state = LedgerState(MemoryRecords())
    expected: set[bytes] = set()
    for run in runs:
        for number in run:
            key = number.to_bytes(2, "big")
            state.put(HOLDINGS, key, holding(1))
            expected.add(key)
            if random.random() < 0.05:
                assert [key for key, _ in state.scan(HOLDINGS, b"", 2_000)] == sorted(expected)
        assert [key for key, _ in state.scan(HOLDINGS, b"", 2_000)] == sorted(expected)


def test_what_was_scanned_and_remembered_is_written_without_being_read_again() -> None:
    class Once(MemoryRecords):
        @override
        def record(self, table: Table[R], key: bytes) -> R | None:
            raise AssertionError(f"{table.name} {key.hex()} is read again")

    records = Once()
    records.write(dict(make_records(a=1, b=2, c=3).items()))
    state = LedgerState(records)
    state.remember(HOLDINGS, state.scan(HOLDINGS, b"", 3))
    state.begin()
    state.delete(HOLDINGS, b"b")
    state.discard()
    state.delete(HOLDINGS, b"c")

    assert state.get(HOLDINGS, b"b") == holding(2)
    assert state.changes() == {HOLDINGS.prefix + b"c": None}


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.integers(1, 3) | st.none())))
def test_order_of_written_records_is_that_of_first_writes(
    writes: list[tuple[bytes, int | None]],
) -> None:
    state = LedgerState(MemoryRecords())
    for key, value in writes:
        if value is None:
            state.delete(HOLDINGS, key)
        else:
            state.put(HOLDINGS, key, holding(value))

    keys = [full_key[1:] for _, full_key, _, _ in state.written()]

    firsts = list(dict.fromkeys(key for key, _ in writes))
    assert keys == [key for key in firsts if key in keys]
