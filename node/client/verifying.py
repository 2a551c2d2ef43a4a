"""An auction worked out again from what everybody can see: records of the ledger, each with its
proof, checked here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from node.client.errors import (
    NOT_FOUND,
    Changing,
    NoBidAccepted,
    NoResult,
    NotFound,
    Stale,
    Unproven,
)
from node.client.reads import AuctionVerification
from node.clock import Clock, SystemClock
from node.codec import Record
from node.ledger.auctions.records import Accrual, AuctionRecord, AuctionStage, LadderRecord
from node.ledger.courses import read_calls
from node.ledger.dates import Calendar
from node.ledger.instruments import NOT_CALLED
from node.ledger.securities import CALLS, FIXINGS, CallsRecord, FixingRecord, payment_key
from node.ledger.state import Table
from node.ledger.tables import (
    ASSETS,
    AUCTIONS,
    CALENDARS,
    LADDERS,
    PLANS,
    AssetRecord,
    CalendarRecord,
    ladder_key,
    name_key,
)
from node.ledger.terms import is_serviced
from node.proofs import ProofError, Proven, read_entries, render_time, verify_proof_file
from node.recomputing import Evidence, Line, figures_of, floating_in

if TYPE_CHECKING:
    from node.client.client import Client
    from node.genesis import Genesis

ATTEMPTS: Final = 3
"""How often all is asked for, where the auction goes on while it is read."""

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recency:
    """How recent the blocks are that records are proven as of.

    A proof holds for ever, and says nothing of what came after its block: a node that answers with
    an old one shows what was. So as in a light client of Tendermint the reader's own clock decides.
    A network makes a block an hour after the last one at the latest.
    """

    max_age_s: float | None = 7_200.0
    """By `clock`; None: any age will do, as of a network that has stopped."""
    min_height: int = 0
    clock: Clock = field(default_factory=SystemClock)

    def check(self, what: str, height: int, time_ms: int) -> None:
        """Check the block that a record is proven as of.

        Raises:
            Stale: it is too old.
        """
        told = f"{what} is proven as of block {height}, {render_time(time_ms)}"
        if height < self.min_height:
            sentence = f"{told}; block {self.min_height} or later was asked for"
            raise Stale(what, sentence, height=height, time_ms=time_ms)
        age_ms = self.clock.now_ms() - time_ms
        if self.max_age_s is not None and age_ms > 1_000 * self.max_age_s:
            sentence = (
                f"{told}, which by this clock is {age_ms // 1_000} s ago; at most"
                f" {self.max_age_s:g} were asked for"
            )
            raise Stale(what, sentence, height=height, time_ms=time_ms)


RECENT: Final = Recency()


class _Backwards(Stale):
    """A record is proven as of an earlier block than the one before it: of several nodes that
    answer, one is behind another.
    """


async def verify_auction(
    client: "Client", auction: str, genesis: "Genesis | None", recency: Recency = RECENT
) -> AuctionVerification:
    """Ask for what was published, and work it out; see `Client.verify_auction`."""
    found = await gather(client, auction, genesis, recency)
    result = found.auction.result
    if result is None:
        stage = found.auction.stage
        error = NoBidAccepted if stage is AuctionStage.REJECTED else NoResult
        raise error(auction, stage=stage.name.lower())
    figures = tuple(figures_of(found, result))
    return AuctionVerification(auction=auction, proven=genesis is not None, figures=figures)


async def gather(
    client: "Client", auction: str, genesis: "Genesis | None", recency: Recency = RECENT
) -> Evidence:
    """Ask for the records, with proofs that are checked here.

    Args:
        genesis: the network's, in which its validators are named; without it the node is believed.

    Raises:
        NotFound: there is no such auction.
        Unproven: a proof does not hold.
        Stale: a proof is of an older block than was asked for, or than that of one before it.
        Changing: it goes on too fast.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            found = await _gather_once(Reader(client, genesis, recency), auction)
        except _Backwards:
            if attempt == ATTEMPTS:
                raise
        else:
            if found is not None:
                return found
    raise Changing(auction, attempts=ATTEMPTS)


async def _gather_once(reader: "Reader", auction: str) -> Evidence | None:
    """Ask for the records; None: the auction has gone on meanwhile."""
    record = await reader.record("auction", auction, AuctionRecord)
    count = record.competitive_pieces + record.noncompetitive_pieces
    pieces = [
        await reader.record("ladder", auction, LadderRecord, number=piece) for piece in range(count)
    ]
    accruals = [piece.accrual for piece in pieces]
    line = await _line(reader, record.terms.asset, accruals)
    given = record.terms.destination
    if given is None:
        destination = None
    else:
        accruals = [piece.destination_accrual for piece in pieces]
        destination = await _line(reader, given.asset, accruals)
    # Each is proven as of a block of its own, none earlier than the one before it; no piece
    # changes without the auction's record.
    if await reader.record("auction", auction, AuctionRecord) == record:
        return Evidence(auction=record, pieces=tuple(pieces), line=line, destination=destination)
    return None


async def _line(reader: "Reader", code: str, accruals: Sequence[Accrual | None]) -> Line:
    """Ask for a security, and for what accrued on it on the days of these accruals."""
    asset = await reader.record("asset", code, AssetRecord)
    calendar: Calendar | None = None
    rates: dict[int, int] = {}
    calls = NOT_CALLED
    if is_serviced(asset.terms):
        name = asset.terms.plan.calendar
        calendar = (await reader.record("calendar", name, CalendarRecord)).calendar
        for number in floating_in(asset.terms, calendar, accruals):
            fixing = await reader.record_or_none("fixing", code, FixingRecord, number=number)
            if fixing is not None and fixing.rate_ppm is not None:
                rates[number] = fixing.rate_ppm
        if asset.terms.plan.call is not None:
            called = await reader.record_or_none("calls", code, CallsRecord)
            calls = NOT_CALLED if called is None else read_calls(called)
    return Line(asset=asset, calendar=calendar, rates=rates, calls=calls)


def _by_name(name: str, _: int) -> bytes:
    return name_key(name)


_PLACE_OF: Final[Mapping[str, tuple[Table[Any], Callable[[str, int], bytes]]]] = MappingProxyType(
    {
        "auction": (AUCTIONS, _by_name),
        "asset": (ASSETS, _by_name),
        "calendar": (CALENDARS, _by_name),
        "calls": (CALLS, _by_name),
        "plan": (PLANS, _by_name),
        "ladder": (LADDERS, ladder_key),
        "fixing": (FIXINGS, payment_key),
    }
)
"""In which table a record stands, and under which key: of one name there are several kinds."""


class Reader:
    """Reads records by their proofs, none as of an earlier block than the one before it."""

    def __init__(
        self, client: "Client", genesis: "Genesis | None", recency: Recency = RECENT
    ) -> None:
        """Take whom to ask.

        Args:
            genesis: what proofs are checked against; without it the node is believed.
            recency: what is demanded of the blocks of those that are checked.
        """
        self._client = client
        self._genesis = genesis
        self._recency = recency
        self._height = 0
        """Of the block that the last record was proven as of."""

    async def record(
        self, kind: str, name: str, expected: type[R], *, number: int | None = None
    ) -> R:
        """Return a record that is on the ledger.

        Raises:
            NotFound: it is not.
            Unproven: its proof does not hold.
        """
        found = await self.record_or_none(kind, name, expected, number=number)
        if found is None:
            sentence = f"the ledger does not have {_named(kind, name, number)}"
            raise NotFound(NOT_FOUND, sentence, {})
        return found

    async def record_or_none(
        self, kind: str, name: str, expected: type[R], *, number: int | None = None
    ) -> R | None:
        """Return a record, or None where it is proven that there is none.

        Raises:
            Unproven: the proof does not hold.
            Stale: it is of too old a block.
        """
        file = (await self._client.prove(kind, name=name, number=number)).value.file
        what = _named(kind, name, number)
        try:
            entry = self._entries(what, file)[0]
        except ProofError as error:
            raise Unproven(what, f"{what}: {error}", fault=error.fault.value) from None
        table, key_of = _PLACE_OF[kind]
        if entry.table is not table or entry.key != key_of(name, number or 0):
            raise Unproven(what, f"{what} is not what the node proves: {entry.key!r}")
        return entry.record if isinstance(entry.record, expected) else None

    def _entries(self, what: str, file: str) -> tuple[Proven, ...]:
        if self._genesis is None:
            return read_entries(file)
        verified = verify_proof_file(file, self._genesis)
        if verified.height < self._height:
            told = f"block {verified.height}, and the record before it as of {self._height}"
            sentence = (
                f"{what} is proven as of {told}: the nodes that answer are of different heights"
            )
            raise _Backwards(what, sentence, height=verified.height, time_ms=verified.time_ms)
        self._recency.check(what, verified.height, verified.time_ms)
        self._height = verified.height
        return verified.entries


def _named(kind: str, name: str, number: int | None) -> str:
    return f"the {kind} {name}" if number is None else f"number {number} of the {kind} {name}"
