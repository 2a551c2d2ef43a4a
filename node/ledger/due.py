"""What happens by time: what expires and what was appointed, a bounded number a block.

The queue is ordered by time and then by id. Each block takes what is due from its head, before its
transactions; what does not fit waits for the next block, in the same order. What has more to do
than fits into a block leaves its entry where it is, and goes on in the next one. What is counted is
work, not things: an entry that costs as much as twenty others counts as twenty.

Records of securities come first, from a queue of their own: one that waited behind other work would
count what moves meanwhile. They have their own bound, and all else is done in what they leave of a
block; while some of them must wait, no security that pays is issued or moved. So N records of one
moment are taken within 2 + (N - 25) / 50 blocks, and nothing moves until then.

Where the standing of a taxpayer changes, its positions are marked anew before all else but records,
with a bound of their own (`remarking.py`), a lower one while holders are paid: payments may have to
wait for it, never the other way, and no longer than what there was when the day of the change began
takes.

Holders are paid in the order of the queue. A payment for which a block had no room is before those
of which it paid some, so that a small one never waits until a large one is done.
"""

from typing import Final, TypeAlias, assert_never

from node.codec import Record
from node.ledger import calendars, docket, holdings, servicing
from node.ledger.auctioning.steps import AuctionEvent, take_step
from node.ledger.calendars import AppointmentMoved
from node.ledger.identifiers import ADDRESS_SIZE, Address, AssetCode, Hash
from node.ledger.rehearsing import Perform, perform_plainly
from node.ledger.remarking import TaxStatusRules, mark_some
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
from node.ledger.taxpayers import day_begun, next_change

DUE_PER_BLOCK_MAX: Final = 1_000
"""About 10 ms of work."""
RECORDS_PER_BLOCK_MAX: Final = 50
"""Of all securities together, where the block before left some: 13 ms of a block with all that
follows from them, where the state has 1,000,000 holders; a quarter more after an amendment of their
calendars."""
RECORDS_AT_FIRST_MAX: Final = 25
"""Where the block before left none: when they come nobody could foresee, so that each costs twice
as much as one that waited, which was rehearsed."""
RECORD_WORK: Final = 18
"""Entries' worth: a tenth of a block is left to everything else while records are taken in full,
half of that to what is neither a record nor marked."""
MARKED_PER_BLOCK_MAX: Final = 600
"""Positions of taxpayers whose standing changes, and taxpayers who have none. Where each position
is another taxpayer's, all of them take 9 ms of a block's own time if that was rehearsed, else 34
(`tests/bench/marking.py`)."""
MARKED_BESIDE_PAYMENTS_MAX: Final = 200
"""Where holders are being paid: two thirds of what a block can pay are left to them."""
MARK_WORK: Final = 1
MARK_WORTH: Final = 8
"""Holders that are not paid in a block for each position that is looked at in it. Rehearsed it
costs as much as five of them, else as twenty. Where as many are marked as may be, a payment still
begins, but for a block of records."""
RECORD_WORTH: Final = 100
"""Holders that are not paid in a block for each record that is taken in it: it changes ten records
and their branches, which nobody has read ahead."""
SERVICE_WORK: Final = 20
"""Entries' worth: looking at a security may take planning its next payment. Holders are counted by
themselves."""
FUNDING_WORK: Final = 10
"""And looking whether its paying agent has what is due: half of it is what follows in the tree."""
APPOINTMENT_WORK: Final = 5
"""And measuring an appointment by its calendar, whatever it is for."""


_MARKING: Final = "marking of taxpayers"
"""What it is rehearsed by. No asset code has a space."""


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
    HoldExpired
    | ProposalExpired
    | AuctionEvent
    | AppointmentMoved
    | ServicingEvent
    | TaxStatusRules
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
    block.mark_taxpayers()
    start, page = b"", 1  # Most blocks find nothing due, and read one entry to know it.
    while block.done < DUE_PER_BLOCK_MAX:
        entries = state.scan(DUE, start, page)
        for key, due in entries:
            if not _is_due(key, time_ms) or block.done >= DUE_PER_BLOCK_MAX:
                return block.events
            if state.get(DUE, key) is None:
                continue  # withdrawn by what happened before it in this block
            block.done += 1 if block.has_served(due) else block.happen(due)
        if len(entries) < page:
            break
        start = entries[-1][0] + b"\0"  # the least key above the last one
        page = max(1, min(2 * page, DUE_PER_BLOCK_MAX - block.done))
    return block.events


def records_wait(state: LedgerState) -> bool:
    """Whether the last block left records to the next one, which will take them first."""
    return state.get(BACKLOG, BACKLOG_KEY) is not None


def marking_waits(state: LedgerState) -> bool:
    """Whether the last block left positions of taxpayers to be marked in the next one."""
    begun = day_begun(state)
    first = next_change(state) if begun else None
    return first is not None and first[0] <= begun


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
        self._served: set[bytes] = set()
        self._marking = 0
        """Of what is done: marking taxpayers."""
        self.done = 0
        """Work so far, in entries' worth."""
        self.events: list[DueEvent] = []

    def take_records(self) -> None:
        """Take the records whose time has come; say so if some are left to the next block."""
        state, time_ms = self._state, self._time_ms
        waited = records_wait(state)
        records_max = RECORDS_PER_BLOCK_MAX if waited else RECORDS_AT_FIRST_MAX
        # One more than may be taken, to know whether any is left. Most blocks read one entry.
        entries = state.scan(RECORDS_DUE, b"", 1)
        if entries and _is_due(entries[0][0], time_ms):
            entries = state.scan(RECORDS_DUE, b"", records_max + 1)
        due = [entry for key, entry in entries if _is_due(key, time_ms)]
        for entry in due[:records_max]:
            self.happen(entry)
            self._holders -= RECORD_WORTH
            self.done += RECORD_WORK
        are_left = len(due) > records_max
        if are_left or waited:
            backlog = BacklogRecord(time_ms=time_ms) if are_left else None
            state.put(BACKLOG, BACKLOG_KEY, backlog)

    def mark_taxpayers(self) -> None:
        """Mark positions of taxpayers whose standing has changed, in what records have left."""
        state = self._state
        if next_change(state) is None:
            return  # as in most blocks
        # As it is known of the block before: whoever begins now is paid a few in this one.
        is_paying = servicing.foresee(state, self._time_ms - 1, servicing.HOLDERS_PER_BLOCK_MAX)
        marked_max = MARKED_BESIDE_PAYMENTS_MAX if is_paying else MARKED_PER_BLOCK_MAX
        left = (DUE_PER_BLOCK_MAX - self.done) // MARK_WORK
        # Beside records half of it: payments, and all else that is due, go on meanwhile.
        most = min(marked_max, left // 2 if self.done else left)
        today = calendars.today(state, self._time_ms)
        events, looked_at = self._perform(_MARKING, state, mark_some, today, most)
        self.events.extend(events)
        self._holders -= MARK_WORTH * looked_at
        self._marking = MARK_WORK * looked_at
        self.done += self._marking

    def has_served(self, due: DueRecord) -> bool:
        """Whether it was done in this block, and stands in the queue again for the next one."""
        return due.kind is DueKind.SERVICE and due.target in self._served

    def _room(self) -> int:
        """Return how many holders may still be paid: half as many where much else was done, but for
        marking, which counts for holders by itself.

        In one step, not by the entry: that many were paid in a rehearsal, and a hold that expires
        beside them should not have it be in vain.
        """
        if 2 * (self.done - self._marking) <= DUE_PER_BLOCK_MAX:
            return self._holders
        return self._holders - (servicing.HOLDERS_PER_BLOCK_MAX + 1) // 2

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
                events.extend(elsewhere)
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
                self._served.add(due.target)
                served, paid, at_first = servicing.serve(
                    state, asset, self._time_ms, self._room(), self._at_first, self._perform
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
