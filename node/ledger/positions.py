"""The holders of serviced securities, and what they had when records were taken.

Taking a record is constant work: the service counts it, and no position is touched. Before a face
first changes after a record, what it was is marked; a holder that never acts needs no mark. So a
transfer is right on either side of a record, whenever the payment comes, and however many records
are open. The class of a taxpayer, which decides what is withheld, is marked with it. Only assets
with payments have positions: of cash and bills nothing is read or written.
"""

from typing import Final

from node.codec import replace
from node.ledger.commitment import hash_of_key
from node.ledger.outcomes import Outcome, Reject
from node.ledger.securities import (
    PAYMENTS,
    POSITIONS,
    RANK_SIZE,
    SERVICES,
    TIES,
    Mark,
    PositionRecord,
    ServiceRecord,
    Tie,
    TieRecord,
    payment_key,
    position_key,
    tie_key,
)
from node.ledger.state import LedgerState
from node.ledger.tables import BACKLOG, BACKLOG_KEY, HOLDINGS, holding_key, name_key
from node.ledger.taxpayers import file_position, filing_of, owner_of
from node.ledger.units import Day

_NOBODY: Final = PositionRecord(face=0, taxpayer="", filed_day=0, marks=())
_OWED: Final = TieRecord(tie=Tie.OWED)


def service_of(state: LedgerState, asset: str) -> ServiceRecord:
    """Return the service of a security that has one."""
    service = state.get(SERVICES, name_key(asset))
    assert service is not None  # it begins with the definition
    return service


def check_register(state: LedgerState, asset: str) -> ServiceRecord:
    """Return the service of a serviced security whose register takes changes in this block.

    Raises:
        Reject: REGISTER_CLOSED, RECORDS_PENDING.
    """
    service = service_of(state, asset)
    if service.closed:
        raise Reject(Outcome.REGISTER_CLOSED, asset=asset)
    if state.get(BACKLOG, BACKLOG_KEY) is not None:
        # Perhaps its own record is due: whoever held at the end of the day must be on it.
        raise Reject(Outcome.RECORDS_PENDING, asset=asset)
    return service


def note_face(state: LedgerState, account: bytes, asset: str, cash: str, face: int) -> None:
    """Note that the total of a holding of a serviced security is about to change.

    Args:
        cash: what the security is paid in.
        face: the total after the change; that before it stands in the position.

    Raises:
        Reject: REGISTER_CLOSED, RECORDS_PENDING.
    """
    service = check_register(state, asset)
    place = place_of(account, cash)
    before = state.get(POSITIONS, position_key(asset, place)) or _NOBODY
    taxpayer, filed_day = before.taxpayer, before.filed_day
    if not taxpayer:
        taxpayer, filed_day = filing_of(state, owner_of(state, account))
    first = first_open(service, place)
    marks = open_marks(before.marks, first)
    if service.recorded >= first and (not marks or marks[-1].number < service.recorded):
        marks = (*marks, Mark(number=service.recorded, face=before.face, taxpayer=taxpayer))
    after = PositionRecord(face=face, taxpayer=taxpayer, filed_day=filed_day, marks=marks)
    put_position(state, place, asset, before, after)


def place_of(account: bytes, cash: str) -> bytes:
    """Return the place of an account in the register of a security that is paid in this cash.

    The register is in the order in which the commitment has the holdings of cash: what one block
    pays lies together there, and its branches are hashed once for many holders.
    """
    return hash_of_key(HOLDINGS.prefix + holding_key(account, cash))[:RANK_SIZE] + account


def account_at(place: bytes) -> bytes:
    """Return whose place it is."""
    return place[RANK_SIZE:]


def first_open(service: ServiceRecord, place: bytes) -> int:
    """Return the number of the oldest payment that the holder at this place has not been paid."""
    paid = service.cursor is not None and place <= service.cursor
    return service.settled + 1 + paid


def open_marks(marks: tuple[Mark, ...], first: int) -> tuple[Mark, ...]:
    """Return the marks from this number of payment on."""
    if not marks or marks[0].number >= first:
        return marks
    return tuple(mark for mark in marks if mark.number >= first)


def face_at(position: PositionRecord, number: int) -> int:
    """Return what the holder had when the record of this open payment was taken."""
    for mark in position.marks:
        if mark.number >= number:
            return mark.face
    return position.face


def class_at(position: PositionRecord, number: int) -> str:
    """Return what class the holder was of when the record of this open payment was taken."""
    for mark in position.marks:
        if mark.number >= number:
            return mark.taxpayer
    return position.taxpayer


def reclassed(
    state: LedgerState,
    asset: str,
    service: ServiceRecord,
    place: bytes,
    position: PositionRecord,
    taxpayer: str,
    from_day: Day,
) -> PositionRecord:
    """Return a position whose holder is of another class, for records taken from a day on.

    No payment of such a record has begun. Of those taken before, what the holder was stays marked.
    """
    if position.taxpayer == taxpayer:
        return position
    before = service.recorded  # the newest record that was taken before the day
    while before > service.settled:
        payment = state.get(PAYMENTS, payment_key(asset, before))
        assert payment is not None  # taking the record writes it
        if payment.taken_day < from_day:
            break
        before -= 1
    marks = open_marks(position.marks, first_open(service, place))
    old = [mark for mark in marks if mark.number <= before]
    new = [replace(mark, taxpayer=taxpayer) for mark in marks if mark.number > before]
    if before >= first_open(service, place) and (not old or old[-1].number < before):
        # Before the day everything was as the next mark, or the position, still says.
        old.append(
            Mark(number=before, face=face_at(position, before), taxpayer=class_at(position, before))
        )
    return replace(position, taxpayer=taxpayer, marks=(*old, *new))


def put_position(
    state: LedgerState, place: bytes, asset: str, before: PositionRecord, after: PositionRecord
) -> None:
    """Write a position, or delete one that says nothing any more; tie who is owed and has nothing.

    Before it begins its class is empty. Whoever is owed something must not close the account that
    it will come to.
    """
    owed = any(mark.face for mark in after.marks)
    is_kept = bool(after.face or owed)
    was_tied = not before.face and bool(before.marks)
    is_tied = is_kept and not after.face
    key = position_key(asset, place)
    state.put(POSITIONS, key, after if is_kept else None)
    was_there = bool(before.taxpayer)
    if is_kept is not was_there:
        file_position(state, account_at(place), key, after.filed_day, is_there=is_kept)
    if was_tied is not is_tied:
        tie = tie_key(account_at(place), Tie.OWED, asset.encode())
        state.put(TIES, tie, _OWED if is_tied else None)
