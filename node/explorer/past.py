"""What pages show from the node's index: an account's past, an asset's holders, text.

A node without an index, or whose index does not answer, shows the rest of the page all the same and
says what is missing.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from node.explorer.contents import AccountPast, AssetPast, HistoryLine, OutcomeLine, TextLine
from node.explorer.limits import DAYS_SHOWN, HISTORY_SHOWN_MAX, HOLDERS_KEPT_MS, TEXTS_SHOWN_MAX
from node.explorer.refusals import PageRefusal
from node.explorer.showing import Showing, cut
from node.rpc import results
from node.rpc.errors import InvalidParams, Limited, NoIndex, NotReady
from node.rpc.indexed import (
    TEXT_MAX,
    AccountHistoryParams,
    AccountHistoryResult,
    DailyTotalsParams,
    HistoryEntry,
    HolderClassesParams,
    Indexed,
    ParticipantHistoryParams,
    ParticipantHistoryResult,
    ProposalHistoryParams,
    ProposalHistoryResult,
    SearchTextParams,
)
from node.rpc.pages import Door

ParamsT = TypeVar("ParamsT")
ResultT = TypeVar("ResultT")

PATH_OF: Final = {"asset": "assets", "participant": "participants", "transaction": "transactions"}
"""Under which path the page of what a text is about lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    at_ms: int
    holders: dict[str, int]


class Past:
    """Asks the index of one node."""

    def __init__(self, door: Door) -> None:
        self._index = door.index
        self._chain = door.services.chain
        self._clock = door.services.clock
        self._counted: _Counted | None = None

    async def of_account(
        self,
        address: str,
        query: Mapping[str, str],
        showing: Showing,
        outcome_line: Callable[[results.OutcomeView, Showing], OutcomeLine],
    ) -> AccountPast | None:
        """Return a page of what happened to an account; None: there is no index to ask.

        Raises:
            PageRefusal: the query's cursor is none.
        """
        before = query.get("history")
        params = AccountHistoryParams(address=address, before=before, limit=HISTORY_SHOWN_MAX)
        with _cursor(before):
            found = await _asked(self._index.account_history, params)
        return None if found is None else self._page(found, showing, outcome_line)

    async def of_participant(
        self,
        participant: str,
        query: Mapping[str, str],
        showing: Showing,
        outcome_line: Callable[[results.OutcomeView, Showing], OutcomeLine],
    ) -> AccountPast | None:
        """Return a page of what became of a participant; None: there is no index to ask.

        Raises:
            PageRefusal: the query's cursor is none.
        """
        before = query.get("history")
        params = ParticipantHistoryParams(
            participant=participant, before=before, limit=HISTORY_SHOWN_MAX
        )
        with _cursor(before):
            found = await _asked(self._index.participant_history, params)
        return None if found is None else self._page(found, showing, outcome_line)

    def _page(
        self,
        found: AccountHistoryResult | ParticipantHistoryResult,
        showing: Showing,
        outcome_line: Callable[[results.OutcomeView, Showing], OutcomeLine],
    ) -> AccountPast:
        return AccountPast(
            lines=[self.line(entry, showing, outcome_line) for entry in found.entries],
            next=found.next,
            from_height=found.index.from_height,
            behind=self.behind(found),
        )

    async def of_proposal(self, proposal: str, limit: int) -> ProposalHistoryResult | None:
        """Return what became of a proposal, newest first; None: there is no index to ask."""
        return await _asked(
            self._index.proposal_history, ProposalHistoryParams(proposal=proposal, limit=limit)
        )

    async def height_of(self, block_id: bytes) -> int | None:
        """Return at which height a block may be that has this id; None: nothing is known of it."""
        return await _asked(self._index.height_of, block_id)

    async def of_asset(self, asset: str) -> AssetPast | None:
        """Return who holds an asset, by kind, and what moved lately; None: no index to ask."""
        classes = await _asked(self._index.holder_classes, HolderClassesParams(asset=asset))
        totals = await _asked(
            self._index.daily_totals, DailyTotalsParams(asset=asset, days=DAYS_SHOWN)
        )
        if classes is None or totals is None:
            return None
        return AssetPast(
            classes=classes.classes,
            holders=sum(each.holders for each in classes.classes),
            days=totals.days,
            from_height=classes.index.from_height,
            behind=self.behind(classes),
        )

    async def holders(self, assets: Sequence[str]) -> dict[str, int] | None:
        """Return how many hold something of each asset; None: no index to ask.

        Kept for a while: the overview is made anew for each new block that somebody watches.
        """
        now_ms = self._clock.now_ms()
        if self._counted is None or not (
            self._counted.holders.keys() == set(assets)
            and 0 <= now_ms - self._counted.at_ms < HOLDERS_KEPT_MS
        ):
            holders: dict[str, int] = {}
            for asset in assets:
                params = HolderClassesParams(asset=asset)
                found = await _asked(self._index.holder_classes, params)
                if found is None:
                    return None
                holders[asset] = sum(each.holders for each in found.classes)
            self._counted = _Counted(at_ms=now_ms, holders=holders)
        return self._counted.holders

    async def texts(self, wanted: str, before: str | None) -> tuple[Sequence[TextLine], str | None]:
        """Return the newest texts that have all these words, and before what older ones may be.

        Raises:
            PageRefusal: the cursor is none.
        """
        if not wanted:
            return [], None
        params = SearchTextParams(text=wanted[:TEXT_MAX], before=before, limit=TEXTS_SHOWN_MAX)
        with _cursor(before):
            found = await _asked(self._index.search_text, params)
        if found is None:
            return [], None
        lines = [
            TextLine(kind=PATH_OF[each.kind], name=each.subject, height=each.height, text=each.text)
            for each in found.matches
        ]
        return lines, found.next

    def line(
        self,
        entry: HistoryEntry,
        showing: Showing,
        outcome_line: Callable[[results.OutcomeView, Showing], OutcomeLine],
    ) -> HistoryLine:
        """Return something that happened, with its sentence."""
        told = None if entry.event is None else showing.event(entry.event).striptags()
        return HistoryLine(
            cursor=entry.cursor,
            height=entry.height,
            time=entry.time,
            transaction=entry.transaction,
            sentence=told,
            event=entry.event,
            outcome=None if entry.outcome is None else outcome_line(entry.outcome, showing),
            changes=entry.changes,
        )

    def behind(self, found: Indexed) -> int:
        """Return how many blocks of the node an answer does not know."""
        return max(0, self._chain.head.height - found.index.height)


@contextmanager
def _cursor(before: str | None) -> Iterator[None]:
    """Refuse a cursor of the past that is none, as a page does."""
    try:
        yield
    except InvalidParams:
        raise PageRefusal(400, found=cut(before or ""), expected="expected-cursor") from None


async def _asked(
    method: Callable[[ParamsT], Awaitable[ResultT]], params: ParamsT
) -> ResultT | None:
    """Return the answer; None: the node has no index, or it does not answer at present."""
    try:
        return await method(params)
    except (NoIndex, NotReady, Limited):
        return None
