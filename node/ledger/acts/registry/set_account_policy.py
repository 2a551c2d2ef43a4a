"""Set an account's policy: its owner replaces signers and thresholds. The address stays."""

from typing import Final

from node.codec import Record, replace
from node.ledger.acting import ActContext, define_act
from node.ledger.identifiers import Address
from node.ledger.policies import AccountClass, AccountPolicy, check_policy
from node.ledger.tables import ACCOUNTS


class SetAccountPolicy(Record, tag=7):
    """Let these signers stand for `account` from the next operation on."""

    account: Address
    policy: AccountPolicy


class AccountPolicySet(Record, tag=7):
    """An account has other signers or thresholds."""

    account: Address


def _apply(context: ActContext, operation: SetAccountPolicy) -> None:
    account = operation.account
    record = context.authority.account(account, AccountClass.ADMINISTER)
    check_policy(operation.policy)

    context.state.put(ACCOUNTS, account, replace(record, policy=operation.policy))
    context.events.append(AccountPolicySet(account=account))


ACT: Final = define_act("set_account_policy", SetAccountPolicy, _apply)
