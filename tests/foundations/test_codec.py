"""The codec: one spelling for each value, and nothing but `CodecError` for everything else."""

import gc
import re
import tracemalloc
from typing import Annotated

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from node import codec
from node.codec import (
    RECORD_SIZE_MAX,
    CodecError,
    Record,
    decode,
    encode,
    encode_each,
    encode_twice,
)
from tests.foundations.damage import altered, spoiled
from tests.twins import pack


class Leg(Record):
    account: Annotated[bytes, Meta(min_length=20, max_length=20)]
    amount: Annotated[int, Meta(ge=0)]


class Transfer(Record, tag=1):
    legs: Annotated[tuple[Leg, ...], Meta(min_length=1, max_length=4)]
    memo: Annotated[str, Meta(max_length=10)]


class Note(Record, tag=2):
    text: str | None


class Envelope(Record):
    version: int
    operations: Annotated[tuple[Transfer | Note, ...], Meta(max_length=3)]
    raw: tuple[bytes, ...]


legs = st.builds(
    Leg,
    account=st.binary(min_size=20, max_size=20),
    amount=st.integers(0, 2**64 - 1),
)
operations = st.one_of(
    st.builds(
        Transfer,
        legs=st.lists(legs, min_size=1, max_size=4).map(tuple),
        memo=st.text(max_size=10),
    ),
    st.builds(Note, text=st.none() | st.text()),
)
envelopes = st.builds(
    Envelope,
    version=st.integers(-(2**63), 2**64 - 1),
    operations=st.lists(operations, max_size=3).map(tuple),
    raw=st.lists(st.binary()).map(tuple),
)

LEG = Leg(account=b"a" * 20, amount=300)
SAMPLE = Envelope(
    version=1,
    operations=(Transfer(legs=(LEG, LEG), memo="lunch"), Note(text=None)),
    raw=(b"", b"bytes"),
)


def test_encoding_of_a_record_is_fixed() -> None:
    """A vector: arrays in the order of declaration, a union's tag first, shortest forms."""
    leg = "92 c414 6161616161616161616161616161616161616161 cd012c"
    transfer = f"93 01 92 {leg} {leg} a5 6c756e6368"
    expected = f"93 01 92 {transfer} 92 02 c0 92 c400 c405 6279746573"

    assert encode(SAMPLE) == bytes.fromhex(expected)


@given(envelopes)
def test_record_is_what_it_was_encoded_from(envelope: Envelope) -> None:
    data = encode(envelope)

    assert decode(data, Envelope) == envelope
    # The package that defines the wire format writes and reads the same.
    assert data == pack(envelope)
    version, operations_read, raw = msgpack.unpackb(data)
    assert (version, len(operations_read)) == (envelope.version, len(envelope.operations))
    assert tuple(raw) == envelope.raw


@given(st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary() | st.none())
def test_every_value_is_spelled_as_by_the_package_of_the_format(value: object) -> None:
    assert encode((value,)) == pack((value,))


def test_disagreement_of_the_packages_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release of msgspec that spells text as bytes, say."""
    assert encode_twice(SAMPLE) == encode(SAMPLE)
    monkeypatch.setattr(codec, "_pack", lambda value: pack(value).replace(b"\xa5", b"\xc4\x05"))
    with pytest.raises(CodecError, match="spell it differently"):
        encode_twice(SAMPLE)


@pytest.mark.parametrize("size", [31, 32, 255, 256, 65_535, 65_536])
def test_every_length_is_spelled_as_by_the_package_of_the_format(size: int) -> None:
    for value in ("a" * size, bytes(size), (None,) * size):
        assert encode(value) == pack(value)


@pytest.mark.parametrize("power", [5, 7, 8, 15, 16, 31, 32, 63, 64])
def test_every_size_of_integer_is_spelled_as_by_the_package_of_the_format(power: int) -> None:
    values = [
        value
        for value in (2**power - 1, 2**power, -(2**power), -(2**power) - 1)
        if -(2**63) <= value < 2**64
    ]
    for value in values:
        assert encode(value) == pack(value)


@given(envelopes, envelopes)
def test_different_records_have_different_bytes(one: Envelope, other: Envelope) -> None:
    assert (encode(one) == encode(other)) == (one == other)


@given(st.binary(max_size=60))
def test_bytes_that_decode_are_the_encoding(data: bytes) -> None:
    """Decoding is injective: no bytes but the canonical ones are accepted."""
    for kind in (Envelope, Leg, Transfer | Note, tuple[bytes, ...]):
        try:
            value = decode(data, kind)  # type: ignore[arg-type]
        except CodecError:
            continue
        assert encode(value) == data


OTHER_SPELLINGS = {
    "integer as uint8": "92 c414" + "61" * 20 + "cc01",
    "integer as uint64": "92 c414" + "61" * 20 + "cf0000000000000001",
    "positive integer as int8": "92 c414" + "61" * 20 + "d001",
    "bytes as bin16": "92 c50014" + "61" * 20 + "01",
    "bytes as bin32": "92 c600000014" + "61" * 20 + "01",
    "record as array16": "dc0002 c414" + "61" * 20 + "01",
    "record as array32": "dd00000002 c414" + "61" * 20 + "01",
    "record as map": "82 a7 6163636f756e74 c414" + "61" * 20 + "a6 616d6f756e74 01",
    "bytes as text": "92 b4" + "61" * 20 + "01",
    "integer as float": "92 c414" + "61" * 20 + "cb3ff0000000000000",
    "integer as boolean": "92 c414" + "61" * 20 + "c3",
    "missing field": "91 c414" + "61" * 20,
    "one field more": "93 c414" + "61" * 20 + "01 01",
    "value out of its bounds": "92 c414" + "61" * 20 + "ff",
    "bytes of another length": "92 c413" + "61" * 19 + "01",
    "bytes behind the end": "92 c414" + "61" * 20 + "01 c0",
    "nothing": "",
    "reserved byte": "c1",
}


@pytest.mark.parametrize("data", OTHER_SPELLINGS.values(), ids=OTHER_SPELLINGS)
def test_another_spelling_is_refused(data: str) -> None:
    assert decode(bytes.fromhex("92 c414" + "61" * 20 + "01"), Leg).amount == 1

    with pytest.raises(CodecError, match="not a canonical Leg"):
        decode(bytes.fromhex(data), Leg)


def test_text_that_is_not_utf8_is_refused() -> None:
    for data in (b"\x92\x02\xa1\xff", b"\x92\x02\xa3\xed\xa0\x80"):  # a stray byte, a surrogate
        with pytest.raises(CodecError):
            decode(data, Note)


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, "\ud800", object()])
def test_value_without_canonical_form_is_not_encoded(value: object) -> None:
    with pytest.raises(CodecError) as one:
        encode((value,))
    with pytest.raises(CodecError, match=re.escape(str(one.value))):
        encode_each([b"before", (value,), b"after"])


def test_each_is_encoded_as_by_itself() -> None:
    values = [1, "two", (3, b"four"), None]

    assert encode_each(iter(values)) == [encode(value) for value in values]


def test_error_names_the_kind_and_the_reason() -> None:
    with pytest.raises(CodecError) as caught:
        decode(b"\x91\x01", Leg)

    assert caught.value.expected == "Leg"
    assert caught.value.reason
    assert str(caught.value) == f"not a canonical Leg: {caught.value.reason}"


HOSTILE = {
    "nested arrays": b"\x91" * 100_000 + b"\xc0",
    "nested maps": b"\x81\xc0" * 100_000 + b"\xc0",
    "string of 2 GiB": b"\x93\x01\xdb\x7f\xff\xff\xff",
    "bytes of 4 GiB": b"\x93\x01\x91\xc6\xff\xff\xff\xff",
    "array of 4 billion": b"\x93\x01\xdd\xff\xff\xff\xff",
    "map of 4 billion": b"\xdf\xff\xff\xff\xff",
    "extension of 4 GiB": b"\xc9\xff\xff\xff\xff\x01",
    "NaN": b"\x93\xcb\x7f\xf8\0\0\0\0\0\0\x90\x90",
    "extension type": b"\x93\xd4\x05\x00\x90\x90",
    "timestamp": b"\x93\xd6\xff\0\0\0\0\x90\x90",
    "duplicate keys": b"\x82\xa1a\x01\xa1a\x02",
}


@pytest.mark.adversarial(39)
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_refused_at_once(data: bytes) -> None:
    for kind in (Envelope, Transfer | Note, tuple[bytes, ...], tuple[Leg, ...]):
        tracemalloc.start()
        try:
            with pytest.raises(CodecError):
                decode(data, kind)  # type: ignore[arg-type]
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak_bytes < 100_000


@pytest.mark.adversarial(39)
def test_every_truncation_and_bit_flip_is_refused_or_another_record() -> None:
    data = encode(SAMPLE)

    for changed in altered(data):
        try:
            value = decode(changed, Envelope)
        except CodecError:
            continue
        assert value != SAMPLE
        assert encode(value) == changed


@pytest.mark.adversarial(40)
def test_every_field_missing_or_of_another_kind_is_refused_or_another_record() -> None:
    data = encode(SAMPLE)
    accepted = refused = 0

    for changed in spoiled(data):
        try:
            value = decode(changed, Envelope)
        except CodecError:
            refused += 1
            continue
        assert encode(value) == changed
        accepted += 1

    assert refused > 400
    assert accepted < 60


@pytest.mark.adversarial(45)
def test_input_that_would_grow_when_decoded_is_refused_small() -> None:
    """Nested empty arrays: an untyped parse makes 64 bytes out of each byte."""
    count = 1 << 20
    arrays = b"\xdd" + count.to_bytes(4) + b"\x90" * count
    record = b"\x93\x01" + arrays + b"\x90"

    tracemalloc.start()
    try:
        for data in (arrays, record):
            for kind in (Envelope, Leg, tuple[bytes, ...]):
                with pytest.raises(CodecError):
                    decode(data, kind)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < 100_000


@pytest.mark.adversarial(45)
def test_input_beyond_its_size_is_refused_unread() -> None:
    data = encode((bytes(100),))

    assert decode(data, tuple[bytes, ...], size_max=len(data)) == (bytes(100),)
    with pytest.raises(CodecError, match=f"{len(data)} bytes where at most 102"):
        decode(data, tuple[bytes, ...], size_max=102)
    with pytest.raises(CodecError, match="bytes where at most"):
        decode(bytes(RECORD_SIZE_MAX + 1), bytes)


def test_records_are_none_of_the_garbage_collectors_business() -> None:
    """A node keeps some hundred thousand: every full collection would look at each of them."""
    assert not gc.is_tracked(SAMPLE)
    assert not gc.is_tracked(decode(encode(SAMPLE), Envelope))
