"""Following the stream of committed items: one iterator, whatever happens to connections and nodes.

The last cursor is kept. When a connection ends, for whatever reason, the next endpoint is asked to
go on from there: nothing is missed and nothing comes twice. A node that is behind the cursor simply
waits until it gets there.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import msgspec

from node.client.errors import (
    BadAnswer,
    CallFailed,
    ClientError,
    Pruned,
    WrongNetwork,
    call_failed,
)
from node.client.transport import Transport

SILENCE_MAX_S: Final = 60.0
"""A node says where it stands every 15 s; without a word for longer the connection is dead."""
PAUSE_MIN_S: Final = 0.05
PAUSE_MAX_S: Final = 5.0
"""Between attempts, doubling while every endpoint fails."""
MESSAGE_SIZE_MAX: Final = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamItem:
    """One committed item."""

    cursor: str
    """Give it as `start` to go on after this item, today or next year."""
    topic: str
    """`blocks`, `receipts`, `transactions` or `events`."""
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Nothing for this filter up to here."""

    cursor: str


class _Item(msgspec.Struct):
    cursor: str
    topic: str
    value: dict[str, Any]


class _Params(msgspec.Struct):
    subscription: str
    type: str
    cursor: str = ""
    resume: str = ""
    items: list[_Item] = []


class _Subscribed(msgspec.Struct):
    subscription: str
    cursor: str


class _Failure(msgspec.Struct):
    code: int
    message: str
    data: dict[str, Any] = {}


class _Message(msgspec.Struct):
    method: str | None = None
    params: _Params | None = None
    result: _Subscribed | None = None
    error: _Failure | None = None


_decoder: Final = msgspec.json.Decoder(_Message)


async def follow(
    transport: Transport,
    *,
    topics: Sequence[str],
    accounts: Sequence[str] | None,
    assets: Sequence[str] | None,
    start: str,
) -> AsyncGenerator[StreamItem | Heartbeat]:
    """Yield items and heartbeats, for ever.

    The first thing yielded is a `Heartbeat` with the cursor at which the subscription begins.

    Raises:
        CallFailed: the node refuses the subscription itself: a filter that is none.
        Pruned: no endpoint keeps the history from the cursor on. Connections and nodes that fail
            are not errors here.
        WrongNetwork: an endpoint belongs to another network.
    """
    wanted: dict[str, Any] = {"topics": list(topics)}
    if accounts is not None:
        wanted["accounts"] = list(accounts)
    if assets is not None:
        wanted["assets"] = list(assets)
    cursor, pause_s, begun = start, PAUSE_MIN_S, False
    forgetful: set[str] = set()
    while True:
        connection = _connection(transport, transport.preferred, {**wanted, "from": cursor})
        try:
            async with aclosing(connection) as told:
                async for seen in told:
                    cursor, pause_s = seen.cursor, PAUSE_MIN_S
                    forgetful.clear()
                    if not isinstance(seen, _Begun):
                        yield seen
                    elif not begun:
                        begun = True
                        yield Heartbeat(cursor=cursor)
        except Pruned:
            forgetful.add(transport.preferred)
            if forgetful.issuperset(transport.endpoints):
                raise
        except CallFailed as error:
            if error.code not in _TRIED_ELSEWHERE:
                raise
        except WrongNetwork:
            raise
        except (aiohttp.ClientError, TimeoutError, OSError, ClientError):
            pass
        transport.pass_over()
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, PAUSE_MAX_S)


_TRIED_ELSEWHERE: Final = frozenset({-32603, -32002, -32005})
"""The node's own trouble: another may do better, or the same one later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    cursor: str


async def _connection(
    transport: Transport, endpoint: str, params: Mapping[str, Any]
) -> AsyncGenerator[StreamItem | Heartbeat | _Begun]:
    """Yield what one connection brings, until it ends."""
    await transport.verify(endpoint)
    async with transport.session.ws_connect(
        endpoint + "/ws", max_msg_size=MESSAGE_SIZE_MAX, heartbeat=SILENCE_MAX_S / 2
    ) as socket:
        request = {"jsonrpc": "2.0", "id": 1, "method": "khz_subscribe", "params": params}
        await socket.send_str(msgspec.json.encode(request).decode())
        while True:
            async with asyncio.timeout(SILENCE_MAX_S):
                message = await socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            told = read_message(message.data)
            if told.error is not None:
                raise call_failed(told.error.code, told.error.message, told.error.data)
            if told.result is not None:
                yield _Begun(cursor=told.result.cursor)
            elif told.params is not None:
                if told.params.type == "lagged":
                    return
                for item in told.params.items:
                    yield StreamItem(cursor=item.cursor, topic=item.topic, value=item.value)
                yield Heartbeat(cursor=told.params.cursor)


def read_message(text: str) -> _Message:
    """Return what a node's message says.

    Raises:
        BadAnswer: it is none.
    """
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadAnswer(f"unreadable: {error}") from None
