"""What an auction's result is worked out from: records of the ledger, each with its proof."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from node.amounts import render_amount
from node.cli.exits import CommandError, Exit
from node.codec import Record
from node.ledger.auctions.plans import PlanRecord
from node.ledger.auctions.records import Accrual, AuctionRecord, LadderRecord
from node.ledger.courses import read_calls
from node.ledger.dates import Calendar, date_of
from node.ledger.instruments import NOT_CALLED, Calls, Rates, schedule_of
from node.ledger.securities import CallsRecord, FixingRecord, payment_key
from node.ledger.tables import AssetRecord, CalendarRecord, ladder_key, name_key
from node.ledger.terms import ServicedTerms, is_serviced
from node.proofs import ProofError, Proven, read_entries, verify_proof_file

if TYPE_CHECKING:
    from node.client import Client
    from node.genesis import Genesis

ATTEMPTS: Final = 3
"""How often all is asked for, where the auction goes on while it is read."""

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A security, and what it takes to know what accrues on it."""

    asset: AssetRecord
    calendar: Calendar | None
    """By which the security accrues, as it rules now; None: nothing accrues on it."""
    rates: Rates
    """Of the periods in which it was settled, where the security floats."""
    calls: Calls
    """What was called of the security."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the ledger says about an auction that somebody needs who works it out again."""

    auction: AuctionRecord
    pieces: tuple[LadderRecord, ...]
    line: Line
    """What is sold, or taken."""
    destination: Line | None
    """What is given, in a switch."""


async def gather(client: "Client", auction: str, genesis: "Genesis | None") -> Evidence:
    """Ask for the records, with proofs that are checked here.

    Args:
        genesis: the network's, in which its validators are named; without it the node is believed.

    Raises:
        CommandError: there is no such auction, a proof does not hold, or it goes on too fast.
    """
    reader = Reader(client, genesis)
    for _ in range(ATTEMPTS):
        record = await reader.record("auction", auction, AuctionRecord)
        count = record.competitive_pieces + record.noncompetitive_pieces
        pieces = [
            await reader.record("ladder", auction, LadderRecord, number=piece)
            for piece in range(count)
        ]
        accruals = [piece.accrual for piece in pieces]
        line = await _line(reader, record.terms.asset, accruals)
        given = record.terms.destination
        if given is None:
            destination = None
        else:
            accruals = [piece.destination_accrual for piece in pieces]
            destination = await _line(reader, given.asset, accruals)
        # Each is proven as of a block of its own; no piece changes without the auction's record.
        if await reader.record("auction", auction, AuctionRecord) == record:
            return Evidence(
                auction=record, pieces=tuple(pieces), line=line, destination=destination
            )
    raise CommandError(
        Exit.REFUSED,
        f"auction {auction} was changed {ATTEMPTS} times while it was read",
        advice="Try again when it has settled; `khazana auction show` says when.",
    )


async def proven_plan(client: "Client", plan: str, genesis: "Genesis") -> dict[str, Any]:
    """Return a plan of auctions as the interface shows it, from records that are proven.

    Raises:
        CommandError: a proof does not hold, or there is no such plan.
    """
    reader = Reader(client, genesis)
    record = await reader.record("plan", plan, PlanRecord)
    codes = {each.asset for each in record.auctions}
    cash = {code: await reader.record("asset", code, AssetRecord) for code in sorted(codes)}
    return {
        "plan": plan,
        "version": record.version,
        "auctions": [
            {
                "day": date_of(each.day).isoformat(),
                "settlement_day": date_of(each.settlement_day).isoformat(),
                "kind": each.kind,
                "tenor_months": each.tenor_months,
                "form": each.form.name.lower(),
                "line": each.line,
                "asset": each.asset,
                "currency": cash[each.asset].identifiers.currency,
                "target": render_amount(each.target, decimals=cash[each.asset].decimals),
                "provisional": each.provisional,
            }
            for each in record.auctions
        ],
    }


async def _line(reader: "Reader", code: str, accruals: Sequence[Accrual | None]) -> Line:
    """Ask for a security, and for what accrued on it on the days of these accruals."""
    asset = await reader.record("asset", code, AssetRecord)
    calendar: Calendar | None = None
    rates: dict[int, int] = {}
    calls = NOT_CALLED
    if is_serviced(asset.terms):
        name = asset.terms.plan.calendar
        calendar = (await reader.record("calendar", name, CalendarRecord)).calendar
        for number in _floating_in(asset.terms, calendar, accruals):
            fixing = await reader.record_or_none("fixing", code, FixingRecord, number=number)
            if fixing is not None and fixing.rate_ppm is not None:
                rates[number] = fixing.rate_ppm
        if asset.terms.plan.call is not None:
            called = await reader.record_or_none("calls", code, CallsRecord)
            calls = NOT_CALLED if called is None else read_calls(called)
    return Line(asset=asset, calendar=calendar, rates=rates, calls=calls)


_KEY_OF: Final[Mapping[str, Callable[[str, int], bytes]]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("auction", "asset", "calendar", "calls", "plan"), lambda name, _: name_key(name)
        ),
        "ladder": ladder_key,
        "fixing": payment_key,
    }
)


def _floating_in(
    terms: ServicedTerms, calendar: Calendar, accruals: Sequence[Accrual | None]
) -> list[int]:
    """Return the payments of a floating security in whose periods something was settled."""
    if terms.plan.floating is None:
        return []
    days = {accrual.day for accrual in accruals if accrual is not None}
    return [
        payment.number
        for payment in schedule_of(terms, calendar)
        if any(payment.start <= day < payment.end for day in days)
    ]


class Reader:
    """Reads records by their proofs."""

    def __init__(self, client: "Client", genesis: "Genesis | None") -> None:
        self._client = client
        self._entries: Callable[[str], tuple[Proven, ...]] = (
            read_entries
            if genesis is None
            else lambda content: verify_proof_file(content, genesis).entries
        )

    async def record(
        self, kind: str, name: str, expected: type[R], *, number: int | None = None
    ) -> R:
        """Return a record that is on the ledger.

        Raises:
            CommandError: it is not, or its proof does not hold.
        """
        found = await self.record_or_none(kind, name, expected, number=number)
        if found is None:
            raise CommandError(
                Exit.REFUSED, f"the ledger does not have {_named(kind, name, number)}"
            )
        return found

    async def record_or_none(
        self, kind: str, name: str, expected: type[R], *, number: int | None = None
    ) -> R | None:
        """Return a record, or None where it is proven that there is none.

        Raises:
            CommandError: the proof does not hold.
        """
        file = (await self._client.prove(kind, name=name, number=number)).value.file
        what = _named(kind, name, number)
        try:
            entry = self._entries(file)[0]
        except ProofError as error:
            raise CommandError(Exit.REFUSED, f"{what}: {error}") from None
        is_other = entry.record is not None and not isinstance(entry.record, expected)
        if entry.key != _KEY_OF[kind](name, number or 0) or is_other:
            raise CommandError(Exit.REFUSED, f"{what} is not what the node proves: {entry.key!r}")
        return entry.record if isinstance(entry.record, expected) else None


def _named(kind: str, name: str, number: int | None) -> str:
    return f"the {kind} {name}" if number is None else f"number {number} of the {kind} {name}"
