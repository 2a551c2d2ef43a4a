"""Every bound that a record type declares is the bound: at it a value is read, beyond it is not."""

import tracemalloc
from collections.abc import Iterable
from typing import Any

import pytest

from node.blocks import Block, CertificateRecord, EvidenceRecord, Header
from node.blocks.merkle import ListProof, prove_item
from node.codec import CodecError, decode, encode
from node.genesis import GenesisRecord
from node.ledger.operations import Operations
from node.ledger.transactions import SignedTransaction, TransactionBody
from node.network.messages import KINDS, GetSnapshots
from node.proofs import Handover, ProofRecord
from node.replica.entries import Entry
from node.snapshots import PointRecord
from node.snapshots.parts import BlockIds, Chunk
from tests.fuzz import seeds
from tests.limits.fields import bounds_of

OVERHEAD_BYTES = 1 << 18
"""What refusing takes besides the input itself: an error, its sentence, a parser's stack."""

KINDS_AND_SEEDS = {
    "header": (Header, seeds.headers),
    "block": (Block, seeds.blocks),
    "certificate": (CertificateRecord, seeds.certificates),
    "evidence": (EvidenceRecord, seeds.evidence),
    "transaction": (SignedTransaction, seeds.transactions),
    "body": (TransactionBody, seeds.bodies),
    "operations": (Operations, seeds.operations),
    "log entry": (Entry, seeds.entries),
    "list proof": (ListProof, lambda: (encode(prove_item([b"a", b"b", b"c"], 1)),)),
    "snapshot point": (PointRecord, seeds.points),
    "snapshot chunk": (Chunk, seeds.chunks),
    "handover": (Handover, seeds.handovers),
    "ids of a block": (BlockIds, seeds.block_ids),
    "genesis": (GenesisRecord, seeds.genesis_records),
    "proof": (ProofRecord, seeds.proof_records),
}


def check(kind: Any, samples: Iterable[bytes]) -> set[str]:
    """Try every bound of a kind once; return the paths."""
    tried: set[str] = set()
    for data in samples:
        for bound in bounds_of(kind, data):
            if bound.path in tried:
                continue
            tried.add(bound.path)
            decode(bound.within, kind)
            tracemalloc.start()
            try:
                with pytest.raises(CodecError):
                    decode(bound.beyond, kind)
                _, peak_bytes = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            # At most what was sent becomes a value before the limit ends it: 8 bytes an item of a
            # list and 33 more for a small string or number, of which each takes a byte or more.
            items = bound.highest if bound.path.endswith("[]") else 0
            assert peak_bytes < OVERHEAD_BYTES + 2 * len(bound.beyond) + 100 * items, bound.path
    return tried


@pytest.mark.parametrize("name", KINDS_AND_SEEDS)
def test_every_bound_of_a_record_is_exact_and_costs_no_memory(name: str) -> None:
    kind, samples = KINDS_AND_SEEDS[name]

    assert check(kind, samples())


def test_every_bound_of_a_wire_message_is_exact_and_costs_no_memory() -> None:
    for tag, kind in KINDS.items():
        frames = [frame for frame in seeds.wire_frames() if frame[1] == tag]

        assert check(kind, frames) or kind is GetSnapshots, kind.__name__  # It has no fields.
