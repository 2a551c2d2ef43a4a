"""Issue: new amounts of a defined asset come into being in one account."""

from typing import Final

from node.codec import Record, replace
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import receiving_account
from node.ledger.checks import check_amount
from node.ledger.courses import outstanding_of
from node.ledger.holdings import asset_of, credit
from node.ledger.identifiers import Address, AssetCode
from node.ledger.outcomes import Outcome, Reject
from node.ledger.tables import ASSETS, name_key
from node.ledger.terms import StripTerms, kind_of


class Issue(Record, tag=21):
    """Create `amount` minor units of `asset`, a multiple of its denomination, in `to`."""

    account: Address
    approvers: Approvers
    asset: AssetCode
    amount: int
    to: Address


class Issued(Record, tag=21):
    """The supply of an asset grew."""

    asset: AssetCode
    amount: int
    to: Address
    supply: int
    """After the issue."""


def _apply(context: ActContext, operation: Issue) -> None:
    state, asset, amount = context.state, operation.asset, operation.amount
    participants = context.authority.participants(operation.account, operation.approvers)
    receiving_account(state, operation.to)
    record = asset_of(state, asset)
    context.authority.power(
        ACT.name, kind_of(record.terms), participants, issuer=(asset, record.issuer)
    )
    check_amount("amount", amount)
    if amount % record.multiple:
        raise Reject(Outcome.NOT_A_MULTIPLE, asset=asset, found=amount, expected=record.multiple)
    supply = record.supply + amount
    outstanding = outstanding_of(state, asset, record) + amount
    if outstanding > record.ceiling:
        raise Reject(
            Outcome.CEILING_EXCEEDED, asset=asset, found=outstanding, expected=record.ceiling
        )
    if isinstance(record.terms, StripTerms):
        raise Reject(Outcome.STRIP_NOT_ISSUED, asset=asset)

    credit(state, operation.to, asset, amount, record.terms)
    state.put(ASSETS, name_key(asset), replace(record, supply=supply))
    context.events.append(Issued(asset=asset, amount=amount, to=operation.to, supply=supply))


ACT: Final = define_act("issue", Issue, _apply)
