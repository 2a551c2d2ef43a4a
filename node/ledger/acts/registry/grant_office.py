"""Grant an office: a participant takes it over, from whoever held it or as the first.

There is no revoking without a successor: a power whose office nobody holds could not be used.
"""

from typing import Final

from node.codec import Record, replace
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import active_participant, participant_of
from node.ledger.checks import check_name
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.powers import ANY
from node.ledger.tables import OFFICES, PARTICIPANTS, OfficeRecord, name_key


class GrantOffice(Record, tag=3):
    """Let `participant` hold `office` from now on."""

    account: Address
    approvers: Approvers
    participant: Name
    office: Name


class OfficeGranted(Record, tag=3):
    """An office passed to a participant."""

    office: Name
    participant: Name
    previous: Name | None
    """Who held it before."""


def _apply(context: ActContext, operation: GrantOffice) -> None:
    state, participant, office = context.state, operation.participant, operation.office
    participants = context.authority.participants(operation.account, operation.approvers)
    record = active_participant(state, participant)
    context.authority.power(ACT.name, ANY, participants)
    check_name("office", office)
    if record.office is not None:
        raise Reject(Outcome.OFFICE_ALREADY_HELD, participant=participant, office=record.office)

    held = state.get(OFFICES, name_key(office))
    previous = None if held is None else held.participant
    if previous is not None:
        before = participant_of(state, previous)
        state.put(PARTICIPANTS, name_key(previous), replace(before, office=None))
    state.put(PARTICIPANTS, name_key(participant), replace(record, office=office))
    state.put(OFFICES, name_key(office), OfficeRecord(participant=participant))
    context.events.append(OfficeGranted(office=office, participant=participant, previous=previous))


ACT: Final = define_act("grant_office", GrantOffice, _apply)
