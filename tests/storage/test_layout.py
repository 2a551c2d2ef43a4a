"""The layout: keys sort as the heights do, and no two kinds of key meet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.storage import layout
from node.storage.layout import (
    Meta,
    decode_number,
    decode_place,
    encode_number,
    encode_place,
    encode_places,
    range_of,
)

heights = st.integers(0, 2**64 - 1)


@given(heights, heights)
def test_keys_sort_by_height(one: int, other: int) -> None:
    for key in (layout.block_key, layout.certificate_key, layout.receipts_key):
        assert (key(one) < key(other)) == (one < other)
    assert (layout.handover_key(one) < layout.handover_key(other)) == (one < other)


def test_keys_are_fixed() -> None:
    """A change here is a new format version."""
    assert layout.FORMAT_VERSION == 2
    assert layout.block_key(1) == b"B\0\0\0\0\0\0\0\1"
    assert layout.certificate_key(1) == b"C\0\0\0\0\0\0\0\1"
    assert layout.receipts_key(1) == b"R\0\0\0\0\0\0\0\1"
    assert layout.handover_key(1) == b"V\0\0\0\0\0\0\0\1"
    assert layout.transaction_key(b"id") == b"Tid"
    assert layout.state_key(b"key") == b"Skey"
    assert layout.node_key(b"\1\2") == b"N\1\2"
    assert layout.hash_key(b"hash") == b"Khash"
    assert [meta.value[:1] for meta in Meta] == [b"M"] * len(Meta)


@given(heights, st.integers(0, 2**32 - 1))
def test_numbers_and_places_come_back(height: int, index: int) -> None:
    assert decode_number(encode_number(height)) == height
    assert decode_place(encode_place(height, index)) == (height, index)


@given(heights, st.integers(0, 20))
def test_places_of_a_block_are_those_of_its_transactions(height: int, count: int) -> None:
    assert list(encode_places(height, count)) == [encode_place(height, n) for n in range(count)]


@given(st.binary(min_size=1, max_size=3), st.binary(max_size=4))
def test_range_holds_exactly_the_keys_with_the_prefix(prefix: bytes, key: bytes) -> None:
    if not prefix.rstrip(b"\xff"):
        return
    start, stop = range_of(prefix)

    assert start <= prefix + key < stop
    assert (start <= key < stop) == key.startswith(prefix)


@given(st.lists(st.integers(0, 15), max_size=8).map(bytes), st.binary(min_size=8, max_size=8))
def test_range_of_a_path_holds_exactly_the_hashes_beneath_it(path: bytes, key_hash: bytes) -> None:
    start, stop = layout.hash_range(path)
    nibbles = bytes(int(digit, 16) for digit in key_hash.hex())
    beneath = bytes.fromhex(path.hex()[1::2].ljust(16, "7"))

    assert start <= layout.hash_key(beneath) < stop
    assert (start <= layout.hash_key(key_hash) < stop) == nibbles.startswith(path)


@pytest.mark.parametrize(
    ("path", "start", "stop"),
    [
        (b"", b"K", b"L"),
        (b"\5", b"K\x50", b"K\x60"),
        (b"\x0f", b"K\xf0", b"L"),
        (b"\x0a\x0f", b"K\xaf", b"K\xb0"),
        (b"\x0f\x0f", b"K\xff", b"L"),
        (b"\x0a\x0f\x0f", b"K\xaf\xf0", b"K\xb0"),
    ],
)
def test_range_of_a_path_ends_at_the_next_one(path: bytes, start: bytes, stop: bytes) -> None:
    assert layout.hash_range(path) == (start, stop)


@pytest.mark.parametrize(
    ("prefix", "stop"), [(b"B", b"C"), (b"B\0", b"B\1"), (b"B\xff", b"C"), (b"B\xff\xff", b"C")]
)
def test_range_ends_at_the_next_prefix(prefix: bytes, stop: bytes) -> None:
    assert range_of(prefix) == (prefix, stop)
