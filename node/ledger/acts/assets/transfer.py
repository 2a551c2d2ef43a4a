"""Transfer: an account gives part of a holding to another account. What most transactions do.

Delivery against payment is a transaction with two of these, signed by both parties.
"""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, define_act
from node.ledger.authority import receiving_account
from node.ledger.checks import check_amount
from node.ledger.holdings import asset_of, credit, debit
from node.ledger.identifiers import Address, AssetCode
from node.ledger.outcomes import Outcome, Reject
from node.ledger.policies import AccountClass


class Transfer(Record, tag=22):
    """Give `amount` minor units of `asset` to the account `to`."""

    account: Address
    to: Address
    asset: AssetCode
    amount: int


class Transferred(Record, tag=22):
    """An amount went from one account to another."""

    account: Address
    to: Address
    asset: AssetCode
    amount: int


_CLASS: Final = AccountClass.TRANSFER


def _apply(context: ActContext, operation: Transfer) -> None:
    state = context.state
    account, to, asset, amount = operation.account, operation.to, operation.asset, operation.amount
    context.authority.account(account, _CLASS)
    receiving_account(state, to)
    terms = asset_of(state, asset).terms
    check_amount("amount", amount)
    if account == to:
        raise Reject(Outcome.SELF_TRANSFER, account=account)

    debit(state, account, asset, amount, terms)
    credit(state, to, asset, amount, terms)
    context.events.append(Transferred(account=account, to=to, asset=asset, amount=amount))


ACT: Final = define_act("transfer", Transfer, _apply)
