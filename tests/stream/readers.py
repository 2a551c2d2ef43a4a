"""What a reader of the stream gets, and what stands between a node and its server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import nats as library
from nats.aio.client import Client as NATS
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamConfig
from nats.js.manager import JetStreamManager

from node.ledger.operations import Transfer
from node.rpc.stream import Feed
from node.stream.link import Link, LinkSettings
from node.stream.messages import MESSAGE_ID, Message, Naming
from node.stream.publisher import Publisher
from tests.chain.town import BANK, CASH, address_of
from tests.rpc.solo import Solo
from tests.stream.servers import NatsServer

RETRY_S: Final = 0.2
MEMORY_S: Final = 0.1
"""How long a stream with a short memory knows what it was given; it forgets in rounds."""
WITHIN_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Read:
    """A message as a reader gets it."""

    subject: str
    cursor: str
    body: bytes


async def connected(server: NatsServer) -> NATS:
    """Return a client of a server, with more patience than two seconds."""
    return await library.connect(server.url, allow_reconnect=False, connect_timeout=int(WITHIN_S))


async def read_all(server: NatsServer, stream: str, *, subject: str = "") -> list[Read]:
    """Return every message of a stream, as its server delivers them to a consumer."""
    client = await connected(server)
    try:
        consumer = await client.jetstream(timeout=WITHIN_S).pull_subscribe(
            subject,
            stream=stream,
            config=ConsumerConfig(
                deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE, mem_storage=True
            ),
        )
        left = (await consumer.consumer_info()).num_pending
        assert left is not None
        found: list[Read] = []
        while len(found) < left:
            for each in await consumer.fetch(min(500, left - len(found)), timeout=WITHIN_S):
                cursor = (each.headers or {})[MESSAGE_ID]
                found.append(Read(each.subject, cursor, each.data))
        return found
    finally:
        await client.close()


def expected(solo: Solo, naming: Naming, *, first: int = 1) -> list[Read]:
    """Return what a stream of this chain has to hold."""
    return of_feed(solo.server.feed, naming, first=first)


def of_feed(feed: Feed, naming: Naming, *, first: int = 1) -> list[Read]:
    """Return the same of any node."""
    return [
        read_of(message)
        for height in range(first, feed.head + 1)
        for message in naming.messages(feed.block(height), 0)
    ]


def read_of(message: Message) -> Read:
    return Read(message.subject, str(message.cursor), message.body)


async def work(solo: Solo, blocks: int, *, transfers: int = 20) -> None:
    """Decide so many blocks, each of so many transfers, on the loop's time."""
    for number in range(blocks):
        operations = [
            Transfer(
                account=address_of(BANK, "a0"),
                to=address_of(BANK, "a1"),
                asset=CASH,
                amount=1 + number,
            )
            for _ in range(transfers)
        ]
        town = solo.town
        await town.decide(town.sign(town.body(operations, ["a0"]), ["a0"]))
        await asyncio.sleep(0)


def publisher_of(
    solo: Solo,
    url: str,
    *,
    gaps: bool = False,
    settings: LinkSettings | None = None,
    naming: Naming | None = None,
) -> Publisher:
    """Return what publishes this node's chain, not running."""
    genesis, history = solo.town.genesis, solo.town.chain.history

    def block_id(height: int) -> bytes | None:
        certificate = history.certificate(height)
        return None if certificate is None else certificate.block_id

    return Publisher(
        Link(settings or LinkSettings(server=url), naming or Naming(genesis.name, genesis.hash)),
        solo.server.feed,
        block_id=block_id,
        earliest=lambda: history.earliest,
        tells_gaps=gaps,
        metrics=solo.services.metrics,
        log=solo.services.log,
        retry_s_max=RETRY_S,
    )


@contextlib.asynccontextmanager
async def running(*publishers: Publisher) -> AsyncIterator[None]:
    """Run publishers; stop them on leaving."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each.run(), name="publisher") for each in publishers]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
    for each in publishers:
        await each.close()


async def arrived(solo: Solo, publisher: Publisher) -> None:
    """Wait until the stream has all that the chain has."""
    feed = solo.server.feed
    *_, last = publisher.naming.messages(feed.block(feed.head), 0)
    async with asyncio.timeout(WITHIN_S):
        await publisher.reached(last.cursor)


async def failed(publisher: Publisher, said: str) -> None:
    """Wait until a publisher says that it cannot go on, and why."""
    async with asyncio.timeout(WITHIN_S):
        while publisher.failure is None or said not in publisher.failure:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # nobody is told of a failure but the log


class Proxy:
    """A line to a server that can be cut, or that lets nothing back."""

    def __init__(self, server: NatsServer) -> None:
        self._server = server
        self._listening: asyncio.Server | None = None
        self._lines: set[asyncio.StreamWriter] = set()
        self.swallows = False
        """Whether what the server answers is lost."""
        self.passes = asyncio.Event()
        """Set while what is sent there arrives; what waits meanwhile is not lost."""
        self.passes.set()
        self.holds: bytes | None = None
        """What is not let pass the first time that it is sent: from there on everything waits."""
        self.held = asyncio.Event()
        """Set once it was sent."""

    @property
    def url(self) -> str:
        assert self._listening is not None
        return f"nats://127.0.0.1:{self._listening.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> "Proxy":
        self._listening = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listening is not None
        self._listening.close()
        self.cut()
        await self._listening.wait_closed()

    def cut(self) -> None:
        """End every connection at once."""
        for line in tuple(self._lines):
            line.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._server.port)
        self._lines |= {writer, back}
        try:
            with contextlib.suppress(ConnectionError):
                await asyncio.gather(
                    self._pass(reader, back, False), self._pass(there, writer, True)
                )
        finally:
            self._lines -= {writer, back}
            writer.transport.abort()
            back.transport.abort()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: bool
    ) -> None:
        while data := await reader.read(1 << 16):
            if answers and self.swallows:
                continue
            if not answers:
                if self.holds is not None and self.holds in data:
                    self.holds = None
                    self.passes.clear()
                    self.held.set()
                await self.passes.wait()
            writer.write(data)
            await writer.drain()
        writer.transport.abort()


@contextlib.asynccontextmanager
async def manager(
    server: NatsServer, *, within_s: float = WITHIN_S
) -> AsyncIterator[JetStreamManager]:
    """Give what an operator edits streams with.

    Args:
        within_s: in which each answer has to come; none comes where no server leads yet.
    """
    client = await connected(server)
    try:
        yield client.jsm(timeout=within_s)
    finally:
        await client.close()


async def publish_first(server: NatsServer, solo: Solo, naming: Naming) -> None:
    """Publish the first message of a chain, and no second."""
    first = next(naming.messages(solo.server.feed.block(1), 0))
    client = await connected(server)
    try:
        await client.jetstream(timeout=WITHIN_S).publish(
            first.subject, first.body, headers=naming.headers(first, 0)
        )
    finally:
        await client.close()


async def publish(server: NatsServer, subject: str, count: int = 1) -> None:
    """Publish something into a stream, as somebody who is no node."""
    client = await connected(server)
    try:
        for _ in range(count - 1):
            await client.publish(subject, b"hello")
        await client.jetstream(timeout=WITHIN_S).publish(subject, b"hello")
    finally:
        await client.close()


async def edit(
    server: NatsServer, naming: Naming, *, create: bool = False, **config: object
) -> None:
    """Make the stream of a network, or change it, as an operator would."""
    whole = {
        "name": naming.stream,
        "subjects": [naming.subjects],
        "retention": "limits",
        "discard": "new",
    } | config
    async with manager(server) as streams:
        wanted = StreamConfig(**whole)  # type: ignore[arg-type]  # each is its field's
        await (streams.add_stream(wanted) if create else streams.update_stream(wanted))


async def shorten_memory(server: NatsServer, naming: Naming) -> None:
    """Make the stream such that it forgets at once what it was given."""
    await edit(server, naming, create=True, duplicate_window=MEMORY_S)
