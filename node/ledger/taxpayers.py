"""The class of a taxpayer: the kind of a participant, and whether it is active, from a day on.

What is withheld is a table by class. Each position keeps the class of its owner, so that a payment
to thousands looks nobody up; and where the tax authority's list changes, the positions of those
whom it concerns are marked anew, a bounded number a block (`remarking.py`).

The rule that this comes to: a payment is withheld from by the class that rules on the local day of
the block that takes its record, and a record is taken at the midnight that ends its day. A change
is for a day that has not begun. From that day on positions are marked with it, and no payment
begins, of a record that was taken on that day or later, while positions of its security are still
to be marked. Such a record cannot have been taken when the change was told, and nobody can add
another change before which it would wait.

Positions are found by their owner, the latest change of it that had begun when they did, and their
security. Those of a change have its class from the start and stand behind all others: so what is
still to be marked only ever becomes less, nothing that is bought or sent adds a step, and a payment
waits no longer than it takes to mark what was there as the day began. How far that has come is one
record: changes in the order of their days and participants, the positions of one in that of their
names. Of a position nothing else is written than itself, and of a taxpayer who has none nothing at
all.

The only writer of `TAXPAYERS`, `TAXED_POSITIONS`, `TAX_CHANGES` and `TAX_DAYS`.
"""

from typing import Final

from node.codec import replace
from node.ledger.securities import (
    TAX_CHANGES,
    TAX_DAY_KEY,
    TAX_DAYS,
    TAXED_POSITIONS,
    TAXPAYERS,
    TaxChangeRecord,
    TaxDayRecord,
    TaxedPositionRecord,
    TaxpayerRecord,
    TaxStanding,
    TaxStatus,
    filed_name,
    register_prefix,
    split_filed_name,
    split_tax_change_key,
    tax_change_key,
    taxed_prefix,
)
from node.ledger.state import LedgerState
from node.ledger.tables import ACCOUNTS, PARTICIPANTS, ParticipantKind, name_key
from node.ledger.units import Day

_INACTIVE: Final = "-inactive"
CLASSES: Final = tuple(
    sorted(kind.value + suffix for kind in ParticipantKind for suffix in ("", _INACTIVE))
)
"""Every class of taxpayer: `person`, `person-inactive`, ..."""

AWAITED_CHANGES_MAX: Final = 8
"""For how many changes one payment is looked at: whether they are still to reach a holder of its
security. While more than that are being marked, it waits for all."""

AWAITED_FILINGS_MAX: Final = 16
"""Days under which one taxpayer's positions are filed that are looked at for that, one for each
change of it: one of more changes than this is waited for."""

_PAGE_POSITIONS: Final = 64
"""Positions of a taxpayer read in one go: as many as follow one another, behind them another's."""

_ACTIVE: Final = TaxpayerRecord(ruling=None, change=None)
_POSITION: Final = TaxedPositionRecord()
_NO_DAY: Final = TaxDayRecord(day=0, next_change=b"", next_position=b"")


def class_named(kind: ParticipantKind, status: TaxStatus) -> str:
    """Return the class of taxpayers of a kind and status."""
    return kind.value + (_INACTIVE if status is TaxStatus.INACTIVE else "")


def active_class(taxpayer: str) -> str:
    """Return the class of those active of the same kind, for a class of either."""
    return taxpayer.removesuffix(_INACTIVE)


def status_in(taxpayer: str) -> TaxStatus:
    """Return the status of a class of taxpayers."""
    return TaxStatus.INACTIVE if taxpayer.endswith(_INACTIVE) else TaxStatus.ACTIVE


def status_of(standing: TaxStanding | None) -> TaxStatus:
    """Return the status of a standing; whoever has none is active."""
    return TaxStatus.ACTIVE if standing is None else standing.status


def taxpayer_of(state: LedgerState, participant: str) -> TaxpayerRecord:
    """Return what is known of a taxpayer: a change that all its positions are marked with rules."""
    taxpayer = state.get(TAXPAYERS, name_key(participant)) or _ACTIVE
    change = taxpayer.change
    if change is None or not is_marked(progress_of(state), change, participant):
        return taxpayer
    return TaxpayerRecord(ruling=change, change=None)


def owner_of(state: LedgerState, account: bytes) -> str:
    """Return who owns an account that is there."""
    record = state.get(ACCOUNTS, account)
    assert record is not None  # whoever is credited has been looked at
    return record.owner


# --- days ----------------------------------------------------------------------------------------


def progress_of(state: LedgerState) -> TaxDayRecord:
    """Return how far changes have come; day 0: no record was taken, and no change began."""
    return state.get(TAX_DAYS, TAX_DAY_KEY) or _NO_DAY


def note_progress(state: LedgerState, progress: TaxDayRecord) -> None:
    """Note how far changes have come."""
    state.put(TAX_DAYS, TAX_DAY_KEY, progress)


def day_begun(state: LedgerState) -> Day:
    """Return the latest day on which a record was taken, or changes began; 0: there was none.

    For the classes of taxpayers days only go forward, even if the clock of the network is set back:
    what a record of this day will be charged by has been told.
    """
    return progress_of(state).day


def begin_day(state: LedgerState, today: Day) -> Day:
    """Let what was told for this day, or earlier ones, rule; return the day whose classes do."""
    progress = progress_of(state)
    if today <= progress.day:
        return progress.day
    note_progress(state, replace(progress, day=today))
    return today


# --- positions -----------------------------------------------------------------------------------


def filing_of(state: LedgerState, participant: str) -> tuple[str, Day]:
    """Return the class with which a position that begins now is marked, and its filed day.

    While positions are marked with a change, those that begin have it from the start; before that,
    the change comes to them as to all others.
    """
    record = state.get(PARTICIPANTS, name_key(participant))
    assert record is not None  # accounts have registered owners
    taxpayer = state.get(TAXPAYERS, name_key(participant)) or _ACTIVE
    change = taxpayer.change
    has_begun = change is not None and change.from_day <= day_begun(state)
    standing = change if has_begun else taxpayer.ruling
    filed_day = 0 if standing is None else standing.from_day
    return class_named(record.kind, status_of(standing)), filed_day


def file_position(
    state: LedgerState, account: bytes, position: bytes, filed_day: Day, *, is_there: bool
) -> None:
    """Let a position be found by its owner, or no more.

    Args:
        account: whose it is.
        position: its key.
        filed_day: that of its record.
        is_there: whether it begins; otherwise it ends.
    """
    filed_at = taxed_prefix(owner_of(state, account)) + filed_name(position, filed_day)
    state.put(TAXED_POSITIONS, filed_at, _POSITION if is_there else None)


def unmarked(
    state: LedgerState, participant: str, from_day: Day, start: bytes, most: int
) -> tuple[list[bytes], bytes | None]:
    """Find positions that a change which has begun is still to reach, in the order of their names.

    Args:
        from_day: of the change: what is filed under that day has its class.
        start: the least name that is still to be looked at.
        most: how many may be found.

    Returns:
        keys of positions; and the least name of those that are left, None: there are no others.
    """
    whole = taxed_prefix(participant)
    found: list[bytes] = []
    page = 2  # Most taxpayers have one position: what follows it is another's.
    while True:
        limit = min(page, most - len(found) + 1)  # one more, to know whether there are others
        page = min(2 * page, _PAGE_POSITIONS)
        entries = state.scan(TAXED_POSITIONS, whole + start, limit)
        for key, _ in entries:
            name = key[len(whole) :]
            if not key.startswith(whole):
                return found, None
            position, filed_day = split_filed_name(name)
            if filed_day >= from_day:
                return found, None
            if len(found) == most:
                return found, name
            found.append(position)
            start = name + b"\0"  # the least name above it
        if len(entries) < limit:
            return found, None


def _is_unmarked_in(
    state: LedgerState, participant: str, from_day: Day, start: bytes, register: bytes
) -> bool:
    """Return whether a change that has begun may still have to reach a position in a security.

    Args:
        start: the least name that is still to be looked at.
        register: how the keys of positions in the security begin.
    """
    whole = taxed_prefix(participant)
    for _ in range(AWAITED_FILINGS_MAX + 1):  # the last one finds no further day
        filed_day = _filed_day_from(state, whole, start)
        if filed_day is None or filed_day >= from_day:
            return False
        within = filed_name(register, filed_day)
        entries = state.scan(TAXED_POSITIONS, whole + max(start, within), 1)
        if entries and entries[0][0].startswith(whole + within):
            return True
        start = filed_name(b"", filed_day + 1)
    return True


def _filed_day_from(state: LedgerState, whole: bytes, start: bytes) -> Day | None:
    """Return the day under which the first position from a name on is filed; None: no other is."""
    for key, _ in state.scan(TAXED_POSITIONS, whole + start, 1):
        if key.startswith(whole):
            return split_filed_name(key[len(whole) :])[1]
    return None


# --- changes -------------------------------------------------------------------------------------


def schedule_change(
    state: LedgerState, participant: str, taxpayer: TaxpayerRecord, change: TaxStanding | None
) -> None:
    """Let a change come on its day, in place of one that has not begun; None: let none come.

    Args:
        taxpayer: what is known of it, as `taxpayer_of` says.
    """
    noted = state.get(TAXPAYERS, name_key(participant)) or _ACTIVE
    if noted.change is not None:
        state.delete(TAX_CHANGES, tax_change_key(noted.change.from_day, participant))
    if change is not None:
        record = state.get(PARTICIPANTS, name_key(participant))
        assert record is not None  # whose standing changes has been looked up
        queued = TaxChangeRecord(taxpayer=class_named(record.kind, change.status))
        state.put(TAX_CHANGES, tax_change_key(change.from_day, participant), queued)
    state.put(TAXPAYERS, name_key(participant), replace(taxpayer, change=change))


def next_change(state: LedgerState) -> tuple[Day, str] | None:
    """Return day and participant of the first change that is not marked in all positions."""
    for key, _ in state.scan(TAX_CHANGES, progress_of(state).next_change, 1):
        return split_tax_change_key(key)
    return None


def is_marked(
    progress: TaxDayRecord, change: TaxStanding, participant: str, filed: bytes | None = None
) -> bool:
    """Return whether a change has come to all positions of a taxpayer, or to one of them.

    Args:
        filed: its name among them; None: all.
    """
    key = tax_change_key(change.from_day, participant)
    if filed is None or key != progress.next_change:
        return key < progress.next_change
    return filed < progress.next_position


def is_awaited(state: LedgerState, asset: str, taken_day: Day) -> bool:
    """Return whether positions in a security may still be marked with another class.

    Args:
        taken_day: of a record of it; what was told for later days does not concern it.
    """
    progress = progress_of(state)
    entries = state.scan(TAX_CHANGES, progress.next_change, AWAITED_CHANGES_MAX + 1)
    changes = [(key, *split_tax_change_key(key)) for key, _ in entries]
    awaited = [each for each in changes if each[1] <= taken_day]
    if len(awaited) > AWAITED_CHANGES_MAX:
        return True
    register = register_prefix(asset)
    for key, from_day, participant in awaited:
        start = progress.next_position if key == progress.next_change else b""
        if _is_unmarked_in(state, participant, from_day, start, register):
            return True
    return False
