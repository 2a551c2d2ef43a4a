"""What became of transactions, or would become."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.ledger.outcomes import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRead:
    """What became of a transaction."""

    code: int
    name: str
    sentence: str
    details: Mapping[str, Any]
    operation: int | None
    """Index of the operation refused."""
    told: str | None = None
    """The sentence with amounts in units, dates, rates in per cent; None: an older node's."""
    reason: Mapping[str, Any] | None = None
    """Why, by a phrase of the ledger: `code` and `arguments`."""

    @property
    def applied(self) -> bool:
        """Whether the transaction took effect."""
        return self.code == Outcome.APPLIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The final word of a block on a transaction."""

    height: int
    index: int
    time: datetime
    outcome: OutcomeRead
    events: tuple[Mapping[str, Any], ...]

    @property
    def applied(self) -> bool:
        """Whether the transaction took effect."""
        return self.outcome.applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What a transaction asks for."""

    id: str
    valid_until: datetime
    signers: tuple[str, ...]
    operations: tuple[Mapping[str, Any], ...]
    memo: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionState:
    """What a node knows of a transaction."""

    id: str
    status: str
    """`final`, `pending`, or `unknown`: in no block up to the height of the answer."""
    transaction: Transaction | None
    receipt: Receipt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What would become of a transaction in the next block."""

    id: str
    outcome: OutcomeRead
    events: tuple[Mapping[str, Any], ...]
