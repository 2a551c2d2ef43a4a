"""The roots of lists: against the recursive definition, and against those who would bend it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.blocks.merkle import ListProof, list_root, prove_item, verify_item
from node.hashing import Domain, tagged_hash

DOMAIN = Domain.RECEIPT_LIST
lists = st.lists(st.binary(max_size=40), min_size=1, max_size=40)


def recursive_top(items: list[bytes]) -> bytes:
    """RFC 6962, 2.1: split at the largest power of two below the length."""
    if len(items) == 1:
        return tagged_hash(Domain.MERKLE_LEAF, items[0])
    split = 1
    while split * 2 < len(items):
        split *= 2
    return tagged_hash(
        Domain.MERKLE_NODE, recursive_top(items[:split]), recursive_top(items[split:])
    )


@given(lists)
def test_root_is_the_recursive_one(items: list[bytes]) -> None:
    top = recursive_top(items)

    assert list_root(DOMAIN, items) == tagged_hash(DOMAIN, len(items).to_bytes(4, "big"), top)


@given(lists, st.data())
def test_every_item_is_proven_at_its_place_and_nowhere_else(
    items: list[bytes], data: st.DataObject
) -> None:
    root = list_root(DOMAIN, items)
    index = data.draw(st.integers(0, len(items) - 1))
    proof = prove_item(items, index)

    assert verify_item(DOMAIN, root, items[index], proof)
    assert not verify_item(DOMAIN, root, items[index] + b"x", proof)
    assert not verify_item(Domain.TRANSACTION_LIST, root, items[index], proof)
    for other in range(len(items)):
        moved = ListProof(index=other, length=len(items), siblings=proof.siblings)
        assert verify_item(DOMAIN, root, items[index], moved) == (other == index) or (
            items[other] == items[index]
        )


@given(lists, st.data())
def test_a_changed_proof_proves_nothing(items: list[bytes], data: st.DataObject) -> None:
    root = list_root(DOMAIN, items)
    index = data.draw(st.integers(0, len(items) - 1))
    good = prove_item(items, index)
    longer = ListProof(index=index, length=good.length, siblings=(*good.siblings, bytes(32)))
    other_length = ListProof(index=index, length=good.length + 1, siblings=good.siblings)

    assert not verify_item(DOMAIN, root, items[index], longer)
    assert not verify_item(DOMAIN, root, items[index], other_length)
    if good.siblings:
        shorter = ListProof(index=index, length=good.length, siblings=good.siblings[:-1])
        assert not verify_item(DOMAIN, root, items[index], shorter)


def test_an_item_outside_the_list_is_refused() -> None:
    root = list_root(DOMAIN, [b"a"])

    assert not verify_item(DOMAIN, root, b"a", ListProof(index=1, length=1, siblings=()))


def test_lists_of_different_lengths_never_share_a_root() -> None:
    """Where the last node is paired with itself, [c, c, c] and [c, c, c, c] have one root."""
    roots = {
        list_root(DOMAIN, [b"a", b"b", b"c"][:count] + [b"c"] * (count - 3)) for count in range(9)
    }

    assert len(roots) == 9


def test_an_inner_node_is_no_item() -> None:
    items = [b"a", b"b", b"c", b"d"]
    left = tagged_hash(Domain.MERKLE_LEAF, b"a") + tagged_hash(Domain.MERKLE_LEAF, b"b")
    right = tagged_hash(Domain.MERKLE_LEAF, b"c") + tagged_hash(Domain.MERKLE_LEAF, b"d")

    assert list_root(DOMAIN, items) != list_root(DOMAIN, [left, right])


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "cf5589e93e31024a29bf121a8304b9cfa825d0dfc71d4d7600cf7a66caee619d"),
        (1, "a110e50fa5c084760d95277c50b907ecee638d4bf1b2b48bd506df30bff68021"),
        (2, "fe51f20605ffadd130d4afec7038304f1858733b826082b053c39d35367cec34"),
        (3, "a999a9e7cb23afb28aa0f575c4bb39b2a7e2a782aad18dadadf435d0318e8408"),
        (7, "c9dc0971e774729a50ee79b2f62f4843b7f8878efd46cbad40efc41c85a59b0c"),
    ],
)
def test_golden_roots(count: int, expected: str) -> None:
    """Changing one is a change of protocol."""
    items = [bytes([number]) * number for number in range(count)]

    assert list_root(DOMAIN, items).hex() == expected
