"""Propose: put operations on the ledger for other offices to approve."""

from typing import Annotated, Final, cast

import msgspec

from node.codec import CodecError, Record
from node.hashing import Domain
from node.ledger.acting import ActContext, GovernedOperation, define_act
from node.ledger.authority import participant_of
from node.ledger.checks import check_expiry
from node.ledger.docket import check_place, enter
from node.ledger.identifiers import Address, Hash, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.parameters import parameter
from node.ledger.policies import AccountClass
from node.ledger.proposals import advance
from node.ledger.tables import PROPOSAL_SIZE_MAX, ProposalRecord
from node.ledger.units import Milliseconds

OPERATIONS_MAX: Final = 100


class Propose(Record, tag=40):
    """Propose operations, in each of which `account` acts and nobody is named as approver."""

    account: Address
    operations: Annotated[bytes, msgspec.Meta(min_length=1, max_length=PROPOSAL_SIZE_MAX)]
    """Canonical encoding of the tuple of operations: what is approved is these bytes."""
    expires_ms: Milliseconds


class Proposed(Record, tag=40):
    """A proposal is open, and its proposer has approved it."""

    proposal: Hash
    proposer: Name
    expires_ms: Milliseconds


def _apply(context: ActContext, operation: Propose) -> None:
    state, account = context.state, operation.account
    owner = context.authority.account(account, AccountClass.OFFICE).owner
    if participant_of(state, owner).office is None:
        raise Reject(Outcome.OFFICE_NOT_HELD, participant=owner)
    check_expiry(
        "expires_ms",
        operation.expires_ms,
        now_ms=context.block.time_ms,
        lifetime_max_ms=parameter(state, "proposal-lifetime-max-ms"),
    )
    _check_operations(context, operation)
    check_place(state, owner, parameter(state, "proposals-open-max"))

    proposal_id = context.new_id(Domain.PROPOSAL)
    context.events.append(
        Proposed(proposal=proposal_id, proposer=owner, expires_ms=operation.expires_ms)
    )
    proposal = ProposalRecord(
        proposer=account,
        operations=operation.operations,
        approvals=(account,),
        expires_ms=operation.expires_ms,
    )
    enter(state, proposal_id, proposal)
    advance(context, proposal_id, proposal)


def _check_operations(context: ActContext, operation: Propose) -> None:
    """Refuse operations that could never be applied as parts of a proposal.

    Raises:
        Reject: PROPOSAL_NOT_READABLE, OPERATION_NOT_PROPOSABLE, APPROVERS_IN_PROPOSAL.
    """
    try:
        proposed = context.catalogue.decode(operation.operations)
    except CodecError:
        # Which byte was wrong is the codec's wording, and a receipt holds only our own.
        raise Reject(Outcome.PROPOSAL_NOT_READABLE, expected=OPERATIONS_MAX) from None
    for index, part in enumerate(proposed):
        act = context.catalogue.act_of(part)
        if act.in_force_since(part) > context.block.version:
            # As a release says that does not know the operation yet.
            raise Reject(Outcome.PROPOSAL_NOT_READABLE, expected=OPERATIONS_MAX)
        # By name: `isinstance` of a protocol takes 12 µs, more than all else together.
        name = act.name
        if name not in context.catalogue.governed_names:
            raise Reject(Outcome.OPERATION_NOT_PROPOSABLE, index=index, operation=name)
        governed = cast("GovernedOperation", part)
        if governed.account != operation.account or governed.approvers:
            raise Reject(Outcome.APPROVERS_IN_PROPOSAL, index=index)


ACT: Final = define_act("propose", Propose, _apply)
