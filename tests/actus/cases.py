"""The published cases: read, run, compared row by row.

They stand outside the repository, in `../shared/data/actus`, under their own licence (CC BY-SA 4.0,
ACTUS Financial Research Foundation), and are not copied.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from node.ledger.dates import date_of
from tests.actus.contracts import Contract, ContractType, number_of
from tests.actus.engine import Happened, Series, cash_flows
from tests.actus.timelines import EventType, Observation
from tests.actus.times import ActusError, Moment, parse_moment

FOLDER: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "actus" / "tests"
TOLERANCE: Final = Fraction(1, 10**8)
_FIGURES: Final = ("payoff", "notionalPrincipal", "nominalInterestRate", "accruedInterest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One contract with what is expected of it."""

    name: str
    type: ContractType
    written: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a case came to."""

    case: Case
    rows: int
    misses: tuple[str, ...]
    """A sentence for each difference; none where all rows agree."""


def cases_of(kind: ContractType) -> Iterator[Case]:
    """Return the published cases of a type, in the order of the file."""
    file = FOLDER / f"actus-tests-{kind.lower()}.json"
    for name, written in json.loads(file.read_text(encoding="utf-8")).items():
        yield Case(name=name, type=kind, written=written)


def judge(case: Case) -> Verdict:
    """Run a case and say where it differs."""
    expected = case.written["results"]
    try:
        found = run(case.written)
    except ActusError as error:
        return Verdict(case=case, rows=len(expected), misses=(str(error),))
    misses = [
        difference
        for number, (ours, theirs) in enumerate(zip_longest(found, expected), 1)
        for difference in _differences(number, ours, theirs)
    ]
    return Verdict(case=case, rows=len(expected), misses=tuple(misses))


def run(written: Mapping[str, Any]) -> list[Happened]:
    """Return the cash flows of a case."""
    until = str(written.get("to") or "").strip()
    return cash_flows(
        Contract(written["terms"]),
        market=market_of(written["dataObserved"]),
        observations=tuple(
            Observation(kind=EventType(seen["type"]), moment=parse_moment(seen["time"]))
            for seen in written["eventsObserved"]
        ),
        until=parse_moment(until) if until else None,
    )


def market_of(observed: Mapping[str, Any]) -> dict[str, Series]:
    """Return what markets quoted, by their codes."""
    return {
        code: sorted(
            (parse_moment(quote["timestamp"]), number_of(quote["value"]))
            for quote in series["data"]
        )
        for code, series in observed.items()
    }


def _differences(
    number: int, ours: Happened | None, theirs: Mapping[str, Any] | None
) -> Iterator[str]:
    if ours is None or theirs is None:
        row = f"{ours.kind} of {_day(ours.moment)}" if ours else _named(theirs)
        yield f"row {number}: {row} is {'not expected' if ours else 'missing'}"
        return
    if (ours.kind, ours.moment) != (theirs["eventType"], parse_moment(theirs["eventDate"])):
        yield (f"row {number}: {ours.kind} of {_day(ours.moment)}, {_named(theirs)} was expected")
        return
    figures = (ours.payoff, ours.notional, ours.rate, ours.accrued)
    for name, figure in zip(_FIGURES, figures, strict=True):
        if abs(figure - number_of(theirs[name])) > TOLERANCE:
            yield (
                f"row {number}, {_named(theirs)}: {name} {float(figure):.10f},"
                f" {theirs[name]} was expected"
            )


def _named(row: Mapping[str, Any] | None) -> str:
    return "" if row is None else f"{row['eventType']} of {row['eventDate']}"


def _day(moment: Moment) -> str:
    return f"{date_of(moment.day)}{' (its end)' if moment.at_end else ''}"
