"""Withdraw: the account that proposed takes its proposal back."""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, define_act
from node.ledger.docket import close
from node.ledger.identifiers import Address, Hash
from node.ledger.outcomes import Outcome, Reject
from node.ledger.policies import AccountClass
from node.ledger.tables import PROPOSALS


class Withdraw(Record, tag=42):
    """Take the proposal of this id back."""

    account: Address
    proposal: Hash


class Withdrawn(Record, tag=42):
    """A proposal was taken back by its proposer."""

    proposal: Hash


def _apply(context: ActContext, operation: Withdraw) -> None:
    state, proposal_id = context.state, operation.proposal
    context.authority.account(operation.account, AccountClass.OFFICE)
    proposal = state.get(PROPOSALS, proposal_id)
    if proposal is None:
        raise Reject(Outcome.PROPOSAL_UNKNOWN, proposal=proposal_id)
    if proposal.proposer != operation.account:
        raise Reject(
            Outcome.NOT_PROPOSER,
            proposal=proposal_id,
            proposer=proposal.proposer,
            account=operation.account,
        )

    close(state, proposal_id, proposal)
    context.events.append(Withdrawn(proposal=proposal_id))


ACT: Final = define_act("withdraw", Withdraw, _apply)
