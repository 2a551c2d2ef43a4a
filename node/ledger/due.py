"""What happens by time: the queue of holds and proposals that expire, a bounded number a block.

The queue is ordered by time and then by id. Each block takes what is due from its head, before its
transactions; what does not fit waits for the next block, in the same order.
"""

from typing import Final, assert_never

from node.codec import Record
from node.ledger import docket, holdings
from node.ledger.identifiers import ADDRESS_SIZE, Address, AssetCode, Hash
from node.ledger.state import LedgerState
from node.ledger.tables import DUE, PROPOSALS, DueKind, DueRecord

DUE_PER_BLOCK_MAX: Final = 1_000
"""About 10 ms of work."""


class HoldExpired(Record, tag=28):
    """What was held is available again, because its time has come."""

    hold: Hash
    holder: Address
    asset: AssetCode
    amount: int


class ProposalExpired(Record, tag=50):
    """A proposal was not completed in time."""

    proposal: Hash


def apply_due(state: LedgerState, time_ms: int) -> list[HoldExpired | ProposalExpired]:
    """Expire what is due in a block of this time, in order of its time and id."""
    events: list[HoldExpired | ProposalExpired] = []
    start, page = b"", 1  # Most blocks find nothing due, and read one entry to know it.
    while len(events) < DUE_PER_BLOCK_MAX:
        entries = state.scan(DUE, start, page)
        for key, due in entries:
            if int.from_bytes(key[:8], "big") > time_ms:
                return events
            events.append(_expire(state, due))
        if len(entries) < page:
            break
        start = entries[-1][0] + b"\0"  # the least key above the last one
        page = min(2 * page, DUE_PER_BLOCK_MAX - len(events))
    return events


def _expire(state: LedgerState, due: DueRecord) -> HoldExpired | ProposalExpired:
    match due.kind:
        case DueKind.HOLD_EXPIRES:
            holder, hold_id = due.target[:ADDRESS_SIZE], due.target[ADDRESS_SIZE:]
            hold = holdings.release_hold(state, holder, hold_id)
            return HoldExpired(hold=hold_id, holder=holder, asset=hold.asset, amount=hold.amount)
        case DueKind.PROPOSAL_EXPIRES:
            proposal = state.get(PROPOSALS, due.target)
            assert proposal is not None  # closing one removes its entry
            docket.close(state, due.target, proposal)
            return ProposalExpired(proposal=due.target)
        case _ as unreachable:
            assert_never(unreachable)
