"""Which messages a block is, how each is named, and where a stream stands by its last one. Pure.

Of the numbered stream (`node.rpc.stream`) the blocks and the events are published, each as
everybody is sent it. That choice is no setting: two nodes that publish to one stream have to agree
on which message follows which.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from node.rpc.stream import Cursor, StreamBlock, Topic
from node.stream.errors import StreamForeign, StreamUnusable

PUBLISHED: Final = frozenset({Topic.BLOCKS, Topic.EVENTS})
GAP_INDEX: Final = 999_999_999
"""Index of the cursor of a gap: the largest that there is, so nothing of that height follows."""

MESSAGE_ID: Final = "Nats-Msg-Id"
EXPECTED_STREAM: Final = "Nats-Expected-Stream"
EXPECTED_LAST_SEQUENCE: Final = "Nats-Expected-Last-Sequence"
EXPECTED_LAST_ID: Final = "Nats-Expected-Last-Msg-Id"
NETWORK: Final = "Khazana-Network"
"""The hash of the genesis: names of networks are not unique."""
BLOCK: Final = "Khazana-Block"
"""The id of the block that the message belongs to."""

_DESCRIBED: Final = "Blocks and events of the network "
_HASH: Final = re.compile(r"[0-9a-f]{64}\Z")
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message, before it is known what the stream's last one is."""

    subject: str
    cursor: Cursor
    block_id: str
    """Hexadecimal; empty for a gap, which belongs to none."""
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a stream stands."""

    sequence: int
    """Of the last message that it was given, 0 before the first."""
    cursor: Cursor | None
    """Up to where its messages go; None: it has none."""
    block_id: str = ""
    """Of the block of its last message; empty after a gap."""
    messages: int = 0
    """How many it has."""


class Naming:
    """How the messages of one network are named."""

    def __init__(
        self,
        network: str,
        genesis_hash: bytes,
        *,
        stream: str | None = None,
        prefix: str | None = None,
    ) -> None:
        self.prefix = prefix or f"khazana.{network}"
        self.stream = stream or f"khazana-{network}"
        self.network = genesis_hash.hex()

    @property
    def subjects(self) -> str:
        """All subjects of the network, as a stream names what it takes."""
        return f"{self.prefix}.>"

    @property
    def description(self) -> str:
        """Of a stream that a node makes: whose it is while it has no message that says so."""
        return f"{_DESCRIBED}{self.network}"

    def judge_empty(self, description: str | None) -> None:
        """Refuse an empty stream that was made for another chain; one without a word is free.

        Raises:
            StreamForeign: it was; says for which.
        """
        _, marked, network = (description or "").partition(_DESCRIBED)
        if marked and network != self.network:
            raise StreamForeign(
                f"stream {self.stream} was made for the network {network[:64]!r}, this node's is"
                f" {self.network}"
            )

    def messages(self, block: StreamBlock, start: int) -> Iterator[Message]:
        """Yield the messages of a block from this index on, each made when it is asked for."""
        block_id = block.block_id.hex()
        for index in range(start, block.length):
            item = block.items[index]
            if item.topic in PUBLISHED:
                yield Message(
                    subject=self._subject(item.topic, item.kind),
                    cursor=Cursor(height=block.height, index=index),
                    block_id=block_id,
                    body=item.entry(block.height, index),
                )

    def gap(self, after: Cursor | None, from_height: int) -> Message:
        """Return what stands in the place of blocks that nobody has any more.

        Args:
            after: up to where the stream goes; None: it is empty.
            from_height: of the first block that follows.
        """
        cursor = Cursor(height=from_height - 1, index=GAP_INDEX)
        value = {"after": None if after is None else str(after), "from_height": from_height}
        body = _encode({"cursor": str(cursor), "topic": "gap", "value": value})
        return Message(subject=f"{self.prefix}.gap", cursor=cursor, block_id="", body=body)

    def headers(
        self, message: Message, expected_last: int, after: Cursor | None = None
    ) -> dict[str, str]:
        """Return the headers of a message that is to follow the one with this sequence.

        Args:
            after: the message that has been sent before it, whose place somebody else's may have
                taken since; None: where the stream stands has just been asked.
        """
        headers = {
            MESSAGE_ID: str(message.cursor),
            EXPECTED_STREAM: self.stream,
            EXPECTED_LAST_SEQUENCE: str(expected_last),
            NETWORK: self.network,
        }
        if after is not None:
            headers[EXPECTED_LAST_ID] = str(after)
        if message.block_id:
            headers[BLOCK] = message.block_id
        return headers

    def standing(self, sequence: int, headers: Mapping[str, str], messages: int) -> Standing:
        """Return where a stream stands whose last message has these headers.

        Raises:
            StreamForeign: the message is another network's.
            StreamUnusable: it is nobody's that we know.
        """
        network, block_id = headers.get(NETWORK), headers.get(BLOCK, "")
        if network is None:
            raise StreamUnusable(
                f"the last message of stream {self.stream} is of no network: somebody who is no"
                f" node publishes to {self.subjects}. Forbid that, and purge the subject of that"
                " message; publishing goes on behind what is left"
            )
        if network != self.network:
            raise StreamForeign(
                f"the last message of stream {self.stream} is of the network {network[:64]!r}, this"
                f" node's is {self.network}"
            )
        try:
            cursor = Cursor.parse(headers.get(MESSAGE_ID, ""))
        except ValueError as error:
            raise StreamUnusable(
                f"message {sequence} of stream {self.stream} names no place: {error}"
            ) from None
        if block_id and not _HASH.match(block_id):
            raise StreamUnusable(f"message {sequence} of stream {self.stream} names no block")
        return Standing(sequence=sequence, cursor=cursor, block_id=block_id, messages=messages)

    def _subject(self, topic: Topic, kind: str) -> str:
        return f"{self.prefix}.{topic}.{kind}" if kind else f"{self.prefix}.{topic}"


def following(cursor: Cursor | None) -> tuple[int, int]:
    """Return height and index of what comes after a cursor."""
    if cursor is None or cursor.height == 0:
        return 1, 0
    if cursor.index == GAP_INDEX:
        return cursor.height + 1, 0
    return cursor.height, cursor.index + 1
