"""What happens to a security when: by appointment, and in between as long as a payment is open.

A security that only waits for its next record has an appointment and no other entry in the queue,
so thousands of them cost a block nothing. While holders are paid it is looked at in every block,
and while something is unpaid every day.
"""

from typing import TypeAlias

from node.codec import Record, replace
from node.ledger.authority import is_usable
from node.ledger.calendars import calendar_of, today
from node.ledger.dates import moment_ms, roll
from node.ledger.holdings import available_of
from node.ledger.identifiers import Address, AssetCode
from node.ledger.outcomes import Outcome, Reject
from node.ledger.parameters import parameter
from node.ledger.positions import service_of
from node.ledger.rehearsing import Perform, perform_plainly
from node.ledger.securities import (
    PAYMENTS,
    Number,
    PaymentRecord,
    PaymentStatus,
    ServiceRecord,
    payment_key,
    split_payment_key,
)
from node.ledger.servicing.fixer import RateAwaited, RateFixed, meet_fixing
from node.ledger.servicing.payer import (
    HolderPaid,
    HoldersPaid,
    HoldRedeemed,
    PaymentFunded,
    PaymentSettled,
    WithholdingCollected,
    due_of,
    fund,
    open_payment,
    pay,
)
from node.ledger.servicing.records import (
    RecordTaken,
    RecordWaits,
    security_of,
    take_record,
    wake,
    why_to_wait,
)
from node.ledger.state import LedgerState
from node.ledger.tables import DueKind
from node.ledger.taxpayers import is_awaited
from node.ledger.terms import ServicedTerms


class FundingChecked(Record, tag=63):
    """The business day before a payment: what is due, and what the paying agent has."""

    asset: AssetCode
    payment: Number
    paying_agent: Address
    due: int
    found: int
    """Available, and free to leave the account."""


class PaymentUnfunded(Record, tag=64):
    """The paying agent does not have what is due: late, then in grace, then in default."""

    asset: AssetCode
    payment: Number
    status: PaymentStatus
    due: int
    found: int


ServicingEvent: TypeAlias = (
    RateFixed
    | RateAwaited
    | RecordTaken
    | RecordWaits
    | FundingChecked
    | PaymentFunded
    | PaymentUnfunded
    | HolderPaid
    | WithholdingCollected
    | HoldersPaid
    | HoldRedeemed
    | PaymentSettled
)

_WAITING: frozenset[PaymentStatus] = frozenset((PaymentStatus.RECORDED, PaymentStatus.ANNOUNCED))


def meet_day(
    state: LedgerState, kind: DueKind, target: bytes, time_ms: int
) -> ServicingEvent | None:
    """Do what was appointed for a day of a payment; on its own day it is then to be served.

    Args:
        target: the key of the payment.
    """
    asset, number = split_payment_key(target)
    if kind is DueKind.FIXING_DAY:
        return meet_fixing(state, asset, number, time_ms)
    if kind is DueKind.RECORD_DAY:
        return take_record(state, asset, number, time_ms)
    payment = open_payment(state, asset, number)
    _, terms = security_of(state, asset)
    if kind is DueKind.FUNDING_DAY:
        if payment.status is not PaymentStatus.RECORDED:
            return None  # blocks came so late that its own day was met before
        status = PaymentStatus.ANNOUNCED
        state.put(PAYMENTS, target, replace(payment, status=status))
        return FundingChecked(
            asset=asset,
            payment=number,
            paying_agent=terms.plan.paying_agent,
            due=due_of(payment),
            found=_agent_has(state, terms),
        )
    plan = terms.plan
    day = roll(calendar_of(state, plan.calendar), payment.row.nominal_day, plan.roll)
    payment = replace(payment, status=PaymentStatus.DUE, payment_day=day)
    state.put(PAYMENTS, target, payment)
    return None


def serve(
    state: LedgerState,
    asset: str,
    time_ms: int,
    holders_max: int,
    first_max: int,
    perform: Perform = perform_plainly,
) -> tuple[list[ServicingEvent], int, int]:
    """Do what is due for a security in a block of this time.

    Args:
        holders_max: how many holders may still be paid in this block.
        first_max: how many of them of payments that begin in it.
        perform: how holders are paid.

    Returns:
        what happened, how many holders were looked at, and how many of a payment that began.
    """
    step = _Step(state, asset, time_ms, perform)
    looked_at, at_first = step.run(holders_max, first_max)
    return step.events, looked_at, at_first


def fund_now(state: LedgerState, asset: str, payer: bytes, time_ms: int) -> PaymentFunded:
    """Take the oldest open payment, whose day has come, from an account that wants to pay it.

    Raises:
        Reject: PAYMENT_NOT_DUE, HOLDING_INSUFFICIENT.
    """
    _, terms = security_of(state, asset)
    service = service_of(state, asset)
    number = service.settled + 1
    if (
        service.recorded < number
        or service.cursor is not None
        or open_payment(state, asset, number).status in _WAITING
    ):
        raise Reject(Outcome.PAYMENT_NOT_DUE, asset=asset, payment=number)
    service, funded = fund(state, asset, terms, service, payer)
    wake(state, asset, service, time_ms + 1)
    return funded


def _agent_has(state: LedgerState, terms: ServicedTerms) -> int:
    """Return what the ledger may take from the paying agent."""
    agent = terms.plan.paying_agent
    return available_of(state, agent, terms.plan.cash) if is_usable(state, agent) else 0


class _Step:
    """One security in one block."""

    def __init__(self, state: LedgerState, asset: str, time_ms: int, perform: Perform) -> None:
        self._state = state
        self._perform = perform
        self._asset = asset
        self._record, self._terms = security_of(state, asset)
        self._time_ms = time_ms
        self._today = today(state, time_ms)
        self._service: ServiceRecord = service_of(state, asset)
        self.events: list[ServicingEvent] = []

    def run(self, holders_max: int, first_max: int) -> tuple[int, int]:
        """Do what is due; return what `serve` counts."""
        self._take_what_waited()
        settled = self._service.settled
        for number in range(settled + 1, self._service.recorded + 1):
            self._follow(number)
        looked_at = 0
        begins = self._service.cursor == b""
        if begins:
            holders_max = 0 if self._is_awaited() else min(holders_max, first_max)
        if self._service.cursor is not None and holders_max > 0:
            self._service, paid, looked_at = self._perform(
                self._asset,
                self._state,
                pay,
                self._asset,
                self._record,
                self._service,
                holders_max,
            )
            self.events.extend(paid)
        at_once = self._service.settled > settled
        # Who found no room comes before those of whom some were paid in this block.
        at_ms = self._time_ms + 1 if holders_max > 0 else self._time_ms
        wake(self._state, self._asset, self._service, self._next_ms(at_ms, at_once=at_once))
        return looked_at, looked_at if begins else 0

    def _is_awaited(self) -> bool:
        """Whether some of those on record may still be marked with another class of taxpayer."""
        payment = open_payment(self._state, self._asset, self._service.settled + 1)
        return is_awaited(self._state, self._asset, payment.taken_day)

    def _take_what_waited(self) -> None:
        """Take a record that waited until another payment was paid, or its rate fixed."""
        service = self._service
        if service.waits and not why_to_wait(self._state, self._asset, self._terms, service):
            number = service.recorded + 1
            self.events.append(take_record(self._state, self._asset, number, self._time_ms))
            self._service = service_of(self._state, self._asset)

    def _follow(self, number: int) -> None:
        """Let an open payment whose day has come be paid, or say how long it is unpaid."""
        payment = open_payment(self._state, self._asset, number)
        if payment.status in _WAITING or payment.status is PaymentStatus.PAYING:
            return
        if number == self._service.settled + 1 and self._try(payment):
            return
        status = self._unfunded(payment)
        if status > payment.status:
            after = replace(payment, status=status)
            self._state.put(PAYMENTS, payment_key(self._asset, number), after)
            self.events.append(
                PaymentUnfunded(
                    asset=self._asset,
                    payment=number,
                    status=status,
                    due=due_of(payment),
                    found=_agent_has(self._state, self._terms),
                )
            )

    def _try(self, payment: PaymentRecord) -> bool:
        """Take the whole from the paying agent, if it has it."""
        due = due_of(payment)
        if due and _agent_has(self._state, self._terms) < due:
            return False
        agent = self._terms.plan.paying_agent
        self._service, funded = fund(self._state, self._asset, self._terms, self._service, agent)
        self.events.append(funded)
        return True

    def _unfunded(self, payment: PaymentRecord) -> PaymentStatus:
        """Return for how long what is unpaid has been waited for, in a word."""
        days = self._today - payment.payment_day
        if days <= 0:
            return PaymentStatus.LATE
        if days <= self._terms.plan.grace_days:
            return PaymentStatus.IN_GRACE
        return PaymentStatus.IN_DEFAULT

    def _next_ms(self, at_ms: int, *, at_once: bool) -> int | None:
        """Return when something can happen by itself, after this block; None: by appointment.

        Args:
            at_ms: where it stands in the queue if that is in the next block.
            at_once: whether the next open payment has just become the oldest.
        """
        service = self._service
        is_open = service.settled < service.recorded
        if (is_open and (at_once or service.cursor is not None)) or (at_once and service.waits):
            return at_ms
        unpaid = service.waits or any(
            open_payment(self._state, self._asset, number).status not in _WAITING
            for number in range(service.settled + 1, service.recorded + 1)
        )
        if not unpaid:
            return None
        offset = parameter(self._state, "utc-offset-minutes")
        return max(moment_ms(self._today + 1, 0, offset), self._time_ms + 1)
