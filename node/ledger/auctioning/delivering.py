"""Delivery against payment: one allotment, whole or not at all.

The cash leaves the bidder's cash account for the issuer's, the face comes into being in the
bidder's securities account, or neither happens. In a buyback the face leaves the holder's account
and is destroyed, the cash leaves the issuer's for the holder's, or neither happens. In a switch the
face of the old line is destroyed, what it is worth of the new one comes into being in the same
account, and the issuer pays what is left; all of it, or nothing.
"""

from typing import TypeAlias

from node.codec import Record, replace
from node.ledger.auctioning.deliverable import accrual_of, accrues
from node.ledger.auctions.allotment import paid_price
from node.ledger.auctions.averages import accrued_on, due_for
from node.ledger.auctions.records import Accrual, AuctionRecord, BidRecord, LadderRow
from node.ledger.auctions.switches import Exchange, exchange, worth_of
from node.ledger.auctions.terms import TAKING_FORMS, Form
from node.ledger.authority import receiving_account, usable_account
from node.ledger.calendars import today
from node.ledger.courses import outstanding_of
from node.ledger.holdings import asset_of, available_of, check_available, credit, debit
from node.ledger.identifiers import Address, AssetCode, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, name_key
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


DeliveryEvent: TypeAlias = AllotmentSettled | FaceBoughtBack | FaceSwitched


class Delivered(Record):
    """What delivery against payment of one allotment came to."""

    event: DeliveryEvent
    face: int
    paid: int
    """In minor units of the cash."""
    issued: int
    """Face of the destination of a switch."""


class NotDelivered(Record):
    """Why nothing has changed."""

    outcome: Outcome
    """What a transfer or an issue would have been refused with."""
    of_bidder: bool
    """Whether it is the bidder's doing: what the issuer cannot do is not its fault."""


class Delivery:
    """Delivery against payment of allotments of one auction, one after the other."""

    def __init__(self, state: LedgerState, auction: str, record: AuctionRecord) -> None:
        """Take a decided auction."""
        assert record.result is not None
        self._state = state
        self._auction = auction
        self._terms = record.terms
        self._result = record.result
        self.accrual: Accrual | None = None
        self.destination_accrual: Accrual | None = None
        self.obstacle: Outcome | None = None
        """Why nothing can be delivered, and no bidder is to blame."""

    def prepare(self, time_ms: int) -> None:
        """Find out what has accrued, and what stands against any delivery."""
        try:
            self._prepare(today(self._state, time_ms))
        except Reject as problem:
            self.obstacle = problem.outcome

    def attempt(self, bid: BidRecord, row: LadderRow, face: int) -> Delivered | NotDelivered:
        """Deliver so much face against payment, or change nothing."""
        if self.obstacle is not None:
            return NotDelivered(outcome=self.obstacle, of_bidder=False)
        worth = due_for(face, paid_price(self._terms, self._result, row), self.accrual)
        given = self._exchange(worth)
        obstacle = self._why_issuer_cannot(face, given)
        if obstacle is not None:
            return NotDelivered(outcome=obstacle, of_bidder=False)
        self._state.begin()
        try:
            event = self._deliver(bid, face, worth, given)
        except Reject as problem:
            self._state.discard()
            return NotDelivered(outcome=problem.outcome, of_bidder=True)
        self._state.keep()
        return Delivered(event=event, face=face, paid=given.remainder, issued=given.face)

    def _prepare(self, day: Day) -> None:
        state, terms, destination = self._state, self._terms, self._terms.destination
        self.accrual = self._accrued(terms.asset, day)
        if destination is not None:
            self.destination_accrual = self._accrued(destination.asset, day)
            if worth_of(destination.price_e4, self.destination_accrual) <= 0:
                raise Reject(Outcome.SWITCH_NOT_POSSIBLE, asset=destination.asset)
        if terms.form in TAKING_FORMS:
            usable_account(state, terms.proceeds)
        else:
            receiving_account(state, terms.proceeds)

    def _accrued(self, code: str, day: Day) -> Accrual | None:
        terms = accrues(asset_of(self._state, code).terms)
        if terms is None:
            return None
        return accrual_of(self._state, code, terms, day)

    def _exchange(self, worth: int) -> Exchange:
        """Return what is given for what was allotted; nothing but cash where it is no switch."""
        destination = self._terms.destination
        if destination is None:
            return Exchange(face=0, remainder=worth)
        return exchange(
            worth,
            destination.price_e4,
            self.destination_accrual,
            asset_of(self._state, destination.asset).multiple,
        )

    def _why_issuer_cannot(self, face: int, given: Exchange) -> Outcome | None:
        state, terms = self._state, self._terms
        if terms.form in TAKING_FORMS:
            if available_of(state, terms.proceeds, terms.cash) < given.remainder:
                return Outcome.HOLDING_INSUFFICIENT
            if terms.destination is None:
                return None
            code, more = terms.destination.asset, given.face
        else:
            code, more = terms.asset, face
        asset = asset_of(state, code)
        above = outstanding_of(state, code, asset) + more > asset.ceiling
        return Outcome.CEILING_EXCEEDED if above else None

    def _deliver(self, bid: BidRecord, face: int, worth: int, given: Exchange) -> DeliveryEvent:
        """Move face and cash by the form of the auction.

        Raises:
            Reject: the bidder, or whoever pays, cannot.
        """
        if self._terms.destination is not None:
            return self._switch(bid, face, worth, self._terms.destination.asset, given)
        if self._terms.form is Form.BUYBACK:
            return self._take_back(bid, face, worth)
        return self._sell(bid, face, worth)

    def _sell(self, bid: BidRecord, face: int, paid: int) -> AllotmentSettled:
        """Issue face for cash."""
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
        return AllotmentSettled(
            auction=self._auction,
            asset=terms.asset,
            account=bid.account,
            face=face,
            cash=terms.cash,
            cash_account=payer,
            proceeds=terms.proceeds,
            consideration=paid,
            accrued=accrued_on(face, self.accrual),
            supply=supply,
        )

    def _take(self, bid: BidRecord, face: int, paid: int) -> int:
        """Destroy what is taken and pay so much; return what is left of the line."""
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
    ) -> FaceSwitched:
        """Take one line and give another for it."""
        state, terms = self._state, self._terms
        assert bid.bid is not None
        supply = self._take(bid, face, given.remainder)
        receiving_account(state, bid.account)
        asset = asset_of(state, destination)
        after = replace(asset, supply=asset.supply + given.face)
        if given.face:  # What is worth less than a multiple is paid in cash alone.
            state.put(ASSETS, name_key(destination), after)
            credit(state, bid.account, destination, given.face, asset.terms)
        return FaceSwitched(
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
            accrued=accrued_on(face, self.accrual),
            destination_accrued=accrued_on(given.face, self.destination_accrual),
            paid=given.remainder,
            supply=supply,
            destination_supply=after.supply,
        )

    def _take_back(self, bid: BidRecord, face: int, paid: int) -> FaceBoughtBack:
        """Pay for what is taken back and destroyed."""
        terms = self._terms
        assert bid.bid is not None
        supply = self._take(bid, face, paid)
        return FaceBoughtBack(
            auction=self._auction,
            asset=terms.asset,
            account=bid.account,
            face=face,
            cash=terms.cash,
            cash_account=bid.bid.cash_account,
            payer=terms.proceeds,
            consideration=paid,
            accrued=accrued_on(face, self.accrual),
            supply=supply,
        )
