"""The settlement of an auction, one piece of its ladder after the other.

Who does not pay is noted. What becomes of its face the announced rule says: nobody gets it, or once
the whole ladder was gone through those get it who were cut short at the cut-off, in their order,
each up to what it bid for. Who has not the cash for more than it was allotted gets no more, and is
not to blame; who has not paid for something in the same auction gets no more either, or a bidder
could leave a bid and have the face at the lower price.

What delivering an allotment is, says `delivering`.
"""

from typing import TypeAlias

from node.codec import Record, replace
from node.ledger.auctioning.bidders import blame
from node.ledger.auctioning.delivering import Delivery, DeliveryEvent, NotDelivered
from node.ledger.auctions.records import AuctionRecord, BidRecord, LadderRecord, LadderRow, RowState
from node.ledger.auctions.terms import Reallotment
from node.ledger.identifiers import Address, AssetCode, Name
from node.ledger.outcomes import Outcome
from node.ledger.state import LedgerState
from node.ledger.tables import BIDDERS, BIDS, bid_key, bidder_key


class AllotmentFailed(Record, tag=91):
    """An allotment was not paid for or not delivered: its face is not issued, or stays."""

    auction: Name
    asset: AssetCode
    bidder: Name
    account: Address
    face: int
    outcome: Outcome
    """Why: what a transfer or an issue would have been refused with."""
    excluded: bool
    """Whether it counts against the bidder."""


class FaceReallotted(Record, tag=138):
    """Of the face that was just delivered, some had been allotted to others, who did not pay."""

    auction: Name
    asset: AssetCode
    account: Address
    """The securities account of whoever was cut short."""
    face: int


SettlementEvent: TypeAlias = DeliveryEvent | FaceReallotted | AllotmentFailed


class Settlement:
    """The settlement of one piece of a ladder."""

    def __init__(
        self, state: LedgerState, auction: str, record: AuctionRecord, time_ms: int
    ) -> None:
        """Begin the settlement of a piece of a decided auction."""
        assert record.result is not None
        self._state = state
        self._auction = auction
        self._terms = record.terms
        self._cut_off_e4 = record.result.cut_off_e4
        self._time_ms = time_ms
        self._delivery = Delivery(state, auction, record)
        self._left = record.unpaid - record.reallotted
        self.events: list[SettlementEvent] = []
        self.settled = self.paid = self.failed = self.issued = 0
        self.unpaid = self.reallotted = 0
        self.tried = 0
        """Rows that were to get more."""

    def settle(self, piece: LadderRecord) -> LadderRecord:
        """Deliver every row against payment, and forget its bid; return what became of them."""
        self._delivery.prepare(self._time_ms)
        return LadderRecord(
            rows=tuple(self._settle(row) for row in piece.rows),
            accrual=self._delivery.accrual,
            destination_accrual=self._delivery.destination_accrual,
        )

    def reallot(self, piece: LadderRecord) -> LadderRecord:
        """Deliver what others did not pay for to those cut short in a piece that was settled.

        Only while the same has accrued as when it was: a row has one figure for it.
        """
        delivery = self._delivery
        delivery.prepare(self._time_ms)
        noted = (piece.accrual, piece.destination_accrual)
        accrued = (delivery.accrual, delivery.destination_accrual)
        if delivery.obstacle is not None or noted != accrued:
            return piece
        return replace(piece, rows=tuple(self._reallot(row) for row in piece.rows))

    def _settle(self, row: LadderRow) -> LadderRow:
        key = bid_key(self._auction, row.number)
        bid = self._state.get(BIDS, key)
        assert bid is not None  # it is kept until here
        if not self._is_cut_short(row):
            self._state.delete(BIDS, key)
        if not row.allotted:
            return row
        failure = self._attempt(bid, row, row.allotted)
        if failure is None:
            return replace(row, state=RowState.SETTLED)
        self._fail(bid, row.allotted, failure)
        return replace(row, state=RowState.FAILED)

    def _is_cut_short(self, row: LadderRow) -> bool:
        """Return whether a row gets what others do not pay for."""
        return (
            self._terms.reallotment is Reallotment.CUT_SHORT
            and row.price_e4 == self._cut_off_e4
            and row.allotted < row.face
        )

    def _reallot(self, row: LadderRow) -> LadderRow:
        if not self._left or row.state is RowState.FAILED or not self._is_cut_short(row):
            return row
        self.tried += 1
        bid = self._state.get(BIDS, bid_key(self._auction, row.number))
        assert bid is not None  # it was kept for this
        theirs = self._state.get(BIDDERS, bidder_key(self._auction, bid.bidder))
        assert theirs is not None  # as above
        more = min(row.face - row.allotted, self._left)
        if theirs.failed or self._attempt(bid, row, more) is not None:
            return row
        self._left -= more
        self.reallotted += more
        self.events.append(
            FaceReallotted(
                auction=self._auction, asset=self._terms.asset, account=bid.account, face=more
            )
        )
        return replace(row, state=RowState.SETTLED, reallotted=more)

    def _attempt(self, bid: BidRecord, row: LadderRow, face: int) -> NotDelivered | None:
        """Deliver so much face against payment and count it; or change nothing, and say why."""
        result = self._delivery.attempt(bid, row, face)
        if isinstance(result, NotDelivered):
            return result
        self.settled += result.face
        self.paid += result.paid
        self.issued += result.issued
        self.events.append(result.event)
        return None

    def _fail(self, bid: BidRecord, face: int, failure: NotDelivered) -> None:
        if failure.of_bidder:
            blame(
                self._state,
                bid.bidder,
                time_ms=self._time_ms,
                exclusion_days=self._terms.failing_exclusion_days,
                failed=1,
            )
            self.unpaid += face
            key = bidder_key(self._auction, bid.bidder)
            theirs = self._state.get(BIDDERS, key)
            assert theirs is not None  # it is forgotten when all is settled
            self._state.put(BIDDERS, key, replace(theirs, failed=True))
        self.failed += face
        self.events.append(
            AllotmentFailed(
                auction=self._auction,
                asset=self._terms.asset,
                bidder=bid.bidder,
                account=bid.account,
                face=face,
                outcome=failure.outcome,
                excluded=failure.of_bidder,
            )
        )
