"""The state commitment: against a twin built from scratch, and against forged proofs."""

from collections import defaultdict
from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from node.codec import CodecError, decode, encode
from node.hashing import Domain, tagged_hash
from node.ledger.commitment import (
    BRANCH_SIZE_MAX,
    EMPTY_ROOT,
    PATH_SIZE_MAX,
    REHEARSED_TOGETHER_MAX,
    CommitmentError,
    StateProof,
    TreeRehearsal,
    TreeUpdate,
    hash_of_branch,
    hash_of_key,
    hash_of_value,
    plant,
    prove,
    slots,
    slots_of,
    state_root,
    update,
    updating,
    verify_proof,
)
from tests.ledger.commitment_twin import neighbours, twin


class Tree:
    """A stored tree: what a database holds, in a dictionary."""

    def __init__(self, records: Mapping[bytes, bytes] | None = None) -> None:
        self.branches: dict[bytes, bytes] = {}
        self.root = EMPTY_ROOT
        self.ahead: list[tuple[bytes, bytes]] = []
        if records:
            self.change(records)

    def node(self, path: bytes) -> bytes | None:
        return self.branches.get(path)

    def read_ahead(self, first: bytes, last: bytes) -> None:
        self.ahead.append((first, last))

    def change(self, changes: Mapping[bytes, bytes | None]) -> TreeUpdate:
        result = update(self, changes)
        for path, branch in result.nodes.items():
            if branch is None:
                del self.branches[path]
            else:
                assert self.branches.get(path) != branch
                self.branches[path] = branch
        self.root = result.root
        return result


def _crowded_keys() -> list[bytes]:
    """Keys of which many share the beginning of their hash: the tree is deep where they are."""
    neighbours = defaultdict(list)
    for number in range(30_000):
        key = b"k%d" % number
        neighbours[tagged_hash(Domain.STATE_KEY, key)[:2]].append(key)
    deep = sorted(neighbours.values(), key=len)[-6:]
    return [*(key for keys in deep for key in keys), *(b"a%d" % number for number in range(10))]


KEYS = _crowded_keys()

records_of_keys = st.dictionaries(st.sampled_from(KEYS), st.binary(max_size=3), max_size=40)
changes_of_keys = st.dictionaries(
    st.sampled_from(KEYS), st.none() | st.binary(max_size=3), max_size=20
)


def some_records(count: int) -> dict[bytes, bytes]:
    return {b"key %d" % number: b"value %d" % number for number in range(count)}


def prove_all(tree: Tree) -> None:
    for key in some_records(500):
        prove(tree, key)


# The root.


@settings(max_examples=300)
@given(st.lists(changes_of_keys, max_size=8))
def test_tree_is_the_twins_after_any_history(history: list[dict[bytes, bytes | None]]) -> None:
    """Root and stored branches depend on the records alone, and nothing stays behind."""
    tree, records = Tree(), dict[bytes, bytes]()

    for changes in history:
        tree.change(changes)
        for key, value in changes.items():
            if value is None:
                records.pop(key, None)
            else:
                records[key] = value

        assert (tree.root, tree.branches) == twin(records)
        assert state_root(tree) == tree.root


@given(records_of_keys, st.randoms(use_true_random=False))
def test_root_is_the_same_for_every_order_of_insertion(
    records: dict[bytes, bytes], chance: Random
) -> None:
    tree = Tree()
    keys = list(records)
    chance.shuffle(keys)

    for key in keys:
        tree.change({key: records[key]})

    assert tree.root == Tree(records).root


def test_what_changes_close_together_is_told_before_it_is_asked_for() -> None:
    """And nothing else: most blocks change records that lie anywhere."""
    keys = neighbours()
    tree = Tree({**dict.fromkeys(keys, b"x"), **some_records(200)})
    tree.ahead.clear()

    tree.change(dict.fromkeys(keys, b"y"))
    assert tree.ahead == [(bytes(4), bytes(4))]

    tree.ahead.clear()
    tree.change(dict.fromkeys(some_records(200), b"y"))
    tree.change(dict.fromkeys(keys[:4], b"z"))
    assert tree.ahead == []


def rehearsed(tree: Tree, changes: Mapping[bytes, bytes | None]) -> TreeRehearsal:
    rehearsal = TreeRehearsal()
    for _ in rehearsal.learn(tree, changes):
        pass
    return rehearsal


@given(records_of_keys, changes_of_keys, changes_of_keys, st.sampled_from((1, 3, 64)))
def test_what_was_rehearsed_is_taken_only_where_it_came(
    records: dict[bytes, bytes],
    foreseen: dict[bytes, bytes | None],
    others: dict[bytes, bytes | None],
    together_max: int,
) -> None:
    tree = Tree(records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(updating, "REHEARSED_TOGETHER_MAX", together_max)
        rehearsal = rehearsed(tree, foreseen)
    assert all(1 <= len(each.hashes) <= together_max for each in rehearsal.subtrees.values())
    half = dict(list(foreseen.items())[::2])

    for changes in (foreseen, others, foreseen | others, others | foreseen, half):
        assert update(tree, changes, rehearsal) == update(tree, changes)


def test_what_was_rehearsed_is_not_worked_out_again() -> None:
    tree = Tree(dict.fromkeys(KEYS, b"v"))
    changes: dict[bytes, bytes | None] = dict.fromkeys(KEYS, b"w")
    rehearsal = rehearsed(tree, changes)
    apart = [each.hashes for each in rehearsal.subtrees.values()]
    assert sum(map(len, apart)) == len(set().union(*apart)) > len(KEYS) // 2
    assert all(1 <= len(together) <= REHEARSED_TOGETHER_MAX for together in apart)

    class Above(Tree):
        worked_out: set[bytes]

        @override
        def node(self, path: bytes) -> bytes | None:
            self.worked_out |= {path} & set(rehearsal.subtrees)
            return tree.node(path)

    above = Above()
    above.worked_out = set()
    assert update(above, changes, rehearsal) == update(tree, changes)
    assert above.worked_out == set()
    # With one other leaf that part is worked out, and no other.
    touched = next(key for key in KEYS if hash_of_key(key) in apart[0])
    other = changes | {touched: b"x"}
    assert update(above, other, rehearsal) == update(tree, other)
    assert len(above.worked_out) == 1


def test_roots_of_small_states_are_fixed() -> None:
    """Vectors: a change here is a change of protocol."""
    assert EMPTY_ROOT.hex() == "942dd25c7b5e679aa0c319cfec6133dd28fe8d99a4047ed4cd783b241a7eb00d"
    assert (
        Tree({b"key 0": b"value 0"}).root.hex()
        == "2668514e3de2e16f27940b715bafc8703fca67a59abb2c0112ba0cd9846ea180"
    )
    assert (
        Tree(some_records(1000)).root.hex()
        == "afba88ff503833e6d590574e91d8f7a8169ef6ad50a400f8723fa58dd94b194f"
    )


def test_empty_state_stores_nothing() -> None:
    tree = Tree(some_records(500))

    tree.change(dict.fromkeys(some_records(500)))

    assert tree.branches == {}
    assert tree.root == EMPTY_ROOT == state_root(tree)


def test_update_without_effect_writes_nothing() -> None:
    tree = Tree(some_records(500))
    before = tree.root

    same = tree.change({b"key 7": b"value 7", b"absent": None, b"key 8": b"value 8"})

    assert same == TreeUpdate(root=before, nodes={})
    assert tree.change({}).root == before


def test_update_writes_only_the_branches_on_the_way() -> None:
    """Cost per change is the depth, about the logarithm of the number of records."""
    tree = Tree(some_records(20_000))

    assert len(tree.change({b"key 5": b"new"}).nodes) <= 5
    assert len(tree.change({b"another": b"new"}).nodes) <= 6


# What is on the disk.


def test_update_refuses_a_tree_with_a_missing_branch() -> None:
    tree = Tree(some_records(500))
    path = next(path for path in tree.branches if len(path) == 1)
    del tree.branches[path]

    with pytest.raises(CommitmentError, match="missing") as caught:
        update(tree, dict.fromkeys(some_records(500), b"new"))

    assert caught.value.path == path


@pytest.mark.parametrize("path_size", [0, 1])
@pytest.mark.parametrize("branch", [b"", b"\0", bytes(5), b"\x80\0\x80\0" + bytes(63)])
def test_stored_branch_without_sense_is_refused(path_size: int, branch: bytes) -> None:
    tree = Tree(some_records(500))
    paths = [path for path in tree.branches if len(path) == path_size]
    # The empty root is a tree without records, and nothing else may pass for it.
    branch = branch or b"\0\0\0"
    tree.branches.update(dict.fromkeys(paths, branch))

    with pytest.raises(CommitmentError, match="no branch"):
        update(tree, dict.fromkeys(some_records(500), b"new"))
    with pytest.raises(CommitmentError, match="no branch"):
        prove_all(tree)


def test_prove_refuses_a_tree_with_a_missing_branch() -> None:
    tree = Tree(some_records(500))
    del tree.branches[next(path for path in tree.branches if len(path) == 1)]

    with pytest.raises(CommitmentError, match="missing"):
        prove_all(tree)


# Proofs.


@given(records_of_keys, st.sampled_from(KEYS), st.binary(max_size=3))
def test_proof_shows_what_is_there_and_nothing_else(
    records: dict[bytes, bytes], key: bytes, other: bytes
) -> None:
    tree = Tree(records)

    proof = prove(tree, key)

    held = records.get(key)
    assert verify_proof(tree.root, key, held, proof)
    for claim in (other, None):
        assert verify_proof(tree.root, key, claim, proof) == (claim == held)
    assert decode(encode(proof), StateProof) == proof


def test_absence_is_shown_by_an_empty_slot_and_by_anothers_leaf() -> None:
    tree = Tree(some_records(30))
    sizes = set()

    for number in range(1000):
        key = b"absent %d" % number
        proof = prove(tree, key)
        sizes.add(len(proof.branches))
        assert verify_proof(tree.root, key, None, proof)
        assert not verify_proof(tree.root, key, b"", proof)

    assert sizes == {1, 2}


def test_absence_is_shown_in_an_empty_state() -> None:
    proof = prove(Tree(), b"any")

    assert verify_proof(EMPTY_ROOT, b"any", None, proof)
    assert not verify_proof(EMPTY_ROOT, b"any", b"", proof)


@pytest.mark.parametrize("key", [b"key 17", b"absent", b"absent 3"])
def test_proof_with_any_byte_changed_is_refused(key: bytes) -> None:
    records = some_records(300)
    tree = Tree(records)
    encoded = encode(prove(tree, key))
    assert verify_proof(tree.root, key, records.get(key), decode(encoded, StateProof))

    for at in range(len(encoded)):
        for bit in range(8):
            forged = bytearray(encoded)
            forged[at] ^= 1 << bit
            try:
                proof = decode(bytes(forged), StateProof)
            except CodecError:
                continue
            assert not verify_proof(tree.root, key, records.get(key), proof)


def test_proof_for_another_key_root_or_value_is_refused() -> None:
    records = some_records(300)
    tree = Tree(records)
    proof = prove(tree, b"key 1")

    assert not verify_proof(tree.root, b"key 2", b"value 2", proof)
    assert not verify_proof(tree.root, b"key 1", b"value 2", proof)
    assert not verify_proof(tree.root, b"key 1", None, proof)
    assert not verify_proof(EMPTY_ROOT, b"key 1", b"value 1", proof)
    assert not verify_proof(Tree(some_records(299)).root, b"key 1", b"value 1", proof)


def test_proof_that_is_cut_or_continued_is_refused() -> None:
    tree = Tree(some_records(300))
    branches = prove(tree, b"key 1").branches
    assert len(branches) > 1

    for forged in (branches[:-1], branches[1:], branches + branches[-1:], branches[::-1], ()):
        assert not verify_proof(tree.root, b"key 1", b"value 1", StateProof(branches=forged))


def _chain_to_leaf(digits: str) -> tuple[bytes, ...]:
    """Branches with one slot each, along these digits, down to the leaf of `key`."""
    key_hash = tagged_hash(Domain.STATE_KEY, b"key")
    mask = (1 << (key_hash[-1] & 15)).to_bytes(2)
    branches = [mask + mask + key_hash + tagged_hash(Domain.STATE_VALUE, b"value")]
    for digit in reversed(digits):
        mask = (1 << int(digit, 16)).to_bytes(2)
        branches.insert(0, mask + bytes(2) + tagged_hash(Domain.STATE_NODE, branches[0]))
    return tuple(branches)


def test_proof_deeper_than_a_key_is_refused() -> None:
    """Whoever could choose the root could chain branches for ever; the key ends the walk."""
    digits = tagged_hash(Domain.STATE_KEY, b"key").hex()
    deepest, deeper = _chain_to_leaf(digits[:-1]), _chain_to_leaf(digits)

    assert len(deepest) == PATH_SIZE_MAX + 1
    for branches, valid in ((deepest, True), (deeper, False)):
        root = tagged_hash(Domain.STATE_NODE, branches[0])
        assert verify_proof(root, b"key", b"value", StateProof(branches=branches)) == valid


@pytest.mark.parametrize(
    "branch", [b"", b"\0\0\0", bytes(5), b"\0\0\x80\0" + bytes(32), b"\x80\0\x80\0" + bytes(32)]
)
def test_proof_with_a_branch_without_sense_is_refused(branch: bytes) -> None:
    """Even under a root that somebody made from it."""
    root = tagged_hash(Domain.STATE_NODE, branch)

    assert not verify_proof(root, b"key", None, StateProof(branches=(branch,)))


@given(st.binary(max_size=40), st.lists(st.binary(max_size=80), max_size=4))
def test_verification_answers_for_any_bytes(key: bytes, branches: list[bytes]) -> None:
    proof = StateProof(branches=tuple(branches))

    assert not verify_proof(bytes(32), key, None, proof)


@pytest.mark.adversarial(45)
@pytest.mark.parametrize(
    "branches",
    [
        (),
        (bytes(4),) * (PATH_SIZE_MAX + 2),
        (bytes(3),),
        (bytes(BRANCH_SIZE_MAX + 1),),
        (bytes(4), bytes(BRANCH_SIZE_MAX + 1)),
    ],
)
def test_proof_out_of_bounds_is_not_decoded(branches: tuple[bytes, ...]) -> None:
    with pytest.raises(CodecError):
        decode(encode(StateProof(branches=branches)), StateProof)


@given(records_of_keys)
def test_slots_lead_from_the_root_to_every_record(records: dict[bytes, bytes]) -> None:
    tree = Tree(records)
    leaves: dict[bytes, bytes] = {}

    def walk(path: bytes, digest: bytes) -> None:
        branch = tree.branches[path]
        assert hash_of_branch(branch) == digest
        for index, slot in slots(path, branch):
            if len(slot) == 32:
                walk(path + bytes((index,)), slot)
            else:
                leaves[slot[:32]] = slot[32:]

    if records:
        walk(b"", tree.root)
    assert leaves == {hash_of_key(key): hash_of_value(value) for key, value in records.items()}


def test_slots_of_bytes_that_are_no_branch_are_refused() -> None:
    with pytest.raises(CommitmentError):
        slots(b"", b"\0\1\0\1")


# Subtrees.


@settings(max_examples=100)
@given(records_of_keys, st.integers(0, 4))
def test_subtrees_are_planted_as_they_stand_in_the_tree(
    records: dict[bytes, bytes], depth: int
) -> None:
    tree = Tree()
    tree.change(dict(records))
    root, branches = twin(records)
    parts: dict[bytes, list[tuple[bytes, bytes]]] = defaultdict(list)
    for key, value in records.items():
        path = bytes(int(digit, 16) for digit in hash_of_key(key).hex())[:depth]
        parts[path].append((key, value))

    for path, part in parts.items():
        planted = plant(path, part)

        beneath = {at: branch for at, branch in branches.items() if at.startswith(path)}
        assert planted.nodes == beneath
        assert planted.keys == {hash_of_key(key): key for key, _ in part}
        above = branches.get(path[:-1])
        if not path:
            assert planted.slot == root
        elif above is not None:
            assert slots_of(path[:-1], above, hash_of_branch(above))[path[-1]] == planted.slot


def test_empty_subtrees_are_nothing_but_the_root() -> None:
    assert plant(b"\1", []).slot == b""
    assert plant(b"", []).slot == EMPTY_ROOT


def test_record_that_does_not_belong_beneath_a_path_is_refused() -> None:
    nibble = hash_of_key(b"key")[0] >> 4

    assert len(plant(bytes([nibble]), [(b"key", b"value")]).slot) == 64
    with pytest.raises(CommitmentError, match="does not belong here"):
        plant(bytes([(nibble + 1) % 16]), [(b"key", b"value")])
    with pytest.raises(CommitmentError, match="there twice"):
        plant(b"", [(b"key", b"value"), (b"key", b"other")])


def test_branch_is_only_taken_apart_under_its_digest() -> None:
    branch = bytes(4)

    assert slots_of(b"", branch, EMPTY_ROOT) == (b"",) * 16
    with pytest.raises(CommitmentError, match="another branch"):
        slots_of(b"", branch, bytes(32))
    with pytest.raises(CommitmentError, match="no branch"):
        slots_of(b"", bytes(5), hash_of_branch(bytes(5)))
