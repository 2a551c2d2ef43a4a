"""Tell whether a taxpayer is active, from a day on: what is withheld goes by it.

Tax authorities publish a list of those who have filed their returns, and from whoever is not on it
more is withheld. A change is for a day that has not begun, and that no record was taken on: where
the clock of the network is set back, a day begins twice. It counts for the records that are taken
on that day and later. One that has not begun yet is replaced by the next one that is told; what
says again what rules takes it back.
"""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import participant_of
from node.ledger.calendars import today
from node.ledger.checks import check_text
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.powers import ANY
from node.ledger.protocol import DEBT_DESK
from node.ledger.securities import TaxStanding, TaxStatus
from node.ledger.tables import Text
from node.ledger.taxpayers import day_begun, schedule_change, status_of, taxpayer_of
from node.ledger.units import Day


class SetTaxStatus(Record, tag=151):
    """From `from_day` on, let `participant` be a taxpayer of this status."""

    account: Address
    approvers: Approvers
    participant: Name
    status: TaxStatus
    from_day: Day
    source: Text
    """Who says so: the list and its date."""


class TaxStatusSet(Record, tag=151):
    """A taxpayer will be of this status from a day on."""

    participant: Name
    status: TaxStatus
    from_day: Day
    source: Text


def _apply(context: ActContext, operation: SetTaxStatus) -> None:
    state, participant = context.state, operation.participant
    participants = context.authority.participants(operation.account, operation.approvers)
    participant_of(state, participant)
    context.authority.power(ACT.name, ANY, participants)
    check_text("source", operation.source)
    day = today(state, context.block.time_ms)
    if operation.from_day <= day:
        raise Reject(Outcome.TAX_STATUS_DAY_PAST, found=operation.from_day, today=day)
    begun = day_begun(state)
    taxpayer = taxpayer_of(state, participant)
    change = taxpayer.change
    if change is not None and change.from_day <= max(day, begun):
        raise Reject(Outcome.TAX_STATUS_CHANGING, participant=participant, found=change.from_day)
    told = TaxStanding(
        status=operation.status, from_day=operation.from_day, source=operation.source
    )
    is_ruling = operation.status is status_of(taxpayer.ruling)
    if (change is None and is_ruling) or change == told:
        raise Reject(
            Outcome.TAX_STATUS_UNCHANGED,
            participant=participant,
            status=operation.status.name.lower(),
        )
    if operation.from_day <= begun:
        raise Reject(Outcome.TAX_STATUS_DAY_USED, found=operation.from_day, expected=begun)

    schedule_change(state, participant, taxpayer, None if is_ruling else told)
    context.events.append(
        TaxStatusSet(
            participant=participant,
            status=operation.status,
            from_day=operation.from_day,
            source=operation.source,
        )
    )


ACT: Final = define_act("set_tax_status", SetTaxStatus, _apply, since=DEBT_DESK)
