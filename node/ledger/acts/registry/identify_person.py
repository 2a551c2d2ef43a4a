"""Identify a person: say by a token which human being a participant is, once for ever.

A licensee says it of those whom it registered; an office that registers persons says it of anybody.
What is said is not changed by who said it: to correct a token, or to take it away, the matrix has a
row of its own, which is never met by one office. That row also counts for a token that was taken
away: to state it again of the same participant, or for whoever stated it then.
"""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import participant_of
from node.ledger.identifiers import Address, Hash, Name
from node.ledger.identities import check_token, identity_of, note_identity, was_withdrawn
from node.ledger.outcomes import Outcome, Reject
from node.ledger.powers import IDENTIFIED_PERSON
from node.ledger.protocol import DEBT_DESK
from node.ledger.tables import IdentityRecord, ParticipantKind


class IdentifyPerson(Record, tag=150):
    """Say which human being `participant` is."""

    account: Address
    approvers: Approvers
    participant: Name
    token: Hash | None
    """From the state's register of persons; None: the one that was stated is not this person's."""


class PersonIdentified(Record, tag=150):
    """It is known which human being a participant is, or that what was said of it was wrong."""

    participant: Name
    identified_by: Name
    identified: bool
    """False: its token was taken away."""
    corrected: bool
    """Whether another token was its before."""


def _apply(context: ActContext, operation: IdentifyPerson) -> None:
    state, participant, token = context.state, operation.participant, operation.token
    participants = context.authority.participants(operation.account, operation.approvers)
    record = participant_of(state, participant)
    before = identity_of(state, participant)
    identifier = participants[0]
    is_decided = before is not None or (
        token is not None and was_withdrawn(state, token, participant, identifier)
    )
    subject = IDENTIFIED_PERSON if is_decided else ParticipantKind.PERSON.value
    activity = context.authority.power(ACT.name, subject, participants)
    if activity is not None and record.registrar != identifier:
        raise Reject(
            Outcome.NOT_REGISTRAR,
            owner=participant,
            expected=record.registrar,
            found=identifier,
        )
    if record.kind is not ParticipantKind.PERSON:
        raise Reject(
            Outcome.PARTICIPANT_NOT_A_PERSON, participant=participant, kind=record.kind.value
        )
    if token == (None if before is None else before.token):
        raise Reject(Outcome.IDENTITY_UNCHANGED, participant=participant)
    if token is not None:
        check_token(state, token)

    identity = None if token is None else IdentityRecord(token=token, identified_by=identifier)
    note_identity(state, participant, identity)
    context.events.append(
        PersonIdentified(
            participant=participant,
            identified_by=identifier,
            identified=token is not None,
            corrected=before is not None,
        )
    )


ACT: Final = define_act("identify_person", IdentifyPerson, _apply, since=DEBT_DESK)
