"""Committed blocks as runs of the stream: what each item of a block is, and what it says.

=============  ====================================================================================
`blocks`       the header, with the block's id
`receipts`     height, block_id, time, and `[id, outcome code]` of every transaction, in order
`transactions` id, place and outcome; `khz_transaction` has the rest
`events`       an event of the ledger; `transaction` is the id it belongs to, null for what fell
               due by time
=============  ====================================================================================

In a block, what fell due comes before the transactions: so it was applied.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import msgspec

from node.blocks import Header
from node.chain import Committed
from node.codec import Record
from node.ledger.events import Event
from node.ledger.outcomes import Outcome
from node.ledger.transition import Receipt
from node.rpc import results
from node.rpc.limits import RpcLimits
from node.rpc.places import Places
from node.rpc.rendering import render_time, snake
from node.rpc.results import Object
from node.rpc.services import RpcServices
from node.rpc.stream import Feed, Mentions, StreamBlock, StreamItem, Topic
from node.rpc.views import Views

_OUTCOME_OF: Final[Callable[[Receipt], Outcome]] = attrgetter("outcome")
_encode: Final = msgspec.json.Encoder().encode
_KINDS: Final[dict[type[Record], str]] = {}


class BlockItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of `blocks`."""

    height: int
    block_id: str
    time: str
    header: results.HeaderView


class ReceiptsItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of `receipts`."""

    height: int
    block_id: str
    time: str
    receipts: list[tuple[str, int]]


class TransactionItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of `transactions`."""

    height: int
    index: int
    time: str
    id: str
    outcome: results.OutcomeView


class EventItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of `events`."""

    height: int
    time: str
    transaction: str | None
    event: Object


def feed_of(services: RpcServices, views: Views, places: Places, limits: RpcLimits) -> Feed:
    """Return the stream of this node's chain, kept up by each commit."""
    timeline = Timeline(views, places)
    feed = Feed(
        head=services.chain.head.height,
        load=timeline.stored,
        blocks_max=limits.stream_blocks_max,
        items_max=limits.stream_items_max,
        stage=services.metrics.stages.serve,
    )

    def committed(block: Committed) -> None:
        with services.metrics.stages.serve:
            feed.advance(block.candidate.height, lambda: timeline.committed(block))

    services.chain.listeners.append(committed)
    return feed


class Timeline:
    """Makes the runs."""

    def __init__(self, views: Views, places: Places) -> None:
        self._views = views
        self._places = places

    def committed(self, committed: Committed) -> StreamBlock:
        """Return the run of a block that was just committed, from what is in memory."""
        candidate = committed.candidate
        return self._run(
            candidate.header,
            candidate.block_id,
            candidate.transaction_ids,
            candidate.receipts,
            candidate.events,
            candidate.block.transactions,
        )

    def stored(self, height: int) -> StreamBlock:
        """Return the run of an earlier block, from the store.

        Raises:
            Pruned: it is no longer kept.
        """
        stored = self._places.block(height)
        return self._run(
            stored.block.header,
            stored.certificate.block_id,
            self._places.ids(stored),
            stored.receipts.decoded(),
            stored.receipts.block_events(),
            stored.block.transactions,
        )

    def _run(
        self,
        header: Header,
        block_id: bytes,
        ids: Sequence[bytes],
        receipts: Sequence[Receipt],
        events: Sequence[Event],
        raws: Sequence[bytes],
    ) -> StreamBlock:
        place = _Place(
            height=header.height, block_id=block_id.hex(), time=render_time(header.time_ms)
        )
        opening = (
            StreamItem(Topic.BLOCKS, lambda: self._block_item(place, header)),
            StreamItem(Topic.RECEIPTS, lambda: _receipts_item(place, ids, receipts)),
        )

        def rest() -> list[StreamItem]:
            items = [self._event(place, None, event) for event in events]
            for index, (identifier, receipt) in enumerate(zip(ids, receipts, strict=True)):
                items.append(self._transaction(place, index, identifier, receipt, raws[index]))
                items += [self._event(place, identifier, event) for event in receipt.events]
            return items

        of_transactions = sum([len(receipt.events) for receipt in receipts])
        length = 2 + len(events) + len(receipts) + of_transactions
        return StreamBlock(header.height, opening, rest, length=length, block_id=block_id)

    def _block_item(self, place: "_Place", header: Header) -> bytes:
        return _encode(
            BlockItem(
                height=place.height,
                block_id=place.block_id,
                time=place.time,
                header=self._views.header(header),
            )
        )

    def _transaction(
        self, place: "_Place", index: int, identifier: bytes, receipt: Receipt, raw: bytes
    ) -> StreamItem:
        def render() -> bytes:
            return _encode(
                TransactionItem(
                    height=place.height,
                    index=index,
                    time=place.time,
                    id=identifier.hex(),
                    outcome=self._views.receipt_outcome(receipt),
                )
            )

        def mention() -> Mentions:
            operations = self._places.decode(raw)[1].operations
            return self._mentions(operations)

        return StreamItem(Topic.TRANSACTIONS, render, mention)

    def _event(self, place: "_Place", identifier: bytes | None, event: Event) -> StreamItem:
        def render() -> bytes:
            return _encode(
                EventItem(
                    height=place.height,
                    time=place.time,
                    transaction=None if identifier is None else identifier.hex(),
                    event=self._views.renderer.record(event),
                )
            )

        return StreamItem(Topic.EVENTS, render, lambda: self._mentions((event,)), kind=_kind(event))

    def _mentions(self, records: Sequence[Record]) -> Mentions:
        accounts: set[str] = set()
        assets: set[str] = set()
        for record in records:
            self._views.renderer.mention(record, accounts, assets)
        return Mentions(frozenset(accounts), frozenset(assets))


def _kind(event: Event) -> str:
    """Return the kind of an event; there are few, so each is spelled once."""
    found = _KINDS.get(type(event))
    if found is None:
        found = _KINDS[type(event)] = snake(type(event).__name__)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    height: int
    block_id: str
    time: str


def _receipts_item(place: _Place, ids: Sequence[bytes], receipts: Sequence[Receipt]) -> bytes:
    return _encode(
        ReceiptsItem(
            height=place.height,
            block_id=place.block_id,
            time=place.time,
            # An outcome is spelled as its number.
            receipts=list(zip(map(bytes.hex, ids), map(_OUTCOME_OF, receipts), strict=True)),
        )
    )
