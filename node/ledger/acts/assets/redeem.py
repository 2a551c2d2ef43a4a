"""Redeem: the issuer takes amounts that came back to it out of existence.

What a holder is paid is the other half of a transfer back to the issuer; what is destroyed here is
the issuer's own holding, so nobody can redeem what somebody else has. Fractions below the legal
denomination are redeemed too, or the last holder would keep them for ever.
"""

from typing import Final

from node.codec import Record, replace
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import other_account
from node.ledger.checks import check_amount
from node.ledger.holdings import asset_of, debit
from node.ledger.identifiers import Address, AssetCode
from node.ledger.outcomes import Outcome, Reject
from node.ledger.parameters import parameter
from node.ledger.tables import ASSETS, name_key
from node.ledger.terms import first_redemption_day, kind_of
from node.ledger.units import local_day


class Redeem(Record, tag=26):
    """Destroy `amount` minor units of `asset` in the issuer's account `holder`."""

    account: Address
    approvers: Approvers
    asset: AssetCode
    amount: int
    holder: Address


class Redeemed(Record, tag=26):
    """The supply of an asset shrank."""

    asset: AssetCode
    amount: int
    holder: Address
    supply: int
    """After the redemption."""


def _apply(context: ActContext, operation: Redeem) -> None:
    state, asset, amount = context.state, operation.asset, operation.amount
    participants = context.authority.participants(operation.account, operation.approvers)
    holder = other_account(state, operation.holder)
    record = asset_of(state, asset)
    context.authority.power(
        ACT.name, kind_of(record.terms), participants, issuer=(asset, record.issuer)
    )
    if holder.owner != record.issuer:
        raise Reject(Outcome.NOT_ISSUER, asset=asset, expected=record.issuer, found=holder.owner)
    check_amount("amount", amount)
    first_day = first_redemption_day(record.terms)
    if first_day is not None:
        today = local_day(context.block.time_ms, parameter(state, "utc-offset-minutes"))
        if today < first_day:
            raise Reject(Outcome.NOT_DUE, asset=asset, found=today, expected=first_day)

    debit(state, operation.holder, asset, amount, record.terms)
    supply = record.supply - amount
    state.put(ASSETS, name_key(asset), replace(record, supply=supply))
    context.events.append(
        Redeemed(asset=asset, amount=amount, holder=operation.holder, supply=supply)
    )


ACT: Final = define_act("redeem", Redeem, _apply)
