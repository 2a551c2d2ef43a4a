"""Marking the positions of taxpayers anew when their standing changes: a bounded number a block.

A participant may have positions in any number of securities and accounts. Changes are taken in the
order of their days, the positions of each taxpayer in that of their names (`taxpayers.py`), from
where the block before stopped. What moves meanwhile is not missed: a position that begins has the
new class from the start, one that ends is not found any more, and one that is only owed something,
or has face again, still is.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from node.codec import Record, replace
from node.ledger.identifiers import Name
from node.ledger.positions import put_position, reclassed, service_of
from node.ledger.securities import (
    POSITIONS,
    TAX_CHANGES,
    TaxChangeRecord,
    TaxDayRecord,
    TaxStatus,
    split_position_key,
    split_tax_change_key,
)
from node.ledger.state import LedgerState
from node.ledger.taxpayers import (
    begin_day,
    next_change,
    note_progress,
    progress_of,
    status_in,
    unmarked,
)
from node.ledger.units import Day

_PAGE_CHANGES: Final = 64
"""Changes read in one go, as many as follow one another."""


class TaxStatusRules(Record, tag=152):
    """All positions of a taxpayer have its class: payments that waited for it may begin."""

    participant: Name
    status: TaxStatus
    from_day: Day


def mark_some(state: LedgerState, today: Day, most: int) -> tuple[tuple[TaxStatusRules, ...], int]:
    """Mark positions of those whose standing has changed, in the order of the days of change.

    Args:
        most: how many may be looked at: positions, and taxpayers who have none.

    Returns:
        what happened, and how many were looked at.
    """
    first = next_change(state)
    if first is not None and first[0] <= today:
        begin_day(state, today)
    progress = before = progress_of(state)
    events: list[TaxStatusRules] = []
    looked_at = 0
    for key, change in _begun_changes(state, before):
        if looked_at == most:
            break
        from_day, participant = split_tax_change_key(key)
        start = progress.next_position if key == progress.next_change else b""
        room = most - looked_at
        positions, following = unmarked(state, participant, from_day, start, room)
        _mark_each(state, positions, change.taxpayer, from_day)
        looked_at += max(1, len(positions))
        if following is not None:
            progress = replace(progress, next_change=key, next_position=following)
            break
        progress = replace(progress, next_change=key + b"\0", next_position=b"")
        events.append(
            TaxStatusRules(
                participant=participant, status=status_in(change.taxpayer), from_day=from_day
            )
        )
    if progress != before:
        note_progress(state, progress)
    return tuple(events), looked_at


def _begun_changes(
    state: LedgerState, progress: TaxDayRecord
) -> Iterator[tuple[bytes, TaxChangeRecord]]:
    """Yield the changes that are still to be marked and whose day has begun."""
    start, page = progress.next_change, 1
    while True:
        entries = state.scan(TAX_CHANGES, start, page)
        for key, change in entries:
            if split_tax_change_key(key)[0] > progress.day:
                return
            yield key, change
        if len(entries) < page:
            return
        start, page = entries[-1][0] + b"\0", min(2 * page, _PAGE_CHANGES)


def _mark_each(state: LedgerState, keys: Sequence[bytes], new_class: str, from_day: Day) -> None:
    for key, position in zip(keys, state.get_each(POSITIONS, keys), strict=True):
        asset, place = split_position_key(key)
        assert position is not None  # what ends is not found any more
        service = service_of(state, asset)
        after = reclassed(state, asset, service, place, position, new_class, from_day)
        put_position(state, place, asset, position, after)
