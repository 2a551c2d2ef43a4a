"""A node that answers whatever it is given, and our client asking it: what a client's targets read.

The first byte of an input chooses the status of the answer; the rest is its body, in which a member
"id" of 0 becomes the one that was asked with, so that an answer is read to its end.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Final

from aiohttp import web

from node.client import CallFailed, Client, ClientNetwork
from node.client.subscriptions import read_message
from node.codec import encode
from tests.fuzz.harness import Read
from tests.fuzz.serving import good_answers

STATUSES: Final = (200, 200, 200, 400, 429, 500, 503)
PATIENCE_S: Final = 0.01
"""Enough to come back once where the answer says 5 ms; more would only be waited for."""
NETWORK: Final = ClientNetwork(genesis_hash=bytes(32), test=True)


class _Node:
    """Says which network it is of, if that is not the question, and otherwise what it is given."""

    def __init__(self, *, known: bool) -> None:
        self.known = known
        self.status = 200
        self.body = b""

    async def answer(self, request: web.BaseRequest) -> web.Response:
        asked = await request.read()
        body, status = self.body, self.status
        if request.path == "/rpc":
            call = json.loads(asked)
            if self.known and call["method"] == "khz_status":
                body, status = b'{"id":0,"result":{"genesis_hash":"%b"}}' % (b"00" * 32), 200
            body = body.replace(b'"id":0', b'"id":%d' % call["id"])
        return web.Response(status=status, body=body)


async def _listening(node: _Node) -> web.ServerRunner:
    server = web.ServerRunner(web.Server(node.answer, access_log=None))
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    return server


@contextlib.contextmanager
def _answering(ask: Callable[[str], Awaitable[None]], *, known: bool) -> Iterator[Read]:
    node = _Node(known=known)
    with asyncio.Runner() as runner:
        server = runner.run(_listening(node))
        url = f"http://127.0.0.1:{server.addresses[0][1]}"

        async def asked() -> None:
            with contextlib.suppress(CallFailed):  # An error of the node, read as one.
                await ask(url)

        def read(data: bytes) -> None:
            node.status = STATUSES[data[0] % len(STATUSES)] if data else 200
            node.body = data[1:]
            runner.run(asked())

        try:
            yield read
        finally:
            runner.run(server.cleanup())


async def _meet(url: str) -> None:
    async with Client(url, timeout_s=20, patience_s=PATIENCE_S):
        pass


async def _turn_pages(url: str) -> None:
    async with Client(url, network=NETWORK, timeout_s=20, patience_s=PATIENCE_S) as client:
        await client.holdings(bytes(20))


async def _hand_in(url: str) -> None:
    async with Client(url, network=NETWORK, timeout_s=20, patience_s=PATIENCE_S) as client:
        await client.send_list([b"a", b"b"])


meetings = partial(_answering, _meet, known=False)
"""Read as the status of a node whose network is believed."""
pages = partial(_answering, _turn_pages, known=True)
"""Read as a page of a list."""
lists = partial(_answering, _hand_in, known=True)
"""Read as the answer to a list of transactions."""


def message(data: bytes) -> None:
    """Read as what a subscription brings."""
    with contextlib.suppress(CallFailed):
        read_message(data.decode("utf-8", "replace"))


_ERROR: Final = b'{"jsonrpc":"2.0","id":0,"error":{"code":-32005,"message":"busy","data":{"a":1}}}'
_FAILURE: Final = b'{"error":{"code":-32005,"message":"busy","data":{"retry_after_ms":5}}}'


def answers_to_meetings() -> tuple[bytes, ...]:
    """A true status, and errors of a node as such and by HTTP alone."""
    return (
        b"\0" + good_answers()["khz_status"],
        b"\0" + _ERROR,
        b"\3" + _FAILURE,
        b"\4" + _FAILURE,
    )


def answers_to_pages() -> tuple[bytes, ...]:
    """A true page, and an error."""
    return (b"\0" + good_answers()["khz_holdings"], b"\0" + _ERROR)


def answers_to_lists() -> tuple[bytes, ...]:
    """Two items, each pending or refused."""
    pending, refused = (bytes(32), 1, None, None), (None, 2, 3, None)
    return (b"\0" + encode((pending, refused)), b"\1" + encode((refused, refused)))


def messages() -> tuple[bytes, ...]:
    """What a subscription brings: its beginning, items, a heartbeat, the end, an error."""
    head = b'{"jsonrpc":"2.0","method":"khz_subscription","params":{"subscription":"1",'
    return (
        b'{"jsonrpc":"2.0","id":1,"result":{"subscription":"1","cursor":"3-0"}}',
        head + b'"type":"items","cursor":"3-1","items":[{"cursor":"3-1","topic":"events",'
        b'"value":{"type":"transferred","amount":"1.00","more":[{}]}}]}}',
        head + b'"type":"heartbeat","cursor":"4-0"}}',
        head + b'"type":"lagged","resume":"4-0"}}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"from: none","data":{}}}',
    )
