"""Suspend a participant, or lift the suspension.

A suspended participant neither acts nor receives; what it holds stays where it is. For one that
holds an office the matrix has a row of its own, so that no supervisor can silence an institution.
"""

from typing import Final

from node.codec import Record, replace
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import participant_of, subject_of
from node.ledger.checks import check_text
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.tables import PARTICIPANTS, ParticipantStatus, Text, name_key


class UpdateParticipantStatus(Record, tag=2):
    """Set the status of `participant`."""

    account: Address
    approvers: Approvers
    participant: Name
    status: ParticipantStatus
    reason: Text
    legal_reference: Text


class ParticipantStatusUpdated(Record, tag=2):
    """A participant was suspended, or may act again."""

    participant: Name
    status: ParticipantStatus
    legal_reference: Text


def _apply(context: ActContext, operation: UpdateParticipantStatus) -> None:
    state, participant = context.state, operation.participant
    participants = context.authority.participants(operation.account, operation.approvers)
    record = participant_of(state, participant)
    context.authority.power(ACT.name, subject_of(record), participants)
    check_text("reason", operation.reason)
    check_text("legal_reference", operation.legal_reference)
    if record.status is operation.status:
        raise Reject(
            Outcome.STATUS_UNCHANGED, participant=participant, status=record.status.name.lower()
        )

    state.put(PARTICIPANTS, name_key(participant), replace(record, status=operation.status))
    context.events.append(
        ParticipantStatusUpdated(
            participant=participant,
            status=operation.status,
            legal_reference=operation.legal_reference,
        )
    )


ACT: Final = define_act("update_participant_status", UpdateParticipantStatus, _apply)
