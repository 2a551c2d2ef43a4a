"""Who stands behind an operation: accounts whose policies are met, and the offices they bring.

Two authorities answer the same questions. `SignedAuthority` is a transaction: each account that an
operation names must reach its threshold from the transaction's signers. `ProposalAuthority` is a
proposal: the accounts that approved it stand behind each of its operations, and a refusal that
more approvals could lift is noted, so that a dry run tells whether the proposal is complete.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from node.ledger.outcomes import Outcome, Reject
from node.ledger.policies import AccountClass, AccountPolicy
from node.ledger.powers import ANY, OFFICE_HOLDER, PowerRecord
from node.ledger.state import LedgerState
from node.ledger.tables import (
    ACCOUNTS,
    LICENCES,
    PARTICIPANTS,
    POWERS,
    AccountRecord,
    AccountStatus,
    LicenceRecord,
    ParticipantRecord,
    ParticipantStatus,
    licence_key,
    name_key,
    power_key,
)

# A member that is asked of its enumeration is a descriptor's answer, every time.
_CLOSED: Final = AccountStatus.CLOSED
_SUSPENDED: Final = ParticipantStatus.SUSPENDED


class Authority(Protocol):
    """Whose word an operation is."""

    def account(self, address: bytes, account_class: AccountClass) -> AccountRecord:
        """Return the account, which stands behind the operation in this class.

        Raises:
            Reject: ACCOUNT_UNKNOWN, ACCOUNT_CLOSED, ACCOUNT_ON_HOLD, PARTICIPANT_SUSPENDED,
                SIGNATURES_MISSING.
        """
        ...

    def participants(self, account: bytes, approvers: Sequence[bytes]) -> tuple[str, ...]:
        """Return who stands behind a governed operation, the owner of `account` first.

        Raises:
            Reject: as `account`.
        """
        ...

    def power(
        self,
        operation: str,
        subject: str,
        participants: Sequence[str],
        *,
        issuer: tuple[str, str] | None = None,
    ) -> str | None:
        """Check that the powers matrix lets these participants do this.

        Args:
            issuer: an asset's code and its issuer, who must be among them.

        Returns:
            the activity whose licence gave the power; None where the offices did.

        Raises:
            Reject: POWER_NOT_GRANTED, OFFICES_MISSING, LICENCE_INACTIVE, NOT_ISSUER.
        """
        ...


class SignedAuthority:
    """The signers of one transaction, and then of the next."""

    __slots__ = ("_checked", "_signers", "_state", "_time_ms", "_unused")

    def __init__(self, state: LedgerState, time_ms: int, signers: Sequence[bytes]) -> None:
        """Begin with signers whose signatures were verified, in a block of this time."""
        self._state = state
        self._time_ms = time_ms
        self.begin(signers)

    def begin(self, signers: Sequence[bytes]) -> None:
        """Stand for another transaction of the same block."""
        self._signers = signers
        self._unused = set(signers)
        # The policy that was last found met for an address, and the class: checked again when
        # either is another.
        self._checked: dict[bytes, tuple[AccountPolicy, AccountClass]] = {}

    def account(self, address: bytes, account_class: AccountClass) -> AccountRecord:
        """Return the account, whose threshold for this class the signers reach."""
        record = usable_account(self._state, address)
        policy = record.policy
        met = self._checked.get(address)
        if met is None or met[0] is not policy or met[1] is not account_class:
            signers = self._signers
            found = 0
            for key, weight in policy.signers:
                if key in signers:
                    found += weight
                    self._unused.discard(key)
            if found < policy.thresholds[account_class]:
                raise Reject(
                    Outcome.SIGNATURES_MISSING,
                    account=address,
                    account_class=account_class.name,
                    found=found,
                    expected=policy.thresholds[account_class],
                )
            self._checked[address] = (policy, account_class)
        return record

    def participants(self, account: bytes, approvers: Sequence[bytes]) -> tuple[str, ...]:
        """Return the owners of the accounts named, each of which reaches its OFFICE threshold."""
        return tuple(
            self.account(address, AccountClass.OFFICE).owner for address in (account, *approvers)
        )

    def power(
        self,
        operation: str,
        subject: str,
        participants: Sequence[str],
        *,
        issuer: tuple[str, str] | None = None,
    ) -> str | None:
        """Check that the powers matrix lets these participants do this."""
        power = power_of(self._state, operation, subject)
        found = offices_held(self._state, power, participants)
        activity = None
        if found < power.required or not power.offices:
            activity = _licensed_activity(self._state, self._time_ms, power, participants[0])
            if activity is None:
                raise _offices_missing(operation, subject, power, found)
        _check_issuer(issuer, participants)
        return activity

    def check_all_needed(self) -> None:
        """Refuse signers that stand in the policy of no account named. Called last.

        Raises:
            Reject: SIGNATURE_NOT_NEEDED, naming the first of them in the order of keys.
        """
        if self._unused:
            raise Reject(Outcome.SIGNATURE_NOT_NEEDED, signer=min(self._unused))


class ProposalAuthority:
    """The accounts that have approved a proposal."""

    __slots__ = ("_participants", "_proposer", "_state", "missing")

    def __init__(self, state: LedgerState, proposer: bytes, approvals: Sequence[bytes]) -> None:
        """Begin with the approvals, the proposer's among them.

        An approval counts while its account is usable: what happened since is looked at here.
        """
        self._state = state
        self._proposer = proposer
        self._participants = tuple(
            usable_account(state, address).owner
            for address in approvals
            if is_usable(state, address)
        )
        self.missing: Reject | None = None
        """What more approvals could still bring, once an operation was refused for want of it."""

    def account(self, address: bytes, account_class: AccountClass) -> AccountRecord:
        """Return the proposing account. That no other acts was checked when it was proposed."""
        assert address == self._proposer
        assert account_class is AccountClass.OFFICE
        return usable_account(self._state, address)

    def participants(self, account: bytes, approvers: Sequence[bytes]) -> tuple[str, ...]:
        """Return the owners of the approving accounts."""
        assert not approvers
        self.account(account, AccountClass.OFFICE)
        return self._participants

    def power(
        self,
        operation: str,
        subject: str,
        participants: Sequence[str],
        *,
        issuer: tuple[str, str] | None = None,
    ) -> str | None:
        """Check it, and note what is missing; no licence counts in a proposal."""
        power = power_of(self._state, operation, subject)
        found = offices_held(self._state, power, participants)
        try:
            if found < power.required or not power.offices:
                raise _offices_missing(operation, subject, power, found)
            _check_issuer(issuer, participants)
        except Reject as reject:
            self.missing = reject
            raise
        return None


# --- accounts ------------------------------------------------------------------------------------


def usable_account(state: LedgerState, address: bytes) -> AccountRecord:
    """Return an account that may act.

    Raises:
        Reject: ACCOUNT_UNKNOWN, ACCOUNT_CLOSED, ACCOUNT_ON_HOLD, PARTICIPANT_SUSPENDED.
    """
    record = state.get(ACCOUNTS, address)
    if record is None:
        raise Reject(Outcome.ACCOUNT_UNKNOWN, account=address)
    if record.status is _CLOSED:
        raise Reject(Outcome.ACCOUNT_CLOSED, account=address)
    if record.hold is not None:
        raise Reject(
            Outcome.ACCOUNT_ON_HOLD,
            account=address,
            placed_by=record.hold.placed_by,
            legal_reference=record.hold.legal_reference,
        )
    if participant_of(state, record.owner).status is _SUSPENDED:
        raise Reject(Outcome.PARTICIPANT_SUSPENDED, participant=record.owner, account=address)
    return record


def other_account(state: LedgerState, address: bytes) -> AccountRecord:
    """Return an account that is concerned but does not act: it may be on hold or suspended.

    Raises:
        Reject: OTHER_ACCOUNT_UNKNOWN, OTHER_ACCOUNT_CLOSED.
    """
    record = state.get(ACCOUNTS, address)
    if record is None:
        raise Reject(Outcome.OTHER_ACCOUNT_UNKNOWN, account=address)
    if record.status is _CLOSED:
        raise Reject(Outcome.OTHER_ACCOUNT_CLOSED, account=address)
    return record


def receiving_account(state: LedgerState, address: bytes) -> AccountRecord:
    """Return an account that may receive: one on hold may, one of a suspended owner may not.

    Raises:
        Reject: OTHER_ACCOUNT_UNKNOWN, OTHER_ACCOUNT_CLOSED, OTHER_PARTICIPANT_SUSPENDED.
    """
    record = other_account(state, address)
    active_participant(state, record.owner)
    return record


def is_usable(state: LedgerState, address: bytes) -> bool:
    """Whether this account may act."""
    try:
        usable_account(state, address)
    except Reject:
        return False
    return True


# --- participants --------------------------------------------------------------------------------


def participant_of(state: LedgerState, participant: str) -> ParticipantRecord:
    """Return a registered participant, active or not.

    Raises:
        Reject: PARTICIPANT_UNKNOWN.
    """
    record = state.get(PARTICIPANTS, name_key(participant))
    if record is None:
        raise Reject(Outcome.PARTICIPANT_UNKNOWN, participant=participant)
    return record


def active_participant(state: LedgerState, participant: str) -> ParticipantRecord:
    """Return a participant that is concerned and not suspended.

    Raises:
        Reject: PARTICIPANT_UNKNOWN, OTHER_PARTICIPANT_SUSPENDED.
    """
    record = participant_of(state, participant)
    if record.status is _SUSPENDED:
        raise Reject(Outcome.OTHER_PARTICIPANT_SUSPENDED, participant=participant)
    return record


def subject_of(record: ParticipantRecord) -> str:
    """Return the subject, in the powers matrix, of what is done to this participant."""
    return record.kind.value if record.office is None else OFFICE_HOLDER


# --- powers --------------------------------------------------------------------------------------


def power_of(state: LedgerState, operation: str, subject: str) -> PowerRecord:
    """Return the row for an operation on a subject, or else the one for any subject.

    Raises:
        Reject: POWER_NOT_GRANTED.
    """
    power = state.get(POWERS, power_key(operation, subject))
    if power is None and subject != OFFICE_HOLDER:
        # Institutions are never under a row that was meant for everybody else.
        power = state.get(POWERS, power_key(operation, ANY))
    if power is None:
        raise Reject(Outcome.POWER_NOT_GRANTED, operation=operation, subject=subject)
    return power


def offices_held(state: LedgerState, power: PowerRecord, participants: Sequence[str]) -> int:
    """Return how many of the row's offices these participants hold; nobody holds two."""
    held = {participant_of(state, participant).office for participant in participants}
    return sum(office in held for office in power.offices)


def is_active(licence: LicenceRecord, time_ms: int) -> bool:
    """Return whether a licence counts in a block of this time."""
    return not licence.revoked and (licence.expires_ms is None or time_ms < licence.expires_ms)


def _licensed_activity(
    state: LedgerState, time_ms: int, power: PowerRecord, participant: str
) -> str | None:
    """Return the first of the row's activities that the participant has an active licence for.

    Raises:
        Reject: LICENCE_INACTIVE: there are only licences that count no longer.
    """
    inactive = None
    for activity in power.licences:
        licence = state.get(LICENCES, licence_key(participant, activity))
        if licence is not None:
            if is_active(licence, time_ms):
                return activity
            inactive = inactive or activity
    if inactive is not None:
        raise Reject(Outcome.LICENCE_INACTIVE, participant=participant, activity=inactive)
    return None


def _offices_missing(operation: str, subject: str, power: PowerRecord, found: int) -> Reject:
    return Reject(
        Outcome.OFFICES_MISSING,
        operation=operation,
        subject=subject,
        found=found,
        expected=power.required,
        offices=", ".join(power.offices) or "none",
    )


def _check_issuer(issuer: tuple[str, str] | None, participants: Sequence[str]) -> None:
    if issuer is not None:
        asset, expected = issuer
        if expected not in participants:
            raise Reject(
                Outcome.NOT_ISSUER, asset=asset, expected=expected, found=", ".join(participants)
            )
