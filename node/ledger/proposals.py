"""Completing a proposal: its operations are applied, all or none, once no approval is missing.

After each approval the operations are tried out in a bracket of their own. If an office (or the
issuer) is still missing, whatever else they would have come to does not count: the trial ends
there, the bracket is discarded and the proposal waits. So what one institution proposes costs no
more than what it could do by itself, however much it asks of the others. If nothing is missing, the
result stands: applied, or refused with the outcome of the first operation that was refused. Either
way the proposal is closed.

What a block offers to all of its dear work together, proposals have no more of than others. One
that finds too little left is not refused for it: whoever approved last does so again later. Only
what is too much for a block of its own is.
"""

from node.codec import Record
from node.ledger.acting import ActContext
from node.ledger.authority import ProposalAuthority
from node.ledger.docket import close
from node.ledger.identifiers import Hash
from node.ledger.outcomes import Details, Outcome, Reject
from node.ledger.tables import PROPOSALS, ProposalRecord


class ProposalApplied(Record, tag=48):
    """A proposal was complete; the events of its operations follow."""

    proposal: Hash


class ProposalRefused(Record, tag=49):
    """A proposal was complete, but one of its operations was refused. Nothing of it was applied."""

    proposal: Hash
    operation: int
    """Index in the proposal of the first operation refused."""
    outcome: Outcome
    details: Details


def advance(context: ActContext, proposal_id: bytes, proposal: ProposalRecord) -> None:
    """Apply an open proposal if it is complete, or keep it with the approvals it has.

    Raises:
        Reject: BLOCK_CROWDED.
    """
    state = context.state
    authority = ProposalAuthority(state, proposal.proposer, proposal.approvals)
    inner = ActContext(
        state=state,
        block=context.block,
        transaction_id=context.transaction_id,
        authority=authority,
        catalogue=context.catalogue,
    )
    inner.index = context.index
    inner.work_left, is_shared = context.work_left, context.is_shared
    refusal: tuple[int, Reject] | None = None
    state.begin()
    for index, operation in enumerate(context.catalogue.decode(proposal.operations)):
        inner.inner_index = index
        try:
            context.catalogue.act_of(operation).apply(inner, operation)
        except Reject as refused:
            if authority.missing is not None:
                break
            if refused.outcome is Outcome.BLOCK_CROWDED and is_shared:
                context.work_left = inner.work_left
                state.discard()
                raise
            refusal = refusal or (index, refused)
    context.work_left = inner.work_left
    if authority.missing is not None:
        state.discard()
        state.put(PROPOSALS, proposal_id, proposal)
    elif refusal is not None:
        state.discard()
        close(state, proposal_id, proposal)
        index, reject = refusal
        context.events.append(
            ProposalRefused(
                proposal=proposal_id,
                operation=index,
                outcome=reject.outcome,
                details=reject.details,
            )
        )
    else:
        state.keep()
        close(state, proposal_id, proposal)
        context.events.append(ProposalApplied(proposal=proposal_id))
        context.events.extend(inner.events)
