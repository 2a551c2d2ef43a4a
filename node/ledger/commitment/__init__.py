"""The state commitment: one hash that stands for every record of the ledger, and proofs against it.

The state is a map from keys to encoded records. Its root is a function of that map alone: the order
in which records came, changed and went leaves no trace. Two nodes with the same root have the same
state, and one record can be shown to be in it, or a key not to be, without the rest.

The tree
    A key is hashed; the hash is read as 64 nibbles, a path from the root through branches of 16
    slots. Hashing spreads the keys evenly, whatever their authors choose, so the depth grows with
    log16 of the number of records: 4 to 5 levels for 100,000, 6 to 7 for 40 million. A slot holds

    - nothing, when no record's path goes through it;
    - a leaf, when exactly one does: its key hash and value hash stand in the slot itself;
    - the digest of the branch below it, when two or more do.

    So a leaf is stored as high as it is alone, and sinks or rises as neighbours come and go. Every
    branch but the root has at least two leaves beneath it. The root is always a branch, for an
    empty state an empty one.

A branch in bytes, which are both what is stored and what is hashed
    2 bytes   which slots are taken, bit i for slot i, big-endian
    2 bytes   which of these are leaves
    then for each slot taken, in ascending order:
      branch  32 bytes: its digest
      leaf    64 bytes: the key hash, then the value hash

    The two masks fix the length, at most 1,028 bytes, and no bytes have a second reading. Digests
    are SHA-256 under a tag of their own, likewise the hashes of keys and values.

Storage
    Branches are kept by path, one byte for each nibble, the root under the empty path. An update
    overwrites what it changes, so nothing stays behind to be collected, and only the newest state
    can be proven from the store.

Update
    One pass over the changed keys in the order of their hashes: every touched branch is read,
    patched and hashed once, however many changes lie beneath it. The work for one change grows with
    the depth, the memory with the number of branches touched.

Proof
    The branches on the key's path, from the root to the one whose slot decides. A verifier hashes
    the first and compares it with the root, follows the slot, and so on. The slot that decides is a
    leaf with this key and the hash of this value, or shows that there is none: empty, or another
    key's leaf. About 2.5 kB at 100,000 records. No step takes the prover's word for anything.

Subtree
    All records whose key hashes begin with a path, by themselves: the branches beneath the path and
    the slot above it follow from the records alone. So a part of the state that somebody sends is
    compared with one digest, and a part is as good as any other that has the same digest.

What is not known here: what a record means, where branches are kept, certificates.
"""

from node.ledger.commitment.branches import (
    BRANCH_SIZE_MAX,
    BRANCH_SIZE_MIN,
    EMPTY_ROOT,
    PATH_SIZE_MAX,
    CommitmentError,
    NodeSource,
    Path,
    hash_of_branch,
    hash_of_key,
    hash_of_value,
    slots,
    slots_of,
    state_root,
)
from node.ledger.commitment.proofs import StateProof, prove, verify_proof
from node.ledger.commitment.subtrees import Subtree, plant
from node.ledger.commitment.updating import (
    REHEARSED_TOGETHER_MAX,
    Leaf,
    Rehearsed,
    TreeRehearsal,
    TreeUpdate,
    hash_ahead,
    neighbourhood,
    update,
)

__all__ = [
    "BRANCH_SIZE_MAX",
    "BRANCH_SIZE_MIN",
    "EMPTY_ROOT",
    "PATH_SIZE_MAX",
    "REHEARSED_TOGETHER_MAX",
    "CommitmentError",
    "Leaf",
    "NodeSource",
    "Path",
    "Rehearsed",
    "StateProof",
    "Subtree",
    "TreeRehearsal",
    "TreeUpdate",
    "hash_ahead",
    "hash_of_branch",
    "hash_of_key",
    "hash_of_value",
    "neighbourhood",
    "plant",
    "prove",
    "slots",
    "slots_of",
    "state_root",
    "update",
    "verify_proof",
]
