"""Stored branches: the commitment over a database, with bounded memory."""

from collections.abc import Iterator
from random import Random
from threading import Thread
from typing import Any

import pytest

from node.ledger.commitment import EMPTY_ROOT, state_root, update
from node.storage import Batch, MemoryStore, StoredNodes
from node.storage.layout import node_key
from node.storage.nodes import CROWN_DEPTH


def commit(store: MemoryStore, nodes: StoredNodes, changes: dict[bytes, bytes | None]) -> bytes:
    result = update(nodes, changes)
    batch: Batch = [(node_key(path), branch) for path, branch in result.nodes.items()]
    store.write(batch, sync=True)
    nodes.accept(result.nodes)
    return result.root


@pytest.mark.parametrize("crown_depth", [-1, 0, 1, CROWN_DEPTH])
@pytest.mark.parametrize("cache_size_bytes", [0, 5_000, 60_000, 1 << 20])
def test_tree_is_the_same_with_any_cache(crown_depth: int, cache_size_bytes: int) -> None:
    chance = Random(1)
    store, plain = MemoryStore(), MemoryStore()
    nodes = StoredNodes(store, crown_depth=crown_depth, cache_size_bytes=cache_size_bytes)

    for _ in range(30):
        changes: dict[bytes, bytes | None] = {
            b"%d" % chance.randrange(500): chance.choice([None, b"x", b"%d" % chance.randrange(9)])
            for _ in range(40)
        }
        foreseen = dict(chance.sample(list(changes.items()), chance.choice((0, 10))))
        update(nodes.ahead(), foreseen)
        root = commit(store, nodes, changes)
        assert root == commit(plain, StoredNodes(plain), changes)
        assert state_root(StoredNodes(store)) == root == state_root(nodes)

    assert list(store.scan(b"N", b"O")) == list(plain.scan(b"N", b"O"))


@pytest.mark.parametrize("reads_ahead", [False, True])
def test_what_is_not_written_yet_is_answered_from_memory(*, reads_ahead: bool) -> None:
    chance = Random(2)
    store, plain = MemoryStore(), MemoryStore()
    nodes = StoredNodes(store, crown_depth=0, cache_size_bytes=0)
    plain_nodes = StoredNodes(plain, crown_depth=0, cache_size_bytes=0)
    late: Batch = []

    for _ in range(30):
        changes: dict[bytes, bytes | None] = {
            b"%d" % chance.randrange(300): chance.choice([None, b"x", b"%d" % chance.randrange(9)])
            for _ in range(60)
        }
        if reads_ahead:
            nodes.read_ahead(b"\x02", b"\x0a")
        result = update(nodes, changes)
        # The one before is written after this one was worked out.
        store.write(late, sync=True)
        nodes.caught_up()
        late = [(node_key(path), branch) for path, branch in result.nodes.items()]
        nodes.accept(result.nodes, are_stored=False)
        assert result.root == commit(plain, plain_nodes, changes)
        assert {path: nodes.node(path) for path in result.nodes} == result.nodes

    store.write(late, sync=True)
    assert list(store.scan(b"N", b"O")) == list(plain.scan(b"N", b"O"))


def test_branches_that_are_read_ahead_are_not_looked_for_until_the_next_block() -> None:
    store = MemoryStore()
    records: dict[bytes, bytes | None] = {b"%d" % number: b"x" for number in range(1000)}
    commit(store, StoredNodes(store), records)
    nodes, plain = (StoredNodes(store, crown_depth=0, cache_size_bytes=0) for _ in range(2))
    changes: dict[bytes, bytes | None] = {
        key: None if index % 3 else b"y" for index, key in enumerate(records)
    }

    nodes.read_ahead(b"\x00", b"\x0f")
    ahead, looked_for = update(nodes, changes), update(plain, changes)

    assert (ahead.root, ahead.nodes) == (looked_for.root, looked_for.nodes)
    assert (nodes.reads, plain.reads > 100) == (1, True)
    store.write([(node_key(path), branch) for path, branch in ahead.nodes.items()], sync=True)
    nodes.accept(ahead.nodes)
    assert update(nodes, changes).nodes == {}


def test_what_another_thread_reads_ahead_is_for_the_next_block_alone() -> None:
    store = MemoryStore()
    records: dict[bytes, bytes | None] = {b"%d" % number: b"x" for number in range(1000)}
    commit(store, StoredNodes(store), records)
    nodes = StoredNodes(store, crown_depth=0)
    read_ahead = nodes.ahead().read_ahead
    scans = count_scans(store)

    for first, last in ((0, 3), (3, 9), (1, 8), (9, 15), (4, 15)):
        thread = Thread(target=read_ahead, args=(bytes([first]), bytes([last])))
        thread.start()
        thread.join()

    assert len(scans) == 3
    commit(store, nodes, dict.fromkeys(list(records)[:500], b"y"))
    assert (nodes.reads, len(scans)) == (1, 3)
    # Now it is too late: nothing of it is there, and what changed was not kept.
    read_ahead(b"\x00", b"\x0f")
    assert [*nodes._ahead.branches, *nodes._young, *nodes._old] == []
    root = commit(store, nodes, dict.fromkeys(list(records)[500:], b"y"))
    assert nodes.reads > 100
    plain = MemoryStore()
    assert root == commit(plain, StoredNodes(plain), dict.fromkeys(records, b"y"))


def test_what_a_rehearsal_looks_for_is_for_the_next_block_alone_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MemoryStore()
    records: dict[bytes, bytes | None] = {b"%d" % number: b"x" for number in range(1000)}
    commit(store, StoredNodes(store), records)
    nodes = StoredNodes(store, crown_depth=0)
    changes: dict[bytes, bytes | None] = dict.fromkeys(records, b"y")
    foreseen = update(nodes.ahead(), changes)

    assert commit(store, nodes, changes) == foreseen.root
    assert nodes.reads == 0
    assert [*nodes._young, *nodes._old] == []
    # With no room left the rest is looked for again.
    monkeypatch.setattr("node.storage.nodes.AHEAD_MAX", 20)
    nodes = StoredNodes(store, crown_depth=0)
    update(nodes.ahead(), changes | {b"0": b"z"})
    update(nodes.ahead(), dict.fromkeys(records, b"z"))
    assert len(nodes._ahead.branches) == 20


def count_scans(store: MemoryStore) -> list[bytes]:
    scans: list[bytes] = []
    scan = store.scan

    def counted(start: bytes, stop: bytes, **options: Any) -> Iterator[tuple[bytes, bytes]]:
        scans.append(start)
        return scan(start, stop, **options)

    store.scan = counted  # type: ignore[method-assign]
    return scans


def test_no_more_is_read_ahead_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    records: dict[bytes, bytes | None] = {b"%d" % number: b"x" for number in range(1000)}
    commit(store, StoredNodes(store), records)
    nodes = StoredNodes(store, crown_depth=0)
    monkeypatch.setattr("node.storage.nodes.AHEAD_MAX", 20)

    for first in range(8):
        nodes.read_ahead(bytes([first]), b"\x0f")

    assert len(nodes._ahead.branches) == 20
    update(nodes, dict.fromkeys(records, b"y"))
    assert nodes.reads > 200


def test_emptied_tree_leaves_nothing_in_the_store() -> None:
    store = MemoryStore()
    nodes = StoredNodes(store)
    commit(store, nodes, {b"%d" % number: b"x" for number in range(100)})

    root = commit(store, nodes, {b"%d" % number: None for number in range(100)})

    assert root == EMPTY_ROOT == state_root(nodes)
    assert list(store.scan(b"N", b"O")) == []


def test_branches_in_use_are_not_read_again() -> None:
    store = MemoryStore()
    nodes = StoredNodes(store)
    records: dict[bytes, bytes | None] = {b"%d" % number: b"x" for number in range(1000)}
    commit(store, nodes, records)
    before = nodes.reads

    for round_number in range(5):
        commit(store, nodes, dict.fromkeys(records, b"%d" % round_number))

    assert nodes.reads == before


def test_cache_stays_within_its_size() -> None:
    store = MemoryStore()
    nodes = StoredNodes(store, crown_depth=1, cache_size_bytes=100_000)

    for start in range(0, 20_000, 1000):
        commit(store, nodes, {b"%d" % number: b"x" for number in range(start, start + 1000)})
        held = {**nodes._old, **nodes._young}
        assert sum(map(len, held.values())) < 100_000
        assert len(nodes._crown) <= 1 + 16

    assert sum(len(branch) for _, branch in store.scan(b"N", b"O")) > 1_000_000


def test_hot_branches_survive_many_cold_ones() -> None:
    store = MemoryStore()
    nodes = StoredNodes(store, crown_depth=-1, cache_size_bytes=200_000)
    commit(store, nodes, {b"%d" % number: b"x" for number in range(20_000)})
    reads = []

    for number in range(2000):
        before = nodes.reads
        nodes.node(b"")
        reads.append(nodes.reads - before)
        commit(store, nodes, {b"%d" % (number * 7 % 20_000): b"%d" % number})

    assert sum(reads) <= 1


@pytest.mark.parametrize("crown_depth", [-1, 3])
def test_what_was_deleted_comes_to_light_from_no_part_of_the_cache(crown_depth: int) -> None:
    store = MemoryStore()
    nodes = StoredNodes(store, crown_depth=crown_depth, cache_size_bytes=1_000)
    paths = [bytes((number, 1, 2)) for number in range(16)]
    for path in paths:
        nodes.accept({path: b"branch"})
    assert crown_depth > 0 or (nodes._old and nodes._young)

    nodes.accept(dict.fromkeys(paths))

    assert [nodes.node(path) for path in paths] == [None] * 16


def test_the_crown_is_read_once_whatever_else_is() -> None:
    store = MemoryStore()
    commit(store, StoredNodes(store), {b"%d" % number: b"x" for number in range(20_000)})
    nodes = StoredNodes(store, crown_depth=2, cache_size_bytes=0)
    paths = [key[1:] for key, _ in store.scan(b"N", b"O")]
    crown = [path for path in paths if len(path) <= 2]

    for path in [*paths, *paths]:
        assert nodes.node(path) == store.get(node_key(path))

    assert len(crown) == 1 + 16 + 256
    assert nodes.reads == 2 * len(paths) - len(crown)
