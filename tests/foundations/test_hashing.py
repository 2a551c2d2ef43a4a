"""Tagged hashes: the published construction, and domains that cannot meet."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.hashing import HASH_SIZE, Domain, hasher, hasher_of_each, tagged_hash


@given(st.sampled_from(Domain), st.lists(st.binary(max_size=100)))
def test_tagged_hash_is_sha256_over_the_padded_tag_and_the_parts(
    domain: Domain, parts: list[bytes]
) -> None:
    padded = domain.value + b"\0" * (64 - len(domain.value))

    assert tagged_hash(domain, *parts) == hashlib.sha256(padded + b"".join(parts)).digest()


@given(st.sampled_from(Domain), st.binary(max_size=40), st.lists(st.binary(max_size=100)))
def test_those_who_hash_thousands_hash_alike(
    domain: Domain, first: bytes, parts: list[bytes]
) -> None:
    hash_of, hash_after = hasher(domain), hasher(domain, first)

    assert [hash_of(part) for part in parts] == [tagged_hash(domain, part) for part in parts]
    assert [hash_after(part) for part in parts] == [
        tagged_hash(domain, first, part) for part in parts
    ]
    assert hasher_of_each(domain)(parts) == [tagged_hash(domain, part) for part in parts]


def test_tagged_hash_is_fixed() -> None:
    """Vectors: a change here is a change of protocol."""
    assert (
        tagged_hash(Domain.HEADER).hex()
        == "337ac46e728cf3002e09b8f5e1e2e07ae94251ecb0f1e96788c0cdd961244030"
    )
    assert (
        tagged_hash(Domain.TRANSACTION, b"abc").hex()
        == "a0ea8a5b6228a6af49bed0eca60c12da4ad584046c8fb234e917ae1a47ff1daf"
    )


def test_tags_are_distinct_and_fit_one_block() -> None:
    """No tag is another one padded: none ends in the padding, and none is longer than a block."""
    values = [domain.value for domain in Domain]

    assert len(set(values)) == len(values)
    assert len(Domain.__members__) == len(values)
    for value in values:
        assert len(value) <= 64
        assert not value.endswith(b"\0")


@pytest.mark.parametrize("domain", Domain)
def test_domains_do_not_meet(domain: Domain) -> None:
    digest = tagged_hash(domain, b"same")

    assert len(digest) == HASH_SIZE
    assert digest != hashlib.sha256(b"same").digest()
    assert [other for other in Domain if tagged_hash(other, b"same") == digest] == [domain]
