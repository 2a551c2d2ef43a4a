"""What tests of whole networks share: nodes that meet, and a peer that says what a test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from node.network import Hello, LinkClosed, PeerView, Status
from node.network.memory import MemoryNet
from node.network.messages import PROTOCOL_VERSION, encode_message
from node.network.transport import Link
from tests.network.nodes import BLOCK_ID, GENESIS_HASH, Node, address, certificate
from tests.network.samples import SAMPLES

NAMES: Final = ("a", "b", "c", "d")
STATUS: Final = Status(height=9, block_id=BLOCK_ID, earliest=1)
VOTE: Final = SAMPLES[3]
PROPOSAL: Final = SAMPLES[2]


@contextlib.asynccontextmanager
async def running(*nodes: Node) -> AsyncIterator[None]:
    """Run these nodes for the length of the block."""
    async with contextlib.AsyncExitStack() as stack:
        for node in nodes:
            await stack.enter_async_context(node.running())
        yield


@contextlib.asynccontextmanager
async def meshed(net: MemoryNet, *nodes: Node) -> AsyncIterator[None]:
    """Run these nodes until all have met, then for the length of the block; leave nothing."""
    before = asyncio.all_tasks()
    async with running(*nodes):
        for node in nodes:
            await node.meets(*(other.name for other in nodes if other is not node))
        yield
    assert asyncio.all_tasks() == before
    assert net.link_count == 0


def view(node: Node, peer: str) -> PeerView:
    return next(view for view in node.network.status() if view.name == peer)


def hello_of(name: str, /, **changes: Any) -> Hello:
    fields: dict[str, Any] = {
        "version": PROTOCOL_VERSION,
        "network": GENESIS_HASH,
        "name": name,
        "instance": 1,
        "height": 0,
        "earliest": 1,
        "software": "test",
    }
    return Hello(**{**fields, **changes})


class Puppet:
    """A peer that says exactly what the test says; dials like a member called `name`."""

    def __init__(self, net: MemoryNet, name: str) -> None:
        self._net = net
        self._transport = net.transport(address(name), certificate(name))
        self._links: list[Link] = []
        self.name = name

    async def dial(self, target: str, hello: Hello | None = None) -> Link:
        """Open a link and say Hello on it."""
        self._transport.trust([certificate(target)])
        link = await self._transport.dial(address(target))
        self._links.append(link)
        await link.send(encode_message(hello or hello_of(self.name)))
        return link

    async def leave(self) -> None:
        for link in self._links:
            await link.close("the test is over")


async def closing_reason(link: Link) -> str:
    """Read a link to its end and return why it ended."""
    try:
        while True:
            await link.receive()
    except LinkClosed as closed:
        return closed.reason
