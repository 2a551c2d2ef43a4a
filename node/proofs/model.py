"""The form of a proof file: `khz-proof/1`, JSON with one spelling."""

from typing import Annotated, Final, Literal

import msgspec

from node.blocks import CertificateRecord, Header, ValidatorKey
from node.blocks.merkle import Hash
from node.codec import Record
from node.ledger.commitment import StateProof
from node.ledger.tables import VALIDATORS_MAX

FORMAT: Final = "khz-proof/1"
ENTRIES_MAX: Final = 16
HANDOVERS_MAX: Final = 100_000


class Entry(Record):
    """One record of the state, or the absence of one."""

    table: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    """By its name, as in the ledger's tables."""
    key: Annotated[bytes, msgspec.Meta(max_length=256)]
    """Within the table."""
    value: Annotated[bytes, msgspec.Meta(min_length=1, max_length=1 << 20)] | None
    """The encoded record; None: there is none."""
    proof: StateProof


class Handover(Record):
    """Where one validator set decided the next: a link of the chain from the genesis."""

    header: Header
    certificate: CertificateRecord
    validators: Annotated[
        tuple[ValidatorKey, ...], msgspec.Meta(min_length=1, max_length=VALIDATORS_MAX)
    ]
    """Those who rule from the height after; ascending by name."""


class ProofRecord(Record):
    """A proof file. Every character of it is bound: by a signature, or by the rest of the file."""

    format: Literal["khz-proof/1"]
    statement: str
    """What is proven, in words. A reader makes it anew and compares."""
    genesis_hash: Hash
    entries: Annotated[tuple[Entry, ...], msgspec.Meta(min_length=1, max_length=ENTRIES_MAX)]
    """The first is what is proven; others help to read it."""
    header: Header
    """Of the block after which the state held the entries."""
    certificate: CertificateRecord
    handovers: Annotated[tuple[Handover, ...], msgspec.Meta(max_length=HANDOVERS_MAX)]
    """Every change of validators between the genesis and the header, in order."""
