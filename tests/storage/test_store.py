"""Both stores behave as one: every test here runs over memory and over LevelDB."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.storage import KeyValueStore, MemoryStore, open_leveldb

OpenStore = Callable[[], KeyValueStore]


@pytest.fixture(params=["memory", "leveldb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyValueStore]:
    opened = (
        MemoryStore() if request.param == "memory" else open_leveldb(tmp_path / "db", create=True)
    )
    yield opened
    opened.close()


def test_absent_key_has_no_value(store: KeyValueStore) -> None:
    assert store.get(b"key") is None
    assert list(store.scan(b"", b"\xff")) == []


def test_written_value_is_read_and_deleted_value_is_gone(store: KeyValueStore) -> None:
    store.write([(b"a", b"1"), (b"b", b""), (b"c", b"3")], sync=True)
    store.write([(b"a", None), (b"c", b"4"), (b"absent", None)], sync=False)

    assert (store.get(b"a"), store.get(b"b"), store.get(b"c")) == (None, b"", b"4")
    assert list(store.scan(b"a", b"z")) == [(b"b", b""), (b"c", b"4")]


def test_last_entry_of_a_batch_counts(store: KeyValueStore) -> None:
    store.write([(b"a", b"1"), (b"a", None), (b"b", None), (b"b", b"2"), (b"b", b"3")], sync=True)

    assert list(store.scan(b"", b"\xff")) == [(b"b", b"3")]


def test_seeking_finds_what_getting_finds(store: KeyValueStore) -> None:
    chance = Random(1)
    keys = [chance.randbytes(2) for _ in range(300)]

    for _ in range(50):
        store.write(
            [
                (key, chance.choice([None, b"", chance.randbytes(40)]))
                for key in chance.sample(keys, 20)
            ],
            sync=False,
        )
        for key in chance.sample(keys, 30):
            assert store.seek(key) == store.get(key)
        some = chance.sample(keys, 30)
        assert store.seek_each(some) == [store.get(key) for key in some]
        assert store.seek_each(sorted(some)) == [store.get(key) for key in sorted(some)]

    assert store.seek_each([]) == []
    assert store.seek(b"\xff" * 9) is None


def test_scan_goes_from_start_to_before_stop_in_either_direction(store: KeyValueStore) -> None:
    keys = [bytes([number]) for number in range(10)]
    store.write([(key, key) for key in reversed(keys)], sync=True)

    def scanned(start: int, stop: int, *, reverse: bool, limit: int | None) -> list[int]:
        pairs = store.scan(bytes([start]), bytes([stop]), reverse=reverse, limit=limit)
        return [key[0] for key, value in pairs if key == value]

    assert scanned(3, 6, reverse=False, limit=None) == [3, 4, 5]
    assert scanned(3, 6, reverse=True, limit=None) == [5, 4, 3]
    assert scanned(3, 9, reverse=False, limit=2) == [3, 4]
    assert scanned(3, 9, reverse=True, limit=2) == [8, 7]
    assert scanned(3, 6, reverse=False, limit=0) == []
    assert scanned(3, 6, reverse=True, limit=0) == []
    assert scanned(6, 3, reverse=False, limit=None) == []
    assert scanned(3, 6, reverse=True, limit=100) == [5, 4, 3]


def test_scan_shows_the_moment_of_its_call(store: KeyValueStore) -> None:
    store.write([(b"a", b"1"), (b"b", b"2")], sync=True)

    pairs = store.scan(b"", b"\xff")
    store.write([(b"a", None), (b"b", b"3"), (b"c", b"4")], sync=True)

    assert list(pairs) == [(b"a", b"1"), (b"b", b"2")]


def test_page_is_as_of_its_call_however_often_the_cursor_was_used(store: KeyValueStore) -> None:
    """A page of a database is read by a cursor that is kept from read to read."""
    for number in range(40):
        key = bytes([number])
        store.write([(key, b"1"), (bytes([number // 2]), None)], sync=False)

        left = [bytes([each]) for each in range(number // 2 + 1, number + 1)]
        pairs = store.scan(b"", b"\xff", limit=5)
        store.write([(key, b"2")], sync=False)
        assert list(pairs) == [(each, b"1" if each == key else b"2") for each in left[:5]]
        assert store.seek(key) == b"2" or number == 0
        assert [pair[0] for pair in store.scan(key, bytes([number + 1]), limit=200)] == (
            [key] if store.get(key) else []
        )


def test_view_stays_at_its_moment(store: KeyValueStore) -> None:
    store.write([(b"a", b"1"), (b"b", b"2")], sync=True)
    view = store.view()
    other = store.view()
    store.write([(b"a", None), (b"b", b"3"), (b"c", b"4")], sync=True)
    later = store.view()

    assert (view.get(b"a"), view.get(b"b"), view.get(b"c")) == (b"1", b"2", None)
    assert list(view.scan(b"", b"\xff")) == [(b"a", b"1"), (b"b", b"2")]
    assert list(view.scan(b"", b"\xff", reverse=True, limit=1)) == [(b"b", b"2")]
    assert list(later.scan(b"a", b"c")) == [(b"b", b"3")]
    view.close()
    view.close()
    assert other.get(b"a") == b"1", "each view is let go by itself"
    other.close()
    later.close()


def test_synced_writes_are_counted(store: KeyValueStore) -> None:
    for sync in (True, False, True):
        store.write([(b"a", b"1")], sync=sync)

    assert store.writes_synced == 2


def test_closing_twice_does_no_harm(store: KeyValueStore) -> None:
    store.close()
    store.close()


keys = st.binary(min_size=1, max_size=2)
batches = st.lists(st.tuples(keys, st.none() | st.binary(max_size=4)), max_size=8)


@settings(max_examples=60)
@given(st.lists(batches, max_size=6), keys, keys)
def test_store_is_a_sorted_map(
    history: list[list[tuple[bytes, bytes | None]]], start: bytes, stop: bytes
) -> None:
    """Against the obvious: a dictionary, sorted at each look."""
    store, twin = MemoryStore(), dict[bytes, bytes]()

    for batch in history:
        store.write(batch, sync=True)
        for key, value in batch:
            twin.pop(key, None)
            if value is not None:
                twin[key] = value

        expected = sorted(pair for pair in twin.items() if start <= pair[0] < stop)
        assert list(store.scan(start, stop)) == expected
        assert list(store.scan(start, stop, reverse=True, limit=3)) == expected[::-1][:3]
    assert all(store.get(key) == value for key, value in twin.items())


def test_large_batches_are_sorted_too() -> None:
    store = MemoryStore()
    store.write([(number.to_bytes(2), b"") for number in range(0, 2000, 2)], sync=True)
    store.write([(number.to_bytes(2), b"") for number in range(1999, 0, -2)], sync=True)

    assert [int.from_bytes(key) for key, _ in store.scan(b"", b"\xff")] == list(range(2000))
