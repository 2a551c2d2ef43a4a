"""Revoke a licence: from now on it gives no power. What was done under it stays."""

from typing import Final

from node.codec import Record, replace
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import participant_of
from node.ledger.checks import check_text
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.tables import LICENCES, Activity, Text, licence_key


class RevokeLicence(Record, tag=5):
    """Take the licence of `participant` for `activity` away."""

    account: Address
    approvers: Approvers
    participant: Name
    activity: Activity
    reason: Text
    legal_reference: Text


class LicenceRevoked(Record, tag=5):
    """A licence is active no longer."""

    participant: Name
    activity: Activity
    legal_reference: Text


def _apply(context: ActContext, operation: RevokeLicence) -> None:
    state, participant, activity = context.state, operation.participant, operation.activity
    participants = context.authority.participants(operation.account, operation.approvers)
    participant_of(state, participant)
    context.authority.power(ACT.name, activity, participants)
    check_text("reason", operation.reason)
    check_text("legal_reference", operation.legal_reference)
    key = licence_key(participant, activity)
    licence = state.get(LICENCES, key)
    if licence is None or licence.revoked:
        raise Reject(Outcome.LICENCE_UNKNOWN, participant=participant, activity=activity.value)

    state.put(LICENCES, key, replace(licence, revoked=True))
    context.events.append(
        LicenceRevoked(
            participant=participant,
            activity=activity,
            legal_reference=operation.legal_reference,
        )
    )


ACT: Final = define_act("revoke_licence", RevokeLicence, _apply)
