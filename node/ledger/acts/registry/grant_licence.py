"""Grant a licence for an activity, or move it to another phase or end.

A licence that was revoked or has run out is granted anew in the same way; how many accounts it has
opened goes on being counted.
"""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import active_participant
from node.ledger.checks import check_expiry
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.tables import LICENCES, Activity, LicencePhase, LicenceRecord, licence_key
from node.ledger.units import MS_PER_YEAR, Milliseconds

LICENCE_LIFETIME_MAX_MS: Final = 100 * MS_PER_YEAR


class GrantLicence(Record, tag=4):
    """Let `participant` do what `activity` allows."""

    account: Address
    approvers: Approvers
    participant: Name
    activity: Activity
    phase: LicencePhase
    expires_ms: Milliseconds | None
    """The first block time at which it counts no longer; None: until it is revoked."""


class LicenceGranted(Record, tag=4):
    """A licence is active."""

    participant: Name
    activity: Activity
    phase: LicencePhase
    expires_ms: Milliseconds | None
    granted_by: Name


def _apply(context: ActContext, operation: GrantLicence) -> None:
    state = context.state
    participants = context.authority.participants(operation.account, operation.approvers)
    active_participant(state, operation.participant)
    context.authority.power(ACT.name, operation.activity, participants)
    if operation.expires_ms is not None:
        check_expiry(
            "expires_ms",
            operation.expires_ms,
            now_ms=context.block.time_ms,
            lifetime_max_ms=LICENCE_LIFETIME_MAX_MS,
        )
    key = licence_key(operation.participant, operation.activity)
    before = state.get(LICENCES, key)
    licence = LicenceRecord(
        phase=operation.phase,
        revoked=False,
        expires_ms=operation.expires_ms,
        accounts_opened=0 if before is None else before.accounts_opened,
    )
    if licence == before:
        raise Reject(
            Outcome.LICENCE_UNCHANGED,
            participant=operation.participant,
            activity=operation.activity.value,
        )

    state.put(LICENCES, key, licence)
    context.events.append(
        LicenceGranted(
            participant=operation.participant,
            activity=operation.activity,
            phase=operation.phase,
            expires_ms=operation.expires_ms,
            granted_by=participants[0],
        )
    )


ACT: Final = define_act("grant_licence", GrantLicence, _apply)
