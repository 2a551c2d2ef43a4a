"""A failure of the store is told to whoever watches it, and still raised to whoever asked."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.storage import KeyValueStore, StorageDamaged, StorageError, WatchedStore, open_leveldb
from node.storage.layout import encode_number
from tests import damage


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[KeyValueStore]:
    """A database with a table that is damaged somewhere in its middle."""
    store = open_leveldb(tmp_path, create=True)
    for number in range(60):
        store.write([(b"B" + encode_number(number), encode_number(number) * 60)], sync=False)
    store.close()
    open_leveldb(tmp_path, create=False).close()  # Opening turns a log into tables.
    damage.flip_bytes(damage.largest_file(tmp_path, ".ldb"))
    store = open_leveldb(tmp_path, create=False)
    yield store
    store.close()


def _get(store: KeyValueStore) -> None:
    for number in range(60):
        store.get(b"B" + encode_number(number))


def _seek(store: KeyValueStore) -> None:
    for number in range(60):
        store.seek(b"B" + encode_number(number))


def _scan(store: KeyValueStore) -> None:
    list(store.scan(b"B", b"C"))


def _get_of_view(store: KeyValueStore) -> None:
    view = store.view()
    try:
        for number in range(60):
            view.get(b"B" + encode_number(number))
    finally:
        view.close()


def _scan_of_view(store: KeyValueStore) -> None:
    view = store.view()
    try:
        list(view.scan(b"B", b"C"))
    finally:
        view.close()


@pytest.mark.parametrize("read", [_get, _seek, _scan, _get_of_view, _scan_of_view])
def test_damage_met_by_any_read_is_told_and_raised(
    damaged: KeyValueStore, read: Callable[[KeyValueStore], None]
) -> None:
    told: list[StorageError] = []
    store = WatchedStore(damaged, told.append)

    with pytest.raises(StorageDamaged) as raised:
        read(store)

    assert told == [raised.value]


def test_a_failed_write_is_told_and_raised(tmp_path: Path) -> None:
    told: list[StorageError] = []
    store = WatchedStore(open_leveldb(tmp_path, create=True), told.append)
    store.write([(b"a", b"b")], sync=True)
    assert (store.get(b"a"), store.writes_synced, told) == (b"b", 1, [])
    store.close()

    with pytest.raises(StorageError) as raised:
        store.write([(b"a", b"c")], sync=True)

    assert told == [raised.value]
