"""Release an account from its hold."""

from typing import Final

from node.codec import Record, replace
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import other_account, participant_of, subject_of
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.tables import ACCOUNTS


class ReleaseAccount(Record, tag=9):
    """Release the account `target`."""

    account: Address
    approvers: Approvers
    target: Address


class AccountReleased(Record, tag=9):
    """An account can be used again."""

    account: Address
    released_by: Name


def _apply(context: ActContext, operation: ReleaseAccount) -> None:
    state, target = context.state, operation.target
    participants = context.authority.participants(operation.account, operation.approvers)
    record = other_account(state, target)
    owner = participant_of(state, record.owner)
    context.authority.power(ACT.name, subject_of(owner), participants)
    if record.hold is None:
        raise Reject(Outcome.ACCOUNT_NOT_ON_HOLD, account=target)

    state.put(ACCOUNTS, target, replace(record, hold=None))
    context.events.append(AccountReleased(account=target, released_by=participants[0]))


ACT: Final = define_act("release_account", ReleaseAccount, _apply)
