"""Strip a security: a holder's bond becomes its payments, each a security of its own."""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, define_act
from node.ledger.checks import check_amount
from node.ledger.holdings import asset_of, check_available
from node.ledger.identifiers import Address, AssetCode
from node.ledger.policies import AccountClass
from node.ledger.protocol import DEBT_DESK
from node.ledger.stripping import parts_of, strip


class StripSecurity(Record, tag=73):
    """Take `face` minor units of `asset`, a multiple of its strips', apart in `account`."""

    account: Address
    asset: AssetCode
    face: int


def _apply(context: ActContext, operation: StripSecurity) -> None:
    state, account, line, face = (
        context.state,
        operation.account,
        operation.asset,
        operation.face,
    )
    context.authority.account(account, AccountClass.TRANSFER)
    asset_of(state, line)
    check_amount("face", face)
    check_available(state, account, line, face)
    parts = parts_of(state, line, face, left=context.strips_left)
    context.strips_left -= parts.moved
    context.events.append(strip(state, account, parts))


ACT: Final = define_act("strip_security", StripSecurity, _apply, since=DEBT_DESK)
