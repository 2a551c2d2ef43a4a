"""The open proposals, and how many each participant has. The only writer of both.

One participant may have a quarter of what may be open: otherwise one institution could take every
place for as long as proposals live, and nobody else could propose.
"""

from node.ledger.outcomes import Outcome, Reject
from node.ledger.state import LedgerState
from node.ledger.tables import (
    ACCOUNTS,
    DUE,
    PROPOSAL_COUNTS,
    PROPOSALS,
    DueKind,
    DueRecord,
    ProposalCountRecord,
    ProposalRecord,
    due_key,
    name_key,
)


def check_place(state: LedgerState, participant: str, open_max: int) -> None:
    """Refuse a proposal for which there is no place.

    Args:
        open_max: how many may be open, of all participants together.

    Raises:
        Reject: PROPOSALS_FULL, PROPOSALS_FULL_FOR_PARTICIPANT.
    """
    # Each count is at least 1: this many rows are enough to know.
    counts = state.scan(PROPOSAL_COUNTS, b"", open_max)
    if sum(count.open for _, count in counts) >= open_max:
        raise Reject(Outcome.PROPOSALS_FULL, found=open_max)
    share = max(1, open_max // 4)
    if _open_of(state, participant) >= share:
        raise Reject(
            Outcome.PROPOSALS_FULL_FOR_PARTICIPANT, participant=participant, expected=share
        )


def enter(state: LedgerState, proposal_id: bytes, proposal: ProposalRecord) -> None:
    """Open a proposal that has its place, and queue its expiry."""
    state.put(PROPOSALS, proposal_id, proposal)
    due = DueRecord(kind=DueKind.PROPOSAL_EXPIRES, target=proposal_id)
    state.put(DUE, due_key(proposal.expires_ms, proposal_id), due)
    participant = _proposer(state, proposal)
    _set_open(state, participant, _open_of(state, participant) + 1)


def close(state: LedgerState, proposal_id: bytes, proposal: ProposalRecord) -> None:
    """Remove an open proposal, its place and its expiry."""
    state.delete(PROPOSALS, proposal_id)
    state.delete(DUE, due_key(proposal.expires_ms, proposal_id))
    participant = _proposer(state, proposal)
    _set_open(state, participant, _open_of(state, participant) - 1)


def _proposer(state: LedgerState, proposal: ProposalRecord) -> str:
    account = state.get(ACCOUNTS, proposal.proposer)
    assert account is not None  # accounts are never deleted
    return account.owner


def _open_of(state: LedgerState, participant: str) -> int:
    count = state.get(PROPOSAL_COUNTS, name_key(participant))
    return 0 if count is None else count.open


def _set_open(state: LedgerState, participant: str, count: int) -> None:
    if count:
        state.put(PROPOSAL_COUNTS, name_key(participant), ProposalCountRecord(open=count))
    else:
        state.delete(PROPOSAL_COUNTS, name_key(participant))
