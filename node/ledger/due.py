"""What happens by time: what expires and what was appointed, a bounded number a block.

The queue is ordered by time and then by id. Each block takes what is due from its head, before its
transactions; what does not fit waits for the next block, in the same order. What has more to do
than fits into a block leaves its entry where it is, and goes on in the next one. What is counted is
work, not things: an entry that costs as much as twenty others counts as twenty.

Records of securities come first, from a queue of their own: one that waited behind other work would
count what moves meanwhile. They have their own bound, and holders are paid in what they leave of a
block; while some of them must wait, no security that pays is issued or moved.
"""

from typing import Final, TypeAlias, assert_never

from node.codec import Record
from node.ledger import calendars, docket, holdings, servicing
from node.ledger.auctioning import AuctionEvent, take_step
from node.ledger.calendars import AppointmentMoved
from node.ledger.identifiers import ADDRESS_SIZE, Address, AssetCode, Hash
from node.ledger.rehearsing import Perform, perform_plainly
from node.ledger.securities import split_payment_key
from node.ledger.servicing import ServicingEvent
from node.ledger.state import LedgerState
from node.ledger.tables import (
    BACKLOG,
    BACKLOG_KEY,
    DUE,
    PROPOSALS,
    RECORDS_DUE,
    BacklogRecord,
    DueKind,
    DueRecord,
    name_key,
)

DUE_PER_BLOCK_MAX: Final = 1_000
"""About 10 ms of work."""
RECORDS_PER_BLOCK_MAX: Final = 100
"""Of all securities together: 30 ms of a block with all that follows from them, a fifth of it the
ledger's own; twice that after an amendment of their calendars."""
RECORD_WORTH: Final = 50
"""Holders that are not paid in a block for each record that is taken in it: it changes six records
and their branches, which nobody has read ahead."""
SERVICE_WORK: Final = 20
"""Entries' worth: looking at a security may take planning its next payment. Holders are counted by
themselves."""
FUNDING_WORK: Final = 10
"""And looking whether its paying agent has what is due: half of it is what follows in the tree."""
APPOINTMENT_WORK: Final = 5
"""And measuring an appointment by its calendar, whatever it is for."""


class HoldExpired(Record, tag=28):
    """What was held is available again, because its time has come."""

    hold: Hash
    holder: Address
    asset: AssetCode
    amount: int


class ProposalExpired(Record, tag=50):
    """A proposal was not completed in time."""

    proposal: Hash


DueEvent: TypeAlias = (
    HoldExpired | ProposalExpired | AuctionEvent | AppointmentMoved | ServicingEvent
)


def apply_due(
    state: LedgerState, time_ms: int, perform: Perform = perform_plainly
) -> list[DueEvent]:
    """Let happen what is due in a block of this time, in order of its time and id.

    Args:
        perform: how what may have been rehearsed is done.
    """
    block = _Block(state, time_ms, perform)
    block.take_records()
    taken = 0
    start, page = b"", 1  # Most blocks find nothing due, and read one entry to know it.
    while taken < DUE_PER_BLOCK_MAX:
        entries = state.scan(DUE, start, page)
        for key, due in entries:
            if not _is_due(key, time_ms) or taken >= DUE_PER_BLOCK_MAX:
                return block.events
            if state.get(DUE, key) is None:
                continue  # withdrawn by what happened before it in this block
            taken += block.happen(due)
        if len(entries) < page:
            break
        start = entries[-1][0] + b"\0"  # the least key above the last one
        page = max(1, min(2 * page, DUE_PER_BLOCK_MAX - taken))
    return block.events


def _is_due(key: bytes, time_ms: int) -> bool:
    return int.from_bytes(key[:8], "big") <= time_ms


class _Block:
    """What happens in one block, and how many holders may still be paid in it."""

    def __init__(self, state: LedgerState, time_ms: int, perform: Perform) -> None:
        self._state = state
        self._time_ms = time_ms
        self._perform = perform
        self._holders = servicing.HOLDERS_PER_BLOCK_MAX
        self._at_first = servicing.HOLDERS_AT_FIRST_MAX
        self.events: list[DueEvent] = []

    def take_records(self) -> None:
        """Take the records whose time has come; say so if some are left to the next block."""
        state, time_ms = self._state, self._time_ms
        # One more than may be taken, to know whether any is left. Most blocks read one entry.
        entries = state.scan(RECORDS_DUE, b"", 1)
        if entries and _is_due(entries[0][0], time_ms):
            entries = state.scan(RECORDS_DUE, b"", RECORDS_PER_BLOCK_MAX + 1)
        due = [entry for key, entry in entries if _is_due(key, time_ms)]
        for entry in due[:RECORDS_PER_BLOCK_MAX]:
            self.happen(entry)
            self._holders -= RECORD_WORTH
        is_left = len(due) > RECORDS_PER_BLOCK_MAX
        if is_left or state.get(BACKLOG, BACKLOG_KEY) is not None:
            backlog = BacklogRecord(time_ms=time_ms) if is_left else None
            state.put(BACKLOG, BACKLOG_KEY, backlog)

    def happen(self, due: DueRecord) -> int:
        """Let it happen; return how many entries' worth of work it was."""
        state, events, kind = self._state, self.events, due.kind
        match kind:
            case DueKind.HOLD_EXPIRES:
                holder, hold_id = due.target[:ADDRESS_SIZE], due.target[ADDRESS_SIZE:]
                hold = holdings.release_hold(state, holder, hold_id)
                events.append(
                    HoldExpired(hold=hold_id, holder=holder, asset=hold.asset, amount=hold.amount)
                )
            case DueKind.PROPOSAL_EXPIRES:
                proposal = state.get(PROPOSALS, due.target)
                assert proposal is not None  # closing one removes its entry
                docket.close(state, due.target, proposal)
                events.append(ProposalExpired(proposal=due.target))
            case DueKind.CALENDAR_AMENDED:
                moved, read = calendars.move_some(state, due, self._time_ms)
                events.extend(moved)
                return 1 + read
            case DueKind.APPOINTMENT:
                elsewhere, now = calendars.meet(state, due.target, self._time_ms)
                if elsewhere is not None:
                    events.append(elsewhere)
                work = APPOINTMENT_WORK
                if now is not None:
                    work += self.happen(DueRecord(kind=now.kind, target=now.target))
                return work
            case DueKind.FIXING_DAY:
                fixed = servicing.meet_day(state, kind, due.target, self._time_ms)
                if fixed is not None:
                    events.append(fixed)
                return SERVICE_WORK
            case DueKind.RECORD_DAY | DueKind.FUNDING_DAY | DueKind.PAYMENT_DAY:
                met = servicing.meet_day(state, kind, due.target, self._time_ms)
                if met is not None:
                    events.append(met)
                if kind is DueKind.PAYMENT_DAY:
                    asset = split_payment_key(due.target)[0]
                    return self.happen(DueRecord(kind=DueKind.SERVICE, target=name_key(asset)))
                return FUNDING_WORK  # records have a bound of their own
            case DueKind.SERVICE:
                asset = due.target.decode()
                served, paid, at_first = servicing.serve(
                    state, asset, self._time_ms, self._holders, self._at_first, self._perform
                )
                events.extend(served)
                self._holders -= paid
                self._at_first -= at_first
                return SERVICE_WORK
            case DueKind.AUCTION_STEP:
                stepped, work = take_step(state, due.target.decode(), self._time_ms)
                events.extend(stepped)
                return work
            case _ as unreachable:
                assert_never(unreachable)
        return 1
