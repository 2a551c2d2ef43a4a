"""What an act is, and what it is given: the frame that every business act fits into."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, Protocol, TypeAlias, TypeVar, cast, runtime_checkable

import msgspec

from node.codec import Record
from node.hashing import Domain, tagged_hash
from node.ledger.authority import Authority
from node.ledger.identifiers import Address
from node.ledger.outcomes import Outcome, Reject
from node.ledger.state import LedgerState
from node.ledger.stripping import STRIPS_PER_BLOCK_MAX

WORK_PER_BLOCK_MAX: Final = 5_000
"""Of all transactions together, for acts whose work grows with what they are about, in units of 10
microseconds: 50 ms. One that is more by itself, as deciding an auction of 20,000 bids is, comes
first in its block or waits for the next."""
APPROVERS_MAX: Final = 8
"""Accounts that one operation may name besides the one that acts."""

Approvers: TypeAlias = Annotated[tuple[Address, ...], msgspec.Meta(max_length=APPROVERS_MAX)]

OperationT = TypeVar("OperationT", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockContext:
    """What a transaction may know of the block that it is in."""

    height: int
    time_ms: int
    """Milliseconds since 1970-01-01 UTC; the only time the ledger knows."""
    genesis_hash: bytes
    version: int
    """Of the protocol: the rules by which this block is applied."""


class ActContext:
    """What an act works on, one transaction after the other; mutable, and never kept."""

    __slots__ = (
        "authority",
        "block",
        "catalogue",
        "events",
        "index",
        "inner_index",
        "state",
        "strips_left",
        "transaction_id",
        "work_left",
    )

    def __init__(
        self,
        *,
        state: LedgerState,
        block: BlockContext,
        transaction_id: bytes,
        authority: Authority,
        catalogue: "Catalogue",
    ) -> None:
        """Begin at the first operation of a transaction."""
        self.state = state
        self.block = block
        self.authority = authority
        self.catalogue = catalogue
        self.strips_left = STRIPS_PER_BLOCK_MAX
        """How many strips may still be moved in the block; what is refused later is not given back.
        """
        self.work_left = WORK_PER_BLOCK_MAX
        """For `spend`; nothing of it is given back either."""
        self.begin(transaction_id)

    @property
    def is_shared(self) -> bool:
        """Whether something of what `spend` takes from is gone already in this block."""
        return self.work_left < WORK_PER_BLOCK_MAX

    def spend(self, work: int) -> None:
        """Take so much of what the block has for acts that are dear, before doing the work.

        Raises:
            Reject: BLOCK_CROWDED.
        """
        left = self.work_left
        if work > left and self.is_shared:
            raise Reject(Outcome.BLOCK_CROWDED, found=work, expected=left)
        self.work_left = max(0, left - work)

    def begin(self, transaction_id: bytes) -> None:
        """Begin at the first operation of another transaction."""
        self.transaction_id = transaction_id
        self.events: list[Record] = []
        self.index = 0
        """Which operation of the transaction."""
        self.inner_index = 0
        """Which operation of the proposal that this one completes."""

    def new_id(self, domain: Domain) -> bytes:
        """Return the 32-byte id of what this operation creates: one of each kind."""
        place = self.index.to_bytes(2, "big") + self.inner_index.to_bytes(2, "big")
        return tagged_hash(domain, self.transaction_id, place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A business act: the operation that asks for it, and what it does."""

    name: str
    """In the powers matrix, in JSON, on the command line."""
    operation: type[Record]
    apply: Callable[[ActContext, Record], None]
    """Checks in order of precedence, then changes and events. Raises Reject before any change."""
    since: int
    """The version of the protocol that brought it."""
    since_of: Callable[[Record], int] | None = None
    """The version that brought what this operation says, where that is not the act's own."""

    def in_force_since(self, operation: Record) -> int:
        """Return the version of the protocol that brought this operation, with all that it says."""
        return self.since if self.since_of is None else max(self.since, self.since_of(operation))


def define_act(
    name: str,
    operation: type[OperationT],
    apply: Callable[[ActContext, OperationT], None],
    *,
    since: int = 1,
    since_of: Callable[[OperationT], int] | None = None,
) -> Act:
    """Return the act that this operation asks for; `apply` is only ever given this operation."""
    return Act(
        name=name,
        operation=operation,
        apply=cast("_Apply", apply),
        since=since,
        since_of=cast("_SinceOf", since_of),
    )


_Apply: TypeAlias = Callable[[ActContext, Record], None]
_SinceOf: TypeAlias = Callable[[Record], int] | None


@runtime_checkable
class GovernedOperation(Protocol):
    """An operation under the powers matrix: only such can be proposed."""

    @property
    def account(self) -> bytes:
        """The account that acts."""
        ...

    @property
    def approvers(self) -> tuple[bytes, ...]:
        """Accounts whose offices join."""
        ...


class Catalogue(Protocol):
    """All acts: what the acts of governance know of the others."""

    @property
    def governed_names(self) -> frozenset[str]:
        """The names of the acts under the powers matrix."""
        ...

    def is_governed(self, name: str, version: int) -> bool:
        """Return whether an act under the powers matrix has this name in this version."""
        ...

    def decode(self, data: bytes) -> tuple[Record, ...]:
        """Return the operations that these canonical bytes encode.

        Raises:
            CodecError: they are not the encoding of a tuple of operations.
        """
        ...

    def act_of(self, operation: Record) -> Act:
        """Return the act that this operation asks for."""
        ...
