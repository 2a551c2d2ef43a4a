"""Approve: a participant that holds an office stands behind an open proposal."""

from typing import Final

from node.codec import Record, replace
from node.ledger.acting import ActContext, define_act
from node.ledger.authority import participant_of
from node.ledger.identifiers import Address, Hash, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.policies import AccountClass
from node.ledger.proposals import advance
from node.ledger.tables import ACCOUNTS, PROPOSALS


class Approve(Record, tag=41):
    """Approve the proposal of this id, which stands for its bytes."""

    account: Address
    proposal: Hash


class Approved(Record, tag=41):
    """A participant stands behind a proposal."""

    proposal: Hash
    participant: Name


def _apply(context: ActContext, operation: Approve) -> None:
    state, proposal_id = context.state, operation.proposal
    owner = context.authority.account(operation.account, AccountClass.OFFICE).owner
    if participant_of(state, owner).office is None:
        raise Reject(Outcome.OFFICE_NOT_HELD, participant=owner)
    proposal = state.get(PROPOSALS, proposal_id)
    # One whose time has come waits in the queue of what is due, while that is long.
    if proposal is None or proposal.expires_ms <= context.block.time_ms:
        raise Reject(Outcome.PROPOSAL_UNKNOWN, proposal=proposal_id)
    for address in proposal.approvals:
        approver = state.get(ACCOUNTS, address)
        assert approver is not None  # accounts are never deleted
        if approver.owner == owner:
            raise Reject(Outcome.ALREADY_APPROVED, participant=owner, proposal=proposal_id)

    context.events.append(Approved(proposal=proposal_id, participant=owner))
    approvals = (*proposal.approvals, operation.account)
    advance(context, proposal_id, replace(proposal, approvals=approvals))


ACT: Final = define_act("approve", Approve, _apply)
