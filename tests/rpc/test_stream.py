"""The numbered stream: cursors, filters, and reading on without a gap."""

import asyncio
import itertools
import json
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.rpc.stream import (
    PORTION_BYTES,
    PORTIONS_KEPT_MAX,
    TOLD_AT_ONCE,
    Cursor,
    Feed,
    Mentions,
    Portion,
    StreamBlock,
    StreamFilter,
    StreamItem,
    Tell,
    Topic,
)


class Loads:
    """Blocks by height, and which of them were read from the store."""

    def __init__(self, *, transactions: int = 2) -> None:
        self.heights: list[int] = []
        self.expanded: list[int] = []
        self._transactions = transactions

    def __call__(self, height: int) -> StreamBlock:
        self.heights.append(height)
        return self.make(height)

    def make(self, height: int) -> StreamBlock:
        def item(topic: Topic, name: str, *accounts: str) -> StreamItem:
            return StreamItem(
                topic,
                lambda: f'"{height}:{name}"'.encode(),
                lambda: Mentions(accounts=frozenset(accounts)),
            )

        def rest() -> Sequence[StreamItem]:
            self.expanded.append(height)
            items = []
            for index in range(self._transactions):
                items.append(item(Topic.TRANSACTIONS, f"tx{index}", f"a{index}"))
                items.append(item(Topic.EVENTS, f"ev{index}", f"a{index}", "shared"))
            return items

        opening = [item(Topic.BLOCKS, "block"), item(Topic.RECEIPTS, "receipts")]
        length = 2 + 2 * self._transactions
        return StreamBlock(height, opening, rest, length=length, block_id=bytes(32))


def make_feed(loads: Loads, *, head: int = 0, blocks_max: int = 3, items_max: int = 100) -> Feed:
    return Feed(head=head, load=loads, blocks_max=blocks_max, items_max=items_max)


def wanted(*topics: Topic, accounts: Sequence[str] | None = None) -> StreamFilter:
    return StreamFilter(
        topics=frozenset(topics), accounts=None if accounts is None else frozenset(accounts)
    )


def selected(block: StreamBlock, filter_: StreamFilter, start: int = 0) -> list[tuple[str, str]]:
    chosen = block.select(filter_, start)
    entries = [json.loads(entry) for _, entry in chosen]
    assert [entry["cursor"] for entry in entries] == [
        str(Cursor(height=block.height, index=index)) for index, _ in chosen
    ]
    return [(entry["cursor"], entry["value"].partition(":")[2]) for entry in entries]


@pytest.mark.parametrize("text", ["0-0", "1-0", "999999999999999999-999999999"])
def test_cursor_reads_back_as_it_was_written(text: str) -> None:
    assert str(Cursor.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1-",
        "-1",
        "1--1",
        "01-0",
        "1-00",
        "1-0 ",
        " 1-0",
        "1-0\n",
        "1.0-0",
        "+1-0",
        "a-b",
        "1000000000000000000-0",
        "١-٠",
    ],
)
def test_other_text_is_no_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="height-index"):
        Cursor.parse(text)


def test_numbering_does_not_depend_on_the_filter() -> None:
    block = Loads().make(7)

    everything = selected(block, wanted(*Topic))

    assert everything == [
        ("7-0", "block"),
        ("7-1", "receipts"),
        ("7-2", "tx0"),
        ("7-3", "ev0"),
        ("7-4", "tx1"),
        ("7-5", "ev1"),
    ]
    assert selected(block, wanted(Topic.EVENTS)) == [("7-3", "ev0"), ("7-5", "ev1")]
    assert str(block.end) == "7-5"


@pytest.mark.parametrize(
    ("topics", "accounts", "names"),
    [
        ((Topic.TRANSACTIONS,), ["a1"], ["tx1"]),
        ((Topic.EVENTS,), ["shared"], ["ev0", "ev1"]),
        ((Topic.EVENTS, Topic.TRANSACTIONS), ["a0", "a1"], ["tx0", "ev0", "tx1", "ev1"]),
        ((Topic.BLOCKS, Topic.EVENTS), ["a1"], ["block", "ev1"]),
        ((Topic.RECEIPTS, Topic.EVENTS), ["nobody"], ["receipts"]),
    ],
)
def test_account_filter_narrows_transactions_and_events_only(
    topics: tuple[Topic, ...], accounts: list[str], names: list[str]
) -> None:
    found = selected(Loads().make(7), wanted(*topics, accounts=accounts))

    assert [name for _, name in found] == names


def test_selection_starts_at_the_index_asked_for() -> None:
    block = Loads().make(7)

    assert selected(block, wanted(*Topic), 4) == [("7-4", "tx1"), ("7-5", "ev1")]
    assert selected(block, wanted(Topic.EVENTS, accounts=["shared"]), 4) == [("7-5", "ev1")]
    assert selected(block, wanted(*Topic), 6) == []


def test_who_follows_blocks_and_receipts_does_not_make_the_other_items() -> None:
    loads = Loads()

    selected(loads.make(7), wanted(Topic.BLOCKS, Topic.RECEIPTS))

    assert not loads.expanded


async def test_follower_is_told_of_each_block_from_memory_until_he_leaves() -> None:
    loads = Loads()
    feed = make_feed(loads)
    heads: list[int] = []

    def tell() -> None:
        heads.append(feed.head)

    feed.join(tell)
    for height in (1, 2):
        feed.advance(height, partial(loads.make, height))
        await told(feed)
    feed.leave(tell)
    feed.advance(3, lambda: pytest.fail("made for nobody"))
    await told(feed)

    assert heads == [1, 2]
    assert feed.block(2).height == 2
    assert not loads.heights


async def told(feed: Feed) -> None:
    """Return once all have been told."""
    await until(lambda: not feed._is_telling)


async def until(condition: Callable[[], bool]) -> None:
    for _ in itertools.count():
        if condition():
            return
        await asyncio.sleep(0)


async def test_nobody_waiting_means_nothing_is_made() -> None:
    feed = make_feed(Loads())

    feed.advance(1, lambda: pytest.fail("made for nobody"))


async def test_blocks_at_the_head_are_read_once_and_replay_does_not_push_them_out() -> None:
    loads = Loads()
    feed = make_feed(loads, head=10)

    for height in (9, 10, 1, 2, 3, 4, 9, 10):
        feed.block(height)

    assert loads.heights == [9, 10, 1, 2, 3, 4]


async def test_kept_items_are_bounded() -> None:
    loads = Loads(transactions=20)
    feed = make_feed(loads, head=10, blocks_max=10, items_max=100)

    for height in range(1, 11):
        feed.block(height)

    assert len(feed._blocks) == 2
    assert feed._items_kept == 84


async def test_end_of_nothing_is_before_everything() -> None:
    loads = Loads()

    assert str(make_feed(loads).end(0)) == "0-0"
    assert str(make_feed(loads, head=3).end(3)) == "3-5"


async def test_history_is_read_by_one_at_a_time_and_then_rests() -> None:
    loads = Loads()
    feed = make_feed(loads, head=100, blocks_max=1)
    order: list[str] = []

    async def replay(name: str, height: int) -> None:
        await feed.read(height, wanted(*Topic), 0)
        order.append(name)

    async with asyncio.TaskGroup() as group:
        for height in range(1, 4):
            group.create_task(replay(f"old {height}", height), name="replay")
        group.create_task(replay("head", 100), name="live")

    assert order == ["head", "old 1", "old 2", "old 3"]
    assert loads.heights == [1, 100, 2, 3]


async def test_reading_renders_what_is_wanted_and_nothing_else() -> None:
    loads = Loads()
    feed = make_feed(loads, head=1)

    end, (portion,) = await feed.read(1, wanted(Topic.EVENTS), 4)

    assert str(end) == "1-5"
    assert entries_of(portion) == [{"cursor": "1-5", "topic": "events", "value": "1:ev1"}]
    rendered = [item._entry is not None for item in feed.block(1).items]
    assert rendered == [False, False, False, False, False, True]


async def test_many_followers_are_told_a_few_in_a_turn() -> None:
    feed, count = make_feed(Loads(), head=1), 0

    def tell() -> None:
        nonlocal count
        count += 1

    for _ in range(10 * TOLD_AT_ONCE):
        feed.join(lambda: tell())
    feed.advance(2, lambda: Loads().make(2))

    before, most = 0, 0
    while feed._is_telling:
        await asyncio.sleep(0)
        before, most = count, max(most, count - before)
    assert count == 10 * TOLD_AT_ONCE
    assert most == TOLD_AT_ONCE
    assert not feed._untold


async def test_who_was_not_told_of_the_last_block_goes_first_and_is_called_once_for_both() -> None:
    feed, order = make_feed(Loads(), head=1), list[int]()

    def follower(number: int) -> Tell:
        return lambda: order.append(number)

    for number in range(TOLD_AT_ONCE + 1):
        feed.join(follower(number))
    feed.advance(2, lambda: Loads().make(2))
    await until(lambda: len(order) == TOLD_AT_ONCE)
    feed.advance(3, lambda: Loads().make(3))
    await told(feed)

    assert order == [*range(TOLD_AT_ONCE + 1), *range(TOLD_AT_ONCE)]


async def test_follower_who_leaves_while_others_are_told_is_not_told() -> None:
    feed = make_feed(Loads(), head=1)

    def last() -> None:
        pytest.fail("told after leaving")

    feed.join(lambda: feed.leave(last))
    feed.join(last)
    feed.advance(2, lambda: Loads().make(2))
    await told(feed)

    assert last not in feed._followers


@given(
    st.lists(
        st.tuples(
            st.sets(st.sampled_from(Topic), min_size=1),
            st.none() | st.sets(st.sampled_from(["a0", "a1", "shared", "nobody"]), min_size=1),
            st.integers(0, 6),
        )
    )
)
def test_everybody_is_given_what_asking_item_by_item_finds(
    readers: list[tuple[set[Topic], set[str] | None, int]],
) -> None:
    block, twin = Loads().make(7), Loads().make(7)
    for topics, accounts, start in readers:
        filter_ = wanted(*topics, accounts=None if accounts is None else sorted(accounts))

        assert list(block.select(filter_, start)) == [
            (index, item.entry(7, index))
            for index, item in enumerate(twin.items)
            if index >= start and filter_.wants(item)
        ]


def test_what_many_want_is_chosen_and_written_once() -> None:
    block = Loads().make(7)

    first = block.portions(wanted(Topic.EVENTS), 0)

    assert block.portions(wanted(Topic.EVENTS), 0) is first
    (whole,) = block.portions(wanted(Topic.EVENTS, Topic.BLOCKS), 0)
    assert entries_of(whole)[1:] == entries_of(first[0])


def test_what_is_kept_of_a_block_for_many_is_bounded() -> None:
    block = Loads().make(7)

    for count in range(1, 5):
        for topics in itertools.combinations(Topic, count):
            block.portions(wanted(*topics), 0)

    assert len(block._portions) == PORTIONS_KEPT_MAX


def test_portions_hold_everything_once_and_each_ends_where_the_next_begins() -> None:
    block = Loads(transactions=3_000).make(7)

    portions = block.portions(wanted(Topic.EVENTS, Topic.BLOCKS), 0)

    assert len(portions) > 2
    assert max(len(portion.told) for portion in portions) < 2 * PORTION_BYTES
    found: list[str] = []
    for portion in portions:
        found += [entry["cursor"] for entry in entries_of(portion)]
        assert portion is portions[-1] or found[-1] == str(portion.end)
    assert found == [cursor for cursor, _ in selected(block, wanted(Topic.EVENTS, Topic.BLOCKS))]
    assert portions[-1].end == block.end


def entries_of(portion: Portion) -> list[dict[str, str]]:
    value = json.loads(b"{%b}" % portion.told)
    assert value["cursor"] == str(portion.end)
    entries: list[dict[str, str]] = value["items"]
    return entries
