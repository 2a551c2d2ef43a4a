"""Release a hold before it expires: what was held is available again."""

from typing import Final

from node.codec import Record
from node.ledger import holdings
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import other_account, participant_of, subject_of
from node.ledger.identifiers import Address, AssetCode, Hash, Name


class ReleaseHold(Record, tag=24):
    """Release the hold of this id on what `holder` has."""

    account: Address
    approvers: Approvers
    holder: Address
    hold: Hash


class HoldReleased(Record, tag=24):
    """What was held is available again."""

    hold: Hash
    holder: Address
    asset: AssetCode
    amount: int
    released_by: Name


def _apply(context: ActContext, operation: ReleaseHold) -> None:
    state, holder = context.state, operation.holder
    participants = context.authority.participants(operation.account, operation.approvers)
    owner = other_account(state, holder).owner
    context.authority.power(ACT.name, subject_of(participant_of(state, owner)), participants)

    hold = holdings.release_hold(state, holder, operation.hold)
    context.events.append(
        HoldReleased(
            hold=operation.hold,
            holder=holder,
            asset=hold.asset,
            amount=hold.amount,
            released_by=participants[0],
        )
    )


ACT: Final = define_act("release_hold", ReleaseHold, _apply)
