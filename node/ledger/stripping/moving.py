"""Taking a bond apart and putting it together: what moves, and how much of it in a block."""

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from node.codec import Record, replace
from node.ledger.holdings import asset_of, credit, debit
from node.ledger.identifiers import Address, AssetCode
from node.ledger.outcomes import Outcome, Reject
from node.ledger.phrases import StrippingFault
from node.ledger.positions import check_register, service_of
from node.ledger.securities import COUPON_STRIPS_MAX, STRIPPINGS
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, name_key

STRIPS_PER_BLOCK_MAX: Final = 2_000
"""Of all transactions together, each strip of each operation once: 80 ms of work."""


class StripMoved(Record):
    """How much of a strip came into being, or went."""

    asset: AssetCode
    amount: int


_Moves = Annotated[tuple[StripMoved, ...], msgspec.Meta(min_length=1, max_length=COUPON_STRIPS_MAX)]


class SecurityStripped(Record, tag=73):
    """Face of a line became strips, in the account that had it."""

    account: Address
    asset: AssetCode
    """The line."""
    face: int
    supply: int
    """Of the line, afterwards."""
    stripped: int
    """Face of the line that is stripped, afterwards."""
    principal: AssetCode
    """As much of it as face came into being."""
    coupons: _Moves
    """Of the payments whose record is still to come, in their order."""


class SecurityReconstituted(Record, tag=74):
    """Strips became face of a line, in the account that had them. The fields as in the reverse."""

    account: Address
    asset: AssetCode
    face: int
    supply: int
    stripped: int
    principal: AssetCode
    coupons: _Moves


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What so much face of a line consists of."""

    asset: AssetCode
    """The line."""
    face: int
    principal: AssetCode
    coupons: tuple[StripMoved, ...]
    """Of the payments whose record is still to come."""

    @property
    def moved(self) -> int:
        """How many strips are moved."""
        return len(self.coupons) + 1


def parts_of(state: LedgerState, line: str, face: int, *, left: int) -> Parts:
    """Return what so much face of a line is stripped into, or put together from, in this block.

    Args:
        left: how many strips may still be moved in the block.

    Raises:
        Reject: ASSET_UNKNOWN, REGISTER_CLOSED, RECORDS_PENDING, ASSET_NOT_STRIPPABLE,
            STRIP_NOT_A_MULTIPLE, STRIP_RECORD_DIFFERS, STRIPPING_CROWDED.
    """
    asset_of(state, line)
    stripping = state.get(STRIPPINGS, name_key(line))
    if stripping is None:
        reason = StrippingFault.NOT_REGISTERED.of()
        raise Reject(Outcome.ASSET_NOT_STRIPPABLE, asset=line, reason=reason)
    service = check_register(state, line)
    if face % stripping.multiple:
        raise Reject(
            Outcome.STRIP_NOT_A_MULTIPLE, asset=line, found=face, expected=stripping.multiple
        )
    coupons: list[StripMoved] = []
    for number, coupon in enumerate(stripping.coupons, stripping.first):
        is_taken = number <= service.recorded
        is_overdue = service.waits and number == service.recorded + 1
        if is_overdue or service_of(state, coupon.asset).closed is not is_taken:
            raise Reject(Outcome.STRIP_RECORD_DIFFERS, asset=line, payment=number)
        if not is_taken:
            amount = face * coupon.numerator // coupon.denominator  # whole, by the multiple
            coupons.append(StripMoved(asset=coupon.asset, amount=amount))
    parts = Parts(asset=line, face=face, principal=stripping.principal, coupons=tuple(coupons))
    if parts.moved > left:
        raise Reject(Outcome.STRIPPING_CROWDED, asset=line, found=parts.moved, expected=left)
    return parts


def strip(state: LedgerState, account: bytes, parts: Parts) -> SecurityStripped:
    """Take face of a line apart.

    Raises:
        Reject: CEILING_EXCEEDED, HOLDING_INSUFFICIENT.
    """
    supply = _shrink(state, account, parts.asset, parts.face)
    stripped = _grow(state, account, parts.principal, parts.face)
    for each in parts.coupons:
        _grow(state, account, each.asset, each.amount)
    return SecurityStripped(
        account=account,
        asset=parts.asset,
        face=parts.face,
        supply=supply,
        stripped=stripped,
        principal=parts.principal,
        coupons=parts.coupons,
    )


def reconstitute(state: LedgerState, account: bytes, parts: Parts) -> SecurityReconstituted:
    """Put face of a line together.

    Raises:
        Reject: HOLDING_INSUFFICIENT.
    """
    stripped = _shrink(state, account, parts.principal, parts.face)
    for each in parts.coupons:
        _shrink(state, account, each.asset, each.amount)
    return SecurityReconstituted(
        account=account,
        asset=parts.asset,
        face=parts.face,
        supply=_grow(state, account, parts.asset, parts.face),
        stripped=stripped,
        principal=parts.principal,
        coupons=parts.coupons,
    )


def _grow(state: LedgerState, account: bytes, code: str, amount: int) -> int:
    """Let so much of an asset come into being in an account; return its supply."""
    asset = asset_of(state, code)
    supply = asset.supply + amount
    if supply > asset.ceiling:
        raise Reject(Outcome.CEILING_EXCEEDED, asset=code, found=supply, expected=asset.ceiling)
    credit(state, account, code, amount, asset.terms)
    state.put(ASSETS, name_key(code), replace(asset, supply=supply))
    return supply


def _shrink(state: LedgerState, account: bytes, code: str, amount: int) -> int:
    """Take so much of an asset from an account and out of existence; return its supply."""
    asset = asset_of(state, code)
    debit(state, account, code, amount, asset.terms)
    supply = asset.supply - amount
    state.put(ASSETS, name_key(code), replace(asset, supply=supply))
    return supply
