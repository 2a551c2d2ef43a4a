"""Register the strips of a bond: from then on any holder may strip it, and put it together again.

Each coupon that is left becomes an asset, shared by the lines of a series that pay on its day, and
so does the face. What they promise follows from the bond, so nothing is said here but their names.
"""

from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.holdings import asset_of
from node.ledger.identifiers import Address, AssetCode, Hash
from node.ledger.instruments import SCHEDULE_WORK, payments_at_most
from node.ledger.protocol import DEBT_DESK
from node.ledger.securities import COUPON_STRIPS_MAX, Number
from node.ledger.stripping import register_strips
from node.ledger.terms import is_serviced, kind_of

STRIP_WORK: Final = 7
"""Of each strip that may have to be defined, in units of `ActContext.spend`: 70 microseconds."""


class DefineStrips(Record, tag=72):
    """Define the strips of `asset`. The issuer stands behind it; they do not change."""

    account: Address
    approvers: Approvers
    asset: AssetCode
    """The bond."""
    series: AssetCode
    """How the codes of its coupons begin: series, hyphen, day as YYYYMMDD. That of its face is its
    own with -P."""
    term_sheet_hash: Hash
    """SHA-256 of the document that governs the strips."""


class StripsDefined(Record, tag=72):
    """A bond may be stripped."""

    asset: AssetCode
    multiple: int
    """Of its face, in minor units."""
    first: Number
    """Of the payments: the first that there is a strip of."""
    principal: AssetCode
    coupons: Annotated[
        tuple[AssetCode, ...], msgspec.Meta(min_length=1, max_length=COUPON_STRIPS_MAX)
    ]
    defined: Annotated[tuple[AssetCode, ...], msgspec.Meta(max_length=COUPON_STRIPS_MAX + 1)]
    """Of all these the ones that were no asset before."""


def _apply(context: ActContext, operation: DefineStrips) -> None:
    state, line = context.state, operation.asset
    participants = context.authority.participants(operation.account, operation.approvers)
    asset = asset_of(state, line)
    context.authority.power(
        ACT.name, kind_of(asset.terms), participants, issuer=(line, asset.issuer)
    )
    if is_serviced(asset.terms):
        payments = payments_at_most(asset.terms.plan)
        strips = min(payments, COUPON_STRIPS_MAX) + 1
        context.spend(SCHEDULE_WORK * payments + STRIP_WORK * strips)
    registered = register_strips(
        state,
        line,
        asset,
        series=operation.series,
        term_sheet_hash=operation.term_sheet_hash,
        time_ms=context.block.time_ms,
    )
    record = registered.record
    context.events.append(
        StripsDefined(
            asset=line,
            multiple=record.multiple,
            first=record.first,
            principal=record.principal,
            coupons=tuple(each.asset for each in record.coupons),
            defined=registered.defined,
        )
    )


ACT: Final = define_act("define_strips", DefineStrips, _apply, since=DEBT_DESK)
