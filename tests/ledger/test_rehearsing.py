"""A rule that was rehearsed does what it would do by itself, whatever state it comes to."""

import gc
import weakref
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.codec import encode
from node.ledger.rehearsing import Rehearsal, perform_plainly
from node.ledger.state import LedgerState, MemoryRecords, Written
from node.ledger.tables import HOLDINGS, HoldingRecord
from tests.ledger.test_state import CountingRecords

Step: TypeAlias = tuple[str, bytes, int]

keys = st.sampled_from([b"a", b"b", b"c", b"d"])
steps = st.lists(
    st.tuples(st.sampled_from(["get", "each", "put", "delete", "scan"]), keys, st.integers(1, 3)),
    max_size=6,
).map(tuple)
committed = st.dictionaries(keys, st.integers(1, 3))


def rule(state: LedgerState, program: tuple[Step, ...]) -> tuple[object, ...]:
    """Read and write; what is written depends on what was read."""
    found: list[object] = []
    for verb, key, number in program:
        if verb == "get":
            found.append(state.get(HOLDINGS, key))
        elif verb == "each":
            found.append(state.get_each(HOLDINGS, [key, b"a"]))
        elif verb == "put":
            before = state.get(HOLDINGS, key)
            had = 0 if before is None else before.available
            state.put(HOLDINGS, key, HoldingRecord(available=had + number, held=number))
        elif verb == "delete":
            state.delete(HOLDINGS, key)
        else:
            found.append(state.scan(HOLDINGS, key, number))
    return tuple(found)


def make_records(available: dict[bytes, int]) -> MemoryRecords:
    records = MemoryRecords()
    records.write(
        {
            HOLDINGS.prefix + key: encode(HoldingRecord(available=number, held=0))
            for key, number in available.items()
        }
    )
    return records


def outcome(state: LedgerState, *found: object) -> tuple[object, ...]:
    """Return all that can be seen of a state, and what rules returned."""
    written: dict[bytes, Written] = {each[1]: each for each in state.written()}
    return (written, state.scan(HOLDINGS, b"", 9), state.changed(HOLDINGS), *found)


@given(committed, committed, steps, steps, steps, steps, steps, st.booleans())
def test_what_was_rehearsed_is_done_where_it_would_be_done_again(
    here: dict[bytes, int],
    there: dict[bytes, int],
    before: tuple[Step, ...],
    else_before: tuple[Step, ...],
    program: tuple[Step, ...],
    other: tuple[Step, ...],
    after: tuple[Step, ...],
    alike: bool,
) -> None:
    rehearsal = Rehearsal()
    learning = LedgerState(make_records(here))
    plain = LedgerState(make_records(here))
    rule(learning, before)
    rule(plain, before)
    learnt = rehearsal.learn("it", learning, rule, program)
    assert outcome(learning, learnt) == outcome(plain, rule(plain, program))

    for base, first, then in (
        (here, before, program),
        (here, else_before, program),
        (there, before, program),
        (here, before, other),
    ):
        performed, twin = LedgerState(make_records(base)), LedgerState(make_records(base))
        rule(performed, first)
        rule(twin, first)
        found = [rehearsal.perform("it" if alike else "another", performed, rule, then)]
        expected = [perform_plainly("it", twin, rule, then)]
        found.append(rule(performed, after))
        expected.append(rule(twin, after))
        assert outcome(performed, *found) == outcome(twin, *expected)


def test_what_was_rehearsed_is_taken_and_not_done_again() -> None:
    """It runs once, and then only where its arguments or what it read are others."""
    ran: list[int] = []

    def counted(state: LedgerState, number: int) -> int:
        ran.append(number)
        has = state.get(HOLDINGS, b"a")
        state.put(HOLDINGS, b"b", HoldingRecord(available=number, held=0))
        return number if has is None else has.available

    rehearsal = Rehearsal()
    rehearsal.learn("it", LedgerState(make_records({b"a": 1})), counted, 7)

    for base, number, runs in (({b"a": 1}, 7, 0), ({b"a": 1}, 8, 1), ({b"a": 2}, 7, 1)):
        ran.clear()
        state = LedgerState(make_records(base))
        assert rehearsal.perform("it", state, counted, number) == base[b"a"]
        assert len(ran) == runs
        assert state.get(HOLDINGS, b"b") == HoldingRecord(available=number, held=0)


def test_what_was_rehearsed_is_done_again_where_a_scan_finds_something_else() -> None:
    """What comes in between, what goes and what is another: each is read by the scan alone."""

    def scanned(state: LedgerState) -> int:
        found = state.scan(HOLDINGS, b"", 9)
        return sum(holding.available for _, holding in found)

    rehearsal = Rehearsal()
    rehearsal.learn("it", LedgerState(make_records({b"a": 1, b"c": 1})), scanned)

    for base in ({b"a": 1, b"b": 1, b"c": 1}, {b"a": 1}, {b"a": 1, b"c": 2}):
        state = LedgerState(make_records(base))
        assert rehearsal.perform("it", state, scanned) == sum(base.values())


def test_what_another_rule_did_stands_for_nothing() -> None:
    rehearsal = Rehearsal()
    rehearsal.learn("it", LedgerState(CountingRecords()), lambda _: "one")

    assert rehearsal.perform("it", LedgerState(CountingRecords()), lambda _: "other") == "other"


def test_what_was_rehearsed_leads_back_to_nothing() -> None:
    """It goes when it is let go: a collector that looked for it would stop a block for it."""
    rehearsal = Rehearsal()
    source = CountingRecords()
    rehearsal.learn("it", LedgerState(source), rule, (("put", b"a", 1), ("scan", b"a", 1)))
    gone = weakref.ref(source)

    gc.disable()
    try:
        del rehearsal, source
        assert gone() is None
    finally:
        gc.enable()


def test_nothing_is_adopted_into_a_bracket() -> None:
    state = LedgerState(CountingRecords())
    state.begin()

    with pytest.raises(AssertionError):
        state.adopt(LedgerState(CountingRecords()))
