"""From a list of transactions to a candidate: the ledger applied, the state committed to, encoded.

One function, one pass. It reads committed state and writes nothing: what the block changes is in
the candidate. Building a proposal and checking somebody else's are the same work.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from node.blocks import (
    Block,
    Header,
    ValidatorKey,
    block_id,
    evidence_root,
    receipt_leaf,
    receipts_root,
    validators_hash,
)
from node.chain.candidates import Candidate
from node.chain.evidence import Accusation
from node.chain.receipts import encode_block_receipts
from node.chain.rehearsal import BlockRehearsal
from node.chain.rules import Parent
from node.codec import encode_each
from node.genesis import Amendment, Genesis
from node.ledger import commitment, tables
from node.ledger.acting import BlockContext
from node.ledger.commitment import NodeSource
from node.ledger.parameters import parameters_hash, parameters_of
from node.ledger.state import LedgerState, RecordSource
from node.ledger.tables import AmendmentRecord, RulingKey, ValidatorRecord
from node.ledger.transition import SetAmendment, Standing, apply_block
from node.ledger.validators import validators_of
from node.mempool import AdmittedTransaction
from node.stages import Stages


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a proposer chooses."""

    round: int
    time_ms: int
    proposer: str
    transactions: Sequence[AdmittedTransaction]
    transactions_root: bytes
    evidence: tuple[bytes, ...]
    accusations: tuple[Accusation, ...]
    """What the evidence proves, in its order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedState:
    """The state after a block, as it is committed."""

    records: RecordSource
    nodes: NodeSource
    """Of the tree over them."""
    standing: Standing
    """What is known of its accounts."""


def execute(
    draft: Draft,
    parent: Parent,
    committed: CommittedState,
    genesis: Genesis,
    *,
    rehearsal: BlockRehearsal,
    stages: Stages,
) -> Candidate:
    """Apply the draft on top of its parent and return the candidate, with its header.

    Args:
        committed: the state after the parent.
        rehearsal: what was worked out beforehand on this parent; it may be empty.

    Raises:
        InvariantViolation: the ledger contradicts itself; the node stops.
        StorageError: the committed state cannot be read.
    """
    height = parent.height + 1
    state = LedgerState(committed.records)
    context = BlockContext(
        height=height,
        time_ms=draft.time_ms,
        genesis_hash=genesis.hash,
        version=parent.version,
    )
    ids = tuple([transaction.id for transaction in draft.transactions])
    result = apply_block(
        state,
        context,
        [(transaction.id, transaction.body) for transaction in draft.transactions],
        draft.accusations,
        _amendment(genesis.amendment_at(height)),
        rehearsal.due.perform,
        committed.standing,
    )
    changes = rehearsal.changes(result.written)
    with stages.commitment:
        tree = commitment.update(committed.nodes, changes.encoded, rehearsal.tree)
    receipts = encode_each(result.receipts)
    events = rehearsal.encode_events(result.events)
    leaves = list(map(receipt_leaf, ids, receipts))
    next_validators = validators_of(state) if state.changed(tables.VALIDATORS) else None
    header = Header(
        version=parent.version,
        network=genesis.network,
        height=height,
        round=draft.round,
        time_ms=draft.time_ms,
        parent=parent.block_id,
        proposer=draft.proposer,
        transactions_root=draft.transactions_root,
        receipts_root=receipts_root([*leaves, events]),
        evidence_root=evidence_root(draft.evidence),
        state_root=tree.root,
        validators_hash=parent.validators_hash,
        next_validators_hash=(
            parent.validators_hash
            if next_validators is None
            else hash_of_validators(next_validators)
        ),
        parameters_hash=parameters_hash(parameters_of(state)),
        transaction_count=len(ids),
    )
    return Candidate(
        block_id=block_id(header),
        block=Block(
            header=header,
            transactions=tuple([transaction.raw for transaction in draft.transactions]),
            evidence=draft.evidence,
        ),
        transaction_ids=ids,
        receipts=result.receipts,
        counts=result.counts,
        events=result.events,
        encoded_receipts=encode_block_receipts(receipts, events),
        changes=changes.encoded,
        records=changes.records,
        keys=changes.keys,
        nodes=tree.nodes,
        evidence_ids=tuple(accusation_id for accusation_id, _ in draft.accusations),
        next_validators=next_validators,
        changes_standing=state.has_written(Standing.TABLES),
    )


def _amendment(amendment: Amendment | None) -> SetAmendment | None:
    """Return what the first block after an amendment does to the state."""
    if amendment is None:
        return None
    record = AmendmentRecord(id=amendment.id, serial=amendment.serial, reason=amendment.body.reason)
    return SetAmendment(record=record, validators=amendment.validators)


def hash_of_validators(validators: Sequence[ValidatorRecord | RulingKey]) -> bytes:
    """Return the hash under which a header names this set."""
    return validators_hash(
        ValidatorKey(name=validator.name, public_key=validator.public_key)
        for validator in validators
    )
