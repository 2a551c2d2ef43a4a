"""Open an account of a registered participant: by an office, or by its registrar's licence.

The address follows from owner, policy and salt, so nobody can open an account under an address that
is not theirs to choose. It does choose who signs: so accounts of a participant that holds an office
are opened under the row for office holders, or one institution could act in another's name. A
licensee opens as many accounts as the phase of its licence allows, of those whom it registered; and
of whoever agrees, by an account that approves: one person has one name with all intermediaries.
"""

from typing import Final

from node.codec import Record, replace
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import active_participant, subject_of
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.parameters import parameter
from node.ledger.policies import AccountPolicy, Salt, account_address, check_policy
from node.ledger.protocol import DEBT_DESK
from node.ledger.state import LedgerState
from node.ledger.tables import (
    ACCOUNTS,
    LICENCES,
    AccountRecord,
    AccountStatus,
    LicencePhase,
    LicenceRecord,
    licence_key,
)

_PHASE_PARAMETERS: Final = {
    LicencePhase.NO_OBJECTION: "accounts-max-no-objection",
    LicencePhase.PROVISIONAL: "accounts-max-provisional",
    LicencePhase.FULL: "accounts-max-full",
}


class OpenAccount(Record, tag=6):
    """Open an account of `owner`, with this policy."""

    account: Address
    approvers: Approvers
    owner: Name
    policy: AccountPolicy
    salt: Salt


class AccountOpened(Record, tag=6):
    """An account can be used."""

    account: Address
    owner: Name
    opened_by: Name


def _apply(context: ActContext, operation: OpenAccount) -> None:
    state, owner = context.state, operation.owner
    participants = context.authority.participants(operation.account, operation.approvers)
    opener = participants[0]
    record = active_participant(state, owner)
    activity = context.authority.power(ACT.name, subject_of(record), participants)
    agreed = context.block.version >= DEBT_DESK and owner in participants
    if activity is not None and record.registrar != opener and not agreed:
        raise Reject(Outcome.NOT_REGISTRAR, owner=owner, expected=record.registrar, found=opener)
    check_policy(operation.policy)
    counted = None if activity is None else _counted_licence(state, opener, activity)
    address = account_address(owner, operation.policy, operation.salt)
    if state.get(ACCOUNTS, address) is not None:
        raise Reject(Outcome.ACCOUNT_EXISTS, account=address)

    if counted is not None:
        state.put(LICENCES, *counted)
    state.put(
        ACCOUNTS,
        address,
        AccountRecord(
            owner=owner,
            policy=operation.policy,
            opened_by=opener,
            status=AccountStatus.OPEN,
            hold=None,
        ),
    )
    context.events.append(AccountOpened(account=address, owner=owner, opened_by=opener))


def _counted_licence(state: LedgerState, opener: str, activity: str) -> tuple[bytes, LicenceRecord]:
    """Return key and record of the opener's licence, with one more account counted.

    Raises:
        Reject: PHASE_LIMIT_REACHED.
    """
    key = licence_key(opener, activity)
    licence = state.get(LICENCES, key)
    assert licence is not None  # it gave the power
    opened = licence.accounts_opened
    accounts_max = parameter(state, _PHASE_PARAMETERS[licence.phase])
    if opened >= accounts_max:
        raise Reject(
            Outcome.PHASE_LIMIT_REACHED,
            participant=opener,
            activity=activity,
            found=opened,
            expected=accounts_max,
        )
    return key, replace(licence, accounts_opened=opened + 1)


ACT: Final = define_act("open_account", OpenAccount, _apply)
