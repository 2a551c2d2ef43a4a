"""The class of a taxpayer: the kind of a participant, and whether it is active, from a day on.

What is withheld is a table by class. Each position keeps the class of its owner, so that a payment
to thousands looks nobody up; and where the tax authority's list changes, the positions of those
whom it concerns are marked anew, a bounded number a block (`remarking.py`).

The rule that this comes to: a payment is withheld from by the class that rules on the local day of
the block that takes its record, and a record is taken at the midnight that ends its day. A change
is for a day that has not begun. From that day on positions are marked with it, and until all are,
no payment begins whose record was taken on that day or later: such a record cannot have been taken
when the change was told, and nobody can add another one before which it would wait.

The only writer of `TAXPAYERS`, `TAXPAYER_ACCOUNTS` and `TAX_CHANGES`.
"""

from typing import Final

from node.codec import replace
from node.ledger.identifiers import ADDRESS_SIZE
from node.ledger.securities import (
    TAX_CHANGES,
    TAXPAYER_ACCOUNTS,
    TAXPAYERS,
    TaxChangeRecord,
    TaxpayerAccountRecord,
    TaxpayerRecord,
    TaxStanding,
    TaxStatus,
    split_tax_change_key,
    tax_change_key,
    taxpayer_prefix,
)
from node.ledger.state import LedgerState
from node.ledger.tables import ACCOUNTS, PARTICIPANTS, ParticipantKind, name_key
from node.ledger.units import Day

_INACTIVE: Final = "-inactive"
CLASSES: Final = tuple(
    sorted(kind.value + suffix for kind in ParticipantKind for suffix in ("", _INACTIVE))
)
"""Every class of taxpayer: `person`, `person-inactive`, ..."""

_ACTIVE: Final = TaxpayerRecord(ruling=None, change=None, cursor=None)
_ACCOUNT: Final = TaxpayerAccountRecord()
_CHANGE: Final = TaxChangeRecord()


def class_named(kind: ParticipantKind, status: TaxStatus) -> str:
    """Return the class of taxpayers of a kind and status."""
    return kind.value + (_INACTIVE if status is TaxStatus.INACTIVE else "")


def active_class(taxpayer: str) -> str:
    """Return the class of those active of the same kind, for a class of either."""
    return taxpayer.removesuffix(_INACTIVE)


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


def class_of(state: LedgerState, participant: str) -> str:
    """Return the class with which a position that begins now is marked.

    While positions are marked with a change, those that begin have it from the start; before that,
    the change comes to them as to all others.
    """
    record = state.get(PARTICIPANTS, name_key(participant))
    assert record is not None  # accounts have registered owners
    taxpayer = taxpayer_of(state, participant)
    standing = taxpayer.ruling if taxpayer.cursor is None else taxpayer.change
    return class_named(record.kind, status_of(standing))


def enter_account(state: LedgerState, participant: str, account: bytes) -> None:
    """Note that an account of this participant has a position, if that is not known yet."""
    key = taxpayer_prefix(participant) + account
    if state.get(TAXPAYER_ACCOUNTS, key) is None:
        state.put(TAXPAYER_ACCOUNTS, key, _ACCOUNT)


def leave_account(state: LedgerState, participant: str, account: bytes) -> None:
    """Forget an account that is closed."""
    key = taxpayer_prefix(participant) + account
    if state.get(TAXPAYER_ACCOUNTS, key) is not None:
        state.delete(TAXPAYER_ACCOUNTS, key)


def account_after(state: LedgerState, participant: str, account: bytes) -> bytes | None:
    """Return the first account with positions of a participant behind this one; empty: of all."""
    prefix = taxpayer_prefix(participant)
    start = prefix + account + b"\0" if account else prefix
    for key, _ in state.scan(TAXPAYER_ACCOUNTS, start, 1):
        if key.startswith(prefix):
            return key[-ADDRESS_SIZE:]
    return None


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


def note_progress(
    state: LedgerState, participant: str, taxpayer: TaxpayerRecord, cursor: bytes | None
) -> None:
    """Note how far the marking of a change has come; None: all positions have it, and it rules."""
    change = taxpayer.change
    assert change is not None
    after = replace(taxpayer, cursor=cursor)
    if cursor is None:
        after = TaxpayerRecord(ruling=change, change=None, cursor=None)
        state.delete(TAX_CHANGES, tax_change_key(change.from_day, participant))
    state.put(TAXPAYERS, name_key(participant), after)


def is_awaited(state: LedgerState, taken_day: Day) -> bool:
    """Return whether positions are still to be marked with what ruled when a record was taken."""
    first = next_change(state)
    return first is not None and first[0] <= taken_day
