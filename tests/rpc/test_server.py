"""The listener: what is read at all, how answers look, and what strangers cannot do."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.explorer import Explorer
from node.log import open_log
from node.rpc import RpcLimits
from node.rpc.callers import Beside
from node.rpc.http import SECURITY_HEADERS
from node.rpc.pages import Door
from tests.rpc.solo import Solo, solo_node

STATUS = b'{"jsonrpc":"2.0","id":1,"method":"khz_mempool"}'


async def raw_request(solo: Solo, request: bytes) -> bytes:
    """Return everything that the node sends before it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", solo.server.port)
    try:
        writer.write(request)
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()


def http(
    path: str = "/livez", *, host: str = "localhost", method: str = "GET", rest: str = ""
) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{rest}\r\n".encode()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


# What is read.


async def test_notification_is_answered_with_no_content() -> None:
    async with solo_node(settled=False) as solo:
        assert await solo.post(b'{"jsonrpc":"2.0","method":"khz_mempool"}') == (204, b"")


async def test_error_of_a_method_is_an_answer_with_status_200() -> None:
    async with solo_node(settled=False) as solo:
        status, body = await solo.post(b'{"jsonrpc":"2.0","id":1,"method":"nothing"}')

        assert status == 200
        assert json.loads(body)["error"]["code"] == -32601


@pytest.mark.adversarial(72)
async def test_body_of_a_hundred_megabytes_is_refused_before_it_is_read() -> None:
    async with solo_node(settled=False) as solo:
        announced = http(
            "/rpc",
            method="POST",
            rest=f"Content-Type: application/json\r\nContent-Length: {100 << 20}\r\n",
        )

        answer = await raw_request(solo, announced)

        assert status_of(answer) == 413


@pytest.mark.adversarial(72)
async def test_body_that_grows_past_the_limit_without_saying_so_is_refused() -> None:
    async with solo_node(settled=False, limits=RpcLimits(body_max_bytes=1000)) as solo:
        chunk = b"400\r\n" + b" " * 1024 + b"\r\n"
        request = http(
            "/rpc",
            method="POST",
            rest="Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
        )

        answer = await raw_request(solo, request + chunk * 4 + b"0\r\n\r\n")

        assert status_of(answer) == 413


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/msgpack"]
)
async def test_body_of_another_type_is_refused(content_type: str) -> None:
    """A page can make a browser send text or forms anywhere, but not JSON without asking."""
    async with solo_node(settled=False) as solo:
        status, _ = await solo.post(STATUS, Content_Type=content_type)

        assert status == 415


@pytest.mark.adversarial(45)
async def test_compressed_body_is_refused() -> None:
    async with solo_node(settled=False) as solo:
        status, _ = await solo.post(b"\x1f\x8b" + bytes(100), Content_Encoding="gzip")

        assert status == 415


async def test_body_is_asked_for_when_the_client_waits_to_be_asked() -> None:
    async with (
        solo_node(settled=False) as solo,
        solo.session.post(
            solo.url + "/rpc",
            data=STATUS,
            headers={"Content-Type": "application/json"},
            expect100=True,
        ) as response,
    ):
        assert response.status == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/rpc", "POST"),
        ("OPTIONS", "/rpc", "POST"),
        ("PUT", "/rpc", "POST"),
        ("GET", "/transactions", "POST"),
        ("POST", "/metrics", "GET"),
        ("DELETE", "/livez", "GET"),
    ],
)
async def test_other_http_methods_are_told_which_is_answered(
    method: str, path: str, allowed: str
) -> None:
    async with (
        solo_node(settled=False) as solo,
        solo.session.request(method, solo.url + path) as response,
    ):
        assert response.status == 405
        assert response.headers["Allow"] == allowed
        assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.adversarial(73)
@pytest.mark.parametrize("path", ["/", "/admin", "/rpc/", "/..%2fetc/passwd", "/debug", "/ui"])
async def test_there_is_nothing_elsewhere(path: str) -> None:
    async with solo_node(settled=False) as solo:
        status, text = await solo.get(path)

        assert status == 404
        assert "passwd" not in text


# What strangers try.


@pytest.mark.adversarial(76)
@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "a b"),
        *("[::1].evil.example", "[::1]evil.example:80", "[::1", "[localhost]", "::1"),
        *("localhost:evil.example", "localhost:80:80", "localhost:+8", "evil@localhost"),
        *("localhost..", "localhost,evil.example", "127.1", "2130706433"),
    ],
)
async def test_request_for_a_foreign_host_is_refused(host: str) -> None:
    async with solo_node(settled=False) as solo:
        for path in ("/livez", "/rpc", "/ws", "/metrics"):
            answer = await raw_request(solo, http(path, host=host))

            assert status_of(answer) in (400, 403)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1",
        "192.0.2.7:26680",
        "[::1]:26680",
        "[::1]",
        "localhost.",
        "localhost:",
        "node.example",
        "Node.Example.:80",
    ],
)
async def test_addresses_localhost_and_configured_names_are_answered(host: str) -> None:
    async with solo_node(settled=False, hosts=["Node.example"]) as solo:
        assert status_of(await raw_request(solo, http(host=host))) == 200


async def test_any_host_is_answered_where_the_operator_says_so() -> None:
    async with solo_node(settled=False, hosts=["*"]) as solo:
        assert status_of(await raw_request(solo, http(host="anything.example"))) == 200


@pytest.mark.parametrize("hosts", ["", "Host: localhost\r\nHost: localhost\r\n"])
async def test_request_without_one_host_is_refused(hosts: str) -> None:
    async with solo_node(settled=False) as solo:
        answer = await raw_request(
            solo, f"GET /livez HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n".encode()
        )

        assert status_of(answer) == 400


@pytest.mark.adversarial(76)
@pytest.mark.parametrize(
    "request_",
    [
        http("/<script>alert(1)</script>"),
        http("/livez?<script>alert(1)</script>"),
        http(host="<script>alert(1)</script>"),
        http("/rpc", method="<script>"),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n<script>alert(1)</script>\r\n\r\n",
        b"<script>alert(1)</script>\r\n\r\n",
        http(rest="Accept: text/html\r\nX: <script>alert(1)</script>\r\n"),
    ],
)
async def test_markup_in_a_request_never_comes_back_as_a_page(request_: bytes) -> None:
    async with solo_node(settled=False) as solo:
        answer = await raw_request(solo, request_)

        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"text/html" not in head.lower()
        if b"<script" in body:
            assert b"text/plain" in head.lower()


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health", "/metrics", "/nowhere"])
async def test_every_answer_tells_browsers_to_do_nothing_with_it(path: str) -> None:
    async with solo_node(settled=False) as solo, solo.session.get(solo.url + path) as response:
        for name, value in SECURITY_HEADERS.items():
            assert response.headers[name] == value


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1"])
async def test_page_of_another_origin_cannot_open_a_socket(origin: str) -> None:
    async with solo_node(settled=False) as solo:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await solo.session.ws_connect(solo.url + "/ws", origin=origin)

        assert refused.value.status == 403


async def test_request_that_is_no_handshake_is_refused_on_the_socket_path() -> None:
    async with solo_node(settled=False) as solo:
        status, text = await solo.get("/ws")

        assert status == 400
        assert json.loads(text)["error"]["message"] == "not a WebSocket handshake"


# Limits.


async def test_caller_in_a_hurry_is_told_when_to_come_back() -> None:
    limits = RpcLimits(calls_per_second=10, calls_burst=3)
    async with solo_node(settled=False, limits=limits) as solo:
        batch = json.dumps([json.loads(STATUS)] * 3).encode()
        assert (await solo.post(batch))[0] == 200

        async with solo.session.post(
            solo.url + "/rpc", data=STATUS, headers={"Content-Type": "application/json"}
        ) as response:
            assert response.status == 429
            assert response.headers["Retry-After"] == "1"
            error = (await response.json())["error"]
        assert error["code"] == -32005
        assert error["data"] == {"retry_after_ms": 100}

        solo.town.clock.advance(100)
        assert (await solo.post(STATUS))[0] == 200


class Laborious:
    """A processor that takes so many milliseconds each time that it is looked at."""

    def __init__(self, step_ms: int) -> None:
        self._step_s = step_ms / 1000
        self._now_s = 0.0

    def __call__(self) -> float:
        self._now_s += self._step_s
        return self._now_s


WORK = RpcLimits(work_ms_per_second=100, work_burst_ms=200)


async def test_caller_that_takes_much_of_the_processor_is_told_when_to_come_back() -> None:
    async with solo_node(limits=WORK, pages=Explorer) as solo:
        solo.services.metrics.stages.cpu_s = Laborious(30)
        statuses = []
        while 429 not in statuses:
            statuses.append((await solo.post(STATUS))[0])
        assert 1 < len(statuses) <= 8

        status, body = await solo.post(STATUS)
        assert status == 429
        error = json.loads(body)["error"]
        assert error["code"] == -32005
        assert "100000 microseconds of the node's processor" in error["message"]
        assert (await solo.get("/"))[0] == 429
        # Who brings transactions is bounded by the pool, and probes by nothing.
        assert (await solo.submit_list([solo.town.transfer("a0", "a1")]))[0] == 200
        assert (await solo.get("/livez"))[0] == 200

        solo.town.clock.advance(error["data"]["retry_after_ms"])
        assert (await solo.post(STATUS))[0] == 200


async def test_being_told_to_come_back_costs_nothing() -> None:
    async with solo_node(limits=WORK, pages=Explorer) as solo:
        solo.services.metrics.stages.cpu_s = Laborious(30)
        while (await solo.post(STATUS))[0] == 200:
            pass
        _, body = await solo.post(STATUS)
        for path in ("/", "/blocks"):
            assert (await solo.get(path))[0] == 429
        assert (await solo.post(STATUS))[1] == body


async def test_calls_on_a_socket_are_charged_as_they_are_answered() -> None:
    async with solo_node(limits=WORK) as solo, solo.session.ws_connect(solo.url + "/ws") as socket:
        solo.services.metrics.stages.cpu_s = Laborious(30)
        codes: list[int | None] = []
        for _ in range(8):
            await socket.send_bytes(STATUS)
            await socket.send_str(STATUS.decode())
            answers = [await socket.receive_json() for _ in range(2)]
            codes += [answer.get("error", {}).get("code") for answer in answers]

        assert codes[:2] == [None, None]
        assert codes[-1] == -32005


class Deep:
    """Pages that are worked out beside the loop, each for half a second of the processor."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._spent_s = 0.0
        door.services.metrics.stages.cpu_s = lambda: self._spent_s

    async def answer(
        self,
        request: web.BaseRequest,  # noqa: ARG002
        is_welcome: Callable[[], bool],  # noqa: ARG002
    ) -> web.StreamResponse:
        await self._door.beside(self._work)
        return web.Response()

    def turn_away(self, *_: object) -> None:
        return None

    def close(self) -> None:
        pass

    def _work(self) -> None:
        self._spent_s += 0.5


async def test_work_beside_the_loop_is_charged_to_whoever_asks() -> None:
    async with solo_node(limits=WORK, pages=Deep) as solo:
        assert (await solo.get("/deep"))[0] == 200

        status, body = await solo.get("/deep")
        assert status == 429
        solo.town.clock.advance(json.loads(body)["error"]["data"]["retry_after_ms"])
        assert (await solo.get("/deep"))[0] == 200


async def test_work_beside_the_loop_is_done_one_after_the_other() -> None:
    beside = Beside(lambda: 0.0)
    going_on, begun = threading.Event(), threading.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(beside(going_on.wait))
        other = group.create_task(beside(begun.set))
        try:
            assert not await asyncio.to_thread(begun.wait, 0.1)
        finally:
            going_on.set()
        await other

    assert begun.is_set()


async def test_probes_and_metrics_are_not_counted_as_calls() -> None:
    limits = RpcLimits(calls_per_second=1, calls_burst=1)
    async with solo_node(settled=False, limits=limits) as solo:
        for _ in range(5):
            assert (await solo.get("/livez"))[0] == 200
            assert (await solo.get("/metrics"))[0] == 200


@pytest.mark.adversarial(39)
async def test_body_that_trickles_in_is_cut_off() -> None:
    async with solo_node(settled=False, limits=RpcLimits(body_timeout_ms=50)) as solo:
        request = http(
            "/rpc", method="POST", rest="Content-Type: application/json\r\nContent-Length: 1000\r\n"
        )

        answer = await raw_request(solo, request + b"{")

        assert status_of(answer) == 408


@pytest.mark.adversarial(39)
@pytest.mark.parametrize("sent", [b"", b"GET /livez HT", b"GET /livez HTTP/1.1\r\nHost: local"])
async def test_headers_that_never_end_are_cut_off(sent: bytes) -> None:
    async with solo_node(settled=False, limits=RpcLimits(idle_timeout_ms=50)) as solo:
        assert await raw_request(solo, sent) == b""


@pytest.mark.adversarial(48)
async def test_connections_of_one_address_are_bounded() -> None:
    limits = RpcLimits(connections_per_address_max=3)
    async with solo_node(settled=False, limits=limits) as solo:
        links = [await asyncio.open_connection("127.0.0.1", solo.server.port) for _ in range(3)]

        with pytest.raises(ConnectionError):
            await _read_refused(solo)

        for _, writer in links[:2]:
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0)
        assert (await solo.get("/livez"))[0] == 200
        links[2][1].close()


async def _read_refused(solo: Solo) -> None:
    if not await raw_request(solo, http()):
        raise ConnectionResetError


@pytest.mark.adversarial(48)
async def test_connections_are_bounded_in_all() -> None:
    async with solo_node(settled=False, limits=RpcLimits(connections_max=2)) as solo:
        links = [await asyncio.open_connection("127.0.0.1", solo.server.port) for _ in range(2)]

        with pytest.raises(ConnectionError):
            await _read_refused(solo)

        for _, writer in links:
            writer.close()


# Our mistakes.


class Lines:
    """A log that is read."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("path", ["/rpc", "/transactions"])
async def test_bug_is_logged_under_a_trace_id_and_not_shown(path: str) -> None:
    lines = Lines()
    log = open_log(lines, now_ms=lambda: 0, form="json")  # type: ignore[arg-type]
    async with solo_node(log=log) as solo:
        solo.intake.failure = ZeroDivisionError("inner secret")
        raw = solo.town.transfer("a0", "a1")

        if path == "/rpc":
            data = (await solo.refused("khz_submit", [raw.hex()]))["data"]
        else:
            status, body = await solo.submit_list([raw])
            assert status == 500
            data = json.loads(body)["error"]["data"]

        assert data.keys() == {"trace_id"}
        (line,) = [text for text in lines.text.splitlines() if "request failed" in text]
        assert json.loads(line)["trace_id"] == data["trace_id"]
        assert "inner secret" in line
        assert "Traceback" in line


async def test_garbage_does_not_reach_the_log_of_errors() -> None:
    lines = Lines()
    log = open_log(lines, now_ms=lambda: 0, form="json")  # type: ignore[arg-type]
    async with solo_node(settled=False, log=log) as solo:
        await raw_request(solo, b"\x16\x03\x01\x02\x00garbage\r\n\r\n")
        await raw_request(solo, b"GET / HTTP/9.9\r\n\r\n")

    assert [json.loads(line)["event"] for line in lines.text.splitlines()] == [
        "listening for clients"
    ]
    assert logging.getLogger("aiohttp.server").level == logging.NOTSET


@pytest.mark.parametrize("path", ["/rpc", "/transactions"])
async def test_caller_who_hangs_up_halfway_is_no_error_of_ours(path: str) -> None:
    lines = Lines()
    log = open_log(lines, now_ms=lambda: 0, form="json")  # type: ignore[arg-type]
    kind = {"/rpc": "json", "/transactions": "msgpack"}[path]
    async with solo_node(settled=False, log=log) as solo:
        reader, writer = await asyncio.open_connection("127.0.0.1", solo.server.port)
        rest = (
            f"Content-Type: application/{kind}\r\nContent-Length: 100\r\nExpect: 100-continue\r\n"
        )
        writer.write(http(path, method="POST", rest=rest))
        await reader.readuntil(b"100 Continue\r\n\r\n")  # now the body is awaited
        writer.write(b"[")
        writer.transport.abort()
        await solo.post(STATUS)  # on a connection of its own, so after the end of that one

    assert "request failed" not in lines.text


async def test_caller_who_hangs_up_before_a_socket_is_open_is_no_error_of_ours() -> None:
    lines = Lines()
    log = open_log(lines, now_ms=lambda: 0, form="json")  # type: ignore[arg-type]
    rest = (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    async with solo_node(settled=False, log=log) as solo:
        for _ in range(20):
            _, writer = await asyncio.open_connection("127.0.0.1", solo.server.port)
            writer.write(f"GET /ws HTTP/1.1\r\nHost: localhost\r\n{rest}\r\n".encode())
            writer.transport.abort()
            await solo.post(STATUS)

    assert "request failed" not in lines.text


members: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
METHODS = [
    "khz_status",
    "khz_submit",
    "khz_submitMany",
    "khz_simulate",
    "khz_transaction",
    "khz_transactions",
    "khz_block",
    "khz_account",
    "khz_holdings",
    "khz_holds",
    "khz_asset",
    "khz_assets",
    "khz_participant",
    "khz_participants",
    "khz_offices",
    "khz_licences",
    "khz_identifier",
    "khz_validators",
    "khz_proposals",
    "khz_proposal",
    "khz_prove",
    "khz_parameters",
    "khz_powers",
    "khz_evidence",
    "khz_mempool",
    "rpc.discover",
]
NAMES = [
    "address",
    "after",
    "asset",
    "height",
    "id",
    "identifier",
    "ids",
    "index",
    "kind",
    "limit",
    "name",
    "participant",
    "proposal",
    "timeout_ms",
    "transaction",
    "transactions",
    "wait",
]
LIKELY = st.sampled_from(
    [
        "00" * 32,
        "holding",
        "full",
        "final",
        "PKR-CB",
        "bank",
        "central-bank",
        0,
        1,
        2,
        3,
        200,
        "kg",
        "tkhz1z5ll2qcz4dg3c35wv2laqzrsj3nq2ghc8h9ncl",
        "PKR-CBx",
        "\x00",
        "é",
        ["00" * 32],
    ]
)
calls = st.fixed_dictionaries(
    {
        "jsonrpc": st.just("2.0"),
        "id": st.integers(0, 9),
        "method": st.sampled_from(METHODS),
        "params": st.dictionaries(st.sampled_from(NAMES), LIKELY | members, max_size=4)
        | st.lists(LIKELY | members, max_size=4),
    }
)


@pytest.mark.adversarial(72)
async def test_no_call_makes_the_node_answer_with_an_internal_error() -> None:
    async with solo_node(limits=RpcLimits(calls_per_second=None, wait_max_ms=1)) as solo:
        loop = asyncio.get_running_loop()

        @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(calls, min_size=1, max_size=8))
        def check(batch: list[dict[str, Any]]) -> None:
            asking = asyncio.run_coroutine_threadsafe(solo.post(json.dumps(batch).encode()), loop)
            status, body = asking.result(30)
            assert status == 200
            answers = json.loads(body)
            for answer in answers if isinstance(answers, list) else [answers]:
                assert answer.get("error", {}).get("code") != -32603, (batch, answer)

        await asyncio.to_thread(check)


# The end.


async def test_stopped_server_leaves_nothing_behind() -> None:
    async with solo_node(settled=False) as solo:
        url = solo.url + "/livez"
        socket = await solo.session.ws_connect(solo.url + "/ws")

        await solo.server.stop()

        message = await socket.receive()
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == aiohttp.WSCloseCode.GOING_AWAY
        with pytest.raises(aiohttp.ClientConnectionError):
            await solo.session.get(url)
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not {name for name in names if name.startswith("rpc-")}
