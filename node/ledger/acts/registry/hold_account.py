"""Hold an account: nothing leaves it and it acts for nobody, until released. It still receives."""

from typing import Final

from node.codec import Record, replace
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import other_account, participant_of, subject_of
from node.ledger.checks import check_text
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.tables import ACCOUNTS, AccountHold, Text


class HoldAccount(Record, tag=8):
    """Place the account `target` on hold."""

    account: Address
    approvers: Approvers
    target: Address
    reason: Text
    legal_reference: Text


class AccountHeld(Record, tag=8):
    """Nothing leaves an account."""

    account: Address
    placed_by: Name
    legal_reference: Text


def _apply(context: ActContext, operation: HoldAccount) -> None:
    state, target = context.state, operation.target
    participants = context.authority.participants(operation.account, operation.approvers)
    record = other_account(state, target)
    owner = participant_of(state, record.owner)
    context.authority.power(ACT.name, subject_of(owner), participants)
    check_text("reason", operation.reason)
    check_text("legal_reference", operation.legal_reference)
    if record.hold is not None:
        raise Reject(
            Outcome.ACCOUNT_ALREADY_ON_HOLD,
            account=target,
            placed_by=record.hold.placed_by,
            legal_reference=record.hold.legal_reference,
        )

    hold = AccountHold(
        reason=operation.reason,
        legal_reference=operation.legal_reference,
        placed_by=participants[0],
    )
    state.put(ACCOUNTS, target, replace(record, hold=hold))
    context.events.append(
        AccountHeld(
            account=target,
            placed_by=participants[0],
            legal_reference=operation.legal_reference,
        )
    )


ACT: Final = define_act("hold_account", HoldAccount, _apply)
