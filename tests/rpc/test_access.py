"""Who is answered what: roles of listeners, API keys, certificates of clients, other origins."""

import asyncio
import contextlib
import gc
import io
import json
import socket
import ssl
import struct
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from node.access import (
    LOOK_AGAIN_S,
    ApiKey,
    Keyring,
    Role,
    Scope,
    hash_of,
    load_api_keys,
    make_api_key,
    save_api_keys,
)
from node.client import Client, Unreachable
from node.client import Forbidden as ClientForbidden
from node.codec import encode
from node.explorer import Explorer
from node.log import open_log, silent_log
from node.rpc import RpcLimits, listening
from node.rpc.doorstep import Doorstep
from node.rpc.listening import READ_AT_ONCE_BYTES, WRITE_BYTES
from node.rpc.tls import ListenerTlsError, TlsFiles, read_tls
from tests.access.hand import HandClock
from tests.rpc.authorities import Authority, Identity, client_context, renewable
from tests.rpc.solo import Solo, solo_node

READ = {"jsonrpc": "2.0", "id": 1, "method": "khz_mempool"}
SUBMIT = {"jsonrpc": "2.0", "id": 2, "method": "khz_submit", "params": {"transaction": "00"}}
FORBIDDEN = -32004
JSON = {"Content-Type": "application/json"}
TLS_CONNECTIONS = 24


class Doors:
    """A node with a listener for each role, and the keys that it takes."""

    def __init__(self, solo: Solo, keys: Path, clock: HandClock) -> None:
        self.solo = solo
        self.path = keys
        self._clock = clock
        self.ports: dict[Role, int] = {}

    def url(self, role: Role) -> str:
        return f"http://127.0.0.1:{self.ports[role]}"

    def make_key(self, *scopes: Scope, calls_per_s_max: int | None = None) -> str:
        """Put one key into the file, and return it; those before it are revoked."""
        text = make_api_key("one")
        key = ApiKey(sha256=hash_of(text), scopes=scopes, calls_per_s_max=calls_per_s_max)
        save_api_keys(self.path, {"one": key})
        self._clock.seconds += LOOK_AGAIN_S
        return text

    def change_key(self, *, scopes: tuple[Scope, ...], expires_s: int) -> None:
        """Let the key be good for these, until this time of the node's clock."""
        expires = datetime.fromtimestamp(expires_s, tz=UTC)
        changed = replace(load_api_keys(self.path)["one"], scopes=scopes, expires=expires)
        save_api_keys(self.path, {"one": changed})
        self._clock.seconds += LOOK_AGAIN_S

    def pass_s(self, seconds: int) -> None:
        """Let this time pass."""
        self._clock.ms += 1_000 * seconds

    async def call(
        self, role: Role, body: object, *, key: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        async with self.solo.session.post(
            self.url(role) + "/rpc", json=body, headers=headers
        ) as response:
            return response.status, await response.json()

    async def status(self, role: Role, path: str, *, key: str | None = None) -> int:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        async with self.solo.session.get(self.url(role) + path, headers=headers) as response:
            return response.status


@asynccontextmanager
async def doors(folder: Path, *, limits: RpcLimits | None = None) -> AsyncIterator[Doors]:
    path = folder / "keys.toml"
    save_api_keys(path, {})
    clock = HandClock()
    keyring = Keyring(path, clock=clock, log=silent_log())
    async with solo_node(settled=False, keyring=keyring, pages=Explorer, limits=limits) as solo:
        found = Doors(solo, path, clock)
        for role in Role:
            found.ports[role] = await solo.server.start("127.0.0.1", 0, role=role)
        yield found


# Roles.


@pytest.mark.parametrize("role", Role)
async def test_role_says_what_is_answered_without_a_key(tmp_path: Path, role: Role) -> None:
    async with doors(tmp_path) as node:
        may = {
            Role.CLOSED: (False, False, False),
            Role.PUBLIC: (True, False, False),
            Role.PARTICIPANT: (True, True, False),
            Role.OPERATOR: (True, True, True),
        }[role]
        reads, submits, operates = may

        read = (await node.call(role, READ))[1]
        submitted = (await node.call(role, SUBMIT))[1]

        assert ("result" in read) == reads
        assert (submitted["error"]["code"] != FORBIDDEN) == submits
        assert await node.status(role, "/") == (200 if reads else 403)
        assert await node.status(role, "/assets.json") == (200 if reads else 403)
        assert await node.status(role, "/metrics") == (200 if operates else 403)
        for probe in ("/livez", "/readyz"):
            assert await node.status(role, probe) in {200, 503}


async def test_list_of_transactions_is_a_submission(tmp_path: Path) -> None:
    async with doors(tmp_path) as node:
        for role, expected in ((Role.PUBLIC, 403), (Role.PARTICIPANT, 200)):
            async with node.solo.session.post(
                node.url(role) + "/transactions",
                data=encode((b"nonsense",)),
                headers={"Content-Type": "application/msgpack"},
            ) as response:
                assert response.status == expected


async def test_batch_is_answered_call_by_call(tmp_path: Path) -> None:
    async with doors(tmp_path) as node:
        status, answers = await node.call(Role.PUBLIC, [READ, SUBMIT])

        assert status == 200
        assert "result" in answers[0]  # type: ignore[index]
        error = answers[1]["error"]  # type: ignore[index]
        assert (error["code"], error["data"]) == (FORBIDDEN, {"scope": "submit"})
        assert "API key of scope 'submit'" in error["message"]


async def test_socket_is_a_read_and_its_calls_are_what_they_are(tmp_path: Path) -> None:
    async with doors(tmp_path) as node:
        session = node.solo.session
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await session.ws_connect(node.url(Role.CLOSED) + "/ws")
        async with session.ws_connect(node.url(Role.PUBLIC) + "/ws") as socket:
            await socket.send_json(READ)
            assert "result" in await socket.receive_json()
            await socket.send_json(SUBMIT)
            assert (await socket.receive_json())["error"]["code"] == FORBIDDEN


# API keys.


async def test_key_opens_its_scopes_at_any_listener(tmp_path: Path) -> None:
    async with doors(tmp_path) as node:
        key = node.make_key(Scope.SUBMIT)

        assert "result" not in (await node.call(Role.CLOSED, READ, key=key))[1]
        for role in (Role.CLOSED, Role.PUBLIC):
            answer = (await node.call(role, SUBMIT, key=key))[1]
            assert answer["error"]["code"] != FORBIDDEN
        assert "result" in (await node.call(Role.PUBLIC, READ, key=key))[1]
        assert await node.status(Role.PUBLIC, "/metrics", key=key) == 403


@pytest.mark.parametrize("given", ["Bearer nonsense", "Basic YTpi", "Bearer", "Bearer khz_one_"])
async def test_what_is_no_key_is_refused_where_none_was_needed(tmp_path: Path, given: str) -> None:
    """A client that shows a wrong key should hear of it, and not get half of what it expects."""
    async with (
        doors(tmp_path) as node,
        node.solo.session.post(
            node.url(Role.OPERATOR) + "/rpc", json=READ, headers={"Authorization": given}
        ) as response,
    ):
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert (await response.json())["error"]["code"] == FORBIDDEN


async def test_node_without_a_file_says_that_it_takes_no_keys() -> None:
    async with solo_node(settled=False) as solo:
        status, body = await solo.post(
            json.dumps(READ).encode(), Authorization=f"Bearer {make_api_key('one')}"
        )

        assert status == 401
        assert b"takes no API keys" in body


async def test_trying_keys_is_counted_against_the_address(tmp_path: Path) -> None:
    limits = RpcLimits(calls_per_second=1, calls_burst=3)
    async with doors(tmp_path, limits=limits) as node:
        statuses = [
            (await node.call(Role.PUBLIC, READ, key=make_api_key("one")))[0] for _ in range(4)
        ]

        assert statuses == [401, 401, 401, 429]


async def test_key_has_its_own_rate_and_does_not_use_up_that_of_its_address(tmp_path: Path) -> None:
    limits = RpcLimits(calls_per_second=1, calls_burst=2)
    async with doors(tmp_path, limits=limits) as node:
        key = node.make_key(Scope.READ, calls_per_s_max=5)

        with_key = [(await node.call(Role.CLOSED, [READ] * 2, key=key))[0] for _ in range(6)]
        without = [(await node.call(Role.PUBLIC, READ))[0] for _ in range(3)]

        assert with_key == [200] * 5 + [429]
        assert without == [200, 200, 429]


async def test_revoked_key_ends_the_sockets_that_it_opened(tmp_path: Path) -> None:
    async with doors(tmp_path) as node:
        key = node.make_key(Scope.READ)
        session = node.solo.session
        async with (
            session.ws_connect(
                node.url(Role.CLOSED) + "/ws", headers={"Authorization": f"Bearer {key}"}
            ) as keyed,
            session.ws_connect(node.url(Role.PUBLIC) + "/ws") as stranger,
        ):
            await keyed.send_json(READ)
            assert "result" in await keyed.receive_json()

            node.make_key(Scope.READ)

            farewell = await keyed.receive(timeout=90)
            assert (farewell.type, farewell.data) == (aiohttp.WSMsgType.CLOSE, 1008)
            assert farewell.extra == "the API key is no longer good"
            assert (await node.call(Role.CLOSED, READ, key=key))[0] == 401
            await stranger.send_json(READ)
            assert "result" in await stranger.receive_json()


async def test_key_that_may_less_or_expires_ends_the_sockets_that_it_opened(
    tmp_path: Path,
) -> None:
    async with doors(tmp_path) as node:
        headers = {"Authorization": f"Bearer {node.make_key(Scope.READ, Scope.SUBMIT)}"}
        url = node.url(Role.CLOSED) + "/ws"
        changes: tuple[Callable[[], None], ...] = (
            partial(node.change_key, scopes=(Scope.READ,), expires_s=60),
            partial(node.pass_s, 60),
        )
        for change in changes:
            async with node.solo.session.ws_connect(url, headers=headers) as keyed:
                await keyed.send_json(READ)
                assert "result" in await keyed.receive_json()
                change()
                farewell = await keyed.receive(timeout=60)
            assert (farewell.type, farewell.data) == (aiohttp.WSMsgType.CLOSE, 1008)
        with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
            await node.solo.session.ws_connect(url, headers=headers)


async def test_revoked_key_ends_the_pages_that_it_keeps_open(tmp_path: Path) -> None:
    async with doors(tmp_path) as node:
        headers = {"Authorization": f"Bearer {node.make_key(Scope.READ)}"}
        session, decide = node.solo.session, node.solo.town.decide
        async with (
            session.get(node.url(Role.CLOSED) + "/live", headers=headers) as keyed,
            session.get(node.url(Role.PUBLIC) + "/live") as stranger,
        ):
            assert (await keyed.content.readline()).startswith(b"id: ")
            await stranger.content.readline()

            node.make_key(Scope.READ)
            await decide()

            async with asyncio.timeout(90):
                told = await keyed.content.read()
            assert b"\nid: " not in told
            assert not stranger.content.at_eof()


async def test_client_shows_its_key_and_says_when_it_opens_nothing(tmp_path: Path) -> None:
    async with doors(tmp_path) as node:
        key = node.make_key(Scope.READ)
        url = node.url(Role.CLOSED)

        async with Client(url, api_key=key) as client:
            assert (await client.status()).height == 0
        with pytest.raises(ClientForbidden, match="API key of scope 'read'"):
            async with Client(url):
                pass
        with pytest.raises(ClientForbidden, match="not known here"):
            async with Client(url, api_key=make_api_key("one")):
                pass
        with pytest.raises(ValueError, match="no API key"):
            Client(url, api_key="khz\r\nX: y")


# Certificates of clients.


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture(scope="module")
def server(authority: Authority) -> Identity:
    return authority.sign("server")


async def test_listener_for_operators_wants_a_certificate(
    tmp_path: Path, authority: Authority, server: Identity
) -> None:
    foreign = Authority(tmp_path, "foreign")
    tls = renewable(server, authority)
    async with solo_node(settled=False) as solo:
        port = await solo.server.start("127.0.0.1", 0, role=Role.OPERATOR, tls=tls)
        url = f"https://127.0.0.1:{port}/metrics"

        async with solo.session.get(
            url, ssl=client_context(authority, authority.sign("operator"))
        ) as response:
            assert response.status == 200
        for stranger in (None, foreign.sign("intruder")):
            with pytest.raises(aiohttp.ClientError):
                await solo.session.get(url, ssl=client_context(authority, stranger))
        with pytest.raises(aiohttp.ClientError):
            await solo.session.get(url.replace("https", "http"))


async def test_who_is_turned_away_in_the_handshake_hears_why(
    tmp_path: Path, authority: Authority, server: Identity
) -> None:
    foreign = Authority(tmp_path, "foreign")
    tls = renewable(server, authority)
    async with solo_node(settled=False) as solo:
        port = await solo.server.start("127.0.0.1", 0, role=Role.OPERATOR, tls=tls)
        for stranger, alert, said, reason in (
            (None, "CERTIFICATE_REQUIRED", "wants a certificate of its clients", "no-certificate"),
            (foreign.sign("intruder"), "UNKNOWN_CA", "does not trust who signed", "untrusted"),
            (
                authority.sign("former", is_over=True),
                "CERTIFICATE_EXPIRED",
                "has expired",
                "expired",
            ),
        ):
            with pytest.raises(ssl.SSLError, match=alert):
                await _ask_in_tls(port, client_context(authority, stranger))
            await _until(partial(_is_counted, solo, reason))
            with pytest.raises(Unreachable, match=said):
                async with Client(
                    f"https://127.0.0.1:{port}", ssl_context=client_context(authority, stranger)
                ) as client:
                    await client.status()
        with pytest.raises(Unreachable, match="its certificate is not good here: "):
            async with Client(
                f"https://127.0.0.1:{port}", ssl_context=client_context(foreign)
            ) as client:
                await client.status()
        with pytest.raises(Unreachable, match="ask with http"):
            async with Client(solo.url.replace("http", "https")) as client:
                await client.status()


async def test_who_is_turned_away_in_the_handshake_is_counted_and_told_of_sparingly(
    authority: Authority, server: Identity
) -> None:
    tls = renewable(server, authority)
    log = io.StringIO()
    async with solo_node(settled=False, log=open_log(log, now_ms=lambda: 0, level="info")) as solo:
        port = await solo.server.start("127.0.0.1", 0, role=Role.OPERATOR, tls=tls)
        for _ in range(40):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await reader.read()
            writer.close()
        await _until(lambda: turned_away(solo, "not-tls") == 40)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        await _until(lambda: turned_away(solo, "lost") == 1)

    lines = [line for line in log.getvalue().splitlines() if "client turned away" in line]
    assert 10 <= len(lines) < 20
    assert all("address=127.0.0.1 reason=not-tls" in line for line in lines)


async def test_nothing_stays_of_a_handshake_that_failed(
    authority: Authority, server: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever of it is in a cycle stays until the collector looks, and that is seldom: each has
    buffers of 256 KiB."""
    monkeypatch.setattr(listening, "HANDSHAKE_SECONDS", 0.05)
    tls = renewable(server, authority)
    stranger = client_context(authority)  # which shows no certificate
    async with solo_node(settled=False) as solo:
        port = await solo.server.start("127.0.0.1", 0, role=Role.OPERATOR, tls=tls)
        gc.collect()
        gc.disable()
        try:
            for sent in (b"GET / HTTP/1.1\r\n\r\n", b"\x16", b""):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(sent)
                await reader.read()
                writer.close()
            with pytest.raises(ssl.SSLError):
                await _ask_in_tls(port, stranger)
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            reasons = {"not-tls": 1, "slow": 2, "no-certificate": 1, "lost": 1}
            await _until(lambda: all(turned_away(solo, each) == reasons[each] for each in reasons))
            await _until(lambda: not solo.server._connections._open)
            left = [each for each in gc.get_objects() if _is_of_the_node(each)]
        finally:
            gc.enable()

    assert not left


def _is_of_the_node(each: object) -> bool:
    return isinstance(each, asyncio.sslproto.SSLProtocol) and each._server_side


def turned_away(solo: Solo, reason: str) -> float:
    name = "khazana_rpc_handshakes_refused_total"
    return solo.services.metrics.value(name, reason=reason)


def _is_counted(solo: Solo, reason: str) -> bool:
    return turned_away(solo, reason) == 1


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(90):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def _ask_in_tls(port: int, context: ssl.SSLContext) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    try:
        return await reader.read(1)
    finally:
        writer.close()


async def test_a_connection_with_tls_holds_no_more_than_one_without_reads_at_once(
    authority: Authority, server: Identity
) -> None:
    """Both ends are in this process. A large body still comes whole."""
    tls = renewable(server, authority)
    ours = client_context(authority, authority.sign("operator"))
    async with (
        solo_node(settled=False) as solo,
        contextlib.AsyncExitStack() as stack,
    ):
        port = await solo.server.start("127.0.0.1", 0, role=Role.OPERATOR, tls=tls)
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(TLS_CONNECTIONS):
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=ours)
            stack.callback(writer.close)
        after, _ = tracemalloc.get_traced_memory()
        async with solo.session.post(
            f"https://127.0.0.1:{port}/rpc", data=b" " * 900_000 + b"{}", headers=JSON, ssl=ours
        ) as response:
            answer = await response.json(content_type=None)

    assert after - before < TLS_CONNECTIONS * (2 * READ_AT_ONCE_BYTES + 100_000), after - before
    assert answer["error"]["code"] == -32600


async def test_who_takes_no_answers_has_no_more_written_with_tls_than_without(
    authority: Authority, server: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    pause = Doorstep.pause_writing

    def pause_writing(end: Doorstep) -> None:
        assert end.transport is not None
        if not held.done():
            held.set_result(end.transport.get_write_buffer_size())
        pause(end)

    monkeypatch.setattr(Doorstep, "pause_writing", pause_writing)
    body = json.dumps([{"jsonrpc": "2.0", "id": 1, "method": "khz_status"}] * 60).encode()
    head = b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    request = head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    tls = renewable(server, authority)
    ours = client_context(authority, authority.sign("operator"))
    limits = RpcLimits(calls_per_second=None, work_ms_per_second=None)
    async with solo_node(settled=False, limits=limits) as solo:
        port = await solo.server.start("127.0.0.1", 0, role=Role.OPERATOR, tls=tls)
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.setblocking(False)
        await asyncio.get_running_loop().sock_connect(link, ("127.0.0.1", port))
        _, writer = await asyncio.open_connection(sock=link, ssl=ours, server_hostname="127.0.0.1")
        assert isinstance(writer.transport, asyncio.Transport)
        writer.transport.pause_reading()
        writer.write(request * 400)

        answer_bytes_max = limits.body_small_bytes  # What is larger is given piece by piece.
        assert await held <= WRITE_BYTES + answer_bytes_max + 1_000
        writer.transport.abort()


@pytest.mark.adversarial(48)
async def test_connections_with_tls_that_break_off_leave_their_address_its_places(
    authority: Authority, server: Identity
) -> None:
    """As those of load balancers that look whether somebody is there."""
    tls, ours = renewable(server), client_context(authority)
    async with solo_node(settled=False, limits=RpcLimits(connections_per_address_max=2)) as solo:
        port = await solo.server.start("127.0.0.1", 0, role=Role.PUBLIC, tls=tls)
        served = solo.server._listening[-1]._runner.server
        assert served is not None

        async def held(count: int) -> None:
            async with asyncio.timeout(60):
                while len(served.connections) != count:  # noqa: ASYNC110 - nobody tells of it
                    await asyncio.sleep(0)

        for _ in range(2):
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=ours)
            await held(1)
            # With what lingers for no time a connection is reset and not ended.
            taken = writer.get_extra_info("socket")
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            await held(0)
        async with solo.session.get(f"https://127.0.0.1:{port}/livez", ssl=ours) as response:
            assert response.status == 200


@pytest.mark.adversarial(48)
async def test_connections_are_counted_before_tls_is_agreed_on(
    authority: Authority, server: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = renewable(server, authority)
    ours = client_context(authority, authority.sign("operator"))
    async with (
        solo_node(settled=False, limits=RpcLimits(connections_per_address_max=3)) as solo,
        contextlib.AsyncExitStack() as stack,
    ):
        port = await solo.server.start("127.0.0.1", 0, role=Role.OPERATOR, tls=tls)
        url = f"https://127.0.0.1:{port}/livez"

        async def silent() -> asyncio.StreamReader:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
            return reader

        async def held(count: int) -> None:
            async with asyncio.timeout(60):
                while solo.server._connections._open != count:  # noqa: ASYNC110
                    await asyncio.sleep(0)

        waiting = [await silent() for _ in range(3)]
        await held(3)
        with contextlib.suppress(ConnectionError):
            assert await (await silent()).read() == b""
        with pytest.raises(aiohttp.ClientError):
            await solo.session.get(url, ssl=ours)
        assert not any(reader.at_eof() for reader in waiting)
        await stack.aclose()
        await held(0)
        monkeypatch.setattr(listening, "HANDSHAKE_SECONDS", 0.05)
        for _ in range(3):
            assert await (await silent()).read() == b""
        await held(0)

        with pytest.raises(aiohttp.ClientError):
            await solo.session.get(url, ssl=client_context(authority))
        await held(0)
        async with solo.session.get(url, ssl=ours) as response:
            assert response.status == 200
            await held(1)
    await held(0)


async def test_client_speaks_tls_to_a_listener_without_client_authority(
    authority: Authority, server: Identity
) -> None:
    tls = renewable(server)
    async with solo_node(settled=False) as solo:
        port = await solo.server.start("127.0.0.1", 0, role=Role.PUBLIC, tls=tls)

        async with Client(
            f"https://127.0.0.1:{port}", ssl_context=client_context(authority)
        ) as client:
            assert (await client.status()).height == 0


def test_files_that_make_no_listener_say_which(
    tmp_path: Path, authority: Authority, server: Identity
) -> None:
    other = authority.sign("other")
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    foreign = Authority(tmp_path, "foreign")
    own = authority.revoke()
    (tmp_path / "cut.pem").write_bytes(own.read_bytes() + own.read_bytes()[:-30])
    (tmp_path / "more.pem").write_bytes(own.read_bytes() + foreign.certificate.read_bytes())
    sound = (server.certificate, server.key, authority.certificate)
    cases = [
        ((tmp_path / "none.pem", server.key), "No such file"),
        ((nonsense, server.key), "not usable"),
        ((server.certificate, other.key), "KEY_VALUES_MISMATCH"),
        ((server.certificate, server.key, nonsense), "nonsense.pem"),
        ((*sound, tmp_path / "none.pem"), "none.pem: No such file"),
        ((*sound, nonsense), "nonsense.pem: no list of revoked certificates"),
        ((*sound, tmp_path / "cut.pem"), "not a whole one"),
        ((*sound, authority.certificate), "no list of revoked certificates"),
        ((*sound, tmp_path / "more.pem"), "a certificate in there would be trusted"),
        ((*sound, foreign.revoke()), "the list of CN=foreign is not signed by an authority"),
    ]
    for paths, said in cases:
        names = ("certificate", "key", "client_authority", "client_revocations")
        with pytest.raises(ListenerTlsError, match=said):
            read_tls(TlsFiles(**dict(zip(names, paths, strict=False))))


# Pages of other origins.

DESK = "https://desk.example"


async def test_page_of_a_named_origin_may_read_answers() -> None:
    async with solo_node(settled=False, origins=[DESK]) as solo:
        async with solo.session.options(
            solo.url + "/rpc",
            headers={
                "Origin": DESK,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type",
            },
        ) as preflight:
            assert preflight.status == 204
            assert preflight.headers["Access-Control-Allow-Origin"] == DESK
            assert "Content-Type" in preflight.headers["Access-Control-Allow-Headers"]
        async with solo.session.post(
            solo.url + "/rpc", json=READ, headers={"Origin": DESK}
        ) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == DESK
            assert answer.headers["Vary"] == "Origin"
        async with solo.session.ws_connect(solo.url + "/ws", headers={"Origin": DESK}) as socket:
            await socket.send_json(READ)
            assert "result" in await socket.receive_json()


@pytest.mark.parametrize("origins", [[], [DESK]])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", DESK + ".evil.example"])
async def test_page_of_any_other_origin_may_not(origins: list[str], origin: str) -> None:
    async with solo_node(settled=False, origins=origins) as solo:
        async with solo.session.options(
            solo.url + "/rpc",
            headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
        ) as preflight:
            assert preflight.status == 405
            assert "Access-Control-Allow-Origin" not in preflight.headers
        async with solo.session.post(
            solo.url + "/rpc", json=READ, headers={"Origin": origin}
        ) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await solo.session.ws_connect(solo.url + "/ws", headers={"Origin": origin})


# Several listeners.


async def test_connections_are_counted_over_all_listeners(tmp_path: Path) -> None:
    limits = RpcLimits(connections_per_address_max=2)
    async with doors(tmp_path, limits=limits) as node:
        held = [
            await asyncio.open_connection("127.0.0.1", node.ports[role])
            for role in (Role.PUBLIC, Role.CLOSED, Role.OPERATOR)
        ]
        try:
            reader, writer = held[-1]
            writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
        finally:
            for _, writer in held:
                writer.close()
