"""Set what is withheld from the interest of a class of taxpayer, from which day on, by what law.

The rates are a table by date and source, replaced as a whole. What is withheld from a payment is
settled when its record is taken: what rules on the day on which it will be paid.
"""

from itertools import pairwise
from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import receiving_account
from node.ledger.checks import check_text
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.phrases import Reason, WithholdingFault
from node.ledger.powers import ANY
from node.ledger.protocol import DEBT_DESK
from node.ledger.securities import (
    TIES,
    WITHHOLDING_ROWS_MAX,
    WITHHOLDINGS,
    Tie,
    TieRecord,
    WithholdingRecord,
    WithholdingRow,
    tie_key,
    withholding_key,
)
from node.ledger.taxpayers import CLASSES
from node.ledger.terms import AssetKind

_KINDS: Final = (AssetKind.BOND, AssetKind.SUKUK)


class SetWithholding(Record, tag=61):
    """Withhold by `rows` from what securities of `kind` pay taxpayers of the class `taxpayer`."""

    account: Address
    approvers: Approvers
    taxpayer: Name
    """A kind of participant, such as `person`: those that are active; `person-inactive`: those that
    are not. Where no rate of theirs rules, the other one does."""
    kind: Name
    """Kind of asset."""
    collector: Address
    """Receives what is withheld."""
    rows: Annotated[
        tuple[WithholdingRow, ...], msgspec.Meta(min_length=1, max_length=WITHHOLDING_ROWS_MAX)
    ]
    """Ascending by day; before the first nothing is withheld."""


class WithholdingSet(Record, tag=61):
    """Other rates rule."""

    taxpayer: Name
    kind: Name
    collector: Address


def _apply(context: ActContext, operation: SetWithholding) -> None:
    state = context.state
    participants = context.authority.participants(operation.account, operation.approvers)
    receiving_account(state, operation.collector)
    context.authority.power(ACT.name, ANY, participants)
    for row in operation.rows:
        check_text("source", row.source)
    fault = _fault(operation)
    if fault is not None:
        raise Reject(Outcome.WITHHOLDING_NOT_VALID, reason=fault)

    key = withholding_key(operation.taxpayer, operation.kind)
    before = state.get(WITHHOLDINGS, key)
    if before is not None:
        state.delete(TIES, tie_key(before.collector, Tie.COLLECTOR, key))
    record = WithholdingRecord(collector=operation.collector, rows=operation.rows)
    state.put(WITHHOLDINGS, key, record)
    state.put(TIES, tie_key(operation.collector, Tie.COLLECTOR, key), TieRecord(tie=Tie.COLLECTOR))
    context.events.append(
        WithholdingSet(
            taxpayer=operation.taxpayer, kind=operation.kind, collector=operation.collector
        )
    )


def _fault(operation: SetWithholding) -> Reason | None:
    if operation.taxpayer not in CLASSES:
        return WithholdingFault.NO_KIND_OF_PARTICIPANT.of(found=operation.taxpayer)
    if operation.kind not in {kind.value for kind in _KINDS}:
        return WithholdingFault.NO_KIND_WITH_INTEREST.of(found=operation.kind)
    for earlier, later in pairwise(operation.rows):
        if earlier.from_day >= later.from_day:
            return WithholdingFault.ROWS_OUT_OF_ORDER.of(
                later=later.from_day, earlier=earlier.from_day
            )
    return None


ACT: Final = define_act("set_withholding", SetWithholding, _apply, since=DEBT_DESK)
