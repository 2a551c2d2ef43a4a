"""A real server on loopback, asked one question at a time: what the targets of an interface read.

The server, its intake and its blocks live on one event loop, which turns while a question is asked.
What the server itself calls its bug (an answer -32603, a status 5xx, a line of level error in its
log) is a finding, whichever question brought it out.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from functools import cache
from typing import Any, Final

import aiohttp
import structlog

from node.log import Logger
from node.rpc import RpcLimits
from tests.fuzz.harness import Read
from tests.fuzz.parameters import requests_of
from tests.rpc.solo import CASH, Solo, solo_node

LIMITS: Final = RpcLimits(
    calls_per_second=None,
    wait_max_ms=1,
    heartbeat_ms=60_000,
    connections_per_address_max=2_000,
)
REFUSALS: Final = {-32700, -32600, -32601, -32602}
"""Codes of what is no good request, as against one that has a refusal for its answer."""


class InterfaceRefused(Exception):
    """The server's answer to what is no good request."""


class _Failures:
    """A log that keeps what a server says is its own fault."""

    def __init__(self) -> None:
        self.seen: list[BaseException | str] = []

    def logger(self) -> Logger:
        def keep(
            _logger: object, method: str, event: MutableMapping[str, Any]
        ) -> MutableMapping[str, Any]:
            if method in ("error", "critical"):
                self.seen.append(event.get("exc_info") or str(event))
            raise structlog.DropEvent

        logger: Logger = structlog.wrap_logger(
            structlog.ReturnLogger(),
            wrapper_class=structlog.make_filtering_bound_logger(0),
            processors=[keep],
        ).bind()
        return logger

    def check(self) -> None:
        if self.seen:
            first = self.seen[0]
            self.seen.clear()
            if isinstance(first, BaseException):
                raise first
            raise AssertionError(first)


@contextlib.contextmanager
def _served(ask: Callable[[Solo, bytes], Awaitable[None]]) -> Iterator[Read]:
    failures = _Failures()
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        up: asyncio.Future[Solo] = loop.create_future()
        down = asyncio.Event()

        async def serve() -> None:
            async with solo_node(limits=LIMITS, log=failures.logger(), sealing=True) as solo:
                up.set_result(solo)
                await down.wait()

        server = loop.create_task(serve(), name="server")
        try:
            solo = loop.run_until_complete(up)

            def read(data: bytes) -> None:
                loop.run_until_complete(_asked(ask, solo, data))
                failures.check()

            yield read
        finally:
            down.set()
            loop.run_until_complete(server)


async def _asked(ask: Callable[[Solo, bytes], Awaitable[None]], solo: Solo, data: bytes) -> None:
    async with asyncio.timeout(20):
        await ask(solo, data)


def _judge(answer: Any) -> None:
    """Look at one answer of JSON-RPC."""
    assert answer["jsonrpc"] == "2.0", answer
    error = answer.get("error")
    if error is None:
        assert "result" in answer, answer
        return
    assert error["message"], answer
    assert error["code"] != -32603, answer
    if error["code"] in REFUSALS:
        raise InterfaceRefused(error["message"])


async def _ask_rpc(solo: Solo, data: bytes) -> None:
    status, body = await solo.post(data)
    assert status < 500, (status, body)
    if status == 204:
        assert not body
        return
    answer = json.loads(body)
    for each in answer if isinstance(answer, list) else [answer]:
        _judge(each)


async def _ask_transactions(solo: Solo, data: bytes) -> None:
    status, body = await solo.post(
        data, path="/transactions", Content_Type="application/msgpack", Accept="application/json"
    )
    answer = json.loads(body)
    if status == 400:
        raise InterfaceRefused(answer["error"]["message"])
    assert status == 200, (status, body)


class _Line:
    """One WebSocket, dialled again when the server ends it or it has as many subscriptions."""

    QUESTIONS_MAX: Final = 50

    def __init__(self) -> None:
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._asked = 0

    async def ask(self, solo: Solo, data: bytes) -> None:
        if self._socket is None or self._asked >= self.QUESTIONS_MAX:
            if self._socket is not None:
                await self._socket.close()
            self._socket = await solo.session.ws_connect(solo.url + "/ws", max_msg_size=1 << 24)
            self._asked = 0
        self._asked += 1
        await self._socket.send_frame(data, _kind_of(data))
        # The last word, whose answer says that the question before it has had its turn.
        await self._socket.send_str(
            '{"jsonrpc":"2.0","id":"last word","method":"khz_subscribe","params":{"from":7}}'
        )
        await self._hear(self._socket)

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        refused: InterfaceRefused | None = None
        while True:
            message = await socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                self._socket = None
                await socket.close()
                raise InterfaceRefused(f"closed, code {socket.close_code}")
            answer = json.loads(message.data)
            for each in answer if isinstance(answer, list) else [answer]:
                if each.get("id") == "last word":
                    if refused is not None:
                        raise refused
                    return
                if "method" not in each:
                    try:
                        _judge(each)
                    except InterfaceRefused as error:
                        refused = error


def _kind_of(data: bytes) -> aiohttp.WSMsgType:
    try:
        data.decode()
    except UnicodeDecodeError:
        return aiohttp.WSMsgType.BINARY
    return aiohttp.WSMsgType.TEXT


@contextlib.contextmanager
def rpc_server() -> Iterator[Read]:
    """Read by `POST /rpc`."""
    with _served(_ask_rpc) as read:
        yield read


@contextlib.contextmanager
def submission_server() -> Iterator[Read]:
    """Read by `POST /transactions`."""
    with _served(_ask_transactions) as read:
        yield read


@contextlib.contextmanager
def socket_server() -> Iterator[Read]:
    """Read by `/ws`."""
    with _served(_Line().ask) as read:
        yield read


@cache
def _asked_well(*, socket: bool) -> tuple[bytes, ...]:
    """Return a good request of every method, made of what the server's town holds."""

    async def collect() -> tuple[bytes, ...]:
        async with solo_node() as solo:
            raw = solo.town.transfer("a0", "a1", 5)
            await solo.submit_list([raw])
            committed = await solo.seal()
            known = {
                "transaction": solo.town.transfer("a0", "a1", 7).hex(),
                "id": committed.candidate.transaction_ids[0].hex(),
                "address": solo.address("a0"),
                "asset": CASH,
            }
            return tuple(json.dumps(each).encode() for each in requests_of(known, socket=socket))

    return asyncio.run(collect())


@cache
def good_answers() -> Mapping[str, bytes]:
    """Return the answers to questions that the targets of a client begin with, by method."""

    async def collect() -> Mapping[str, bytes]:
        async with solo_node() as solo:
            answers: dict[str, bytes] = {}
            for method, params in (
                ("khz_status", {}),
                ("khz_holdings", {"address": solo.address("a0")}),
            ):
                body = {"jsonrpc": "2.0", "id": 0, "method": method, "params": params}
                _, answers[method] = await solo.post(json.dumps(body).encode())
            return answers

    return asyncio.run(collect())


def rpc_requests() -> tuple[bytes, ...]:
    """One request of every method of `/rpc`, a batch of all, a notification."""
    single = _asked_well(socket=False)
    batch = b"[" + b",".join(single) + b"]"
    return (*single, batch, b'{"jsonrpc":"2.0","method":"khz_status"}')


def socket_requests() -> tuple[bytes, ...]:
    """One request of every method of `/ws`, with subscriptions of every kind."""
    return _asked_well(socket=True)
