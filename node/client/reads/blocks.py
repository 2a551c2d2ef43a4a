"""Blocks with what is in them, and proofs of what stands after them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.client.reads.transactions import OutcomeRead, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What validators sign, by its hash."""

    version: int
    network: str
    height: int
    round: int
    time: datetime
    parent: str
    proposer: str
    transactions_root: str
    receipts_root: str
    evidence_root: str
    state_root: str
    validators_hash: str
    next_validators_hash: str
    parameters_hash: str
    transaction_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTransaction:
    """A transaction in its block."""

    index: int
    transaction: Transaction
    outcome: OutcomeRead
    events: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A page of a block."""

    id: str
    header: Header
    certificate: Mapping[str, Any]
    transaction_ids: tuple[str, ...]
    transactions: tuple[BlockTransaction, ...]
    next_index: int | None
    events: tuple[Mapping[str, Any], ...]
    evidence: tuple[Mapping[str, Any], ...]
    size_bytes: int
    next_event: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof that a record is so, or is not there."""

    statement: str
    file: str
    """The proof file; every character counts."""
