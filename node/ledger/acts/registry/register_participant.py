"""Register a participant: a legal entity or person becomes known to the ledger."""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.checks import check_name
from node.ledger.identifiers import Address, Hash, Name, is_jurisdiction
from node.ledger.outcomes import Outcome, Reject
from node.ledger.registers import Scheme, check_form, check_unclaimed, claim
from node.ledger.tables import (
    PARTICIPANTS,
    ParticipantKind,
    ParticipantRecord,
    ParticipantStatus,
    name_key,
)


class RegisterParticipant(Record, tag=1):
    """Register `participant`. The file stays with the registrar; the ledger has its commitment."""

    account: Address
    approvers: Approvers
    participant: Name
    kind: ParticipantKind
    jurisdiction: str
    """ISO 3166-1 alpha-2."""
    lei: str | None
    """For legal entities that have one."""
    file_commitment: Hash
    """Hash of the file and a salt, so that nobody can try out whose file it is."""


class ParticipantRegistered(Record, tag=1):
    """A participant became known."""

    participant: Name
    kind: ParticipantKind
    registrar: Name


def _apply(context: ActContext, operation: RegisterParticipant) -> None:
    state, participant = context.state, operation.participant
    participants = context.authority.participants(operation.account, operation.approvers)
    context.authority.power(ACT.name, operation.kind, participants)
    check_name("participant", participant)
    if not is_jurisdiction(operation.jurisdiction):
        raise Reject(
            Outcome.IDENTIFIER_NOT_VALID,
            scheme="ISO 3166-1 alpha-2 code",
            found=operation.jurisdiction,
        )
    if operation.lei is not None:
        check_form(Scheme.LEI, operation.lei)
    if state.get(PARTICIPANTS, name_key(participant)) is not None:
        raise Reject(Outcome.PARTICIPANT_EXISTS, participant=participant)
    if operation.lei is not None:
        check_unclaimed(state, Scheme.LEI, operation.lei)
        if operation.kind is ParticipantKind.PERSON:
            # Licensees register persons, and an identifier is claimed for good: one of them could
            # take those of all banks.
            raise Reject(Outcome.LEI_OF_PERSON, participant=participant, found=operation.lei)

    if operation.lei is not None:
        claim(state, Scheme.LEI, operation.lei, participant)
    state.put(
        PARTICIPANTS,
        name_key(participant),
        ParticipantRecord(
            kind=operation.kind,
            jurisdiction=operation.jurisdiction,
            lei=operation.lei,
            file_commitment=operation.file_commitment,
            registrar=participants[0],
            office=None,
            status=ParticipantStatus.ACTIVE,
        ),
    )
    context.events.append(
        ParticipantRegistered(
            participant=participant, kind=operation.kind, registrar=participants[0]
        )
    )


ACT: Final = define_act("register_participant", RegisterParticipant, _apply)
