"""Close an account that holds nothing, and to which nothing is still to come.

Its record stays: an address is never used twice.
"""

from typing import Final

from node.codec import Record, replace
from node.ledger.acting import ActContext, define_act
from node.ledger.identifiers import ADDRESS_SIZE, Address
from node.ledger.outcomes import Outcome, Reject
from node.ledger.policies import AccountClass
from node.ledger.securities import TIES
from node.ledger.tables import ACCOUNTS, HOLDINGS, MANDATES, AccountStatus


class CloseAccount(Record, tag=10):
    """Close `account` for good."""

    account: Address


class AccountClosed(Record, tag=10):
    """An account is closed for good."""

    account: Address


def _apply(context: ActContext, operation: CloseAccount) -> None:
    state, account = context.state, operation.account
    record = context.authority.account(account, AccountClass.ADMINISTER)
    for key, _ in state.scan(HOLDINGS, account, 1):
        if key.startswith(account):
            asset = key[ADDRESS_SIZE:].decode()
            raise Reject(Outcome.ACCOUNT_NOT_EMPTY, account=account, asset=asset)

    for key, tied in state.scan(TIES, account, 1):
        if key.startswith(account):
            raise Reject(
                Outcome.ACCOUNT_TIED,
                account=account,
                tie=tied.tie.name,
                to=key[ADDRESS_SIZE + 1 :].decode(),
            )

    if state.get(MANDATES, account) is not None:
        state.delete(MANDATES, account)
    state.put(ACCOUNTS, account, replace(record, status=AccountStatus.CLOSED))
    context.events.append(AccountClosed(account=account))


ACT: Final = define_act("close_account", CloseAccount, _apply)
