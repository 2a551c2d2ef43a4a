"""Decide an auction: the ministry sets the cut-off within the announced rule, or rejects all."""

from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.auctioning.announced import auction_of, check_time
from node.ledger.auctioning.deciding import decide, reject
from node.ledger.auctioning.rating import set_rate
from node.ledger.auctions.records import AuctionStage, YieldE4
from node.ledger.auctions.terms import MARGIN_E4_MAX, BidE4, Form, lines_of
from node.ledger.holdings import asset_of
from node.ledger.identifiers import Address, AssetCode, Name
from node.ledger.instruments import SCHEDULE_WORK, payments_at_most
from node.ledger.outcomes import Outcome, Reject
from node.ledger.protocol import DEBT_DESK
from node.ledger.servicing import set_margin
from node.ledger.terms import PPM, is_serviced, kind_of

DECIDING_WORK: Final = 20
"""In units of `ActContext.spend`, besides the bids."""
BIDS_A_UNIT: Final = 4
"""That are allotted in 10 microseconds: 20,000 of them in 55 ms."""


class DecideAuction(Record, tag=85):
    """Accept the bids from the best to this price, rate or margin; None rejects them all."""

    account: Address
    approvers: Approvers
    auction: Name
    cut_off_e4: BidE4 | None


class AuctionDecided(Record, tag=85):
    """The bids down to a price are accepted; the ladder says what each gets."""

    auction: Name
    asset: AssetCode
    cut_off_e4: BidE4
    average_price_e4: BidE4
    average_yield_e4: YieldE4 | None
    noncompetitive_price_e4: BidE4
    competitive: int
    noncompetitive: int


class RateDecided(Record, tag=95):
    """The cut-off of an auction is the coupon or rental of its line."""

    auction: Name
    asset: AssetCode
    rate_ppm: Annotated[int, msgspec.Meta(ge=0, le=PPM)]
    """Per cent a year in units of 0.0001, as it was bid for."""


class MarginDecided(Record, tag=97):
    """The cut-off of an auction is the margin of its line; rates that were fixed follow it."""

    auction: Name
    asset: AssetCode
    margin_ppm: Annotated[int, msgspec.Meta(ge=-MARGIN_E4_MAX, le=MARGIN_E4_MAX)]
    """Over the reference, or below it: per cent a year in units of 0.0001, as it was bid for."""


def _apply(context: ActContext, operation: DecideAuction) -> None:
    state, auction, cut_off_e4 = context.state, operation.auction, operation.cut_off_e4
    participants = context.authority.participants(operation.account, operation.approvers)
    record = auction_of(state, auction)
    for code in lines_of(record.terms):
        line = asset_of(state, code)
        context.authority.power(
            ACT.name, kind_of(line.terms), participants, issuer=(code, line.issuer)
        )
    now_ms = context.block.time_ms
    check_time(
        ACT.name,
        auction,
        now_ms=now_ms,
        earliest_ms=record.terms.reveals_until_ms,
        before_ms=record.terms.decides_until_ms,
    )
    if record.stage is not AuctionStage.DECIDING:
        raise Reject(
            Outcome.AUCTION_NOT_TO_BE_DECIDED, auction=auction, found=record.stage.name.lower()
        )
    if cut_off_e4 is None:
        context.events.append(reject(state, auction, record, "ministry", now_ms))
        return

    work = DECIDING_WORK + (record.sealed + record.noncompetitive) // BIDS_A_UNIT
    terms = asset_of(state, record.terms.asset).terms
    if record.terms.form is Form.RATE and is_serviced(terms):
        work += SCHEDULE_WORK * payments_at_most(terms.plan)  # whether it can pay the rate
    context.spend(work)
    result = decide(state, auction, record, cut_off_e4, now_ms)
    context.events.append(
        AuctionDecided(
            auction=auction,
            asset=result.asset,
            cut_off_e4=result.cut_off_e4,
            average_price_e4=result.average_price_e4,
            average_yield_e4=result.average_yield_e4,
            noncompetitive_price_e4=result.noncompetitive_price_e4,
            competitive=result.competitive,
            noncompetitive=result.noncompetitive,
        )
    )
    if record.terms.form is Form.RATE:
        set_rate(state, result.asset, cut_off_e4)
        context.events.append(RateDecided(auction=auction, asset=result.asset, rate_ppm=cut_off_e4))
    elif record.terms.form is Form.MARGIN:
        fixed = set_margin(state, result.asset, cut_off_e4, now_ms)
        context.events.append(
            MarginDecided(auction=auction, asset=result.asset, margin_ppm=cut_off_e4)
        )
        context.events.extend(fixed)


ACT: Final = define_act("decide_auction", DecideAuction, _apply, since=DEBT_DESK)
