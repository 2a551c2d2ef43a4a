"""Moving amounts between available, held and elsewhere. The only writer of holdings and holds.

Nothing here can overflow: no holding is larger than the supply of its asset, and no supply larger
than the ceiling, which is below 2^64.
"""

from typing import Final

from node.ledger.outcomes import Outcome, Reject
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

_NOTHING: Final = HoldingRecord(available=0, held=0)


def asset_of(state: LedgerState, asset: str) -> AssetRecord:
    """Return a defined asset.

    Raises:
        Reject: ASSET_UNKNOWN.
    """
    record = state.get(ASSETS, name_key(asset))
    if record is None:
        raise Reject(Outcome.ASSET_UNKNOWN, asset=asset)
    return record


def check_available(state: LedgerState, account: bytes, asset: str, amount: int) -> HoldingRecord:
    """Return the holding, of which at least `amount` is available.

    Raises:
        Reject: HOLDING_INSUFFICIENT.
    """
    holding = state.get(HOLDINGS, holding_key(account, asset)) or _NOTHING
    if holding.available < amount:
        raise _insufficient(account, asset, holding, amount)
    return holding


def credit(state: LedgerState, account: bytes, asset: str, amount: int) -> None:
    """Add to what is available."""
    key = holding_key(account, asset)
    holding = state.get(HOLDINGS, key) or _NOTHING
    after = HoldingRecord(available=holding.available + amount, held=holding.held)
    state.put(HOLDINGS, key, after)


def debit(state: LedgerState, account: bytes, asset: str, amount: int) -> None:
    """Take from what is available. A holding that becomes empty is deleted.

    Raises:
        Reject: HOLDING_INSUFFICIENT.
    """
    key = holding_key(account, asset)
    holding = state.get(HOLDINGS, key) or _NOTHING
    left, held = holding.available - amount, holding.held
    if left < 0:
        raise _insufficient(account, asset, holding, amount)
    after = HoldingRecord(available=left, held=held) if left or held else None
    state.put(HOLDINGS, key, after)


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
    key = hold_key(account, hold_id)
    state.put(HOLDS, key, hold)
    if hold.expires_ms is not None:
        due = DueRecord(kind=DueKind.HOLD_EXPIRES, target=key)
        state.put(DUE, due_key(hold.expires_ms, hold_id), due)


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
    state.delete(HOLDS, key)
    if hold.expires_ms is not None:
        state.delete(DUE, due_key(hold.expires_ms, hold_id))
    return hold


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
