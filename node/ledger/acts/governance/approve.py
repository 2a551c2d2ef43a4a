"""Approve: a participant that holds an office stands behind an open proposal."""

from typing import Final

from node.codec import Record, replace
from node.ledger.acting import ActContext, define_act
from node.ledger.authority import is_usable, participant_of
from node.ledger.identifiers import Address, Hash, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.policies import AccountClass
from node.ledger.proposals import advance
from node.ledger.state import LedgerState
from node.ledger.tables import ACCOUNTS, PROPOSALS, ProposalRecord


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
    earlier = _approvals_of(state, proposal, owner)
    if any(is_usable(state, address) for address in earlier):
        raise Reject(Outcome.ALREADY_APPROVED, participant=owner, proposal=proposal_id)

    context.events.append(Approved(proposal=proposal_id, participant=owner))
    # An account that can act no longer stands behind nothing: the new one takes its place.
    others = tuple(address for address in proposal.approvals if address not in earlier)
    approvals = (*others, operation.account)
    advance(context, proposal_id, replace(proposal, approvals=approvals))


def _approvals_of(state: LedgerState, proposal: ProposalRecord, owner: str) -> tuple[bytes, ...]:
    """Return the accounts of this participant that have approved: one at most."""
    return tuple(
        address
        for address in proposal.approvals
        if (account := state.get(ACCOUNTS, address)) is not None and account.owner == owner
    )


ACT: Final = define_act("approve", Approve, _apply)
