"""The settlement of an auction, one allotment after the other: delivery against payment.

The cash leaves the bidder's cash account for the issuer's, the face comes into being in the
bidder's securities account, or neither happens. In a buyback the face leaves the holder's account
and is destroyed, the cash leaves the issuer's for the holder's, or neither happens. In a switch the
face of the old line is destroyed, what it is worth of the new one comes into being in the same
account, and the issuer pays what is left; all of it, or nothing.

Who does not pay is noted. What becomes of its face the announced rule says: nobody gets it, or once
the whole ladder was gone through those get it who were cut short at the cut-off, in their order,
each up to what it bid for. Who has not the cash for more than it was allotted gets no more, and is
not to blame; who has not paid for something in the same auction gets no more either, or a bidder
could leave a bid and have the face at the lower price.

On what is reopened the interest that has accrued is paid as well, on the day of the block that
settles. After the record of a payment that payment is not the buyer's, who is compensated for it;
the service says which records were taken.
"""

from typing import TypeAlias, assert_never

from node.codec import Record, replace
from node.ledger.auctioning.bidders import blame
from node.ledger.auctions.allotment import paid_price
from node.ledger.auctions.averages import accrued_on, due_for
from node.ledger.auctions.records import (
    Accrual,
    AuctionRecord,
    BidRecord,
    LadderRecord,
    LadderRow,
    RowState,
)
from node.ledger.auctions.switches import Exchange, exchange, worth_of
from node.ledger.auctions.terms import TAKING_FORMS, AuctionTerms, Form, Reallotment, lines_of
from node.ledger.authority import receiving_account, usable_account
from node.ledger.calendars import calendar_of, today
from node.ledger.courses import calls_of, fixed_rate, outstanding_of
from node.ledger.dates import DatesError
from node.ledger.holdings import asset_of, available_of, check_available, credit, debit
from node.ledger.identifiers import Address, AssetCode, Name
from node.ledger.instruments import (
    NOTHING_FIXED,
    accrued_share,
    as_noted,
    last_record_day,
    payment_at,
)
from node.ledger.outcomes import Outcome, Reject
from node.ledger.phrases import CashFault, LineFault, Reason
from node.ledger.positions import service_of
from node.ledger.state import LedgerState
from node.ledger.tables import (
    ASSETS,
    BACKLOG,
    BACKLOG_KEY,
    BIDDERS,
    BIDS,
    bid_key,
    bidder_key,
    name_key,
)
from node.ledger.terms import (
    AssetTerms,
    BillTerms,
    BondTerms,
    CashTerms,
    ServicedBillTerms,
    ServicedTerms,
    StripTerms,
    SukukTerms,
    is_serviced,
)
from node.ledger.units import Day


class AllotmentSettled(Record, tag=90):
    """An allotment was delivered against payment."""

    auction: Name
    asset: AssetCode
    account: Address
    """The securities account: the face came into being there."""
    face: int
    cash: AssetCode
    cash_account: Address
    proceeds: Address
    """The issuer's account: the consideration went there."""
    consideration: int
    """In minor units of the cash, which has the decimals of the asset; all that was paid."""
    accrued: int
    """Of it, the interest accrued; below zero where the next payment stays with others."""
    supply: int
    """Of the asset, afterwards."""


class FaceBoughtBack(Record, tag=94):
    """What a holder had offered was taken back against payment, and destroyed."""

    auction: Name
    asset: AssetCode
    account: Address
    """The securities account: the face left it."""
    face: int
    cash: AssetCode
    cash_account: Address
    payer: Address
    """The issuer's account: the consideration came from there."""
    consideration: int
    """In minor units of the cash, which has the decimals of the asset; all that was paid."""
    accrued: int
    """Of it, the interest accrued; below zero where the next payment stays with the holder."""
    supply: int
    """Of the asset, afterwards."""


class FaceSwitched(Record, tag=115):
    """What a holder had offered was taken, and another line given for it at the same worth."""

    auction: Name
    asset: AssetCode
    """The line that was taken; the face was destroyed."""
    account: Address
    """The securities account: one face left it, the other came into being there."""
    face: int
    destination: AssetCode
    issued: int
    """Face of the destination."""
    cash: AssetCode
    cash_account: Address
    payer: Address
    """The issuer's account: what was left came from there."""
    worth: int
    """Of what was taken, in minor units of the cash, with the interest accrued on it."""
    accrued: int
    """Of it, the interest; below zero where the next payment stays with the holder."""
    destination_accrued: int
    """Of what was given; below zero where the next payment stays with others."""
    paid: int
    """The worth of what was taken less that of what was given."""
    supply: int
    """Of the line that was taken, afterwards."""
    destination_supply: int


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


SettlementEvent: TypeAlias = (
    AllotmentSettled | FaceBoughtBack | FaceSwitched | FaceReallotted | AllotmentFailed
)


def must_wait(state: LedgerState, terms: AssetTerms) -> bool:
    """Return whether a security cannot be delivered in this block, and can be in a later one."""
    # While records wait for a later block, whoever is on them must not change.
    return _accrues(terms) is not None and state.get(BACKLOG, BACKLOG_KEY) is not None


def why_not_deliverable(state: LedgerState, terms: AuctionTerms, day: Day) -> Reason | None:
    """Return why an auction cannot be settled on a day, of any of its lines; None: it can."""
    for code in lines_of(terms):
        fault = _why_undeliverable(state, code, asset_of(state, code).terms, day)
        if fault is not None:
            return fault
    return None


def _why_undeliverable(
    state: LedgerState, asset: str, terms: AssetTerms, day: Day
) -> Reason | None:
    """Return why a security of these terms cannot be delivered on a day; None: it can."""
    match terms:
        case BillTerms():
            if day >= terms.maturity_day:
                return LineFault.SETTLES_AFTER_MATURITY.of(
                    asset=asset, day=day, maturity=terms.maturity_day
                )
        case BondTerms() | SukukTerms() | ServicedBillTerms():
            if day < terms.plan.issue_day:
                return LineFault.SETTLES_BEFORE_ISSUE.of(
                    asset=asset, day=day, issue=terms.plan.issue_day
                )
            calendar, calls = calendar_of(state, terms.plan.calendar), calls_of(state, asset, terms)
            last_day = last_record_day(terms, calendar, calls)
            if day > last_day:
                return LineFault.SETTLES_AFTER_REGISTER.of(asset=asset, day=day, last=last_day)
        case CashTerms():
            return CashFault.CASH_AUCTIONED.of(asset=asset)
        case StripTerms():
            return LineFault.STRIP_NOT_SOLD.of(asset=asset)
        case _ as unreachable:
            assert_never(unreachable)
    return None


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
        self._result = record.result
        self._time_ms = time_ms
        self._accrual: Accrual | None = None
        self._destination_accrual: Accrual | None = None
        self._issuer_problem: Reject | None = None
        self._of_issuer: Reject | None = None
        """Why the issuer could not do the last that was attempted."""
        self._left = record.unpaid - record.reallotted
        self.events: list[SettlementEvent] = []
        self.settled = self.paid = self.failed = self.issued = 0
        self.unpaid = self.reallotted = 0
        self.tried = 0
        """Rows that were to get more."""

    def settle(self, piece: LadderRecord) -> LadderRecord:
        """Deliver every row against payment, and forget its bid; return what became of them."""
        try:
            self._prepare()
        except Reject as problem:
            self._issuer_problem = problem
        return LadderRecord(
            rows=tuple(self._settle(row) for row in piece.rows),
            accrual=self._accrual,
            destination_accrual=self._destination_accrual,
        )

    def reallot(self, piece: LadderRecord) -> LadderRecord:
        """Deliver what others did not pay for to those cut short in a piece that was settled.

        Only while the same has accrued as when it was: a row has one figure for it.
        """
        try:
            self._prepare()
        except Reject:
            return piece
        noted = (piece.accrual, piece.destination_accrual)
        if noted != (self._accrual, self._destination_accrual):
            return piece
        return replace(piece, rows=tuple(self._reallot(row) for row in piece.rows))

    def _prepare(self) -> None:
        """Find out what has accrued.

        Raises:
            Reject: nothing can be delivered, and no bidder is to blame.
        """
        state, terms, destination = self._state, self._terms, self._terms.destination
        self._accrual = self._accrued(terms.asset)
        if destination is not None:
            self._destination_accrual = self._accrued(destination.asset)
            if worth_of(destination.price_e4, self._destination_accrual) <= 0:
                raise Reject(Outcome.SWITCH_NOT_POSSIBLE, asset=destination.asset)
        if terms.form in TAKING_FORMS:
            usable_account(state, terms.proceeds)
        else:
            receiving_account(state, terms.proceeds)

    def _accrued(self, code: str) -> Accrual | None:
        terms = _accrues(asset_of(self._state, code).terms)
        if terms is None:
            return None
        return accrual_of(self._state, code, terms, today(self._state, self._time_ms))

    def _exchange(self, worth: int) -> Exchange:
        """Return what is given for what was allotted; nothing but cash where it is no switch."""
        destination = self._terms.destination
        if destination is None or self._issuer_problem is not None:
            return Exchange(face=0, remainder=worth)
        return exchange(
            worth,
            destination.price_e4,
            self._destination_accrual,
            asset_of(self._state, destination.asset).multiple,
        )

    def _why_issuer_cannot(self, face: int, given: Exchange) -> Reject | None:
        state, terms = self._state, self._terms
        if terms.form in TAKING_FORMS:
            if available_of(state, terms.proceeds, terms.cash) < given.remainder:
                return Reject(Outcome.HOLDING_INSUFFICIENT)
            if terms.destination is None:
                return None
            code, more = terms.destination.asset, given.face
        else:
            code, more = terms.asset, face
        asset = asset_of(state, code)
        above = outstanding_of(state, code, asset) + more > asset.ceiling
        return Reject(Outcome.CEILING_EXCEEDED) if above else None

    def _settle(self, row: LadderRow) -> LadderRow:
        key = bid_key(self._auction, row.number)
        bid = self._state.get(BIDS, key)
        assert bid is not None  # it is kept until here
        if not self._is_cut_short(row):
            self._state.delete(BIDS, key)
        if not row.allotted:
            return row
        problem = self._attempt(bid, row, row.allotted)
        if problem is None:
            return replace(row, state=RowState.SETTLED)
        self._fail(bid, row.allotted, problem, of_bidder=problem is not self._of_issuer)
        return replace(row, state=RowState.FAILED)

    def _is_cut_short(self, row: LadderRow) -> bool:
        """Return whether a row gets what others do not pay for."""
        return (
            self._terms.reallotment is Reallotment.CUT_SHORT
            and row.price_e4 == self._result.cut_off_e4
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

    def _attempt(self, bid: BidRecord, row: LadderRow, face: int) -> Reject | None:
        """Deliver so much face against payment; or change nothing, and return why."""
        worth = due_for(face, paid_price(self._terms, self._result, row), self._accrual)
        given = self._exchange(worth)
        self._of_issuer = self._issuer_problem or self._why_issuer_cannot(face, given)
        if self._of_issuer is not None:
            return self._of_issuer
        self._state.begin()
        try:
            if self._terms.destination is not None:
                self._switch(bid, face, worth, self._terms.destination.asset, given)
            elif self._terms.form is Form.BUYBACK:
                self._take_back(bid, face, worth)
            else:
                self._deliver(bid, face, worth)
        except Reject as problem:
            self._state.discard()
            return problem
        self._state.keep()
        self.settled += face
        self.paid += given.remainder
        self.issued += given.face
        return None

    def _deliver(self, bid: BidRecord, face: int, paid: int) -> None:
        """Move both, or raise."""
        state, terms = self._state, self._terms
        assert bid.bid is not None
        payer = bid.bid.cash_account
        usable_account(state, payer)
        receiving_account(state, bid.account)
        check_available(state, payer, terms.cash, paid)
        asset = asset_of(state, terms.asset)
        supply = asset.supply + face
        if paid:  # A crumb of face can round to nothing, and empty holdings have no record.
            cash = asset_of(state, terms.cash).terms
            debit(state, payer, terms.cash, paid, cash)
            credit(state, terms.proceeds, terms.cash, paid, cash)
        state.put(ASSETS, name_key(terms.asset), replace(asset, supply=supply))
        credit(state, bid.account, terms.asset, face, asset.terms)
        self.events.append(
            AllotmentSettled(
                auction=self._auction,
                asset=terms.asset,
                account=bid.account,
                face=face,
                cash=terms.cash,
                cash_account=payer,
                proceeds=terms.proceeds,
                consideration=paid,
                accrued=accrued_on(face, self._accrual),
                supply=supply,
            )
        )

    def _take(self, bid: BidRecord, face: int, paid: int) -> int:
        """Destroy what is taken and pay so much, or raise; return what is left of the line."""
        state, terms = self._state, self._terms
        assert bid.bid is not None
        receiver = bid.bid.cash_account
        usable_account(state, bid.account)
        receiving_account(state, receiver)
        asset = asset_of(state, terms.asset)
        debit(state, bid.account, terms.asset, face, asset.terms)
        supply = asset.supply - face
        state.put(ASSETS, name_key(terms.asset), replace(asset, supply=supply))
        if paid:  # As above.
            cash = asset_of(state, terms.cash).terms
            debit(state, terms.proceeds, terms.cash, paid, cash)
            credit(state, receiver, terms.cash, paid, cash)
        return supply

    def _switch(
        self, bid: BidRecord, face: int, worth: int, destination: str, given: Exchange
    ) -> None:
        """Take one line and give another for it, or raise."""
        state, terms = self._state, self._terms
        assert bid.bid is not None
        supply = self._take(bid, face, given.remainder)
        receiving_account(state, bid.account)
        asset = asset_of(state, destination)
        after = replace(asset, supply=asset.supply + given.face)
        if given.face:  # What is worth less than a multiple is paid in cash alone.
            state.put(ASSETS, name_key(destination), after)
            credit(state, bid.account, destination, given.face, asset.terms)
        self.events.append(
            FaceSwitched(
                auction=self._auction,
                asset=terms.asset,
                account=bid.account,
                face=face,
                destination=destination,
                issued=given.face,
                cash=terms.cash,
                cash_account=bid.bid.cash_account,
                payer=terms.proceeds,
                worth=worth,
                accrued=accrued_on(face, self._accrual),
                destination_accrued=accrued_on(given.face, self._destination_accrual),
                paid=given.remainder,
                supply=supply,
                destination_supply=after.supply,
            )
        )

    def _take_back(self, bid: BidRecord, face: int, paid: int) -> None:
        """Pay for what is taken back and destroyed, or raise."""
        terms = self._terms
        assert bid.bid is not None
        supply = self._take(bid, face, paid)
        self.events.append(
            FaceBoughtBack(
                auction=self._auction,
                asset=terms.asset,
                account=bid.account,
                face=face,
                cash=terms.cash,
                cash_account=bid.bid.cash_account,
                payer=terms.proceeds,
                consideration=paid,
                accrued=accrued_on(face, self._accrual),
                supply=supply,
            )
        )

    def _fail(self, bid: BidRecord, face: int, problem: Reject, *, of_bidder: bool) -> None:
        if of_bidder:  # What the issuer cannot do is not the bidder's fault.
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
                outcome=problem.outcome,
                excluded=of_bidder,
            )
        )


def accrual_of(state: LedgerState, asset: str, terms: ServicedTerms, day: Day) -> Accrual:
    """Return what has accrued on a unit of face for whoever comes on the register now.

    Raises:
        Reject: REGISTER_CLOSED, RECORDS_PENDING, ACCRUAL_NOT_KNOWN: nobody comes on it, a record
            that is overdue would count who does, or the rate of the period is not fixed.
    """
    service = service_of(state, asset)
    if service.closed:
        raise Reject(Outcome.REGISTER_CLOSED, asset=asset)
    if service.waits:
        raise Reject(Outcome.RECORDS_PENDING, asset=asset)
    plan = terms.plan
    calendar, calls = calendar_of(state, plan.calendar), calls_of(state, asset, terms)
    day = max(day, plan.issue_day)  # before the issue nothing has accrued
    try:
        # Of what floats, one rate is read and not all that were ever fixed.
        number = payment_at(terms, calendar, day, calls)
        fixed_ppm = fixed_rate(state, asset, terms, number)
        share = accrued_share(
            terms,
            calendar,
            day,
            recorded=service.recorded,
            rates=NOTHING_FIXED if fixed_ppm is None else {number: fixed_ppm},
            calls=calls,
        )
    except DatesError:
        raise Reject(Outcome.ACCRUAL_NOT_KNOWN, asset=asset, found=day) from None
    share = as_noted(share)
    return Accrual(day=day, numerator=share.numerator, denominator=share.denominator)


def _accrues(terms: AssetTerms) -> ServicedTerms | None:
    return terms if is_serviced(terms) else None
