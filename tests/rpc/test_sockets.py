"""Subscriptions: replay and live without a seam, filters, heartbeats, and readers that do not."""

import asyncio
import base64
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest

from node.rpc import RpcLimits
from node.rpc.sockets import AT_ONCE_MAX
from node.rpc.stream import Feed, Portion, StreamBlock, StreamFilter
from tests.rpc.solo import CASH, Solo, solo_node

TOPICS = ["blocks", "receipts", "transactions", "events"]


@dataclass
class Listener:
    """One open socket."""

    socket: aiohttp.ClientWebSocketResponse
    notifications: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, body: object) -> dict[str, Any]:
        """Send a message and return its answer; what comes before it is kept."""
        await self.socket.send_str(json.dumps(body))
        while True:
            message = await self._receive()
            if "method" not in message:
                return message
            self.notifications.append(message["params"])

    async def call(self, method: str, params: object = ()) -> Any:
        answer = await self.answer({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        assert "result" in answer, answer
        return answer["result"]

    async def refused(self, method: str, params: object = ()) -> dict[str, Any]:
        answer = await self.answer({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        error: dict[str, Any] = answer["error"]
        return error

    async def subscribe(self, *topics: str, **more: object) -> dict[str, Any]:
        result: dict[str, Any] = await self.call(
            "khz_subscribe", {"topics": list(topics or TOPICS), **more}
        )
        return result

    async def next(self) -> dict[str, Any]:
        """Return the next notification's params."""
        if self.notifications:
            return self.notifications.pop(0)
        message = await self._receive()
        params: dict[str, Any] = message["params"]
        return params

    async def items_until(self, cursor: str) -> list[dict[str, Any]]:
        """Return the items of all notifications up to this cursor."""
        items: list[dict[str, Any]] = []
        while True:
            params = await self.next()
            items += params.get("items", ())
            if params["cursor"] == cursor:
                return items

    async def _receive(self) -> dict[str, Any]:
        message = await self.socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        value: dict[str, Any] = json.loads(message.data)
        return value


@contextlib.asynccontextmanager
async def listener(solo: Solo) -> AsyncIterator[Listener]:
    async with solo.session.ws_connect(solo.url + "/ws") as opened:
        yield Listener(opened)


def cursors(items: list[dict[str, Any]]) -> list[str]:
    return [item["cursor"] for item in items]


def end_of(solo: Solo) -> str:
    """The cursor of the last item of the last block of one transfer each."""
    return f"{solo.town.chain.head.height}-3"


# Calls.


async def test_socket_answers_the_same_calls_as_http() -> None:
    async with solo_node() as solo, listener(solo) as one:
        assert await one.call("khz_asset", [CASH]) == await solo.call("khz_asset", [CASH])
        assert (await one.refused("nothing"))["code"] == -32601
        assert await one.answer([]) == {
            "jsonrpc": "2.0",
            "id": None,
            "error": {"code": -32600, "message": "a batch without a member", "data": {}},
        }


async def test_slow_call_does_not_hold_up_the_next() -> None:
    async with solo_node() as solo, listener(solo) as one:
        raw = solo.town.transfer("a0", "a1").hex()
        wait = {"transaction": raw, "wait": "final"}
        request = {"jsonrpc": "2.0", "id": "slow", "method": "khz_submit", "params": wait}
        await one.socket.send_str(json.dumps(request))

        await one.call("khz_mempool")
        await solo.seal()

        answer = json.loads((await one.socket.receive()).data)
        assert answer["id"] == "slow"
        assert answer["result"]["status"] == "final"


async def test_calls_under_way_on_one_socket_are_bounded_and_all_are_answered() -> None:
    limits = RpcLimits(socket_calls_max=2)
    async with solo_node(limits=limits) as solo, listener(solo) as one:
        raws = [solo.town.transfer("a0", "a1", 1 + index).hex() for index in range(6)]
        for index, raw in enumerate(raws):
            request = {
                "jsonrpc": "2.0",
                "id": index,
                "method": "khz_submit",
                "params": {"transaction": raw, "wait": "final"},
            }
            await one.socket.send_str(json.dumps(request))

        answered: list[int] = []
        while len(answered) < 6:
            await solo.intake.taken.wait()
            solo.intake.taken.clear()
            assert len(solo.town.pool) <= 2
            sealed = await solo.seal()
            answered += [
                json.loads((await one.socket.receive()).data)["id"]
                for _ in sealed.candidate.transaction_ids
            ]

        assert sorted(answered) == list(range(6))


async def test_calls_that_came_together_are_answered_a_few_in_a_turn() -> None:
    async with solo_node() as solo, listener(solo) as one:
        calls, most, count = 10 * AT_ONCE_MAX, 0, 0.0
        request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "khz_mempool"})
        for _ in range(calls):
            await one.socket.send_str(request)

        while count < calls:
            before = count
            await asyncio.sleep(0)
            count = solo.services.metrics.value(
                "khazana_rpc_requests_total", method="khz_mempool", result="ok"
            )
            most = max(most, int(count - before))

        assert most == AT_ONCE_MAX
        for _ in range(calls):
            assert "result" in json.loads((await one.socket.receive()).data)


async def test_calls_on_a_socket_are_counted_against_the_caller() -> None:
    limits = RpcLimits(calls_per_second=1, calls_burst=2)
    async with solo_node(settled=False, limits=limits) as solo, listener(solo) as one:
        await one.call("khz_mempool")

        error = await one.refused("khz_mempool")

        assert error["code"] == -32005
        assert error["data"]["retry_after_ms"] == 1000


async def test_message_that_is_too_large_ends_the_connection() -> None:
    limits = RpcLimits(body_max_bytes=1000)
    async with solo_node(settled=False, limits=limits) as solo, listener(solo) as one:
        await one.socket.send_str(" " * 1001)

        message = await one.socket.receive()

        assert message.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


# What is told.


async def test_block_is_told_item_by_item_each_with_its_cursor() -> None:
    async with solo_node() as solo, listener(solo) as one:
        subscribed = await one.subscribe()
        raw = solo.town.transfer("a0", "a1", 150)
        await solo.town.decide(raw)

        params = await one.next()

        assert subscribed == {"subscription": "1", "cursor": "2-8"}
        assert (params["type"], params["subscription"], params["cursor"]) == ("items", "1", "3-3")
        block, receipts, transaction, event = params["items"]
        identifier = solo.town.id_of(raw).hex()
        head = solo.town.chain.head
        assert cursors(params["items"]) == ["3-0", "3-1", "3-2", "3-3"]
        assert [item["topic"] for item in params["items"]] == TOPICS
        assert block["value"]["block_id"] == head.block_id.hex()
        assert block["value"]["header"]["state_root"] == head.state_root.hex()
        assert receipts["value"]["receipts"] == [[identifier, 0]]
        assert transaction["value"]["id"] == identifier
        assert transaction["value"]["outcome"]["name"] == "APPLIED"
        assert event["value"] == {
            "height": 3,
            "time": block["value"]["time"],
            "transaction": identifier,
            "event": {
                "type": "transferred",
                "account": solo.address("a0"),
                "to": solo.address("a1"),
                "asset": CASH,
                "amount": "1.50",
            },
        }


async def test_replay_tells_the_same_as_live() -> None:
    async with solo_node() as solo, listener(solo) as live, listener(solo) as late:
        await live.subscribe()
        for index in range(5):
            await solo.town.decide(solo.town.transfer("a0", "a1", 1 + index))

        told = await live.items_until(end_of(solo))
        await late.subscribe(**{"from": "2-8"})
        replayed = await late.items_until(end_of(solo))

        assert replayed == told
        assert len(cursors(told)) == len(set(cursors(told))) == 20


async def test_block_is_read_once_for_a_subscriber(monkeypatch: pytest.MonkeyPatch) -> None:
    heights: list[int] = []
    portions = StreamBlock.portions

    def noted(self: StreamBlock, wanted: StreamFilter, start: int) -> tuple[Portion, ...]:
        heights.append(self.height)
        return portions(self, wanted, start)

    monkeypatch.setattr(StreamBlock, "portions", noted)
    async with solo_node() as solo, listener(solo) as one:
        await one.subscribe("blocks")
        for _ in range(3):
            await solo.seal()
            await one.next()

        head = solo.town.chain.head.height
        assert heights[-3:] == [head - 2, head - 1, head]
        assert len(heights) == len(set(heights))


async def test_subscriber_who_is_told_late_is_told_all_whichever_way_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Several blocks in one write; by the long way what is no longer in memory or has no room."""
    limits = RpcLimits(send_buffer_bytes=1 << 14, stream_blocks_max=2)
    async with solo_node(limits=limits) as solo, listener(solo) as one:
        await one.subscribe()
        (subscription,) = next(iter(solo.server._subscribers._sessions))._subscriptions.values()
        feed, first = solo.server._feed, solo.town.chain.head.height + 1
        tell_some = Feed._tell_some
        for together in (1, 2, 3):
            # Nobody is told before all are committed.
            monkeypatch.setattr(Feed, "_tell_some", lambda _: None)
            for _ in range(together):
                await solo.town.decide(solo.town.transfer("a0", "a1", together))
            monkeypatch.setattr(Feed, "_tell_some", tell_some)
            feed._tell_some()
            await one.items_until(end_of(solo))
            assert subscription.height == solo.town.chain.head.height + 1
        raws = [solo.town.transfer("a0", "a1", 1 + index) for index in range(200)]
        await solo.town.decide(*raws)
        last = f"{solo.town.chain.head.height}-401"
        large = await one.items_until(last)

        async with listener(solo) as other:
            await other.subscribe(**{"from": f"{first - 1}-3"})
            assert (await other.items_until(last))[-len(large) :] == large


async def test_resuming_from_any_cursor_leaves_no_gap_and_repeats_nothing() -> None:
    async with solo_node() as solo, listener(solo) as one:
        await solo.town.decide(*(solo.town.transfer("a0", "a1", 1 + index) for index in range(4)))
        await one.subscribe(**{"from": "0-0"})
        last = f"{solo.town.chain.head.height}-9"
        whole = await one.items_until(last)
        assert whole[0]["cursor"] == "1-0"

        for place in range(len(whole) - 1):
            async with listener(solo) as again:
                await again.subscribe(**{"from": whole[place]["cursor"]})
                assert await again.items_until(last) == whole[place + 1 :]


async def test_replay_runs_into_live_without_a_seam() -> None:
    async with solo_node() as solo, listener(solo) as one:
        for index in range(10):
            await solo.town.decide(solo.town.transfer("a0", "a1", 1 + index))
        await one.subscribe("transactions", **{"from": "2-8"})
        for index in range(10):
            await solo.town.decide(solo.town.transfer("a0", "a1", 100 + index))

        items = await one.items_until(end_of(solo))

        assert [item["value"]["height"] for item in items] == list(range(3, 23))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"accounts": ["a0"]}, {"3-2", "3-3"}),
        ({"accounts": ["a2"]}, {"3-4", "3-5"}),
        ({"accounts": ["a0", "a2"]}, {"3-2", "3-3", "3-4", "3-5"}),
        ({"assets": [CASH]}, {"3-2", "3-3", "3-4", "3-5"}),
        ({"assets": ["NONE"]}, set()),
        ({"accounts": ["a0"], "assets": ["NONE"]}, set()),
    ],
)
async def test_filter_lets_through_what_names_the_account_or_the_asset(
    filters: dict[str, list[str]], expected: set[str]
) -> None:
    async with solo_node() as solo, listener(solo) as one:
        if "accounts" in filters:
            filters = filters | {"accounts": [solo.address(name) for name in filters["accounts"]]}
        await one.subscribe("blocks", "transactions", "events", **filters)
        await solo.town.decide(solo.town.transfer("a0", "a1", 1), solo.town.transfer("a1", "a2", 1))

        items = await one.items_until("3-5")

        assert set(cursors(items)) == {"3-0"} | expected


async def test_several_subscriptions_on_one_socket_are_told_apart() -> None:
    async with solo_node() as solo, listener(solo) as one:
        assert (await one.subscribe("blocks"))["subscription"] == "1"
        assert (await one.subscribe("events"))["subscription"] == "2"
        await solo.town.decide(solo.town.transfer("a0", "a1"))

        told = [await one.next(), await one.next()]

        assert {
            params["subscription"]: [item["topic"] for item in params["items"]] for params in told
        } == {"1": ["blocks"], "2": ["events"]}


async def test_ended_subscription_says_where_it_ended_and_is_told_nothing_more() -> None:
    async with solo_node() as solo, listener(solo) as one:
        await one.subscribe("blocks")
        await solo.town.decide()
        await one.next()

        ended = await one.call("khz_unsubscribe", ["1"])
        await solo.town.decide()

        assert ended == {"cursor": "3-1"}
        assert (await one.refused("khz_unsubscribe", ["1"]))["code"] == -32001
        assert not one.notifications


async def test_quiet_subscription_is_told_the_newest_cursor() -> None:
    limits = RpcLimits(heartbeat_ms=20)
    async with solo_node(limits=limits) as solo, listener(solo) as one:
        await one.subscribe("events", assets=["NONE"])
        await solo.town.decide(solo.town.transfer("a0", "a1"))

        params = await one.next()
        while params["cursor"] != "3-3":
            params = await one.next()

        assert params == {"subscription": "1", "type": "heartbeat", "cursor": "3-3"}


@pytest.mark.parametrize("start", ["1", "x-y", "99999-0", "", "-1-0", "1-0-0"])
async def test_start_that_is_no_cursor_of_this_chain_is_refused(start: str) -> None:
    async with solo_node() as solo, listener(solo) as one:
        error = await one.refused("khz_subscribe", {"topics": ["blocks"], "from": start})

        assert error["code"] == -32602
        assert error["message"].startswith("from: ")


async def test_cursor_of_a_node_that_is_ahead_waits_for_this_one() -> None:
    async with solo_node() as solo, listener(solo) as one:
        await one.subscribe("blocks", **{"from": "4-1"})
        for _ in range(3):
            await solo.town.decide()

        items = await one.items_until("5-1")

        assert cursors(items) == ["5-0"]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"topics": []},
        {"topics": ["nothing"]},
        {"topics": ["blocks"], "accounts": []},
        {"topics": ["blocks"], "accounts": ["nobody"]},
        {"topics": ["blocks"], "more": 1},
    ],
)
async def test_subscription_to_nothing_in_particular_is_refused(params: dict[str, Any]) -> None:
    async with solo_node(settled=False) as solo, listener(solo) as one:
        assert (await one.refused("khz_subscribe", params))["code"] == -32602


# Limits.


async def test_subscriptions_of_one_socket_are_bounded() -> None:
    limits = RpcLimits(subscriptions_max=2)
    async with solo_node(settled=False, limits=limits) as solo, listener(solo) as one:
        await one.subscribe("blocks")
        await one.subscribe("blocks")

        assert (await one.refused("khz_subscribe", {"topics": ["blocks"]}))["code"] == -32005

        await one.call("khz_unsubscribe", ["1"])
        await one.subscribe("blocks")


@pytest.mark.parametrize(
    "limits", [RpcLimits(subscribers_max=2), RpcLimits(subscribers_per_address_max=2)]
)
async def test_sockets_are_bounded_and_room_comes_back(limits: RpcLimits) -> None:
    async with solo_node(settled=False, limits=limits) as solo:
        async with listener(solo), listener(solo):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with listener(solo):
                    pass
            assert refused.value.status == 429
            assert refused.value.headers is not None
            assert refused.value.headers["Retry-After"] == "15"
            assert solo.services.metrics.value("khazana_subscribers") == 2

        async with listener(solo) as one:
            await one.call("khz_mempool")


class Deaf:
    """A subscriber that opens its socket by hand, asks, and then does not read."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link

    @classmethod
    async def open(cls, solo: Solo, **params: object) -> "Deaf":
        loop = asyncio.get_running_loop()
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.setblocking(False)
        await loop.sock_connect(link, ("127.0.0.1", solo.server.port))
        key = base64.b64encode(os.urandom(16)).decode()
        await loop.sock_sendall(
            link,
            (
                "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                f"Sec-WebSocket-Key: {key}\r\n\r\n"
            ).encode(),
        )
        deaf = cls(link)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += await loop.sock_recv(link, 1)
        request = {"jsonrpc": "2.0", "id": 1, "method": "khz_subscribe", "params": params}
        await deaf._send(json.dumps(request).encode())
        assert b"result" in await deaf.frame()
        return deaf

    async def _send(self, text: bytes, kind: int = 0x81) -> None:
        assert len(text) < 1 << 16
        size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2)
        head = bytes([kind]) + size + bytes(4)
        await asyncio.get_running_loop().sock_sendall(self._link, head + text)

    async def ask(self) -> None:
        """Ask for something that is answered at once."""
        await self._send(b'{"jsonrpc":"2.0","id":1,"method":"khz_parameters"}')

    async def ping(self) -> None:
        """Send a ping of the largest size."""
        await self._send(bytes(125), kind=0x89)

    async def frame(self) -> bytes:
        """Return the payload of the next frame; empty at the end."""
        head = await self._read(2)
        if len(head) < 2:
            return b""
        size = head[1] & 0x7F
        if size >= 126:
            size = int.from_bytes(await self._read(2 if size == 126 else 8))
        return await self._read(size)

    async def _read(self, size: int) -> bytes:
        data = b""
        with contextlib.suppress(ConnectionError):
            while len(data) < size:
                part = await asyncio.get_running_loop().sock_recv(self._link, size - len(data))
                if not part:
                    break
                data += part
        return data

    async def frames(self) -> list[bytes]:
        """Return all frames up to the end of the connection."""
        frames = []
        while frame := await self.frame():
            frames.append(frame)
        return frames

    def close(self) -> None:
        self._link.close()


@pytest.mark.adversarial(74)
async def test_subscriber_that_reads_again_in_time_finds_where_to_resume(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = RpcLimits(stall_ms=400, send_buffer_bytes=1 << 14)
    async with solo_node(limits=limits) as solo:
        for _ in range(8):
            await solo.town.decide(*(solo.town.transfer("a0", "a1", 1) for _ in range(100)))
        deaf = await Deaf.open(solo, topics=TOPICS, **{"from": "0-0"})
        session = next(iter(solo.server._subscribers._sessions))
        drained_to = session._drained_to

        async def patient(size_bytes: int) -> bool:
            """Wait longer for the farewell to be read: the machine may be busy."""
            if session.lagging.is_set():
                monkeypatch.setattr(session, "_limits", replace(limits, stall_ms=60_000))
            return await drained_to(size_bytes)

        monkeypatch.setattr(session, "_drained_to", patient)
        await session.lagging.wait()

        *items, lagged, close = await deaf.frames()

        deaf.close()
        assert close[:2] == aiohttp.WSCloseCode.TRY_AGAIN_LATER.to_bytes(2)
        params = json.loads(lagged)["params"]
        assert params["type"] == "lagged"
        told = [item for frame in items for item in json.loads(frame)["params"]["items"]]
        assert params["resume"] in {json.loads(items[-1])["params"]["cursor"]}
        async with listener(solo) as again:
            await again.subscribe(**{"from": params["resume"]})
            rest = await again.items_until(f"{solo.town.chain.head.height}-201")
        async with listener(solo) as one:
            await one.subscribe(**{"from": "0-0"})
            assert told + rest == await one.items_until(f"{solo.town.chain.head.height}-201")


@pytest.mark.adversarial(74)
@pytest.mark.parametrize("demand", [Deaf.ask, Deaf.ping])
async def test_one_that_demands_one_by_one_and_never_reads_is_cut_off(
    demand: Callable[[Deaf], Awaitable[None]],
) -> None:
    limits = RpcLimits(stall_ms=100, send_buffer_bytes=1 << 14, calls_per_second=None)
    async with solo_node(limits=limits) as solo:
        deaf = await Deaf.open(solo, topics=["blocks"])
        (session,) = solo.server._subscribers._sessions
        held = 0
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(90):
                while not session.lagging.is_set():
                    await demand(deaf)
                    await asyncio.sleep(0.001)  # so that each is answered in a turn of its own
                    held = max(held, session._transport.get_write_buffer_size())

        assert session.lagging.is_set()
        assert held < 2 * limits.send_buffer_bytes
        deaf.close()


async def test_ping_is_answered_with_what_it_says() -> None:
    async with (
        solo_node() as solo,
        solo.session.ws_connect(solo.url + "/ws", autoping=False) as one,
    ):
        await one.ping(b"are you there")
        answer = await one.receive()
        assert (answer.type, answer.data) == (aiohttp.WSMsgType.PONG, b"are you there")

        await one.pong(b"so am I")
        await one.send_str('{"jsonrpc":"2.0","id":1,"method":"khz_mempool"}')
        assert "result" in (await one.receive()).json()


async def test_pings_are_counted_against_the_caller() -> None:
    limits = RpcLimits(calls_per_second=1, calls_burst=3)
    async with solo_node(settled=False, limits=limits) as solo, listener(solo) as one:
        for _ in range(10):
            await one.socket.ping()

        assert (await one.socket.receive()).data == aiohttp.WSCloseCode.POLICY_VIOLATION


@pytest.mark.adversarial(74)
async def test_a_hundred_subscribers_of_which_some_do_not_read() -> None:
    """Who reads misses nothing; who does not is cut off with bounded memory, and can resume."""
    limits = RpcLimits(
        stall_ms=300, send_buffer_bytes=1 << 14, calls_per_second=None, heartbeat_ms=60_000
    )
    async with solo_node(limits=limits) as solo, contextlib.AsyncExitStack() as stack:
        deaf = [await Deaf.open(solo, topics=TOPICS) for _ in range(10)]
        of_deaf = list(solo.server._subscribers._sessions)
        readers = [await stack.enter_async_context(listener(solo)) for _ in range(90)]
        for reader in readers:
            await reader.subscribe("receipts", "events")
        first = solo.town.chain.head.height + 1

        async def read(reader: Listener) -> list[str]:
            return cursors(await reader.items_until(f"{first + 9}-101"))

        async with asyncio.TaskGroup() as group:
            reading = [group.create_task(read(reader), name="reader") for reader in readers]
            for _ in range(10):
                await solo.town.decide(*(solo.town.transfer("a0", "a1", 1) for _ in range(50)))
                await asyncio.sleep(0)
        for session in of_deaf:
            await session.lagging.wait()
            await session.ended.wait()

        expected = [
            f"{height}-{index}"
            for height in range(first, first + 10)
            for index in (1, *range(3, 102, 2))
        ]
        assert all(task.result() == expected for task in reading)
        value = solo.services.metrics.value
        assert value("khazana_subscribers") == 90
        assert value("khazana_rpc_requests_total", method="khz_subscription", result="lagged") == 10
        for link in deaf:
            link.close()
