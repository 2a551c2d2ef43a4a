"""Moving amounts between available, held and elsewhere. The only writer of holdings and holds.

Whoever moves something says under which terms it is: what a serviced security's holder has is noted
for its payments (`positions.py`), of other assets nothing but the holding is read or written.

Nothing here can overflow: no holding is larger than the supply of its asset, and no supply larger
than the ceiling, which is below 2^64.
"""

from collections.abc import Callable, Mapping
from typing import Final

from node.codec import replace
from node.hashing import Domain, tagged_hash
from node.ledger.outcomes import Outcome, Reject
from node.ledger.positions import note_face
from node.ledger.state import LedgerState
from node.ledger.tables import (
    ASSETS,
    DUE,
    HOLDINGS,
    HOLDS,
    HOLDS_PER_ACCOUNT_MAX,
    AssetRecord,
    DueKind,
    DueRecord,
    HoldingRecord,
    HoldRecord,
    due_key,
    hold_key,
    holding_key,
    name_key,
)
from node.ledger.terms import AssetTerms, CashTerms, is_serviced

_NOTHING: Final = HoldingRecord(available=0, held=0)
_PAGE_HOLDS: Final = 2
"""Looked at in one go at first, and twice as many each time: behind the holds of an account lie
those of others, and who holds a security has one or two."""


def asset_of(state: LedgerState, asset: str) -> AssetRecord:
    """Return a defined asset.

    Raises:
        Reject: ASSET_UNKNOWN.
    """
    record = state.get(ASSETS, name_key(asset))
    if record is None:
        raise Reject(Outcome.ASSET_UNKNOWN, asset=asset)
    return record


def check_face(asset: str, amount: int, terms: AssetTerms) -> None:
    """Refuse an amount of a serviced security that is not in whole units of its face.

    Raises:
        Reject: FACE_NOT_IN_UNITS.
    """
    if isinstance(terms, CashTerms) or not is_serviced(terms):
        return  # a bill that is brought back is of the first version, which had no such rule
    if amount % terms.plan.face_unit:
        raise Reject(
            Outcome.FACE_NOT_IN_UNITS, asset=asset, found=amount, expected=terms.plan.face_unit
        )


def check_available(state: LedgerState, account: bytes, asset: str, amount: int) -> HoldingRecord:
    """Return the holding, of which at least `amount` is available.

    Raises:
        Reject: HOLDING_INSUFFICIENT.
    """
    holding = state.get(HOLDINGS, holding_key(account, asset)) or _NOTHING
    if holding.available < amount:
        raise _insufficient(account, asset, holding, amount)
    return holding


def credit(state: LedgerState, account: bytes, asset: str, amount: int, terms: AssetTerms) -> None:
    """Add to what is available.

    Args:
        terms: those of the asset.

    Raises:
        Reject: FACE_NOT_IN_UNITS, REGISTER_CLOSED, RECORDS_PENDING, of a serviced security.
    """
    key = holding_key(account, asset)
    holding = state.get(HOLDINGS, key) or _NOTHING
    after = HoldingRecord(available=holding.available + amount, held=holding.held)
    if not isinstance(terms, CashTerms) and is_serviced(terms):
        check_face(asset, amount, terms)
        note_face(state, account, asset, terms.plan.cash, after.available + after.held)
    state.put(HOLDINGS, key, after)


def credit_each(state: LedgerState, asset: str, amounts: Mapping[bytes, int]) -> None:
    """Add to what each of many accounts has available of an asset that is not serviced.

    What `credit` does for each, at a fraction of it: they are read in one go.
    """
    keys = [holding_key(account, asset) for account in amounts]
    before = [holding or _NOTHING for holding in state.get_each(HOLDINGS, keys)]
    after = [
        HoldingRecord(available=has.available + amount, held=has.held)
        for has, amount in zip(before, amounts.values(), strict=True)
    ]
    state.put_each(HOLDINGS, keys, after)


def debit(state: LedgerState, account: bytes, asset: str, amount: int, terms: AssetTerms) -> None:
    """Take from what is available. A holding that becomes empty is deleted.

    Args:
        terms: those of the asset.

    Raises:
        Reject: HOLDING_INSUFFICIENT; of a serviced security FACE_NOT_IN_UNITS before it, and
            REGISTER_CLOSED, RECORDS_PENDING.
    """
    check_face(asset, amount, terms)
    key = holding_key(account, asset)
    holding = state.get(HOLDINGS, key) or _NOTHING
    left, held = holding.available - amount, holding.held
    if left < 0:
        raise _insufficient(account, asset, holding, amount)
    if not isinstance(terms, CashTerms) and is_serviced(terms):
        note_face(state, account, asset, terms.plan.cash, left + held)
    after = HoldingRecord(available=left, held=held) if left or held else None
    state.put(HOLDINGS, key, after)


def available_of(state: LedgerState, account: bytes, asset: str) -> int:
    """Return what an account has available of an asset."""
    holding = state.get(HOLDINGS, holding_key(account, asset))
    return 0 if holding is None else holding.available


def redeem_whole(
    state: LedgerState, account: bytes, asset: str, cash: str, paid_for: Callable[[int], int]
) -> list[tuple[bytes, int]]:
    """Destroy all that an account has of a security; what was on hold becomes cash on hold.

    A hold of which not even a minor unit of cash is left is released. Its caller pays the cash that
    is not held, and takes it from where it stands.

    Args:
        paid_for: the cash that is paid for so much face.

    Returns:
        the id of each hold that was on the security, and the cash that is under it now.
    """
    key = holding_key(account, asset)
    holding = state.get(HOLDINGS, key) or _NOTHING
    state.delete(HOLDINGS, key)
    if not holding.held:
        return []
    redeemed, held = [], 0
    for hold_id, hold in _holds_on(state, account, asset):
        amount = paid_for(hold.amount)
        redeemed.append((hold_id, amount))
        held += amount
        if amount:
            state.put(HOLDS, hold_key(account, hold_id), replace(hold, asset=cash, amount=amount))
        else:
            _remove_hold(state, account, hold_id, hold)
    _add_held(state, account, cash, held)
    return redeemed


def hold_repaid(
    state: LedgerState,
    account: bytes,
    asset: str,
    cash: str,
    face: int,
    paid_for: Callable[[int], int],
) -> list[tuple[bytes, int]]:
    """Put what is repaid of face on hold under a hold of its own, in cash; the face stays.

    Each hold on face has one such, with its reason and its end, whose id follows from its own: what
    is repaid later is added to it. Its caller pays the cash that is not held, as above.

    Args:
        face: for which something is repaid; what is on hold beyond it is repaid nothing.
        paid_for: the cash that is repaid for so much face.

    Returns:
        the id of each hold on cash, and what was added to it now.
    """
    holding = state.get(HOLDINGS, holding_key(account, asset)) or _NOTHING
    if not holding.held:
        return []
    repaid = []
    for of_face, hold in _holds_on(state, account, asset):
        amount = paid_for(min(hold.amount, face))
        face -= min(hold.amount, face)
        if not amount:
            continue
        hold_id = tagged_hash(Domain.SERVICE, of_face, cash.encode())
        before = state.get(HOLDS, hold_key(account, hold_id))
        whole = amount if before is None else before.amount + amount
        _put_hold(state, account, hold_id, replace(hold, asset=cash, amount=whole))
        repaid.append((hold_id, amount))
    _add_held(state, account, cash, sum(amount for _, amount in repaid))
    return repaid


def place_hold(
    state: LedgerState, account: bytes, hold_id: bytes, hold: HoldRecord, *, bounded: bool
) -> None:
    """Move the hold's amount from available to held, and queue its expiry.

    Args:
        bounded: whether there may be no more than `HOLDS_PER_ACCOUNT_MAX` on the account.

    Raises:
        Reject: HOLDING_INSUFFICIENT, HOLDS_FULL.
    """
    holding = check_available(state, account, hold.asset, hold.amount)
    if bounded:
        _check_room(state, account)
    state.put(
        HOLDINGS,
        holding_key(account, hold.asset),
        HoldingRecord(available=holding.available - hold.amount, held=holding.held + hold.amount),
    )
    _put_hold(state, account, hold_id, hold)


def release_hold(state: LedgerState, account: bytes, hold_id: bytes) -> HoldRecord:
    """Move the hold's amount back to available, remove the hold and its place in the queue.

    Raises:
        Reject: HOLD_UNKNOWN.
    """
    key = hold_key(account, hold_id)
    hold = state.get(HOLDS, key)
    if hold is None:
        raise Reject(Outcome.HOLD_UNKNOWN, account=account, hold=hold_id)
    holding = state.get(HOLDINGS, holding_key(account, hold.asset)) or _NOTHING
    state.put(
        HOLDINGS,
        holding_key(account, hold.asset),
        HoldingRecord(available=holding.available + hold.amount, held=holding.held - hold.amount),
    )
    _remove_hold(state, account, hold_id, hold)
    return hold


def _holds_on(state: LedgerState, account: bytes, asset: str) -> list[tuple[bytes, HoldRecord]]:
    """Return the holds on an asset of an account, in the order of their ids."""
    found: list[tuple[bytes, HoldRecord]] = []
    start, page = account, _PAGE_HOLDS
    while True:
        holds = state.scan(HOLDS, start, page)
        for key, hold in holds:
            if not key.startswith(account):
                return found
            if hold.asset == asset:
                found.append((key[len(account) :], hold))
        if len(holds) < page:
            return found
        start, page = holds[-1][0] + b"\0", 2 * page  # the least key above the last one


def _add_held(state: LedgerState, account: bytes, cash: str, amount: int) -> None:
    if amount:
        key = holding_key(account, cash)
        has = state.get(HOLDINGS, key) or _NOTHING
        state.put(HOLDINGS, key, replace(has, held=has.held + amount))


def _put_hold(state: LedgerState, account: bytes, hold_id: bytes, hold: HoldRecord) -> None:
    key = hold_key(account, hold_id)
    state.put(HOLDS, key, hold)
    if hold.expires_ms is not None:
        due = DueRecord(kind=DueKind.HOLD_EXPIRES, target=key)
        state.put(DUE, due_key(hold.expires_ms, hold_id), due)


def _remove_hold(state: LedgerState, account: bytes, hold_id: bytes, hold: HoldRecord) -> None:
    state.delete(HOLDS, hold_key(account, hold_id))
    if hold.expires_ms is not None:
        state.delete(DUE, due_key(hold.expires_ms, hold_id))


def _insufficient(account: bytes, asset: str, holding: HoldingRecord, amount: int) -> Reject:
    return Reject(
        Outcome.HOLDING_INSUFFICIENT,
        account=account,
        asset=asset,
        found=holding.available,
        held=holding.held,
        expected=amount,
    )


def _check_room(state: LedgerState, account: bytes) -> None:
    """Refuse one more hold on an account that has as many as it may.

    They are counted by reading them: a count that is kept could not know those placed before it.
    """
    held = state.scan(HOLDS, account, HOLDS_PER_ACCOUNT_MAX)
    if len(held) == HOLDS_PER_ACCOUNT_MAX and held[-1][0].startswith(account):
        raise Reject(Outcome.HOLDS_FULL, account=account, expected=HOLDS_PER_ACCOUNT_MAX)
