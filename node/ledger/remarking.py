"""Marking the positions of a taxpayer anew when its standing changes: a bounded number a block.

A participant may have positions in any number of securities and accounts. They are found by its
accounts that ever had one, and of each by what it holds and by what is still owed to it. What moves
meanwhile is not missed: a position that begins, or begins again, has the new class from the start
(`positions.note_face`), and one that ends while something is owed stands in the list that is looked
at second.
"""

from collections.abc import Iterator
from typing import Final

from node.codec import Record
from node.ledger.identifiers import ADDRESS_SIZE, Name
from node.ledger.positions import place_of, put_position, reclassed, service_of
from node.ledger.securities import (
    POSITIONS,
    TIES,
    TaxStatus,
    Tie,
    position_key,
)
from node.ledger.state import LedgerState, R, Table
from node.ledger.tables import ASSETS, HOLDINGS, PARTICIPANTS, name_key
from node.ledger.taxpayers import (
    account_after,
    class_named,
    next_change,
    note_progress,
    taxpayer_of,
)
from node.ledger.terms import is_serviced
from node.ledger.units import Day

_PAGE: Final = 32
_HELD, _OWED, _DONE = b"\0", b"\1", b"\2"
"""Lists of an account, in the order in which they are looked at; and that both were."""


class TaxStatusRules(Record, tag=152):
    """All positions of a taxpayer have its class: payments that waited for it may begin."""

    participant: Name
    status: TaxStatus
    from_day: Day


def mark_some(state: LedgerState, today: Day, most: int) -> tuple[list[TaxStatusRules], int]:
    """Mark positions of those whose standing has changed, in the order of the days of change.

    Args:
        most: how many may be looked at: positions, other holdings, and accounts.

    Returns:
        what happened, and how many were looked at.
    """
    events: list[TaxStatusRules] = []
    looked_at = 0
    while looked_at < most:
        first = next_change(state)
        if first is None or first[0] > today:
            break
        from_day, participant = first
        taxpayer = taxpayer_of(state, participant)
        record = state.get(PARTICIPANTS, name_key(participant))
        assert record is not None  # nobody ceases to be registered
        assert taxpayer.change is not None  # it stands in the queue
        new_class = class_named(record.kind, taxpayer.change.status)
        cursor: bytes | None = taxpayer.cursor or b""
        looked_at += 1
        for account, asset, at in _walk(state, participant, taxpayer.cursor or b""):
            if asset is not None:
                _mark(state, account, asset, new_class, from_day)
            cursor, looked_at = at, looked_at + 1
            if looked_at >= most:
                break
        else:
            cursor = None
            status = taxpayer.change.status
            events.append(TaxStatusRules(participant=participant, status=status, from_day=from_day))
        note_progress(state, participant, taxpayer, cursor)
    return events, looked_at


def _walk(
    state: LedgerState, participant: str, cursor: bytes
) -> Iterator[tuple[bytes, str | None, bytes]]:
    """Yield account, asset and cursor behind it, of all that a participant has or is owed for.

    At the end of each account there is a step without an asset.
    """
    account: bytes | None = cursor[:ADDRESS_SIZE]
    reached, behind = cursor[ADDRESS_SIZE : ADDRESS_SIZE + 1], cursor[ADDRESS_SIZE + 1 :]
    if not account or reached == _DONE:
        account, reached, behind = (
            account_after(state, participant, cursor[:ADDRESS_SIZE]),
            b"",
            b"",
        )
    while account is not None:
        lists: tuple[tuple[bytes, Iterator[bytes]], ...] = (
            (_HELD, _keys(state, HOLDINGS, account, behind if reached == _HELD else b"")),
            (
                _OWED,
                _keys(
                    state, TIES, account + bytes((Tie.OWED,)), behind if reached == _OWED else b""
                ),
            ),
        )
        for name, codes in lists:
            if name < reached:
                continue
            for code in codes:
                yield account, code.decode(), account + name + code
        yield account, None, account + _DONE
        account, reached, behind = account_after(state, participant, account), b"", b""


def _keys(state: LedgerState, table: Table[R], prefix: bytes, behind: bytes) -> Iterator[bytes]:
    """Yield what follows the prefix in the keys of a table, in their order, behind one of them."""
    start = prefix + behind + b"\0" if behind else prefix
    while True:
        entries = state.scan(table, start, _PAGE)
        for key, _ in entries:
            if not key.startswith(prefix):
                return
            yield key[len(prefix) :]
        if len(entries) < _PAGE:
            return
        start = entries[-1][0] + b"\0"  # the least key above the last one


def _mark(state: LedgerState, account: bytes, asset: str, taxpayer: str, from_day: Day) -> None:
    record = state.get(ASSETS, name_key(asset))
    assert record is not None  # it is held, or was
    if not is_serviced(record.terms):
        return
    place = place_of(account, record.terms.plan.cash)
    position = state.get(POSITIONS, position_key(asset, place))
    assert position is not None  # the account has it, or is owed for it
    service = service_of(state, asset)
    after = reclassed(state, asset, service, place, position, taxpayer, from_day)
    if after is not position:
        put_position(state, place, asset, position, after)
