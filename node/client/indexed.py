"""What a node answers from its index: history, holders, totals by day, full text.

    async for entry in client.index.history(mine):
        print(entry.time, entry.event or entry.outcome, entry.changes)

Lists that may be long are read as they are gone through, a page at a time. A node without an index
refuses with the code -32007 (`NoIndex`).
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar

from node.client.reads import OutcomeRead, Read

T = TypeVar("T")

PAGE_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far an index goes."""

    height: int
    """Of the last block in it."""
    time: datetime
    from_height: int
    """Of the first block in it; what happened before is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """By how much a holding grew, or shrank if negative."""

    asset: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """Something that happened to an account, or to a proposal."""

    cursor: str
    height: int
    time: datetime
    transaction: str | None
    """None: it fell due by time."""
    event: Mapping[str, Any] | None
    """None: the transaction was refused."""
    outcome: OutcomeRead | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """An account that has something of an asset."""

    address: str
    kind: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderClass:
    """All holders of one kind."""

    kind: str
    holders: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTotal:
    """How often something happened, and what it moved."""

    kind: str
    count: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTotals:
    """What happened on a day, in UTC."""

    day: date
    totals: tuple[KindTotal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMatch:
    """A text in which all the words are."""

    kind: str
    subject: str
    height: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStatus:
    """Whether a node keeps an index, and how far it is."""

    kept: bool
    index: Reach | None
    failure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _History:
    entries: tuple[HistoryEntry, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holders:
    holders: tuple[Holder, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matches:
    matches: tuple[TextMatch, ...]
    next: str | None


class ReadCall(Protocol):
    """Asks a node, and returns a member of its result, or the result itself."""

    async def __call__(
        self, method: str, params: Mapping[str, Any], kind: type[T], *, member: str | None = None
    ) -> Read[T]: ...


class IndexReads:
    """The questions that an index answers; `Client.index` is one."""

    def __init__(self, read: ReadCall, address: "_Address") -> None:
        self._read = read
        self._address = address

    async def status(self) -> Read[IndexStatus]:
        """Ask whether the node keeps an index, and how far it is."""
        return await self._read("khz_index", {}, IndexStatus)

    async def history(self, address: bytes | str) -> AsyncIterator[HistoryEntry]:
        """Go through what happened to an account, newest first.

        Raises:
            CallFailed: the node keeps no index, or it does not answer.
        """
        async for entry in self._entries("khz_accountHistory", {"address": self._address(address)}):
            yield entry

    async def proposal_history(self, proposal: str) -> AsyncIterator[HistoryEntry]:
        """Go through what became of a proposal, open or decided, newest first.

        Raises:
            CallFailed: the node keeps no index, or it does not answer.
        """
        async for entry in self._entries("khz_proposalHistory", {"proposal": proposal}):
            yield entry

    async def participant_history(self, participant: str) -> AsyncIterator[HistoryEntry]:
        """Go through what the register says of a participant, newest first.

        Raises:
            NotFound: there is no such participant.
            CallFailed: the node keeps no index, or it does not answer.
        """
        wanted = {"participant": participant}
        async for entry in self._entries("khz_participantHistory", wanted):
            yield entry

    async def _entries(self, method: str, wanted: Mapping[str, str]) -> AsyncIterator[HistoryEntry]:
        before: str | None = None
        while True:
            params = {**wanted, "before": before, "limit": PAGE_MAX}
            page = (await self._read(method, params, _History)).value
            for entry in page.entries:
                yield entry
            before = page.next
            if before is None:
                return

    async def holders(self, asset: str) -> AsyncIterator[Holder]:
        """Go through who has something of an asset, by address.

        Raises:
            NotFound: there is no such asset.
            CallFailed: the node keeps no index, or it does not answer.
        """
        after: str | None = None
        while True:
            params = {"asset": asset, "after": after, "limit": PAGE_MAX}
            page = (await self._read("khz_holders", params, _Holders)).value
            for holder in page.holders:
                yield holder
            after = page.next
            if after is None:
                return

    async def holder_classes(self, asset: str) -> Read[tuple[HolderClass, ...]]:
        """Ask how many holders an asset has, and how much, by kind of participant.

        Raises:
            NotFound: there is no such asset.
            CallFailed: the node keeps no index, or it does not answer.
        """
        kind = tuple[HolderClass, ...]
        return await self._read("khz_holderClasses", {"asset": asset}, kind, member="classes")

    async def daily_totals(
        self, asset: str | None = None, *, last: date | None = None, days: int = 30
    ) -> Read[tuple[DayTotals, ...]]:
        """Ask what happened on each of some days, the last one by default that of the last block.

        Args:
            asset: None: of the network, its transactions.

        Raises:
            NotFound: there is no such asset.
            CallFailed: the node keeps no index, or it does not answer.
        """
        shown = None if last is None else last.isoformat()
        params = {"asset": asset, "last": shown, "days": days}
        return await self._read("khz_dailyTotals", params, tuple[DayTotals, ...], member="days")

    async def search(self, text: str) -> AsyncIterator[TextMatch]:
        """Go through the texts on the ledger that have all these words, newest first.

        Raises:
            CallFailed: the node keeps no index, or it does not answer.
        """
        before: str | None = None
        while True:
            params = {"text": text, "before": before, "limit": PAGE_MAX}
            page = (await self._read("khz_searchText", params, _Matches)).value
            for match in page.matches:
                yield match
            before = page.next
            if before is None:
                return


class _Address(Protocol):
    def __call__(self, address: bytes | str, /) -> str: ...
