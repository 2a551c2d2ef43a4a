"""Tables of refusals: one a business act, its rows in order of precedence.

A table has an operation that applies, and a row for each way to spoil it. Each row is tried alone,
and then together with every row below it: the outcome must be the same, because it is declared
before theirs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from node.codec import replace
from node.ledger.operations import Operation
from node.ledger.outcomes import Outcome
from node.ledger.state import LedgerState, R, Table
from node.ledger.transition import Application, Receipt
from tests.ledger.world import World, address, identify


@dataclass(frozen=True, kw_only=True)
class Row:
    """One way to spoil an operation, and what comes of it."""

    why: str
    outcome: Outcome
    change: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """Fields of the operation that are different."""
    by: Sequence[str] | None = None
    """Who signs instead."""
    prepare: Callable[[LedgerState], None] | None = None
    """What is different in the state."""
    alone: bool = False
    """The rows below contradict this one: it is only tried by itself."""


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """The table of one act."""

    act: str
    good: Operation
    by: Sequence[str]
    rows: Sequence[Row]
    prepare: Callable[[LedgerState], None] | None = None
    """What the operation needs in the state to apply."""


def spoil(world: World, ladder: Ladder, rows: Sequence[Row]) -> Receipt:
    """Return what becomes of the ladder's operation spoilt by these rows, the first having the say.

    The world stays as it is; a refused transaction must have changed nothing.
    """
    state = LedgerState(world.records)
    operation, by = ladder.good, ladder.by
    if ladder.prepare is not None:
        ladder.prepare(state)
    for row in reversed(rows):
        operation = replace(operation, **row.change)
        by = by if row.by is None else row.by
        if row.prepare is not None:
            row.prepare(state)
    before = state.changes()
    body = world.body(operation, by=by)
    receipt = Application(state, world.context()).apply(identify(body), body)
    if receipt.outcome is not Outcome.APPLIED:
        assert state.changes() == before
        assert receipt.events == ()
    return receipt


def putting(table: Table[R], key: bytes, record: R) -> Callable[[LedgerState], None]:
    """Return a preparation that puts this record."""
    return lambda state: state.put(table, key, record)


def acting_rows() -> tuple[Row, ...]:
    """Return the rows that every act begins with: what can be wrong with the account that acts."""
    return (
        Row(
            why="the account does not exist",
            outcome=Outcome.ACCOUNT_UNKNOWN,
            change={"account": bytes(20)},
        ),
        Row(
            why="the account is closed",
            outcome=Outcome.ACCOUNT_CLOSED,
            change={"account": address("closed")},
        ),
        Row(
            why="the account is on hold",
            outcome=Outcome.ACCOUNT_ON_HOLD,
            change={"account": address("held")},
            by=("held",),
        ),
        Row(
            why="the owner of the account is suspended",
            outcome=Outcome.PARTICIPANT_SUSPENDED,
            change={"account": address("suspended")},
            by=("suspended",),
        ),
        Row(
            why="somebody else signs",
            outcome=Outcome.SIGNATURES_MISSING,
            by=("stranger",),
        ),
    )


def surplus_row(*by: str) -> Row:
    """Return the row that every act ends with: one signer too many."""
    return Row(
        why="a signer that no account named needs",
        outcome=Outcome.SIGNATURE_NOT_NEEDED,
        by=(*by, "stranger"),
    )
