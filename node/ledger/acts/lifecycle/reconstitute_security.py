"""Reconstitute a security: whoever has all strips that are left of a bond has the bond again."""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, define_act
from node.ledger.checks import check_amount
from node.ledger.holdings import asset_of
from node.ledger.identifiers import Address, AssetCode
from node.ledger.policies import AccountClass
from node.ledger.protocol import DEBT_DESK
from node.ledger.stripping import parts_of, reconstitute


class ReconstituteSecurity(Record, tag=74):
    """Put `face` minor units of `asset` together from the strips in `account`."""

    account: Address
    asset: AssetCode
    """The bond."""
    face: int


def _apply(context: ActContext, operation: ReconstituteSecurity) -> None:
    state, account, line, face = (
        context.state,
        operation.account,
        operation.asset,
        operation.face,
    )
    context.authority.account(account, AccountClass.TRANSFER)
    asset_of(state, line)
    check_amount("face", face)
    parts = parts_of(state, line, face, left=context.strips_left)
    context.strips_left -= parts.moved
    context.events.append(reconstitute(state, account, parts))


ACT: Final = define_act("reconstitute_security", ReconstituteSecurity, _apply, since=DEBT_DESK)
