"""Whatever a state is, its chunks make it again; and nothing else is ever taken for a chunk."""

import asyncio
from collections.abc import Iterator
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.chain import Committed
from node.codec import encode
from node.genesis import Genesis
from node.ledger.commitment import hash_of_key
from node.snapshots import Assembly, BadPart, Installation, Leaves, Split, source
from node.snapshots.assembly import judge
from node.snapshots.parts import CHUNK_BYTES_MAX, Chunk, decode_chunk
from node.storage import MemoryStore, layout
from tests.chain.stores import contents
from tests.chain.town import make_town
from tests.snapshots.states import batch_of, snapshot_of, take_over

keys = st.binary(min_size=1, max_size=3)
states = st.dictionaries(keys, st.binary(min_size=1, max_size=4), max_size=40)


@pytest.fixture(scope="module")
def founded() -> tuple[Committed, Genesis]:
    town = make_town()
    return asyncio.run(town.decide()), town.genesis


def state_in(store: MemoryStore) -> dict[bytes, bytes]:
    return {key: value for key, value in contents(store).items() if key[:1] in b"SKN"}


def finished(store: MemoryStore, assembly: Assembly) -> dict[bytes, bytes]:
    """Return what the store holds once the branches above the chunks are written."""
    store.write([(layout.node_key(path), data) for path, data in assembly.crown.items()], sync=True)
    return state_in(store)


@settings(max_examples=60)
@given(records=states, records_max=st.integers(1, 9), data=st.data())
def test_any_state_is_made_again_from_its_chunks(
    founded: tuple[Committed, Genesis],
    records: dict[bytes, bytes],
    records_max: int,
    data: st.DataObject,
) -> None:
    with mock.patch.object(source, "CHUNK_RECORDS_MAX", records_max):
        snapshot = snapshot_of(records, *founded)
        store = MemoryStore()
        installation = Installation(store, founded[1])
        installation.begin()

        assembly = take_over(
            snapshot, installation, choose=lambda count: data.draw(st.integers(0, count - 1))
        )

    _, batch = batch_of(records)
    expected = dict(batch)
    if not records:
        expected[layout.node_key(b"")] = bytes(4)  # an update would leave out the empty root
    assert finished(store, assembly) == expected


@settings(max_examples=60)
@given(
    steps=st.lists(st.tuples(states, st.integers(1, 9), st.integers(0, 12)), max_size=3),
    last=states.filter(bool),
)
def test_what_was_taken_over_before_is_kept_where_it_is_the_same_and_replaced_elsewhere(
    founded: tuple[Committed, Genesis],
    steps: list[tuple[dict[bytes, bytes], int, int]],
    last: dict[bytes, bytes],
) -> None:
    """Restarts, other sources and newer snapshots, at any moment: nothing stale stays."""
    store = MemoryStore()
    Installation(store, founded[1]).begin()
    for records, records_max, chunks_max in steps:
        with mock.patch.object(source, "CHUNK_RECORDS_MAX", records_max):
            changed = {**last, **records}
            take_over(
                snapshot_of(changed, *founded),
                Installation(store, founded[1]),
                chunks_max=chunks_max,
            )

    with mock.patch.object(source, "CHUNK_RECORDS_MAX", 4):
        assembly = take_over(snapshot_of(last, *founded), Installation(store, founded[1]))

    assert finished(store, assembly) == dict(batch_of(last)[1])


def test_nothing_is_asked_twice_after_a_restart(founded: tuple[Committed, Genesis]) -> None:
    records = {bytes([number]): b"value" for number in range(200)}
    store = MemoryStore()
    Installation(store, founded[1]).begin()
    with mock.patch.object(source, "CHUNK_RECORDS_MAX", 4):
        snapshot = snapshot_of(records, *founded)
        whole = sum(isinstance(chunk, Leaves) for _, chunk in snapshot.chunks())
        take_over(snapshot, Installation(store, founded[1]), chunks_max=80)
        before = len([key for key in contents(store) if key.startswith(b"S")])
        assert before > 60

        asked: list[Chunk] = []
        original = source.Snapshot.chunk

        def counting(self: source.Snapshot, path: bytes) -> Chunk:
            asked.append(original(self, path))
            return asked[-1]

        with mock.patch.object(source.Snapshot, "chunk", counting):
            take_over(snapshot, Installation(store, founded[1]))

    again = sum(len(chunk.keys) for chunk in asked if isinstance(chunk, Leaves))
    assert again == len(records) - before
    assert sum(isinstance(chunk, Leaves) for chunk in asked) < whole


def test_backup_holds_every_chunk_once_in_the_order_asked_for(
    founded: tuple[Committed, Genesis],
) -> None:
    records = {bytes([number]): b"value" for number in range(90)}
    with mock.patch.object(source, "CHUNK_RECORDS_MAX", 4):
        chunks = list(snapshot_of(records, *founded).chunks())
    assembly = Assembly(batch_of(records)[0])

    for path, chunk in chunks:
        place = assembly.take()
        assert place is not None
        assert place[0] == path
        assembly.fill(path, chunk)

    assert assembly.is_complete
    stored = [key for _, chunk in chunks if isinstance(chunk, Leaves) for key in chunk.keys]
    assert sorted(stored) == sorted(records)


def alterations(chunk: Chunk, other: Chunk) -> Iterator[Chunk]:
    """Yield what a liar could send instead."""
    yield other
    if isinstance(chunk, Split):
        for index in range(len(chunk.branch)):
            flipped = bytearray(chunk.branch)
            flipped[index] ^= 1
            yield Split(branch=bytes(flipped))
        yield Leaves(keys=(), values=())
        return
    pairs = list(zip(chunk.keys, chunk.values, strict=True))
    changed = [
        pairs[1:],
        [*pairs, (b"new", b"value")],
        [*pairs, pairs[0]],
        [(pairs[0][0], b"other"), *pairs[1:]],
        [(b"other", pairs[0][1]), *pairs[1:]],
        [],
    ]
    for each in changed:
        yield Leaves(keys=tuple(k for k, _ in each), values=tuple(v for _, v in each))
    yield Split(branch=bytes(4))


@pytest.mark.adversarial(53)
def test_every_altered_chunk_is_refused_and_its_place_stays_open(
    founded: tuple[Committed, Genesis],
) -> None:
    records = {bytes([number]): b"value" for number in range(60)}
    older = {**records, b"\0": b"older", b"gone": b"value"}
    refused = 0
    with mock.patch.object(source, "CHUNK_RECORDS_MAX", 4):
        snapshot, other = snapshot_of(records, *founded), snapshot_of(older, *founded)
        assembly = Assembly(snapshot.point.header.state_root)
        while (place := assembly.take()) is not None:
            path, slot = place
            chunk = snapshot.chunk(path)
            if isinstance(chunk, Split) or chunk.keys:
                for bad in alterations(chunk, other.chunk(path)):
                    if bad == chunk:
                        continue
                    with pytest.raises(BadPart):
                        assembly.fill(path, bad)
                    assert assembly.slot(path) == slot
                    refused += 1
            assembly.fill(path, chunk)

    assert assembly.is_complete
    assert refused > 500


@pytest.mark.adversarial(53)
def test_records_under_one_path_make_no_chunk_larger_than_the_limit(
    founded: tuple[Committed, Genesis],
) -> None:
    """Keys ground until their hashes begin alike: the tree is deep there, the chunks are not."""
    numbered = (b"%d" % number for number in range(40_000))
    records = {key: b"value" for key in numbered if hash_of_key(key)[0] == 0xA5}
    assert len(records) > 100
    with mock.patch.object(source, "CHUNK_RECORDS_MAX", 8):
        chunks = dict(snapshot_of(records, *founded).chunks())

    sizes = [len(chunk.keys) for chunk in chunks.values() if isinstance(chunk, Leaves)]
    assert max(sizes) <= 8
    assert sum(sizes) == len(records)
    assert max(map(len, chunks)) > 2


def test_chunk_of_large_records_is_bounded_by_its_bytes(
    founded: tuple[Committed, Genesis],
) -> None:
    records = {bytes([number]): bytes([number]) * 90_000 for number in range(1, 40)}

    chunks = [chunk for _, chunk in snapshot_of(records, *founded).chunks()]

    assert isinstance(chunks[0], Split)
    assert all(len(encode(chunk)) <= CHUNK_BYTES_MAX + 600 for chunk in chunks)


def test_large_record_travels_alone(founded: tuple[Committed, Genesis]) -> None:
    records = {b"a": bytes(1 << 20), b"b": b"small"}

    chunks = dict(snapshot_of(records, *founded).chunks())

    sizes = [len(chunk.keys) for chunk in chunks.values() if isinstance(chunk, Leaves)]
    assert sorted(sizes) == [*[0] * 14, 1, 1]
    for chunk in chunks.values():
        assert decode_chunk(encode(chunk)) == chunk


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        encode((3, b"")),
        encode((1, (b"k",), ())),
        encode((1, (b"",), (b"v",))),
        encode((2, b"abc")),
    ],
)
def test_bytes_that_are_no_chunk_are_refused(data: bytes) -> None:
    with pytest.raises(BadPart):
        decode_chunk(data)


def test_branch_where_one_record_belongs_is_refused() -> None:
    with pytest.raises(BadPart, match="at most one record"):
        judge(b"\1", bytes(64), Split(branch=bytes(4)))


def test_branches_above_the_chunks_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.snapshots.assembly.SPLITS_MAX", 1)
    records = {bytes([number]): b"value" for number in range(200)}
    root, batch = batch_of(records)
    branches = {key[1:]: value or b"" for key, value in batch if key.startswith(b"N")}
    assembly = Assembly(root)
    assert assembly.take() == (b"", root)
    assembly.fill(b"", Split(branch=branches[b""]))
    place = assembly.take()
    assert place is not None

    with pytest.raises(BadPart, match="more than 1 branches"):
        assembly.fill(place[0], Split(branch=branches[place[0]]))
