"""The methods about auctions: the calendar, one auction, its ladder, a bidder's own bids."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from node.amounts import render_amount
from node.chain import Chain
from node.ledger.auctioning.deciding import settlement_day
from node.ledger.auctions.averages import PRICE_DECIMALS, YIELD_DECIMALS, accrued_over
from node.ledger.auctions.plans import PlannedAuction
from node.ledger.auctions.records import (
    BIDS_NUMBERED_MAX,
    AuctionRecord,
    AuctionResult,
    BidRecord,
    EnvelopeRecord,
    LadderRecord,
    LadderRow,
    ReferenceRecord,
    RowState,
    StandingRecord,
    deliveries_of,
)
from node.ledger.auctions.switches import parts_for
from node.ledger.calendars import today
from node.ledger.holdings import asset_of
from node.ledger.pricing import text
from node.ledger.state import LedgerState
from node.ledger.tables import (
    ACCOUNTS,
    ASSETS,
    AUCTIONS,
    BIDDERS,
    BIDS,
    ENVELOPES,
    LADDERS,
    MANDATES,
    PARTICIPANTS,
    PLANS,
    REFERENCES,
    STANDINGS,
    bid_key,
    bidder_key,
    ladder_key,
    name_key,
)
from node.rpc import auction_results as shapes
from node.rpc import results
from node.rpc.callers import Beside
from node.rpc.errors import NotFound
from node.rpc.jsonrpc import method
from node.rpc.reading import found, named_page, page_of
from node.rpc.recomputing import RecomputedFigure, recomputing
from node.rpc.rendering import render_day, render_time
from node.rpc.views import Views

PIECES_MAX: Final = 8
"""Of a ladder, in one answer: 2,000 rows, some 200 KB."""
_BLAMELESS: Final = shapes.StandingView(unrevealed=0, failed=0, excluded_until=None, unentered=0)


class AuctionMethods:
    """The handlers, on the chain of one node."""

    def __init__(self, chain: Chain, views: Views, beside: Beside) -> None:
        self._chain = chain
        self._views = views
        self._beside = beside

    def _at(self) -> dict[str, Any]:
        return results.at_head(self._chain.head)

    @method("khz_auctions")
    def auctions(self, params: shapes.AuctionsParams) -> shapes.AuctionsResult:
        """List the auctions that were announced, by name."""
        page, following = named_page(self._chain, AUCTIONS, params.after, params.limit)
        state = LedgerState(self._chain)
        return shapes.AuctionsResult(
            **self._at(),
            today=render_day(today(state, self._chain.head.time_ms)),
            auctions=[
                shapes.AuctionSummary(
                    auction=name,
                    asset=record.terms.asset,
                    form=record.terms.form.name.lower(),
                    destination=(
                        None if record.terms.destination is None else record.terms.destination.asset
                    ),
                    stage=record.stage.name.lower(),
                    target=self._amount(record, record.terms.target),
                    opens=render_time(record.terms.opens_ms),
                    closes=render_time(record.terms.closes_ms),
                    settles=render_time(record.terms.settles_ms),
                    settlement_day=self._settlement_day(record),
                    currency=asset_of(state, record.terms.cash).identifiers.currency,
                    result=None if record.result is None else self._result(record, record.result),
                    settled=self._amount(record, record.settled),
                )
                for name, record in page
            ],
            next=following,
        )

    @method("khz_auction", NotFound)
    def auction(self, params: shapes.AuctionParams) -> shapes.AuctionReply:
        """Show an auction: its terms, how far it has come, what was decided and settled."""
        record = self._found(params.auction)
        given = record.terms.destination
        return shapes.AuctionReply(
            **self._at(),
            auction=shapes.AuctionView(
                auction=params.auction,
                stage=record.stage.name.lower(),
                terms=self._views.renderer.record(record.terms),
                decimals=self._decimals(record),
                sealed=record.sealed,
                noncompetitive_bids=record.noncompetitive,
                unrevealed=record.unrevealed,
                settlement_day=self._settlement_day(record),
                result=None if record.result is None else self._result(record, record.result),
                settled=self._amount(record, record.settled),
                paid=self._amount(record, record.paid),
                failed=self._amount(record, record.failed),
                reallotted=self._amount(record, record.reallotted),
                issued=None if given is None else self._amount(record, record.issued),
                destination=None if given is None else given.asset,
                destination_price=None if given is None else _price(given.price_e4),
            ),
        )

    @method("khz_auctionLadder", NotFound)
    async def auction_ladder(
        self, params: shapes.AuctionLadderParams
    ) -> shapes.AuctionLadderResult:
        """Show the ladder of an auction, once its book is complete: every valid bid, no bidder.

        Bids with a price stand first, the highest price first, among equals the earlier bid; then
        those without a price, the earlier first. It is all that recomputing the result takes. An
        answer holds at most 8 pieces of 250 rows.
        """
        record = self._found(params.auction)
        count = record.competitive_pieces + record.noncompetitive_pieces
        start = 0 if params.after is None else int(params.after) + 1
        stop = min(start + min(params.limit, PIECES_MAX), count)
        decimals, multiple = self._decimals(record), self._multiple(record)
        at = self._at()
        # All as of one block; then a piece in a turn of the loop.
        pieces: list[LadderRecord] = []
        for number in range(start, stop):
            piece = self._chain.record(LADDERS, ladder_key(params.auction, number))
            assert piece is not None, "a piece that an auction counts"
            pieces.append(piece)
        rows: list[shapes.LadderRowView] = []
        for ladder in pieces:
            rows += [_row(record, row, ladder, decimals, multiple) for row in ladder.rows]
            await asyncio.sleep(0)
        return shapes.AuctionLadderResult(
            **at,
            auction=params.auction,
            rows=rows,
            next=str(stop - 1) if start < stop < count else None,
        )

    @method("khz_auctionFigures", NotFound)
    async def auction_figures(
        self, params: shapes.AuctionFiguresParams
    ) -> shapes.AuctionFiguresResult:
        """Work the result of an auction out again from its ladder, beside what was published.

        From the node's own records, so this is its word and proves nothing: a node that lies about
        a result can lie here as well. Whoever does not trust it has the client's `verify_auction`,
        or `khazana auction verify --genesis`, which work the same out from proven records.
        """
        record = self._found(params.auction)
        at = self._at()
        work = recomputing(self._chain, params.auction, record)
        return shapes.AuctionFiguresResult(
            **at,
            auction=params.auction,
            stage=record.stage.name.lower(),
            figures=None if work is None else await self._beside(work),
        )

    @method("khz_bidder", NotFound)
    def bidder(self, params: shapes.BidderParams) -> shapes.BidderResult:
        """Say how a participant stands as a bidder, and show its bids in an auction.

        Of a sealed bid nothing can be shown but its number and account. Bids are on the ledger
        until their auction is over.
        """
        name = params.participant
        found(self._chain, PARTICIPANTS, name_key(name), f"participant {name!r}")
        standing = self._chain.record(STANDINGS, name_key(name))
        return shapes.BidderResult(
            **self._at(),
            participant=name,
            standing=_BLAMELESS if standing is None else _standing(standing),
            bids=[] if params.auction is None else self._bids_of(params.auction, name),
        )

    @method("khz_bidMandate", NotFound)
    def bid_mandate(self, params: shapes.BidMandateParams) -> shapes.BidMandateResult:
        """Say which office may hand in an account's bids on paper, and who pays for them."""
        address = self._views.parse_address(params.address)
        found(self._chain, ACCOUNTS, address, f"account {params.address}")
        mandate = self._chain.record(MANDATES, address)
        view = None
        if mandate is not None:
            payer = self._views.renderer.address(mandate.cash_account)
            view = shapes.BidMandateView(office=mandate.office, cash_account=payer)
        return shapes.BidMandateResult(**self._at(), address=params.address.lower(), mandate=view)

    @method("khz_envelopes", NotFound)
    def envelopes(self, params: shapes.EnvelopesParams) -> shapes.EnvelopesResult:
        """List the bids of an auction that were handed in on paper, by number.

        What one says is known once two offices have entered it. Envelopes are on the ledger until
        their auction is over.
        """
        record = self._found(params.auction)
        after = None
        if params.after is not None:
            after = min(int(params.after), BIDS_NUMBERED_MAX).to_bytes(4, "big")
        prefix = bid_key(params.auction, 0)[:-4]
        page, following = page_of(self._chain, ENVELOPES, after, params.limit, prefix=prefix)
        numbered = [(int.from_bytes(key, "big"), envelope) for key, envelope in page]
        bids = [
            (number, envelope, self._chain.record(BIDS, bid_key(params.auction, number)))
            for number, envelope in numbered
        ]
        return shapes.EnvelopesResult(
            **self._at(),
            auction=params.auction,
            # While an auction is settled, its bids go before its envelopes do.
            envelopes=[
                self._envelope(record, number, envelope, bid)
                for number, envelope, bid in bids
                if bid is not None
            ],
            next=None if following is None else str(int.from_bytes(following, "big")),
        )

    @method("khz_references")
    def references(self, params: shapes.ReferencesParams) -> shapes.ReferencesResult:
        """List the weighted averages that floating coupons refer to: of the last auction each."""
        page, following = named_page(self._chain, REFERENCES, params.after, params.limit)
        return shapes.ReferencesResult(
            **self._at(),
            references=[_reference(name, record) for name, record in page],
            next=following,
        )

    @method("khz_auctionPlans")
    def auction_plans(self, params: shapes.AuctionPlansParams) -> shapes.AuctionPlansResult:
        """List the plans of auctions to come, by name: what is to be announced, and when.

        A plan promises nothing; a provisional day hangs on something that is not certain. What
        falls due on a day of settlement is not on the ledger: it follows from `khz_debt`. An answer
        holds at most 10 plans.
        """
        page, following = named_page(
            self._chain, PLANS, params.after, min(params.limit, shapes.PLANS_MAX)
        )
        return shapes.AuctionPlansResult(
            **self._at(),
            plans=[
                shapes.AuctionPlanView(
                    plan=name,
                    version=record.version,
                    published=render_time(record.published_ms),
                    auctions=[self._planned(each) for each in record.auctions],
                )
                for name, record in page
            ],
            next=following,
        )

    def recomputing(self, auction: str) -> Callable[[], list[RecomputedFigure]] | None:
        """Return what works out the figures of an auction's result beside what its ladder comes to,
        for its page: twenty milliseconds for the longest, of records that do not change.

        None: nothing is decided, or the ladder is too long for one answer.

        Raises:
            NotFound: there is no such auction.
        """
        return recomputing(self._chain, auction, self._found(auction))

    # Private.

    def _settlement_day(self, record: AuctionRecord) -> str:
        if record.result is not None:
            return render_day(record.result.settlement_day)
        return render_day(settlement_day(LedgerState(self._chain), record.terms))

    def _planned(self, planned: PlannedAuction) -> shapes.PlannedAuctionView:
        cash = self._chain.record(ASSETS, name_key(planned.asset))
        assert cash is not None, "a plan in cash that is not defined"
        return shapes.PlannedAuctionView(
            day=render_day(planned.day),
            settlement_day=render_day(planned.settlement_day),
            kind=planned.kind,
            tenor_months=planned.tenor_months,
            form=planned.form.name.lower(),
            line=planned.line,
            asset=planned.asset,
            currency=cash.identifiers.currency,
            target=render_amount(planned.target, decimals=cash.decimals),
            provisional=planned.provisional,
        )

    def _found(self, name: str) -> AuctionRecord:
        return found(self._chain, AUCTIONS, name_key(name), f"auction {name!r}")

    def _decimals(self, record: AuctionRecord) -> int:
        asset = self._chain.record(ASSETS, name_key(record.terms.asset))
        assert asset is not None, "an auction of an asset that is not defined"
        return asset.decimals

    def _multiple(self, record: AuctionRecord) -> int:
        """Return in what the destination of a switch is issued; 1 in any other form."""
        given = record.terms.destination
        if given is None:
            return 1
        asset = self._chain.record(ASSETS, name_key(given.asset))
        assert asset is not None, "a switch for an asset that is not defined"
        return asset.multiple

    def _amount(self, record: AuctionRecord, amount: int) -> str:
        return render_amount(amount, decimals=self._decimals(record))

    def _result(self, record: AuctionRecord, result: AuctionResult) -> shapes.AuctionResultView:
        return shapes.AuctionResultView(
            cut_off=_price(result.cut_off_e4),
            average_price=_price(result.average_price_e4),
            average_yield=(
                None
                if result.average_yield_e4 is None
                else text(result.average_yield_e4, YIELD_DECIMALS)
            ),
            noncompetitive_price=_price(result.noncompetitive_price_e4),
            competitive=self._amount(record, result.competitive),
            noncompetitive=self._amount(record, result.noncompetitive),
            settlement_day=render_day(result.settlement_day),
            decided=render_time(result.decided_ms),
        )

    def _bids_of(self, auction: str, participant: str) -> list[shapes.BidView]:
        record = self._found(auction)
        theirs = self._chain.record(BIDDERS, bidder_key(auction, participant))
        if theirs is None:
            return []
        numbers = [*theirs.sealed]
        if theirs.noncompetitive is not None:
            numbers.append(theirs.noncompetitive)
        bids = [(number, self._chain.record(BIDS, bid_key(auction, number))) for number in numbers]
        # While an auction is settled, its bids go before its bidders do.
        return [self._bid(auction, record, number, bid) for number, bid in bids if bid is not None]

    def _bid(
        self, auction: str, record: AuctionRecord, number: int, bid: BidRecord
    ) -> shapes.BidView:
        address = self._views.renderer.address
        envelope = self._chain.record(ENVELOPES, bid_key(auction, number))
        opened = bid.bid
        price_e4 = None if opened is None else opened.price_e4
        return shapes.BidView(
            number=number,
            account=address(bid.account),
            commitment=None if bid.commitment is None else bid.commitment.hex(),
            price=None if price_e4 is None else _price(price_e4),
            face=None if opened is None else self._amount(record, opened.face),
            cash_account=None if opened is None else address(opened.cash_account),
            void=bid.void,
            office=None if envelope is None else envelope.office,
        )

    def _envelope(
        self, record: AuctionRecord, number: int, envelope: EnvelopeRecord, bid: BidRecord
    ) -> shapes.EnvelopeView:
        address = self._views.renderer.address
        assert bid.commitment is not None, "an envelope is handed in under seal"
        opened = bid.bid
        price_e4 = None if opened is None else opened.price_e4
        return shapes.EnvelopeView(
            number=number,
            account=address(bid.account),
            bidder=bid.bidder,
            office=envelope.office,
            lodged_by=envelope.lodged_by,
            cash_account=address(envelope.cash_account),
            competitive=envelope.priced,
            commitment=bid.commitment.hex(),
            price=None if price_e4 is None else _price(price_e4),
            face=None if opened is None else self._amount(record, opened.face),
            void=bid.void,
        )


def _price(price_e4: int) -> str:
    return text(price_e4, PRICE_DECIMALS)


def _row(
    record: AuctionRecord, row: LadderRow, piece: LadderRecord, decimals: int, multiple: int
) -> shapes.LadderRowView:
    paid = accrued = issued = issued_accrued = None
    if row.state is RowState.SETTLED:
        assert record.result is not None, "an auction that delivers is decided"
        parts = parts_for(record.terms, record.result, row, piece, multiple)
        given = [part.face for part in parts]
        paid = render_amount(sum(part.remainder for part in parts), decimals=decimals)
        if piece.accrual is not None:
            accrued = text(accrued_over(deliveries_of(row), piece.accrual), decimals)
        if record.terms.destination is not None:
            issued = render_amount(sum(given), decimals=decimals)
            if piece.destination_accrual is not None:
                issued_accrued = text(accrued_over(given, piece.destination_accrual), decimals)
    return shapes.LadderRowView(
        price=None if row.price_e4 is None else _price(row.price_e4),
        face=render_amount(row.face, decimals=decimals),
        allotted=render_amount(row.allotted, decimals=decimals),
        state=row.state.name.lower(),
        reallotted=render_amount(row.reallotted, decimals=decimals),
        paid=paid,
        accrued=accrued,
        issued=issued,
        issued_accrued=issued_accrued,
    )


def _standing(record: StandingRecord) -> shapes.StandingView:
    until_ms = record.excluded_until_ms
    return shapes.StandingView(
        unrevealed=record.unrevealed,
        failed=record.failed,
        excluded_until=render_time(until_ms) if until_ms else None,
        unentered=record.unentered,
    )


def _reference(name: str, record: ReferenceRecord) -> shapes.ReferenceView:
    return shapes.ReferenceView(
        reference=name,
        auction=record.auction,
        day=render_day(record.day),
        settlement_day=render_day(record.settlement_day),
        average_price=_price(record.average_price_e4),
        average_yield=text(record.average_yield_e4, YIELD_DECIMALS),
    )
