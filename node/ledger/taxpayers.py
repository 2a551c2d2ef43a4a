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

Positions are found by their owner and the status that they are marked with. On the day of a change
all of them stand under the other status, and whatever begins then has the new one from the start:
so what is still to be marked only ever becomes less, and a payment waits no longer than it takes to
mark what was there as the day began.

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
    register_prefix,
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

_ACTIVE: Final = TaxpayerRecord(ruling=None, change=None)
_POSITION: Final = TaxedPositionRecord()
_CHANGE: Final = TaxChangeRecord()


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
    """Return what is known of a taxpayer."""
    return state.get(TAXPAYERS, name_key(participant)) or _ACTIVE


def owner_of(state: LedgerState, account: bytes) -> str:
    """Return who owns an account that is there."""
    record = state.get(ACCOUNTS, account)
    assert record is not None  # whoever is credited has been looked at
    return record.owner


# --- days ----------------------------------------------------------------------------------------


def day_begun(state: LedgerState) -> Day:
    """Return the latest day on which a record was taken, or changes began; 0: there was none.

    For the classes of taxpayers days only go forward, even if the clock of the network is set back:
    what a record of this day will be charged by has been told.
    """
    record = state.get(TAX_DAYS, TAX_DAY_KEY)
    return 0 if record is None else record.day


def begin_day(state: LedgerState, today: Day) -> Day:
    """Let what was told for this day, or earlier ones, rule; return the day whose classes do."""
    latest = day_begun(state)
    if today > latest:
        state.put(TAX_DAYS, TAX_DAY_KEY, TaxDayRecord(day=today))
    return max(today, latest)


# --- positions -----------------------------------------------------------------------------------


def class_of(state: LedgerState, participant: str) -> str:
    """Return the class with which a position that begins now is marked.

    While positions are marked with a change, those that begin have it from the start; before that,
    the change comes to them as to all others.
    """
    record = state.get(PARTICIPANTS, name_key(participant))
    assert record is not None  # accounts have registered owners
    taxpayer = taxpayer_of(state, participant)
    change = taxpayer.change
    has_begun = change is not None and change.from_day <= day_begun(state)
    return class_named(record.kind, status_of(change if has_begun else taxpayer.ruling))


def file_position(
    state: LedgerState, account: bytes, position: bytes, before: str, after: str
) -> None:
    """Let a position be found by the class that it is marked with.

    Args:
        account: whose it is.
        position: its key.
        before: its class until now; empty: it begins.
        after: its class from now on; empty: it ends.
    """
    if before == after:
        return
    owner = owner_of(state, account)
    if before:
        state.delete(TAXED_POSITIONS, taxed_prefix(owner, status_in(before)) + position)
    if after:
        state.put(TAXED_POSITIONS, taxed_prefix(owner, status_in(after)) + position, _POSITION)


def unmarked(
    state: LedgerState, participant: str, change: TaxStanding, most: int, register: bytes = b""
) -> list[bytes]:
    """Return keys of positions that a change which has begun is still to reach, in their order.

    Args:
        most: how many, at most.
        register: how their keys begin.
    """
    other = TaxStatus.INACTIVE if change.status is TaxStatus.ACTIVE else TaxStatus.ACTIVE
    whole = taxed_prefix(participant, other)
    entries = state.scan(TAXED_POSITIONS, whole + register, most)
    return [key[len(whole) :] for key, _ in entries if key.startswith(whole + register)]


# --- changes -------------------------------------------------------------------------------------


def schedule_change(
    state: LedgerState, participant: str, taxpayer: TaxpayerRecord, change: TaxStanding | None
) -> None:
    """Let a change come on its day, in place of one that has not begun; None: let none come."""
    before = taxpayer.change
    if before is not None:
        state.delete(TAX_CHANGES, tax_change_key(before.from_day, participant))
    if change is not None:
        state.put(TAX_CHANGES, tax_change_key(change.from_day, participant), _CHANGE)
    state.put(TAXPAYERS, name_key(participant), replace(taxpayer, change=change))


def next_change(state: LedgerState) -> tuple[Day, str] | None:
    """Return day and participant of the first change that is not marked in all positions."""
    for key, _ in state.scan(TAX_CHANGES, b"", 1):
        return split_tax_change_key(key)
    return None


def change_of(state: LedgerState, participant: str) -> TaxStanding:
    """Return the change of one who stands in the queue."""
    change = taxpayer_of(state, participant).change
    assert change is not None  # they are put there together
    return change


def end_change(state: LedgerState, participant: str, change: TaxStanding) -> None:
    """Let a change rule that all positions of a taxpayer are marked with."""
    state.delete(TAX_CHANGES, tax_change_key(change.from_day, participant))
    state.put(TAXPAYERS, name_key(participant), TaxpayerRecord(ruling=change, change=None))


def is_awaited(state: LedgerState, asset: str, taken_day: Day) -> bool:
    """Return whether positions in a security may still be marked with another class.

    Args:
        taken_day: of a record of it; what was told for later days does not concern it.
    """
    changes = state.scan(TAX_CHANGES, b"", AWAITED_CHANGES_MAX + 1)
    awaited = [
        name for day, name in (split_tax_change_key(key) for key, _ in changes) if day <= taken_day
    ]
    return len(awaited) > AWAITED_CHANGES_MAX or any(
        _reaches(state, participant, asset) for participant in awaited
    )


def _reaches(state: LedgerState, participant: str, asset: str) -> bool:
    change = change_of(state, participant)
    return bool(unmarked(state, participant, change, 1, register_prefix(asset)))
