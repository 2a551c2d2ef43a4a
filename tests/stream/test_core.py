"""The pure core: what a block is as messages, what answers mean, and courses over a bad line."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.rpc.stream import Cursor, StreamBlock, StreamItem, Topic
from node.stream.answers import (
    ANSWER_SIZE_MAX,
    REASON_MAX,
    Answer,
    Full,
    Passed,
    Refused,
    Stored,
    parse_answer,
)
from node.stream.course import IN_FLIGHT_BYTES_MAX, IN_FLIGHT_MAX, Course
from node.stream.errors import StreamUnusable
from node.stream.messages import (
    BLOCK,
    EXPECTED_LAST_ID,
    EXPECTED_LAST_SEQUENCE,
    EXPECTED_STREAM,
    GAP_INDEX,
    MESSAGE_ID,
    NETWORK,
    Naming,
    Standing,
    following,
)

GENESIS = bytes(range(32))
NAMING = Naming("testnet", GENESIS)
EMPTY = Standing(sequence=0, cursor=None)


def at(text: str) -> Cursor:
    return Cursor.parse(text)


def block_of(height: int, *kinds: str) -> StreamBlock:
    """Return a block with an event of each kind, each after its transaction."""

    def item(topic: Topic, kind: str = "") -> StreamItem:
        return StreamItem(topic, lambda: b"{}", kind=kind)

    opening = [item(Topic.BLOCKS), item(Topic.RECEIPTS)]
    rest = [each for kind in kinds for each in (item(Topic.TRANSACTIONS), item(Topic.EVENTS, kind))]
    length = 2 + len(rest)
    return StreamBlock(height, opening, lambda: rest, length=length, block_id=b"\xab" * 32)


def test_a_block_is_its_header_and_its_events() -> None:
    block = block_of(7, "transferred", "issued")

    messages = list(NAMING.messages(block, 0))

    assert [(each.subject, str(each.cursor)) for each in messages] == [
        ("khazana.testnet.blocks", "7-0"),
        ("khazana.testnet.events.transferred", "7-3"),
        ("khazana.testnet.events.issued", "7-5"),
    ]
    assert messages[1].body == b'{"cursor":"7-3","topic":"events","value":{}}'
    assert [str(each.cursor) for each in NAMING.messages(block, 4)] == ["7-5"]
    assert list(NAMING.messages(block, block.length)) == []


def test_headers_name_the_place_the_network_and_the_block() -> None:
    (message,) = NAMING.messages(block_of(7), 0)

    headers = {
        MESSAGE_ID: "7-0",
        EXPECTED_STREAM: "khazana-testnet",
        EXPECTED_LAST_SEQUENCE: "41",
        NETWORK: GENESIS.hex(),
        BLOCK: "ab" * 32,
    }
    assert NAMING.headers(message, 41) == headers
    after = NAMING.headers(message, 41, at("6-3"))
    assert after == {**headers, EXPECTED_LAST_ID: "6-3"}


def test_where_a_stream_stands_is_read_from_its_last_message() -> None:
    (message,) = NAMING.messages(block_of(7), 0)

    standing = NAMING.standing(42, NAMING.headers(message, 41), 42)

    assert standing == Standing(sequence=42, cursor=at("7-0"), block_id="ab" * 32, messages=42)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "is of no network"),
        ({NETWORK: "00" * 32, MESSAGE_ID: "7-0"}, "give each chain a stream of its own"),
        ({NETWORK: GENESIS.hex()}, "names no place"),
        ({NETWORK: GENESIS.hex(), MESSAGE_ID: "7"}, "names no place"),
        ({NETWORK: GENESIS.hex(), MESSAGE_ID: "7-0", BLOCK: "AB" * 32}, "names no block"),
    ],
)
def test_a_stream_of_somebody_else_is_refused(headers: dict[str, str], said: str) -> None:
    with pytest.raises(StreamUnusable, match=said):
        NAMING.standing(3, headers, 3)


@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        (None, (1, 0)),
        ("0-0", (1, 0)),
        ("1-0", (1, 1)),
        ("7-5", (7, 6)),
        (f"499-{GAP_INDEX}", (500, 0)),
    ],
)
def test_what_follows_a_cursor(cursor: str | None, expected: tuple[int, int]) -> None:
    assert following(None if cursor is None else at(cursor)) == expected


def test_a_gap_says_what_is_missing_and_is_followed_by_the_first_block_that_is_not() -> None:
    gap = NAMING.gap(at("120-3"), 500)

    assert gap.subject == "khazana.testnet.gap"
    assert gap.body == (
        b'{"cursor":"499-999999999","topic":"gap","value":{"after":"120-3","from_height":500}}'
    )
    assert following(gap.cursor) == (500, 0)
    assert BLOCK not in NAMING.headers(gap, 8)
    assert b'"after":null' in NAMING.gap(None, 500).body


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"stream":"s","seq":7}', Stored(7, duplicate=False)),
        (b'{"stream":"s","seq":7,"duplicate":true,"domain":"x"}', Stored(7, duplicate=True)),
        (
            b'{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 9"}}',
            Passed(),
        ),
        (
            b'{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}}',
            Full("maximum bytes exceeded (10077)"),
        ),
        (
            b'{"error":{"code":400,"err_code":10060,"description":"expected stream"}}',
            Refused("expected stream (10060)"),
        ),
    ],
)
def test_answers(data: bytes, expected: Answer) -> None:
    assert parse_answer(data) == expected


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"{}", b'{"seq":-1}', b'{"seq":"7"}', b'{"seq":0}', b'{"error":7}', b"\xff"],
)
def test_an_answer_that_says_nothing_is_a_refusal(data: bytes) -> None:
    assert isinstance(parse_answer(data), Refused)


def test_answers_and_their_words_are_bounded() -> None:
    large = b'{"seq":7,"x":"' + b"x" * ANSWER_SIZE_MAX + b'"}'
    wordy = b'{"error":{"err_code":1,"description":"' + b"w" * 2_000 + b'"}}'
    refused = parse_answer(wordy)

    assert isinstance(parse_answer(large), Refused)
    assert isinstance(refused, Refused)
    assert len(refused.reason) < REASON_MAX + 10
    assert parse_answer(b"", "503") == Refused("no stream takes it: status '503'")


def test_a_course_sends_no_more_than_it_may() -> None:
    course = Course(Standing(sequence=0, cursor=at("1-0")))

    for number in range(1, IN_FLIGHT_MAX + 1):
        assert course.has_room(100)
        assert course.send(Cursor(height=1, index=number), 100) == number

    assert not course.has_room(100)
    course.answer(2, Stored(2, duplicate=False))
    assert course.has_room(100)
    assert (course.sequence, course.in_flight) == (0, IN_FLIGHT_MAX - 1)
    course.answer(1, Stored(1, duplicate=True))
    assert (course.sequence, course.cursor) == (2, at("1-2"))


def test_a_message_that_is_larger_than_all_may_be_goes_alone() -> None:
    course = Course(EMPTY)

    assert course.has_room(2 * IN_FLIGHT_BYTES_MAX)
    course.send(at("1-0"), 2 * IN_FLIGHT_BYTES_MAX)

    assert not course.has_room(1)
    course.answer(1, Stored(1, duplicate=False))
    assert course.has_room(1)


def test_into_an_empty_stream_one_message_goes_alone_until_it_is_known_to_be_ours() -> None:
    course, late = Course(EMPTY), Course(EMPTY)
    for each in (course, late):
        each.send(at("1-0"), 1)
        assert not each.has_room(1)

    course.answer(1, Stored(1, duplicate=False))
    late.answer(1, Stored(1, duplicate=True))

    assert (course.end, course.has_room(1)) == (None, True)
    assert late.end == Passed()


@pytest.mark.parametrize(
    "answer", [Passed(), Full("full"), Refused("no"), Stored(9, duplicate=True)]
)
def test_a_course_ends_by_the_first_that_is_not_where_it_should_be(answer: Answer) -> None:
    course = Course(Standing(sequence=4, cursor=at("3-0")))
    course.send(at("3-2"), 1)
    course.send(at("3-4"), 1)

    course.answer(5, answer)
    course.answer(6, Refused("later"))

    expected = Passed() if isinstance(answer, Stored) else answer
    assert course.end == expected
    assert (course.sequence, course.cursor) == (4, at("3-0"))


ALL = [Cursor(height=height, index=index) for height in range(1, 7) for index in (0, 3, 5)]
"""What is to be published, in order."""


@dataclass
class Server:
    """What JetStream keeps to, on one page: it knows the last few ids, and the last sequence."""

    remembered: int
    kept: list[Cursor | None] = field(default_factory=list)
    """None: what somebody else has published, who is no node. It is deleted again."""
    chains: list[str] = field(default_factory=list)
    """Of which chain each is that a node has published; the server does not look at it."""
    room: int = 0

    @property
    def of_nodes(self) -> list[Cursor]:
        return [each for each in self.kept if each is not None]

    def take(self, cursor: Cursor, expected_last: int, after: Cursor | None, chain: str) -> Answer:
        known = self.kept[-self.remembered :] if self.remembered else []
        if cursor in known:
            return Stored(self.kept.index(cursor) + 1, duplicate=True)
        if len(self.kept) != expected_last or (after is not None and self.kept[-1] != after):
            return Passed()
        if not self.room:
            return Full("full")
        self.room -= 1
        self.kept.append(cursor)
        self.chains.append(chain)
        return Stored(len(self.kept), duplicate=False)


@dataclass
class Sender:
    """A publisher without a loop: what it has sent, and what is on the way either way."""

    server: Server
    chain: str = "one"
    course: Course = field(default_factory=lambda: Course(EMPTY))
    there: deque[tuple[int, Cursor, Cursor | None]] = field(default_factory=deque)
    back: deque[tuple[int, Answer]] = field(default_factory=deque)
    place: int = 0
    is_refused: bool = False
    """Whether it has seen that the stream is another chain's."""

    def locate(self) -> None:
        """Ask where the stream stands; what is on the way stays there."""
        self.is_refused = bool(self.server.chains) and self.server.chains[-1] != self.chain
        last = self.server.of_nodes[-1] if self.server.of_nodes else None
        self.course = Course(Standing(sequence=len(self.server.kept), cursor=last))
        self.place = 0 if last is None else ALL.index(last) + 1
        self.back.clear()

    def step(self, action: str) -> None:
        match action:
            case "send" if self.course.end is not None:
                self.locate()
            case "send" if self.is_refused:
                pass
            case "send" if self.place < len(ALL) and self.course.has_room(1):
                cursor, after = ALL[self.place], self.course.sent
                self.there.append((self.course.send(cursor, 1), cursor, after))
                self.place += 1
            case "arrive" if self.there:
                sequence, cursor, after = self.there.popleft()
                answer = self.server.take(cursor, sequence - 1, after, self.chain)
                self.back.append((sequence, answer))
            case "answer" if self.back:
                self.course.answer(*self.back.popleft())
            case "lose" if self.there:
                self.there.popleft()
            case "cut":
                # What the server has read it may still store, after the next connection is there.
                self.locate()
            case "stray":
                self.server.kept.append(None)
            case "room":
                self.server.room += 3
            case _:
                pass  # There is nothing to do it to.


ACTIONS = (
    *("send", "send", "arrive", "arrive", "answer", "answer"),
    *("lose", "cut", "stray", "room", "room"),
)


@given(
    remembered=st.sampled_from((0, 2, 100)),
    steps=st.lists(st.tuples(st.integers(0, 1), st.sampled_from(ACTIONS)), max_size=200),
)
@settings(max_examples=100, deadline=None)
def test_over_a_bad_line_all_is_there_once_and_in_order(
    remembered: int, steps: Sequence[tuple[int, str]]
) -> None:
    server = Server(remembered)
    senders = (Sender(server), Sender(server))
    for who, action in steps:
        senders[who].step(action)
        assert server.of_nodes == ALL[: len(server.of_nodes)]
        for sender in senders:
            assert sender.course.sequence <= len(server.kept)

    # The line mends, and each asks once more.
    server.room = len(ALL)
    for sender in senders:
        for _ in range(len(ALL)):
            sender.step("arrive")
        sender.locate()
        for _ in range(len(ALL)):
            for action in ("send", "arrive", "answer"):
                sender.step(action)
        assert sender.course.end is None

    assert server.of_nodes == ALL


@given(
    remembered=st.sampled_from((0, 2, 100)),
    steps=st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from(("send", "arrive", "answer", "cut"))),
        min_size=10,
        max_size=40,
    ),
)
@settings(max_examples=200, deadline=None)
def test_of_two_chains_whose_messages_are_called_the_same_one_has_the_stream(
    remembered: int, steps: Sequence[tuple[int, str]]
) -> None:
    server = Server(remembered, room=len(ALL))
    senders = (Sender(server, "one"), Sender(server, "other"))
    for who, action in steps:
        senders[who].step(action)
        assert len(set(server.chains)) <= 1
