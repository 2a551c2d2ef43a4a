"""When what happens in the life of a contract: the event schedules of the specification.

Where its text and the published cases disagree the cases are followed, and a comment says so.

Source: ACTUS technical specification, 7.1 to 7.10, "Contract Schedule".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import zip_longest
from math import ceil
from typing import Final

from node.ledger.dates import date_of
from node.ledger.pricing import year_fraction
from tests.actus.contracts import Contract, ContractType, number_of
from tests.actus.times import (
    ActusError,
    Cycle,
    Moment,
    after,
    parse_cycle,
    parse_moment,
    schedule,
)


class EventType(StrEnum):
    """In the order in which they happen that happen on one day."""

    IED = "IED"
    PR = "PR"
    PI = "PI"
    PRD = "PRD"
    XD = "XD"
    IP = "IP"
    IPCI = "IPCI"
    RR = "RR"
    RRF = "RRF"
    PRF = "PRF"
    SC = "SC"
    IPCB = "IPCB"
    DV = "DV"
    MD = "MD"
    STD = "STD"
    TD = "TD"
    AD = "AD"


SEQUENCE: Final = {kind: number for number, kind in enumerate(EventType)}
ANNUITIES: Final = frozenset({ContractType.NAM, ContractType.ANN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """Something that will happen."""

    kind: EventType
    moment: Moment
    """Before any move off a day without business; market data are looked up by it."""
    amount: Fraction | None = None
    """What an array or an observation says of it: a redemption, a rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What happened that no schedule says."""

    kind: EventType
    moment: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All that is scheduled, and when the contract ends."""

    events: tuple[Scheduled, ...]
    maturity: Moment | None
    redemptions: tuple[Moment, ...]
    """The times of its principal payments, without the last one."""

    def payments_after(self, moment: Moment) -> list[Moment]:
        """Return the times of its principal payments after a time, the last one included."""
        assert self.maturity is not None
        return [*(each for each in self.redemptions if each > moment), self.maturity]


def timeline_of(
    contract: Contract, observations: tuple[Observation, ...], horizon: Moment | None
) -> Timeline:
    """Return the events of a contract, in no order.

    Args:
        horizon: where contracts are cut that have no end of their own.
    """
    end = maturity_of(contract, observations)
    calls = [seen.moment for seen in observations if seen.kind is EventType.XD]
    # A notice ends what is capitalised and reset, also where the money comes later (clm07).
    until = max(calls, default=None) or end or horizon
    redemptions: list[Scheduled] = []
    found: list[Scheduled] = []

    def add(kind: EventType, moments: list[Moment] | Moment | None) -> None:
        several = [moments] if isinstance(moments, Moment) else moments or []
        found.extend(Scheduled(kind=kind, moment=moment) for moment in several)

    add(EventType.IED, contract.moment("initialExchangeDate"))
    add(EventType.PRD, contract.moment("purchaseDate"))
    add(EventType.TD, contract.moment("terminationDate"))
    for seen in observations:
        add(seen.kind, seen.moment)
    if until is not None:
        redemptions = list(_redemptions(contract, until))
        found.extend(redemptions)
        found.extend(_interest(contract, until, end))
        found.extend(_resets(contract, until))
        found.extend(_fixings(contract, [event.moment for event in redemptions], found))
        add(EventType.IPCB, _cyclic(contract, "InterestCalculationBase", until))
        add(EventType.SC, _cyclic(contract, "ScalingIndex", until))
        add(EventType.DV, _cyclic(contract, "DividendPayment", until, with_end=True))
    if end is not None:
        add(EventType.STD if calls else EventType.MD, end)
    return Timeline(
        events=tuple(found),
        maturity=end,
        redemptions=tuple(event.moment for event in redemptions),
    )


def maturity_of(contract: Contract, observations: tuple[Observation, ...] = ()) -> Moment | None:
    """Return when a contract ends, or None if nothing says so yet."""
    given = contract.moment("maturityDate") or contract.moment("amortizationDate")
    if given is not None:
        return given
    if contract.type is ContractType.CLM:
        notice = contract.cycle("xDayNotice")
        calls = [seen.moment for seen in observations if seen.kind is EventType.XD]
        if calls and notice is not None:
            return after(max(calls), notice, 1, end_of_month=False)
        return max(calls, default=None)
    if contract.type is ContractType.LAX:
        return _until_repaid(contract)
    if contract.type in {ContractType.LAM, ContractType.NAM, ContractType.ANN}:
        return _counted_maturity(contract)
    return None


def _counted_maturity(contract: Contract) -> Moment:
    """Return the redemption with which the notional is gone.

    The text counts that many cycles on from the first redemption. In the cases (lam01, nam15,
    ann11) the first redemption is the first of them, so that it is one cycle less.
    """
    first, cycle = _redemption_anchor(contract)
    if first is None or cycle is None:
        raise ActusError("neither a maturity nor a cycle of redemptions says when it ends")
    notional = contract.number("notionalPrincipal")
    payment = contract.number("nextPrincipalRedemptionPayment")
    if contract.type in ANNUITIES:
        following = after(first, cycle, 1, end_of_month=contract.end_of_month)
        share = year_fraction(contract.day_count, date_of(first.date), date_of(following.date))
        payment -= notional * share * contract.number("nominalInterestRate")
    if payment <= 0:
        raise ActusError("its redemptions never repay it, and no maturity says when it ends")
    count = ceil(notional / payment)
    return after(first, cycle, count - 1, end_of_month=contract.end_of_month)


def _redemption_anchor(contract: Contract) -> tuple[Moment | None, Cycle | None]:
    return _anchor(contract, "PrincipalRedemption")


def _anchor(contract: Contract, name: str) -> tuple[Moment | None, Cycle | None]:
    """Return the first time of a schedule, and its cycle."""
    anchor, cycle = contract.moment(f"cycleAnchorDateOf{name}"), contract.cycle(f"cycleOf{name}")
    issued = contract.moment("initialExchangeDate")
    if anchor is None and cycle is not None and issued is not None:
        anchor = after(issued, cycle, 1, end_of_month=contract.end_of_month)
    return anchor, cycle


def _cyclic(
    contract: Contract, name: str, until: Moment, *, with_end: bool = False
) -> list[Moment]:
    anchor, cycle = _anchor(contract, name)
    if anchor is None:
        return []
    times = schedule(anchor, cycle, until, end_of_month=contract.end_of_month, with_end=with_end)
    # An end that cuts what is open belongs to it only where a cycle meets it.
    if (
        with_end
        and cycle is not None
        and times[-1] != after(anchor, cycle, len(times) - 1, end_of_month=contract.end_of_month)
    ):
        times.pop()
    return times


def _redemptions(contract: Contract, until: Moment) -> Iterator[Scheduled]:
    if contract.type is ContractType.LAX:
        yield from (event for event in _array_redemptions(contract, until) if event.moment < until)
    elif contract.type in {ContractType.LAM, ContractType.NAM, ContractType.ANN}:
        for moment in _cyclic(contract, "PrincipalRedemption", until):
            yield Scheduled(kind=EventType.PR, moment=moment)


def _array_redemptions(contract: Contract, until: Moment) -> Iterator[Scheduled]:
    amounts = contract.array("arrayNextPrincipalRedemptionPayment")
    kinds = {"INC": EventType.PI, "DEC": EventType.PR}
    directions = contract.array("arrayIncreaseDecrease")
    stretches = list(_stretches(contract, "PrincipalRedemption", until))
    if not len(stretches) == len(amounts) == len(directions):
        raise ActusError("the arrays of its redemptions are not of one length")
    for times, amount, direction in zip(stretches, amounts, directions, strict=True):
        if direction not in kinds:
            raise ActusError(f"arrayIncreaseDecrease {direction!r}: INC or DEC was expected")
        for moment in times:
            yield Scheduled(kind=kinds[direction], moment=moment, amount=number_of(amount))


def _stretches(contract: Contract, name: str, until: Moment) -> Iterator[list[Moment]]:
    """Return the times of each member of an array, up to the anchor of the next one."""
    anchors = [parse_moment(str(text)) for text in contract.array(f"arrayCycleAnchorDateOf{name}")]
    cycles = [parse_cycle(str(text)) for text in contract.array(f"arrayCycleOf{name}")]
    for anchor, following, cycle in zip_longest(anchors, anchors[1:], cycles):
        if anchor is None:
            raise ActusError(f"arrayCycleOf{name} has more members than there are anchors")
        yield schedule(
            anchor,
            cycle,
            until if following is None else min(following, until),
            end_of_month=contract.end_of_month,
            with_end=False,
        )


def _until_repaid(contract: Contract) -> Moment:
    """Return the redemption with which a notional is gone that arrays increase and decrease."""
    anchors = contract.array("arrayCycleAnchorDateOfPrincipalRedemption")
    if not anchors:
        raise ActusError("neither a maturity nor its redemptions say when it ends")
    last = parse_moment(str(anchors[-1]))
    left = contract.number("notionalPrincipal")
    for event in _array_redemptions(contract, last):
        assert event.amount is not None
        left += event.amount if event.kind is EventType.PI else -event.amount
        if left <= 0:
            return event.moment
    payment = number_of(contract.array("arrayNextPrincipalRedemptionPayment")[-1])
    cycles = contract.array("arrayCycleOfPrincipalRedemption")
    if contract.array("arrayIncreaseDecrease")[-1] != "DEC" or payment <= 0:
        raise ActusError("its redemptions do not repay it, and no maturity says when it ends")
    count = ceil(left / payment)
    if count > 1 and len(cycles) != len(anchors):
        raise ActusError("its last redemption is one, and does not repay it")
    cycle = parse_cycle(str(cycles[-1])) if cycles else None
    if cycle is None:
        return last
    return after(last, cycle, count - 1, end_of_month=contract.end_of_month)


def _interest(contract: Contract, until: Moment, end: Moment | None) -> Iterator[Scheduled]:
    """Return the payments of interest, and where it is added to the notional instead."""
    if not contract.has("nominalInterestRate"):
        return
    anchor, cycle = _anchor(contract, "InterestPayment")
    if contract.type in {ContractType.CLM, ContractType.UMP}:
        if anchor is not None:
            for moment in _cyclic(contract, "InterestPayment", until):
                yield Scheduled(kind=EventType.IPCI, moment=moment)
        if end is not None:
            yield Scheduled(kind=EventType.IP, moment=end)
        return
    if contract.type is ContractType.LAX:
        times = [
            moment
            for stretch in _stretches(contract, "InterestPayment", until)
            for moment in stretch
            if moment < until
        ]
        times.append(until)
    else:
        times = _interest_times(contract, anchor, cycle, until)
    capitalised_until = contract.moment("capitalizationEndDate")
    if capitalised_until is not None:
        # By the text of NAM interest is paid in cycles from the end of capitalisation on; in the
        # cases (ann17, nam19, pam19) by the anchor of interest.
        yield Scheduled(kind=EventType.IPCI, moment=capitalised_until)
    for moment in times:
        if capitalised_until is None or moment > capitalised_until:
            yield Scheduled(kind=EventType.IP, moment=moment)
        elif moment < capitalised_until:
            yield Scheduled(kind=EventType.IPCI, moment=moment)


def _interest_times(
    contract: Contract, anchor: Moment | None, cycle: Cycle | None, until: Moment
) -> list[Moment]:
    end_of_month = contract.end_of_month
    if contract.type not in ANNUITIES:
        if anchor is None:
            return [until]
        return schedule(anchor, cycle, until, end_of_month=end_of_month, with_end=True)
    # An annuity pays interest with each redemption, and before the first by its own cycle.
    first, step = _redemption_anchor(contract)
    if first is None or step is None:
        raise ActusError("it has no cycle of redemptions")
    times = schedule(first, step, until, end_of_month=end_of_month, with_end=True)
    before = after(first, step, -1, end_of_month=end_of_month)
    if anchor is not None and anchor <= before:
        early = schedule(anchor, cycle, before, end_of_month=end_of_month, with_end=True)
        times = sorted({*early, *times})
    return times


def _resets(contract: Contract, until: Moment) -> Iterator[Scheduled]:
    """Return when its rate is reset, and when it becomes one that is known."""
    if contract.type is ContractType.LAX:
        yield from _array_resets(contract, until)
        return
    moments = _cyclic(contract, "RateReset", until)
    status = _status(contract)
    if contract.has("nextResetRate"):
        upcoming = min((moment for moment in moments if moment > status), default=None)
        if upcoming is not None:
            moments.remove(upcoming)
            yield Scheduled(
                kind=EventType.RRF, moment=upcoming, amount=contract.number("nextResetRate")
            )
    for moment in moments:
        yield Scheduled(kind=EventType.RR, moment=moment)


def _array_resets(contract: Contract, until: Moment) -> Iterator[Scheduled]:
    kinds = {"FIX": EventType.RRF, "VAR": EventType.RR}
    stretches = list(_stretches(contract, "RateReset", until))
    rates, forms = contract.array("arrayRate"), contract.array("arrayFixedVariable")
    if not len(stretches) == len(rates) == len(forms):
        raise ActusError("the arrays of its rates are not of one length")
    for times, rate, form in zip(stretches, rates, forms, strict=True):
        if form not in kinds:
            raise ActusError(f"arrayFixedVariable {form!r}: FIX or VAR was expected")
        for moment in times:
            yield Scheduled(kind=kinds[form], moment=moment, amount=number_of(rate))


def _fixings(
    contract: Contract, redemptions: list[Moment], events: list[Scheduled]
) -> Iterator[Scheduled]:
    """Return when an annuity's payment is computed: before the first, and after each reset."""
    if contract.type is not ContractType.ANN:
        return
    issued = contract.moment("initialExchangeDate")
    if not contract.has("nextPrincipalRedemptionPayment") and redemptions:
        before = Moment(redemptions[0].day - 1, redemptions[0].at_end)
        if issued is None or before >= issued:
            yield Scheduled(kind=EventType.PRF, moment=before)
    for event in events:
        if event.kind in {EventType.RR, EventType.RRF}:
            yield Scheduled(kind=EventType.PRF, moment=event.moment)


def _status(contract: Contract) -> Moment:
    status = contract.moment("statusDate")
    if status is None:
        raise ActusError("statusDate is missing")
    return status
