"""What was committed, as one numbered stream that can be left and joined again without a gap.

Every block is a run of items with indices from 0; a **cursor** "height-index" names one item and
means "everything up to here was seen". The items of a block, in order: the block itself, its
receipts in one compact list, then each transaction followed by its events, then the events of the
block itself. The numbering does not depend on who listens.

Nobody is sent anything from a queue: a subscription holds a position and reads forward from it,
from a few blocks kept in memory or else from the store, and is called at the head. So what a slow
reader costs is its own socket's buffer, replay and live are one position, and there is no seam
between them where an item could be lost or doubled.

A block is told to its followers in rounds: some of them, then a rest as long as that took, and so
on. However many follow, half of the loop is left to what is more urgent, which is consensus.
Whoever is called after more blocks than one, because a round takes longer than they do, is told of
all in one go, which costs hardly more than one.

Only final blocks are in the stream. Nothing here knows sockets.
"""

import asyncio
import contextlib
import itertools
import re
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self, TypeAlias

from typing_extensions import override

REPLAY_REST: Final = 3.0
"""Reading history may take a quarter of the loop's time, for all subscribers together."""
TOLD_AT_ONCE: Final = 32
"""Followers that are told in one turn of the loop: each writes in that turn, a millisecond for all.
Links with peers are read between the turns, however many follow."""
TELLING_REST: Final = 1.0
"""Telling may take half of the loop's time."""
PORTION_BYTES: Final = 1 << 16
"""Items are gathered into one message up to about this size."""
PORTIONS_KEPT_MAX: Final = 4
"""Sets of topics for which what all their followers are sent of a block is kept with it."""
HEIGHT_MAX: Final = 10**18 - 1
"""The largest height that a cursor can name."""

_CURSOR: Final = re.compile(r"(0|[1-9][0-9]{0,17})-(0|[1-9][0-9]{0,8})\Z")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cursor:
    """The last item that was seen; 0-0 stands before everything."""

    height: int
    index: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the cursor written as "height-index".

        Raises:
            ValueError: anything else.
        """
        match = _CURSOR.match(text)
        if match is None:
            raise ValueError('a cursor is "height-index", such as "120-0"')
        return cls(height=int(match[1]), index=int(match[2]))

    @override
    def __str__(self) -> str:
        return f"{self.height}-{self.index}"


class Topic(StrEnum):
    """What a subscriber may ask for."""

    BLOCKS = "blocks"
    RECEIPTS = "receipts"
    TRANSACTIONS = "transactions"
    EVENTS = "events"


_OF_NOBODY: Final = frozenset({Topic.BLOCKS, Topic.RECEIPTS})


@dataclass(frozen=True, slots=True)
class Mentions:
    """What an item names: rendered addresses, and asset codes."""

    accounts: frozenset[str] = frozenset()
    assets: frozenset[str] = frozenset()


_NOBODY: Final = Mentions()


class StreamItem:
    """One item; its JSON, and whom it names, are found when somebody first asks, and kept."""

    __slots__ = ("_entry", "_mention", "_mentions", "_render", "kind", "topic")

    def __init__(
        self,
        topic: Topic,
        render: Callable[[], bytes],
        mention: Callable[[], Mentions] = lambda: _NOBODY,
        *,
        kind: str = "",
    ) -> None:
        self.topic = topic
        self.kind = kind
        """Of an event, as its JSON writes it in `type`; of nothing else."""
        self._render = render
        self._mention = mention
        self._entry: bytes | None = None
        self._mentions: Mentions | None = None

    def entry(self, height: int, index: int) -> bytes:
        """Return the item as everybody is sent it: JSON, with its topic and this, its cursor."""
        if self._entry is None:
            self._entry = b'{"cursor":"%d-%d","topic":"%b","value":%b}' % (
                height,
                index,
                self.topic.encode(),
                self._render(),
            )
        return self._entry

    def mentions(self) -> Mentions:
        """Return whom and what the item names."""
        if self._mentions is None:
            self._mentions = self._mention()
        return self._mentions


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFilter:
    """Which items a subscriber wants. Blocks and receipts belong to nobody and always pass."""

    topics: frozenset[Topic]
    accounts: frozenset[str] | None = None
    """Only what names one of these; `None` wants all."""
    assets: frozenset[str] | None = None
    """Likewise; with both, an item must pass both."""

    def wants(self, item: StreamItem) -> bool:
        """Whether the subscriber is to be told of this item."""
        if item.topic not in self.topics:
            return False
        if item.topic in _OF_NOBODY or (self.accounts is None and self.assets is None):
            return True
        mentions = item.mentions()
        return (self.accounts is None or not self.accounts.isdisjoint(mentions.accounts)) and (
            self.assets is None or not self.assets.isdisjoint(mentions.assets)
        )


@dataclass(frozen=True, slots=True)
class Portion:
    """What goes into one message."""

    end: Cursor
    """After which the next begins."""
    told: bytes
    """JSON: the members `cursor` and `items`."""


class StreamBlock:
    """One block's run of items; never empty.

    The items after the first two are made when a subscriber first asks for their kind: who follows
    blocks or receipts only must not make a node build thousands of items a second.
    """

    __slots__ = (
        "_by_account",
        "_items",
        "_opening",
        "_portions",
        "_rest",
        "block_id",
        "end",
        "height",
        "length",
    )

    def __init__(
        self,
        height: int,
        opening: Sequence[StreamItem],
        rest: Callable[[], Sequence[StreamItem]],
        *,
        length: int,
        block_id: bytes,
    ) -> None:
        assert opening
        assert all(item.topic in _OF_NOBODY for item in opening)
        self.height = height
        self.block_id = block_id
        self.length = length
        """Of the whole run, opening and rest."""
        self.end = Cursor(height=height, index=length - 1)
        """The cursor of the last item."""
        self._opening = tuple(opening)
        self._rest = rest
        self._items: tuple[StreamItem, ...] | None = None
        self._by_account: dict[Topic, dict[str, list[int]]] = {}
        self._portions: dict[frozenset[Topic], tuple[Portion, ...]] = {}

    @property
    def items(self) -> tuple[StreamItem, ...]:
        """The whole run, in order."""
        if self._items is None:
            self._items = (*self._opening, *self._rest())
            assert len(self._items) == self.length
        return self._items

    def portions(self, wanted: StreamFilter, start: int) -> tuple[Portion, ...]:
        """Return what a subscriber is to be sent of it from this index on, in order."""
        if start or wanted.accounts is not None or wanted.assets is not None:
            return self._divided(self.select(wanted, start))
        # All of some topics: written once, for the many at the head that want the same.
        whole = self._portions.get(wanted.topics)
        if whole is None:
            whole = self._divided(self.select(wanted, 0))
            if len(self._portions) < PORTIONS_KEPT_MAX:
                self._portions[wanted.topics] = whole
        return whole

    def _divided(self, chosen: Sequence[tuple[int, bytes]]) -> tuple[Portion, ...]:
        portions: list[Portion] = []
        entries: list[bytes] = []
        size = 0
        for index, entry in chosen:
            entries.append(entry)
            size += len(entry)
            if size >= PORTION_BYTES:
                portions.append(_portion(Cursor(height=self.height, index=index), entries))
                entries, size = [], 0
        if entries:
            # Nothing that is wanted follows: whoever resumes need not look again.
            portions.append(_portion(self.end, entries))
        return tuple(portions)

    def select(self, wanted: StreamFilter, start: int) -> list[tuple[int, bytes]]:
        """Return what a subscriber wants from this index on, in order: each index and entry."""
        items: Sequence[StreamItem] = self._opening
        places: Sequence[int] = range(start, len(self._opening))
        if not wanted.topics <= _OF_NOBODY:
            items, places = self.items, self._candidates(wanted, start)
        return [
            (index, items[index].entry(self.height, index))
            for index in places
            if wanted.wants(items[index])
        ]

    def _candidates(self, wanted: StreamFilter, start: int) -> Sequence[int]:
        if wanted.accounts is None:
            return range(start, self.length)
        # A thousand watchers of single accounts must not each walk a block of thousands.
        places = set(range(len(self._opening)))
        for topic in wanted.topics - _OF_NOBODY:
            of_topic = self._places_of(topic)
            for account in wanted.accounts:
                places.update(of_topic.get(account, ()))
        return sorted(index for index in places if index >= start)

    def _places_of(self, topic: Topic) -> dict[str, list[int]]:
        """Return the indices of a topic's items by the accounts that they name."""
        places = self._by_account.get(topic)
        if places is None:
            found: defaultdict[str, list[int]] = defaultdict(list)
            for index, item in enumerate(self.items):
                if item.topic is topic:
                    for account in item.mentions().accounts:
                        found[account].append(index)
            places = self._by_account[topic] = dict(found)
        return places


def _portion(end: Cursor, entries: Sequence[bytes]) -> Portion:
    return Portion(
        end, b'"cursor":"%d-%d","items":[%b]' % (end.height, end.index, b",".join(entries))
    )


Tell: TypeAlias = Callable[[], None]
"""Told that there is something beyond what a follower has seen. Must not wait, and not raise."""


class Feed:
    """The stream of one node: where its head is, its blocks, and those who follow at the head."""

    def __init__(
        self,
        *,
        head: int,
        load: Callable[[int], StreamBlock],
        blocks_max: int,
        items_max: int,
        stage: AbstractContextManager[None] | None = None,
    ) -> None:
        """Begin at this head.

        Args:
            stage: what telling followers is charged to.
        """
        self._stage = stage or nullcontext()
        self._head = head
        self._load = load
        self._blocks_max = blocks_max
        self._items_max = items_max
        self._blocks: OrderedDict[int, StreamBlock] = OrderedDict()
        self._items_kept = 0
        self._replaying = asyncio.Lock()
        self._followers: dict[Tell, None] = {}
        """Who follows at the head, in the order in which they came."""
        self._untold: dict[Tell, None] = {}
        """Those of them who are to be told, in order."""
        self._is_telling = False

    @property
    def head(self) -> int:
        """The newest height; 0 before the first block."""
        return self._head

    def advance(self, height: int, make: Callable[[], StreamBlock]) -> None:
        """Tell those who follow: this height is committed.

        Args:
            make: makes the block's run from what is in memory, so that nobody reads the store for
                it. Called only if somebody follows.
        """
        assert height == self._head + 1
        self._head = height
        if self._followers:
            self._keep(make())
            # Who is to be told of an earlier block still keeps his place before the others.
            self._untold |= self._followers
            if not self._is_telling:
                self._is_telling = True
                asyncio.get_running_loop().call_soon(self._tell_some)

    def join(self, tell: Tell) -> None:
        """Follow at the head: be called whenever it has moved."""
        self._followers[tell] = None

    def leave(self, tell: Tell) -> None:
        """Follow no longer."""
        self._followers.pop(tell, None)
        self._untold.pop(tell, None)

    def recent(self, height: int) -> StreamBlock | None:
        """Return the run of a committed height if it is in memory."""
        return self._blocks.get(height)

    def block(self, height: int) -> StreamBlock:
        """Return the run of a committed height.

        Raises:
            Whatever loading raises where it is no longer kept.
        """
        assert 1 <= height <= self._head
        block = self._blocks.get(height)
        if block is None:
            block = self._load(height)
            # Those who replay history must not push out what the many at the head share.
            if height > self._head - self._blocks_max:
                self._keep(block)
        return block

    async def read(
        self, height: int, wanted: StreamFilter, start: int
    ) -> tuple[Cursor, Sequence[Portion]]:
        """Return the block's end, and what a subscriber is to be sent of it from this index on.

        History is read by one subscriber at a time, and then rests: however many replay from the
        beginning, most of the loop's time is left for consensus.

        Raises:
            Whatever loading raises where it is no longer kept.
        """
        if height in self._blocks or height == self._head:
            block = self.block(height)
            return block.end, block.portions(wanted, start)
        async with self._resting():
            block = self.block(height)
            portions = block.portions(wanted, start)
        return block.end, portions

    async def run(self, height: int) -> StreamBlock:
        """Return the run of a committed height; history as `read` does, one at a time with a rest.

        Raises:
            Whatever loading raises where it is no longer kept.
        """
        if height in self._blocks or height == self._head:
            return self.block(height)
        async with self._resting():
            return self.block(height)

    @contextlib.asynccontextmanager
    async def _resting(self) -> AsyncIterator[None]:
        """Let one reader of history at a time do its work, and rest after it."""
        loop = asyncio.get_running_loop()
        async with self._replaying:
            began = loop.time()
            yield
            await asyncio.sleep(REPLAY_REST * (loop.time() - began))

    def end(self, height: int) -> Cursor:
        """Return the cursor after which this height has nothing more."""
        return self.block(height).end if height else Cursor(height=0, index=0)

    def _tell_some(self) -> None:
        """Tell the first of those who are to be told, and the rest after a rest."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        with self._stage:
            for tell in list(itertools.islice(self._untold, TOLD_AT_ONCE)):
                # He may have left meanwhile.
                if tell in self._untold:
                    del self._untold[tell]
                    tell()
        self._is_telling = bool(self._untold)
        if self._is_telling:
            loop.call_later(TELLING_REST * (loop.time() - began), self._tell_some)

    def _keep(self, block: StreamBlock) -> None:
        self._blocks[block.height] = block
        self._items_kept += block.length
        while len(self._blocks) > 1 and (
            len(self._blocks) > self._blocks_max or self._items_kept > self._items_max
        ):
            _, dropped = self._blocks.popitem(last=False)
            self._items_kept -= dropped.length
