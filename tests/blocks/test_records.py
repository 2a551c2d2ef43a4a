"""Headers and blocks: one spelling, every field in the id, limits where they are named."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.evidence import Equivocation
from node.blocks import (
    BLOCK_SIZE_MAX,
    BLOCK_TRANSACTIONS_MAX,
    Block,
    Header,
    ValidatorKey,
    block_id,
    decode_block,
    decode_header,
    encode_block,
    encode_certificate,
    encode_evidence,
    evidence_root,
    receipt_leaf,
    receipts_root,
    transactions_root,
    validators_hash,
)
from node.codec import CodecError, encode, replace
from tests.blocks.builders import make_certificate, make_header, make_vote

hashes = st.binary(min_size=32, max_size=32)
headers = st.builds(
    Header,
    version=st.integers(0, 255),
    network=st.binary(min_size=8, max_size=8),
    height=st.integers(1, 2**63 - 1),
    round=st.integers(0, 2**31 - 1),
    time_ms=st.integers(0, 2**53 - 1),
    parent=hashes,
    proposer=st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True),
    transactions_root=hashes,
    receipts_root=hashes,
    evidence_root=hashes,
    state_root=hashes,
    validators_hash=hashes,
    next_validators_hash=hashes,
    parameters_hash=hashes,
    transaction_count=st.integers(0, BLOCK_TRANSACTIONS_MAX),
)
blocks = st.builds(
    Block,
    header=headers,
    transactions=st.lists(st.binary(min_size=1, max_size=80), max_size=5).map(tuple),
    evidence=st.lists(st.binary(min_size=1, max_size=80), max_size=3).map(tuple),
)


@given(blocks)
def test_block_survives_its_bytes(block: Block) -> None:
    assert decode_block(encode_block(block)) == block
    assert decode_header(encode(block.header)) == block.header


@given(blocks, st.data())
def test_changed_bytes_are_another_block_or_none(block: Block, data: st.DataObject) -> None:
    encoded = bytearray(encode_block(block))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))

    try:
        other = decode_block(bytes(encoded))
    except CodecError:
        return
    assert other != block


@given(headers, st.data())
def test_every_field_of_the_header_is_in_the_id(header: Header, data: st.DataObject) -> None:
    other = data.draw(headers)
    for name in Header.__annotations__:
        changed = replace(header, **{name: getattr(other, name)})
        assert (block_id(changed) == block_id(header)) == (changed == header)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 256),
        ("version", -1),
        ("network", bytes(7)),
        ("height", 0),
        ("height", 2**63),
        ("round", -1),
        ("round", 2**31),
        ("time_ms", 2**53),
        ("parent", bytes(31)),
        ("proposer", ""),
        ("proposer", "Bank"),
        ("proposer", "bank\n"),
        ("proposer", "x" * 33),
        ("state_root", bytes(33)),
        ("transaction_count", BLOCK_TRANSACTIONS_MAX + 1),
    ],
)
def test_header_out_of_range_is_refused(field: str, value: object) -> None:
    header = replace(make_header(), **{field: value})

    with pytest.raises(CodecError):
        decode_header(encode(header))


def test_block_over_the_size_limit_is_refused_unread() -> None:
    with pytest.raises(CodecError, match=str(BLOCK_SIZE_MAX)):
        decode_block(bytes(BLOCK_SIZE_MAX + 1))


def test_block_of_too_many_transactions_is_refused() -> None:
    transactions = (b"x",) * (BLOCK_TRANSACTIONS_MAX + 1)
    block = Block(header=make_header(), transactions=transactions, evidence=())

    with pytest.raises(CodecError):
        decode_block(encode_block(block))


def test_block_without_evidence_field_is_refused() -> None:
    with pytest.raises(CodecError):
        decode_block(encode((make_header(), ())))


def test_hash_of_validators_does_not_depend_on_their_order() -> None:
    a = ValidatorKey(name="a", public_key=b"a" * 32)
    b = ValidatorKey(name="b", public_key=b"b" * 32)
    swapped = ValidatorKey(name="a", public_key=b"b" * 32)

    assert validators_hash([a, b]) == validators_hash([b, a])
    assert validators_hash([a, b]) != validators_hash([swapped, b])
    assert validators_hash([a]) != validators_hash([a, b])


def golden() -> dict[str, str]:
    ids = [bytes([number]) * 32 for number in range(3)]
    leaves = [receipt_leaf(each, b"receipt") for each in ids]
    validators = [ValidatorKey(name=name, public_key=name.encode() * 32) for name in "abcd"]
    block = Block(header=make_header(), transactions=(b"t1", b"t2"), evidence=(b"e",))
    return {
        "header": encode(make_header()).hex(),
        "block_id": block_id(make_header()).hex(),
        "block": encode_block(block).hex(),
        "transactions_root": transactions_root(ids).hex(),
        "receipts_root": receipts_root([*leaves, b"events"]).hex(),
        "evidence_root": evidence_root([]).hex(),
        "validators_hash": validators_hash(validators).hex(),
        "certificate": encode_certificate(make_certificate()).hex(),
        "evidence": encode_evidence(
            Equivocation(first=make_vote(), second=make_vote(block=None))
        ).hex(),
    }


def test_golden_bytes_and_hashes() -> None:
    """Changing one is a change of protocol, and stands in the changelog under Protocol."""
    assert golden() == json.loads((Path(__file__).parent / "vectors.json").read_text())
