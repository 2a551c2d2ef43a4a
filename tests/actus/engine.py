"""The cash flows of a contract, exactly: fractions in and out, no float.

Events are taken in order; each pays what its payoff function says of the state, and the state goes
on by its transition function. Where the text of the specification and the published cases disagree
the cases are followed, and a comment says so.

Source: ACTUS technical specification, 7.1 to 7.10, "State Transition Functions and Payoff
Functions".
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Final

from node.ledger.dates import date_of
from node.ledger.pricing import year_fraction
from tests.actus.contracts import Contract, ContractType
from tests.actus.timelines import (
    ANNUITIES,
    SEQUENCE,
    EventType,
    Observation,
    Scheduled,
    Timeline,
    timeline_of,
)
from tests.actus.times import ActusError, Moment

ZERO: Final = Fraction(0)
HOLDINGS: Final = frozenset({ContractType.STK, ContractType.COM})
Series = Sequence[tuple[Moment, Fraction]]
"""What a market quoted, ascending by time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """A row of the result: an event, and the state after it."""

    moment: Moment
    kind: EventType
    payoff: Fraction
    notional: Fraction
    rate: Fraction
    accrued: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractState:
    """What a contract is at a time. Claims are above zero, debts below."""

    counted: Moment
    """Up to when interest is in `accrued`."""
    notional: Fraction
    rate: Fraction
    accrued: Fraction
    base: Fraction
    """What interest is counted of."""
    payment: Fraction
    """The next redemption, interest included where it is an annuity."""
    notional_scale: Fraction
    interest_scale: Fraction
    is_called: bool


def cash_flows(
    contract: Contract,
    *,
    market: Mapping[str, Series],
    observations: tuple[Observation, ...] = (),
    until: Moment | None = None,
) -> list[Happened]:
    """Return what happens after the status date, in order, to the end of the contract.

    Args:
        until: where contracts are cut that have no end. One that has is listed to it: clm07 is to
            be cut before its money is paid back, and its rows go on to there.

    Raises:
        ActusError: the contract has something that is not computed here, or lacks what is needed.
    """
    status = contract.moment("statusDate")
    if status is None:
        raise ActusError("statusDate is missing")
    timeline = timeline_of(contract, observations, until)
    business_days = contract.business_days
    ordered = sorted(
        timeline.events,
        key=lambda event: (_moved(contract, event), SEQUENCE[event.kind]),
    )
    state = _initial(contract, status, timeline)
    rows: list[Happened] = []
    for event in ordered:
        moment = _moved(contract, event)
        if moment <= status:
            continue
        if timeline.maturity is None and until is not None and moment > until:
            break
        counted = business_days.calculated(event.moment) if moment != event.moment else event.moment
        payoff, state = _apply(contract, state, event, counted, market, timeline)
        rows.append(
            Happened(
                moment=moment,
                kind=event.kind,
                payoff=payoff,
                notional=state.notional,
                rate=state.rate,
                accrued=state.accrued,
            )
        )
        if event.kind in {EventType.TD, EventType.MD, EventType.STD}:
            break
    return _since_purchase(contract, rows)


def _moved(contract: Contract, event: Scheduled) -> Moment:
    """Return when an event happens. Days that the parties agreed on stay where they are."""
    if event.kind in {EventType.IED, EventType.PRD, EventType.TD, EventType.XD, EventType.AD}:
        return event.moment
    return contract.business_days.shifted(event.moment)


def _since_purchase(contract: Contract, rows: list[Happened]) -> list[Happened]:
    purchased = contract.moment("purchaseDate")
    if purchased is None:
        return rows
    return [row for row in rows if row.moment >= purchased]


def _initial(contract: Contract, status: Moment, timeline: Timeline) -> ContractState:
    """Return the state as of the status date.

    Interest that had accrued by then is what the contract says; nothing where it is silent. By the
    text it would be estimated from the last payment; in the cases (clm03, lam21) it is not.
    """
    issued = contract.moment("initialExchangeDate")
    if contract.type is ContractType.CSH:
        issued = status
    is_running = issued is not None and issued <= status
    notional = _notional(contract) if is_running else ZERO
    return ContractState(
        counted=status,
        notional=notional,
        rate=contract.number("nominalInterestRate", 0) if is_running else ZERO,
        accrued=contract.sign * contract.number("accruedInterest", 0) if is_running else ZERO,
        base=_base(contract, notional) if is_running else ZERO,
        payment=_payment(contract, timeline),
        notional_scale=Fraction(1),
        interest_scale=Fraction(1),
        is_called=False,
    )


def _notional(contract: Contract) -> Fraction:
    if contract.type in HOLDINGS:
        return ZERO
    return contract.sign * contract.number("notionalPrincipal")


def _base(contract: Contract, notional: Fraction) -> Fraction:
    """Return what interest is counted of from the beginning."""
    if contract.text("interestCalculationBase") in {"", "NT"}:
        return notional
    return contract.sign * contract.number("interestCalculationBaseAmount", abs(notional))


def _payment(contract: Contract, timeline: Timeline) -> Fraction:
    """Return the first redemption.

    A linear amortizer that does not say repays in equal parts: one for each redemption and one at
    maturity. The text divides lengths of time instead, which gives four parts in lam29, not five.
    """
    sign = contract.sign
    if contract.has("nextPrincipalRedemptionPayment"):
        return sign * contract.number("nextPrincipalRedemptionPayment")
    if contract.type is ContractType.LAM:
        parts = len(timeline.redemptions) + 1
        return sign * contract.number("notionalPrincipal") / parts
    issued = contract.moment("initialExchangeDate")
    if (
        contract.type is ContractType.ANN
        and issued is not None
        and timeline.redemptions
        and timeline.redemptions[0] <= issued
    ):
        # The first payment falls on the day of issue: nothing before it could fix it (ann09).
        times = timeline.payments_after(Moment(issued.day - 1))
        owed = sign * contract.number("notionalPrincipal")
        return _annuity(contract, times, owed, contract.number("nominalInterestRate"))
    return ZERO


def _apply(
    contract: Contract,
    state: ContractState,
    event: Scheduled,
    counted: Moment,
    market: Mapping[str, Series],
    timeline: Timeline,
) -> tuple[Fraction, ContractState]:
    """Return what an event pays, and the state after it."""
    sign = contract.sign
    if event.kind is EventType.IED:
        return _issue(contract, state, counted)
    if contract.type in HOLDINGS:
        return _holding_payoff(contract, event, market), replace(state, counted=counted)
    if event.kind in {EventType.IP, EventType.STD} and state.is_called:
        # Called money earns up to the notice and no longer (clm07: two days, not thirty-three).
        state = replace(state, counted=counted)
    state = _accrued(contract, state, counted)
    is_fair = contract.text("interestCalculationBase") in {"", "NT"}
    match event.kind:
        case EventType.PR | EventType.PI:
            payment = _redemption(contract, state, event)
            notional = state.notional - payment
            state = replace(state, notional=notional, base=notional if is_fair else state.base)
            return state.notional_scale * payment, state
        case EventType.IP:
            return state.interest_scale * state.accrued, replace(state, accrued=ZERO)
        case EventType.IPCI:
            notional = state.notional + state.accrued
            base = notional if is_fair else state.base
            return ZERO, replace(state, notional=notional, base=base, accrued=ZERO)
        case EventType.IPCB:
            return ZERO, replace(state, base=state.notional)
        case EventType.RR:
            return ZERO, replace(state, rate=_reset(contract, state, event, market))
        case EventType.RRF:
            assert event.amount is not None
            return ZERO, replace(state, rate=event.amount)
        case EventType.PRF:
            times = timeline.payments_after(counted)
            owed = _accrued(contract, state, times[0])
            payment = _annuity(contract, times, owed.notional + owed.accrued, state.rate)
            return ZERO, replace(state, payment=payment)
        case EventType.SC:
            return ZERO, _scaled(contract, state, event, market)
        case EventType.PRD:
            price = contract.number("priceAtPurchaseDate")
            return -sign * (price + state.accrued), state
        case EventType.TD:
            price = contract.number("priceAtTerminationDate")
            # The text sets the rate to nothing; the cases (ann19, ump09) leave it.
            return sign * (price + state.accrued), _ended(state)
        case EventType.MD | EventType.STD:
            paid = state.notional_scale * state.notional + state.interest_scale * state.accrued
            return paid, _ended(state)
        case EventType.XD:
            return ZERO, replace(state, is_called=True)
        case _:
            return ZERO, state


def _ended(state: ContractState) -> ContractState:
    return replace(state, notional=ZERO, accrued=ZERO, base=ZERO)


def _issue(
    contract: Contract, state: ContractState, counted: Moment
) -> tuple[Fraction, ContractState]:
    sign = contract.sign
    notional = _notional(contract)
    rate = contract.number("nominalInterestRate", 0)
    anchor = contract.moment("cycleAnchorDateOfInterestPayment")
    accrued = ZERO
    if contract.has("accruedInterest"):
        accrued = sign * contract.number("accruedInterest")
    elif anchor is not None and anchor < counted and rate:
        accrued = _share(contract, anchor, counted) * notional * rate
    paid = contract.number("notionalPrincipal") + contract.number("premiumDiscountAtIED", 0)
    return -sign * paid, replace(
        state,
        counted=counted,
        notional=notional,
        rate=rate,
        accrued=accrued,
        base=_base(contract, notional),
    )


def _holding_payoff(contract: Contract, event: Scheduled, market: Mapping[str, Series]) -> Fraction:
    sign, quantity = contract.sign, contract.number("quantity", 1)
    match event.kind:
        case EventType.PRD:
            return -sign * quantity * contract.number("priceAtPurchaseDate")
        case EventType.TD:
            return sign * quantity * contract.number("priceAtTerminationDate")
        case EventType.DV:
            return sign * _observed(contract, "marketObjectCodeOfDividends", event, market)
        case _:
            return ZERO


def _share(contract: Contract, start: Moment, end: Moment) -> Fraction:
    if end <= start:
        return ZERO
    maturity = contract.moment("maturityDate")
    return year_fraction(
        contract.day_count,
        date_of(start.date),
        date_of(end.date),
        termination=None if maturity is None else date_of(maturity.date),
    )


def _accrued(contract: Contract, state: ContractState, counted: Moment) -> ContractState:
    accrued = state.accrued
    if state.rate and state.base:
        accrued += _share(contract, state.counted, counted) * state.rate * state.base
    return replace(state, counted=counted, accrued=accrued)


def _redemption(contract: Contract, state: ContractState, event: Scheduled) -> Fraction:
    """Return what is repaid: never more than is left (ann13, lam25)."""
    payment = state.payment
    if event.amount is not None:
        payment = contract.sign * event.amount
    if event.kind is EventType.PI:
        return -payment
    if contract.type in ANNUITIES:
        payment -= state.accrued
    return min(payment, state.notional) if contract.sign > 0 else max(payment, state.notional)


def _observed(
    contract: Contract, name: str, event: Scheduled, market: Mapping[str, Series]
) -> Fraction:
    """Return what the market quoted last at the time for which the event is scheduled.

    In the cases quotes stand under the day of the reset also where it is fixed days before (nam13).
    """
    code = contract.text(name)
    series = market.get(code, ())
    index = bisect_right(series, event.moment, key=lambda quote: quote[0])
    if index == 0:
        raise ActusError(f"nothing was observed of {code!r} by {date_of(event.moment.day)}")
    return series[index - 1][1]


def _reset(
    contract: Contract, state: ContractState, event: Scheduled, market: Mapping[str, Series]
) -> Fraction:
    spread = contract.number("rateSpread", 0) if event.amount is None else event.amount
    quoted = _observed(contract, "marketObjectCodeOfRateReset", event, market)
    change = quoted * contract.number("rateMultiplier", 1) + spread - state.rate
    if contract.has("periodFloor"):
        change = max(change, contract.number("periodFloor"))
    if contract.has("periodCap"):
        change = min(change, contract.number("periodCap"))
    rate = state.rate + change
    if contract.has("lifeFloor"):
        rate = max(rate, contract.number("lifeFloor"))
    if contract.has("lifeCap"):
        rate = min(rate, contract.number("lifeCap"))
    return rate


def _scaled(
    contract: Contract, state: ContractState, event: Scheduled, market: Mapping[str, Series]
) -> ContractState:
    """Return the state with what an index scales.

    The text takes the change of the index over its first value; lam25 the ratio of the two.
    """
    effect = contract.text("scalingEffect")
    index = _observed(contract, "marketObjectCodeOfScalingIndex", event, market)
    scale = index / contract.number("scalingIndexAtContractDealDate")
    if "I" in effect:
        state = replace(state, interest_scale=scale)
    if "N" in effect:
        state = replace(state, notional_scale=scale)
    return state


def _annuity(
    contract: Contract, times: Sequence[Moment], owed: Fraction, rate: Fraction
) -> Fraction:
    """Return the payment of one size at these times that repays what is owed at the first.

    Source: ACTUS technical specification, 3.8.
    """
    worth, discount = Fraction(1), Fraction(1)
    for earlier, later in pairwise(times):
        discount /= 1 + rate * _share(contract, earlier, later)
        worth += discount
    return owed / worth
