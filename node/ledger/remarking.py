"""Marking the positions of a taxpayer anew when its standing changes: a bounded number a block.

A participant may have positions in any number of securities and accounts. They are found by the
status that they are marked with (`taxpayers.py`): those under the old one are what is left to do.
What moves meanwhile is not missed: a position that begins has the new class from the start, one
that ends is not found any more, and one that is only owed something, or has face again, still is.
"""

from node.codec import Record
from node.ledger.identifiers import Name
from node.ledger.positions import put_position, reclassed, service_of
from node.ledger.securities import POSITIONS, TaxStatus, split_position_key
from node.ledger.state import LedgerState
from node.ledger.tables import PARTICIPANTS, name_key
from node.ledger.taxpayers import (
    begin_day,
    change_of,
    class_named,
    day_begun,
    end_change,
    next_change,
    unmarked,
)
from node.ledger.units import Day


class TaxStatusRules(Record, tag=152):
    """All positions of a taxpayer have its class: payments that waited for it may begin."""

    participant: Name
    status: TaxStatus
    from_day: Day


def mark_some(state: LedgerState, today: Day, most: int) -> tuple[list[TaxStatusRules], int]:
    """Mark positions of those whose standing has changed, in the order of the days of change.

    Args:
        most: how many may be looked at: positions, and taxpayers.

    Returns:
        what happened, and how many were looked at.
    """
    first = next_change(state)
    if first is not None and first[0] <= today:
        begin_day(state, today)
    begun = day_begun(state)
    events: list[TaxStatusRules] = []
    looked_at = 0
    while looked_at < most and first is not None and first[0] <= begun:
        room = most - looked_at
        marked = _mark_taxpayer(state, first[1], room)
        if marked == room:
            return events, most
        looked_at += marked + 1
        events.append(_end(state, first[1]))
        first = next_change(state)
    return events, looked_at


def _mark_taxpayer(state: LedgerState, participant: str, most: int) -> int:
    """Mark positions of one whose change has begun; return how many: fewer than most are all."""
    record = state.get(PARTICIPANTS, name_key(participant))
    assert record is not None  # nobody ceases to be registered
    change = change_of(state, participant)
    new_class = class_named(record.kind, change.status)
    keys = unmarked(state, participant, change, most)
    for key in keys:
        _mark(state, key, new_class, change.from_day)
    return len(keys)


def _end(state: LedgerState, participant: str) -> TaxStatusRules:
    change = change_of(state, participant)
    end_change(state, participant, change)
    return TaxStatusRules(participant=participant, status=change.status, from_day=change.from_day)


def _mark(state: LedgerState, key: bytes, new_class: str, from_day: Day) -> None:
    asset, place = split_position_key(key)
    position = state.get(POSITIONS, key)
    assert position is not None  # what ends is not found any more
    service = service_of(state, asset)
    after = reclassed(state, asset, service, place, position, new_class, from_day)
    put_position(state, place, asset, position, after)
