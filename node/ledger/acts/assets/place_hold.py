"""Place a hold: an office keeps part of a holding where it is, until released or expired."""

from typing import Final

from node.codec import Record
from node.hashing import Domain
from node.ledger import holdings
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import other_account, participant_of, subject_of
from node.ledger.checks import check_amount, check_expiry, check_text
from node.ledger.holdings import asset_of, check_face
from node.ledger.identifiers import Address, AssetCode, Hash, Name
from node.ledger.parameters import parameter
from node.ledger.protocol import HOLDS_BOUNDED
from node.ledger.tables import HoldRecord, Text
from node.ledger.units import Milliseconds


class PlaceHold(Record, tag=23):
    """Hold `amount` minor units of what `holder` has available of `asset`."""

    account: Address
    approvers: Approvers
    holder: Address
    asset: AssetCode
    amount: int
    reason: Text
    legal_reference: Text
    expires_ms: Milliseconds | None
    """Block time of the release; None: until an office releases it."""


class HoldPlaced(Record, tag=23):
    """A part of a holding is held."""

    hold: Hash
    holder: Address
    asset: AssetCode
    amount: int
    placed_by: Name


def _apply(context: ActContext, operation: PlaceHold) -> None:
    state, holder, asset = context.state, operation.holder, operation.asset
    participants = context.authority.participants(operation.account, operation.approvers)
    owner = other_account(state, holder).owner
    terms = asset_of(state, asset).terms
    context.authority.power(ACT.name, subject_of(participant_of(state, owner)), participants)
    check_text("reason", operation.reason)
    check_text("legal_reference", operation.legal_reference)
    check_amount("amount", operation.amount)
    if operation.expires_ms is not None:
        check_expiry(
            "expires_ms",
            operation.expires_ms,
            now_ms=context.block.time_ms,
            lifetime_max_ms=parameter(state, "hold-lifetime-max-ms"),
        )
    check_face(asset, operation.amount, terms)

    hold_id = context.new_id(Domain.HOLD)
    hold = HoldRecord(
        asset=asset,
        amount=operation.amount,
        reason=operation.reason,
        legal_reference=operation.legal_reference,
        expires_ms=operation.expires_ms,
        placed_by=participants[0],
    )
    bounded = context.block.version >= HOLDS_BOUNDED
    holdings.place_hold(state, holder, hold_id, hold, bounded=bounded)
    context.events.append(
        HoldPlaced(
            hold=hold_id,
            holder=holder,
            asset=asset,
            amount=operation.amount,
            placed_by=participants[0],
        )
    )


ACT: Final = define_act("place_hold", PlaceHold, _apply)
