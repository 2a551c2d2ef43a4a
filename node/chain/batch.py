"""What a committed block writes: everything that follows from it, for one batch.

Six entries a transfer or so. Each is a key and a value that are there already, so whole columns of
them are put together at a time, without a call for each.
"""

from typing import TypeAlias

from consensus.certificates import QuorumCertificate
from node.blocks import encode_block, encode_certificate, record_of_certificate
from node.chain.behind import behind_entry, branch_entries
from node.chain.candidates import Candidate
from node.chain.head import HandoverRecord, Head, HeadRecord
from node.codec import encode
from node.storage import layout

Entries: TypeAlias = list[tuple[bytes, bytes | None]]


def head_of(candidate: Candidate) -> Head:
    """Return the head that this candidate is once it is committed."""
    header = candidate.header
    return Head(
        height=header.height,
        block_id=candidate.block_id,
        time_ms=header.time_ms,
        state_root=header.state_root,
        header=header,
    )


def head_entry(head: Head) -> Entries:
    """Return what says where the chain stands."""
    record = HeadRecord(
        height=head.height,
        block_id=head.block_id,
        time_ms=head.time_ms,
        state_root=head.state_root,
    )
    return [(layout.Meta.HEAD.value, encode(record))]


def batch_of(
    candidate: Candidate, certificate: QuorumCertificate, *, branches: bool = True
) -> Entries:
    """Return block, certificate, receipts, ids, records, index and branches, and the new head.

    Args:
        branches: False where they are written after it (`behind.py`).
    """
    header, height = candidate.header, candidate.height
    batch: Entries = [
        (layout.block_key(height), encode_block(candidate.block)),
        (layout.certificate_key(height), encode_certificate(certificate)),
        (layout.receipts_key(height), candidate.encoded_receipts),
        *head_entry(head_of(candidate)),
    ]
    if candidate.next_validators is not None:
        handover = HandoverRecord(header=header, certificate=record_of_certificate(certificate))
        batch.append((layout.handover_key(height + 1), encode(handover)))
    ids, changes, keys, nodes = (
        candidate.transaction_ids,
        candidate.changes,
        candidate.keys,
        candidate.nodes,
    )
    batch += zip(
        map(layout.transaction_key, ids), layout.encode_places(height, len(ids)), strict=True
    )
    batch += zip(map(layout.state_key, changes), changes.values(), strict=True)
    batch += zip(map(layout.hash_key, keys), keys.values(), strict=True)
    if branches:
        batch += branch_entries(nodes)
    else:
        batch.append(behind_entry(changes))
    return batch
