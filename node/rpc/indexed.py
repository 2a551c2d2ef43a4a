"""The methods that answer from the index: history, holders, totals by day, full text.

The index may be behind the chain, and begins where blocks were kept when it was made: every answer
says how far it goes. A node without one says so, and that is no fault of the caller's.
"""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import msgspec

from node.amounts import render_amount
from node.index import IndexFailure, IndexOverrun
from node.index.moves import moves_of
from node.ledger.dates import from_date
from node.ledger.tables import ASSETS, PARTICIPANTS, name_key
from node.ledger.transition import Receipt
from node.ledger.units import MS_PER_DAY
from node.rpc.errors import InvalidParams, Limited, NoIndex, NotFound, NotReady
from node.rpc.jsonrpc import NoParams, method
from node.rpc.params import AddressText, AssetCode, DayText, Id, Limit, Params, ParticipantId
from node.rpc.reading import found
from node.rpc.rendering import render_day, render_time
from node.rpc.results import Object, OutcomeView, Result, at_head
from node.rpc.services import RpcServices
from node.rpc.stream import HEIGHT_MAX, Cursor
from node.rpc.views import Views

if TYPE_CHECKING:
    from node.index.answers import Answers, Happening

RETRY_MS: Final = 1_000
"""After which an index that does not answer may answer again."""
# Where the database is, and what it said, is the operator's.
FAILING: Final = "the index does not go on; the log of this node says why"
DAYS_MAX: Final = 366
DAYS_DEFAULT: Final = 30
TEXT_MAX: Final = 200
"""Characters of a search."""

ResultT = TypeVar("ResultT")

CursorText = Annotated[
    str, msgspec.Meta(max_length=40, description="`next` of the page before: height-item")
]
Newest = Annotated[CursorText | None, msgspec.Meta(description="null: from the newest on")]


class AccountHistoryParams(Params, frozen=True, kw_only=True):
    """`khz_accountHistory`."""

    address: AddressText
    before: Newest = None
    limit: Limit = 50


class ProposalHistoryParams(Params, frozen=True, kw_only=True):
    """`khz_proposalHistory`."""

    proposal: Id
    before: Newest = None
    limit: Limit = 50


class ParticipantHistoryParams(Params, frozen=True, kw_only=True):
    """`khz_participantHistory`."""

    participant: ParticipantId
    before: Newest = None
    limit: Limit = 50


class HoldersParams(Params, frozen=True, kw_only=True):
    """`khz_holders`."""

    asset: AssetCode
    after: Annotated[AddressText | None, msgspec.Meta(description="`next` of the page before")] = (
        None
    )
    limit: Limit = 100


class HolderClassesParams(Params, frozen=True, kw_only=True):
    """`khz_holderClasses`."""

    asset: AssetCode


class DailyTotalsParams(Params, frozen=True, kw_only=True):
    """`khz_dailyTotals`."""

    asset: Annotated[
        AssetCode | None, msgspec.Meta(description="null: of the network, its transactions")
    ] = None
    last: Annotated[DayText | None, msgspec.Meta(description="null: that of the last block")] = None
    days: Annotated[
        int, msgspec.Meta(ge=1, le=DAYS_MAX, description="how many, back from the last")
    ] = DAYS_DEFAULT


class SearchTextParams(Params, frozen=True, kw_only=True):
    """`khz_searchText`."""

    text: Annotated[
        str,
        msgspec.Meta(
            min_length=1, max_length=TEXT_MAX, description="words; each must begin one of the text"
        ),
    ]
    before: Annotated[
        Annotated[str, msgspec.Meta(max_length=50)] | None,
        msgspec.Meta(description="`next` of the page before"),
    ] = None
    limit: Limit = 25


class IndexView(msgspec.Struct, frozen=True, kw_only=True):
    """How far the index goes."""

    height: int
    """Of the last block in it: what is said is as of that."""
    time: str
    from_height: int
    """Of the first block in it. What happened before is not in it: those blocks were pruned."""


class Indexed(Result, frozen=True, kw_only=True):
    """An answer from the index."""

    index: IndexView


class ChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """By how much a holding grew, or shrank if negative; available and held together."""

    asset: str
    amount: str


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to an account, a proposal or a participant."""

    cursor: str
    """Its place in the stream (`khz_subscribe`)."""
    height: int
    time: str
    transaction: str | None
    """Null: it fell due by time."""
    event: Object | None
    """Null: the transaction was refused."""
    outcome: OutcomeView | None
    """Of a refused transaction in which the account was to act; null otherwise."""
    changes: list[ChangeView]
    """Of the account's own holdings; of a proposal or a participant none."""


class AccountHistoryResult(Indexed, frozen=True, kw_only=True):
    address: str
    entries: list[HistoryEntry]
    """Newest first."""
    next: str | None


class ProposalHistoryResult(Indexed, frozen=True, kw_only=True):
    proposal: str
    entries: list[HistoryEntry]
    """Newest first. What it changed when it was applied stands in its transaction's receipt."""
    next: str | None


class ParticipantHistoryResult(Indexed, frozen=True, kw_only=True):
    participant: str
    entries: list[HistoryEntry]
    """Newest first. What the genesis says of it is not among them."""
    next: str | None


class HolderView(msgspec.Struct, frozen=True, kw_only=True):
    address: str
    kind: str
    """Of the participant that owns the account; `ledger` where cash waits to be paid out."""
    amount: str
    """Available and held."""


class HoldersResult(Indexed, frozen=True, kw_only=True):
    asset: str
    holders: list[HolderView]
    """By address."""
    next: str | None


class HolderClassView(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    holders: int
    amount: str


class HolderClassesResult(Indexed, frozen=True, kw_only=True):
    asset: str
    classes: list[HolderClassView]
    """The one that has most first."""


class KindTotal(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    """Name of the event; of the network `applied` and `refused`."""
    count: int
    amount: str | None
    """What it moved; null for the network."""


class DayTotals(msgspec.Struct, frozen=True, kw_only=True):
    day: str
    """In UTC."""
    totals: list[KindTotal]


class DailyTotalsResult(Indexed, frozen=True, kw_only=True):
    asset: str | None
    days: list[DayTotals]
    """Those on which something happened, ascending."""


class TextMatch(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    """What the text is about: `asset`, `participant` or `transaction`."""
    subject: str
    """Its code or id."""
    height: int
    text: str


class SearchTextResult(Indexed, frozen=True, kw_only=True):
    matches: list[TextMatch]
    """Newest first."""
    next: str | None
    """Before which older texts are found; null: there are none. Where words are common and seldom
    together it may be told with fewer matches than asked for, or none: ask again, before it."""


class IndexStatusResult(Result, frozen=True, kw_only=True):
    kept: bool
    """Whether this node keeps an index."""
    index: IndexView | None
    """Null where there is none, or it has not begun."""
    failure: str | None
    """That it does not go on; why, the log of the node says. Null: it does."""


class IndexMethods:
    """The handlers, on one node."""

    def __init__(self, services: RpcServices, views: Views) -> None:
        self._services = services
        self._chain = services.chain
        self._views = views

    @method("khz_index")
    def status(self, params: NoParams) -> IndexStatusResult:  # noqa: ARG002
        """Say whether this node keeps an index, and how far it is."""
        index = self._services.index
        return IndexStatusResult(
            **at_head(self._chain.head),
            kept=index is not None,
            index=None if index is None or index.checkpoint is None else self._reach(),
            failure=None if index is None or index.failure is None else FAILING,
        )

    @method("khz_accountHistory", NotFound, NoIndex, NotReady, Limited)
    async def account_history(self, params: AccountHistoryParams) -> AccountHistoryResult:
        """List what happened to an account, newest first.

        Every event that names it, and every refused transaction in which it was to act. The same
        events come by `khz_subscribe`, in the other order and without what happened before.
        """
        address = self._views.parse_address(params.address)
        before = None if params.before is None else _place(params.before)
        page, following = await self._ask(
            lambda answers: answers.history(address, before, params.limit)
        )
        return AccountHistoryResult(
            **self._at(),
            address=params.address.lower(),
            entries=[self._entry(address, each) for each in page],
            next=None if following is None else "{}-{}".format(*following),
        )

    @method("khz_proposalHistory", NoIndex, NotReady, Limited)
    async def proposal_history(self, params: ProposalHistoryParams) -> ProposalHistoryResult:
        """List what became of a proposal, open or decided, newest first.

        That it was opened, each approval, and how it ended. Nothing, where there was no such
        proposal, or where it ended before the index begins.
        """
        before = None if params.before is None else _place(params.before)
        wanted = bytes.fromhex(params.proposal)
        page, following = await self._ask(
            lambda answers: answers.proposal(wanted, before, params.limit)
        )
        return ProposalHistoryResult(
            **self._at(),
            proposal=params.proposal,
            entries=[self._entry(None, each) for each in page],
            next=None if following is None else "{}-{}".format(*following),
        )

    @method("khz_participantHistory", NotFound, NoIndex, NotReady, Limited)
    async def participant_history(
        self, params: ParticipantHistoryParams
    ) -> ParticipantHistoryResult:
        """List what became of a participant, newest first: what the register says of it.

        Its registration, status, offices and licences with their phases, the accounts that were
        opened for it, the assets it issues. What its accounts did is in the history of those.
        """
        name = params.participant
        found(self._chain, PARTICIPANTS, name_key(name), f"participant {name!r}")
        before = None if params.before is None else _place(params.before)
        page, following = await self._ask(
            lambda answers: answers.participant(name, before, params.limit)
        )
        return ParticipantHistoryResult(
            **self._at(),
            participant=name,
            entries=[self._entry(None, each) for each in page],
            next=None if following is None else "{}-{}".format(*following),
        )

    @method("khz_holders", NotFound, NoIndex, NotReady, Limited)
    async def holders(self, params: HoldersParams) -> HoldersResult:
        """List who has something of an asset, by address. Who is behind one, `khz_account` says."""
        decimals = self._decimals(params.asset)
        after = b"" if params.after is None else self._views.parse_address(params.after, "after")
        page, following = await self._ask(
            lambda answers: answers.holders(params.asset, after, params.limit)
        )
        address = self._views.renderer.address
        return HoldersResult(
            **self._at(),
            asset=params.asset,
            holders=[
                HolderView(
                    address=address(each.account),
                    kind=each.kind,
                    amount=render_amount(each.total, decimals=decimals),
                )
                for each in page
            ],
            next=None if following is None else address(following),
        )

    @method("khz_holderClasses", NotFound, NoIndex, NotReady, Limited)
    async def holder_classes(self, params: HolderClassesParams) -> HolderClassesResult:
        """Say how many holders an asset has, and how much they have, by kind of participant."""
        decimals = self._decimals(params.asset)
        classes = await self._ask(lambda answers: answers.classes(params.asset))
        return HolderClassesResult(
            **self._at(),
            asset=params.asset,
            classes=[
                HolderClassView(
                    kind=each.kind,
                    holders=each.holders,
                    amount=render_amount(each.total, decimals=decimals),
                )
                for each in classes
            ],
        )

    @method("khz_dailyTotals", NotFound, NoIndex, NotReady, Limited)
    async def daily_totals(self, params: DailyTotalsParams) -> DailyTotalsResult:
        """Say how often what happened on each day, and how much of an asset it moved."""
        decimals = None if params.asset is None else self._decimals(params.asset)
        last = self._last_day() if params.last is None else _day(params.last)
        rows = await self._ask(
            lambda answers: answers.totals(params.asset or "", last - params.days + 1, last)
        )
        days: dict[int, list[KindTotal]] = {}
        for row in rows:
            amount = None if decimals is None else render_amount(row.amount, decimals=decimals)
            total = KindTotal(kind=row.kind, count=row.count, amount=amount)
            days.setdefault(row.day, []).append(total)
        return DailyTotalsResult(
            **self._at(),
            asset=params.asset,
            days=[DayTotals(day=render_day(day), totals=totals) for day, totals in days.items()],
        )

    @method("khz_searchText", NoIndex, NotReady, Limited)
    async def search_text(self, params: SearchTextParams) -> SearchTextResult:
        """Find text on the ledger: names, reasons, references, memos; newest first.

        Each word of the search must begin a word of the text, in whatever order and case.
        """
        before = None if params.before is None else _text_place(params.before)
        page, following = await self._ask(
            lambda answers: answers.find(params.text, before, params.limit)
        )
        return SearchTextResult(
            **self._at(),
            matches=[
                TextMatch(
                    kind=each.kind, subject=each.subject, height=each.place[0], text=each.text
                )
                for each in page
            ],
            next=None if following is None else "{}-{}-{}".format(*following),
        )

    async def height_of(self, block_id: bytes) -> int | None:
        """Return the height at which a block of this id may be, for a page that then compares it.

        Raises:
            NoIndex, NotReady, Limited: why the index does not answer.
        """
        return await self._ask(lambda answers: answers.height_of(block_id))

    # Private.

    def _entry(self, address: bytes | None, happening: "Happening") -> HistoryEntry:
        what = happening.what
        refusal = what if isinstance(what, Receipt) else None
        return HistoryEntry(
            cursor=f"{happening.height}-{happening.item}",
            height=happening.height,
            time=render_time(happening.time_ms),
            transaction=None if happening.transaction is None else happening.transaction.hex(),
            event=None if refusal is what else self._views.renderer.record(what),
            outcome=None if refusal is None else self._views.receipt_outcome(refusal),
            changes=[
                ChangeView(asset=asset, amount=self._change(asset, amount))
                for asset, account, amount in moves_of(what)
                if account == address and amount
            ],
        )

    def _change(self, asset: str, amount: int) -> str:
        shown = render_amount(abs(amount), decimals=self._decimals(asset))
        return f"-{shown}" if amount < 0 else shown

    def _decimals(self, asset: str) -> int:
        return found(self._chain, ASSETS, name_key(asset), f"asset {asset!r}").decimals

    def _last_day(self) -> int:
        return self._chain.head.time_ms // MS_PER_DAY

    async def _ask(self, question: "Callable[[Answers], Awaitable[ResultT]]") -> ResultT:
        """Return what the index answers.

        Raises:
            NoIndex, NotReady, Limited: why it does not.
        """
        index = self._services.index
        if index is None:
            raise NoIndex(
                "this node keeps no index, from which this is answered: ask an observer, or set"
                " index.database in its node.toml",
                {"height": self._chain.head.height},
            )
        if index.checkpoint is None:
            raise NotReady(
                "the index has not begun yet" if index.failure is None else FAILING,
                {"height": self._chain.head.height, "retry_after_ms": RETRY_MS},
            )
        try:
            return await question(index.answers)
        except IndexOverrun as error:
            raise Limited(str(error), retry_after_ms=RETRY_MS) from None
        except IndexFailure:
            # Where the database is, and what it said, is the operator's: it stands in the log.
            raise NotReady(
                "the index does not answer at present",
                {"height": self._chain.head.height, "retry_after_ms": RETRY_MS},
            ) from None

    def _at(self) -> dict[str, Any]:
        return {**at_head(self._chain.head), "index": self._reach()}

    def _reach(self) -> IndexView:
        index = self._services.index
        assert index is not None
        assert index.checkpoint is not None
        checkpoint = index.checkpoint
        return IndexView(
            height=checkpoint.height,
            time=render_time(checkpoint.time_ms),
            from_height=checkpoint.from_height,
        )


def _place(text: str) -> tuple[int, int]:
    try:
        cursor = Cursor.parse(text)
    except ValueError as error:
        raise InvalidParams(f"before: {error}") from None
    return cursor.height, cursor.index


def _text_place(text: str) -> tuple[int, int, int]:
    parts = text.split("-")
    if len(parts) != 3 or not all(
        part.isascii() and part.isdigit() and len(part) <= 18 for part in parts
    ):
        raise InvalidParams('before: expected "height-item-part", as `next` has it')
    height, item, part = (int(part) for part in parts)
    if height > HEIGHT_MAX or max(item, part) > (1 << 31) - 1:
        raise InvalidParams("before: beyond every place")
    return height, item, part


def _day(text: str) -> int:
    try:
        day = from_date(date.fromisoformat(text))
    except ValueError as error:
        raise InvalidParams(f"last: {error}") from None
    if day < 0:
        raise InvalidParams("last: before 1970-01-01, where days begin")
    return day
