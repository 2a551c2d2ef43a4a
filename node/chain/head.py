"""Where the chain stands: the last committed block and what rules the next."""

from collections.abc import Sequence
from dataclasses import dataclass

from consensus.types import ValidatorId
from consensus.validators import Validator, ValidatorSet
from node.blocks import CertificateRecord, Header
from node.blocks.merkle import Hash
from node.codec import Record
from node.ledger.tables import RulingKey, ValidatorRecord
from node.ledger.units import Milliseconds


class HeadRecord(Record):
    """As stored: what the last committed block left behind."""

    height: int
    block_id: Hash
    time_ms: Milliseconds
    state_root: Hash


class HandoverRecord(Record):
    """As stored under the height from which a set rules: how those before decided on it."""

    header: Header
    """Of the block before that height."""
    certificate: CertificateRecord


class KeptRecord(Record):
    """As stored: from where this node holds blocks, receipts and ids of transactions."""

    from_height: int
    """The first block that is here, with its receipts and certificate, as all after it are."""
    ids_after_ms: Milliseconds | None
    """The id of every transaction in a block later than this is here; None: every id is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last committed block; before the first one, the genesis."""

    height: int
    """0 for the genesis."""
    block_id: bytes
    """The genesis hash at height 0."""
    time_ms: int
    state_root: bytes
    """After this block."""
    header: Header | None
    """None at height 0."""


def validator_set(records: Sequence[ValidatorRecord | RulingKey]) -> ValidatorSet:
    """Return the set as consensus knows it."""
    return ValidatorSet(
        tuple(
            Validator(id=ValidatorId(record.name), public_key=record.public_key)
            for record in sorted(records, key=lambda record: record.name)
        )
    )
