"""What the index is asked: one question a method, each a page with an end.

All of an answer is as of one checkpoint of the index, which may be behind the chain; whoever asks
is told which. Nothing here renders: that is the interface's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from sqlalchemy import bindparam, or_, select

from node.codec import decode
from node.index.database import Database, TextPlace
from node.index.errors import IndexUnusable
from node.index.projection import (
    BLOCK_ITEM,
    REFUSED,
    participant_subject,
    participants_of,
    subject,
)
from node.index.recent import RECENT_OF, bucket_of
from node.index.schema import CLASSES, EVENTS, HISTORY, HOLDERS, TOTALS
from node.index.words import words_of
from node.index.writing import READ_CHECKPOINT, Checkpoint, checkpoint_of
from node.ledger.events import Event
from node.ledger.transition import Receipt

PAGE_MAX: Final = 200
"""Rows of one answer."""
DAYS_MAX: Final = 366
"""Days of one answer about totals."""
WORDS_MAX: Final = 8
"""Words of one search; those after them are not looked for."""
TOP_HEIGHT: Final = 1 << 62
"""Above every block: where a list begins that has its newest first."""

Place: TypeAlias = tuple[int, int]
"""Height and item: the cursor of the stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happened to an account, a proposal or a participant."""

    height: int
    item: int
    time_ms: int
    transaction: bytes | None
    """Its id; None: it fell due by time."""
    what: Event | Receipt
    """The event, or the receipt of a transaction that was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """An account that has something of an asset."""

    account: bytes
    kind: str
    """Of its owner."""
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderClass:
    """All holders of one kind."""

    kind: str
    holders: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTotal:
    """How often something happened on a day, and what it moved."""

    day: int
    """Since 1970-01-01, UTC."""
    kind: str
    count: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A text in which all the words are."""

    place: TextPlace
    kind: str
    """What it is about: an asset, a participant, a transaction."""
    subject: str
    text: str


_HISTORY: Final = (
    select(HISTORY)
    .where(
        HISTORY.c.account == bindparam("account"),
        HISTORY.c.height <= bindparam("height"),
        or_(HISTORY.c.height < bindparam("height"), HISTORY.c.item < bindparam("item")),
    )
    .order_by(HISTORY.c.height.desc(), HISTORY.c.item.desc())
    .limit(bindparam("count"))
)
_HOLDERS: Final = (
    select(HOLDERS)
    .where(HOLDERS.c.asset == bindparam("asset"), HOLDERS.c.account > bindparam("after"))
    .order_by(HOLDERS.c.account)
    .limit(bindparam("count"))
)
_CLASSES: Final = select(CLASSES).where(CLASSES.c.asset == bindparam("asset"))
_TOTALS: Final = (
    select(TOTALS)
    .where(
        TOTALS.c.asset == bindparam("asset"),
        TOTALS.c.day >= bindparam("first"),
        TOTALS.c.day <= bindparam("last"),
    )
    .order_by(TOTALS.c.day, TOTALS.c.kind)
)


class Answers:
    """Answers from one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def checkpoint(self) -> Checkpoint:
        """Return how far the index is.

        Raises:
            IndexFailure: it cannot answer, or has not begun.
        """
        checkpoint = checkpoint_of(await self._database.read(READ_CHECKPOINT, {}))
        if checkpoint is None:
            raise IndexUnusable("nothing was written into the index yet")
        return checkpoint

    async def history(
        self, account: bytes, before: Place | None, limit: int
    ) -> tuple[Sequence[Happening], Place | None]:
        """Return what happened to an account, newest first, and before what the next page begins.

        Raises:
            IndexFailure: it cannot answer.
        """
        assert 1 <= limit <= PAGE_MAX
        places = await self._places(account, before or (TOP_HEIGHT, 0), limit + 1)
        # Two statements and no join: what is placed by account and what is placed by height would
        # meet on one machine alone. What is named was written with what names it.
        events = await self._database.look_up(EVENTS, places[:limit])
        page = [
            Happening(
                height=height,
                item=item,
                time_ms=time_ms,
                transaction=transaction,
                what=_decoded(kind, content),
            )
            for height, item, time_ms, transaction, kind, content in sorted(events, reverse=True)
        ]
        return page, (page[-1].height, page[-1].item) if len(places) > limit else None

    async def proposal(
        self, proposal: bytes, before: Place | None, limit: int
    ) -> tuple[Sequence[Happening], Place | None]:
        """Return what became of a proposal, newest first, and before what the next page begins.

        Raises:
            IndexFailure: it cannot answer.
        """
        found, following = await self.history(subject(proposal), before, limit)
        # The key is where its id begins, and another id may be asked for that begins so.
        return [each for each in found if _proposal_of(each.what) == proposal], following

    async def participant(
        self, participant: str, before: Place | None, limit: int
    ) -> tuple[Sequence[Happening], Place | None]:
        """Return what became of a participant, newest first, and before what the next page begins.

        Raises:
            IndexFailure: it cannot answer.
        """
        found, following = await self.history(participant_subject(participant), before, limit)
        return [each for each in found if participant in participants_of(each.what)], following

    async def height_of(self, block_id: bytes) -> int | None:
        """Return the height at which a block may be that has this id; None: it has no such block.

        Compare its id: another may have been asked for that begins like it.

        Raises:
            IndexFailure: it cannot answer.
        """
        for height, item in await self._places(subject(block_id), (TOP_HEIGHT, 0), 1):
            if item == BLOCK_ITEM:
                return height
        return None

    async def _places(self, account: bytes, before: Place, count: int) -> Sequence[Place]:
        """Return the newest places before one at which an account is named, or a block, proposal.

        What waits is asked for first: in between, rows may go from there to where they belong, and
        are found twice; asked for the other way round, they might be found nowhere.
        """
        height, item = before
        values = {"account": account, "height": height, "item": item, "count": count}
        waiting = await self._database.read(RECENT_OF, {"bucket": bucket_of(account), **values})
        places = {(int(height), int(item)) for height, item in waiting}
        if len(places) < count:
            rows = await self._database.read(_HISTORY, values)
            places |= {(int(height), int(item)) for _, height, item in rows}
        return sorted(places, reverse=True)[:count]

    async def holders(
        self, asset: str, after: bytes, limit: int
    ) -> tuple[Sequence[Holder], bytes | None]:
        """Return who has something of an asset, by address, and after whom the next page begins.

        Raises:
            IndexFailure: it cannot answer.
        """
        assert 1 <= limit <= PAGE_MAX
        values = {"asset": asset, "after": after, "count": limit + 1}
        rows = await self._database.read(_HOLDERS, values)
        page = [
            Holder(account=account, kind=kind, total=int(total))
            for _, account, kind, total in rows[:limit]
        ]
        return page, page[-1].account if len(rows) > limit else None

    async def classes(self, asset: str) -> Sequence[HolderClass]:
        """Return how many holders of each kind there are and what they have, the largest first.

        Raises:
            IndexFailure: it cannot answer.
        """
        rows = await self._database.read(_CLASSES, {"asset": asset})
        classes = [
            HolderClass(kind=kind, holders=holders, total=int(total))
            for _, kind, holders, total in rows
        ]
        return sorted(classes, key=lambda each: (-each.total, each.kind))

    async def totals(self, asset: str, first: int, last: int) -> Sequence[DayTotal]:
        """Return the totals of an asset by day and kind; of the network for the empty code.

        Raises:
            IndexFailure: it cannot answer.
        """
        assert last - first < DAYS_MAX
        values = {"asset": asset, "first": first, "last": last}
        return [
            DayTotal(day=day, kind=kind, count=count, amount=int(amount))
            for _, day, kind, count, amount in await self._database.read(_TOTALS, values)
        ]

    async def find(
        self, text: str, before: TextPlace | None, limit: int
    ) -> tuple[Sequence[Match], TextPlace | None]:
        """Return the texts in which each word of `text` begins one, newest first.

        With them, before what the next page begins. There may be one after a page that is not full,
        or empty: older texts were not looked through then.

        Raises:
            IndexFailure: it cannot answer.
        """
        assert 1 <= limit <= PAGE_MAX
        words = words_of(text)[:WORDS_MAX]
        if not words:
            return [], None
        begin = before or (TOP_HEIGHT, 0, 0)
        rows, further = await self._database.find(words, begin, limit + 1)
        page = [
            Match(place=(height, item, part), kind=kind, subject=subject, text=body)
            for height, item, part, kind, subject, body, _ in rows[:limit]
        ]
        return page, page[-1].place if len(rows) > limit else further


def _decoded(kind: str, content: bytes) -> Event | Receipt:
    if kind == REFUSED:
        return decode(content, Receipt)
    event: Event = decode(content, Event)  # type: ignore[arg-type]  # a union is a form, no class
    return event


def _proposal_of(what: Event | Receipt) -> object:
    return getattr(what, "proposal", None)
