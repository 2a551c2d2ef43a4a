"""Forced transfer: offices move a holding without its owner, where the asset was defined so.

For court orders and lost keys. It takes what is available, whether or not the account is on hold or
its owner suspended; what is under a hold must be released first, which one transaction can do.
"""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import other_account, receiving_account
from node.ledger.checks import check_amount, check_text
from node.ledger.holdings import asset_of, credit, debit
from node.ledger.identifiers import Address, AssetCode
from node.ledger.outcomes import Outcome, Reject
from node.ledger.tables import Text
from node.ledger.terms import kind_of


class ForcedTransfer(Record, tag=25):
    """Move `amount` minor units of `asset` from `source` to `to`."""

    account: Address
    approvers: Approvers
    source: Address
    to: Address
    asset: AssetCode
    amount: int
    reason: Text
    legal_reference: Text


class ForciblyTransferred(Record, tag=25):
    """An amount went from one account to another by order."""

    source: Address
    to: Address
    asset: AssetCode
    amount: int
    legal_reference: Text


def _apply(context: ActContext, operation: ForcedTransfer) -> None:
    state, source, to, asset = context.state, operation.source, operation.to, operation.asset
    participants = context.authority.participants(operation.account, operation.approvers)
    other_account(state, source)
    receiving_account(state, to)
    record = asset_of(state, asset)
    context.authority.power(ACT.name, kind_of(record.terms), participants)
    check_text("reason", operation.reason)
    check_text("legal_reference", operation.legal_reference)
    check_amount("amount", operation.amount)
    if source == to:
        raise Reject(Outcome.SELF_TRANSFER, account=source)
    if not record.forced_transfer_allowed:
        raise Reject(Outcome.FORCED_TRANSFER_NOT_ALLOWED, asset=asset)

    debit(state, source, asset, operation.amount, record.terms)
    credit(state, to, asset, operation.amount, record.terms)
    context.events.append(
        ForciblyTransferred(
            source=source,
            to=to,
            asset=asset,
            amount=operation.amount,
            legal_reference=operation.legal_reference,
        )
    )


ACT: Final = define_act("forced_transfer", ForcedTransfer, _apply)
