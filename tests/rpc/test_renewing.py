"""A listener's certificates are read again while it listens; who is revoked meanwhile has to go."""

import asyncio
import contextlib
import io
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509

from node.access import Role
from node.log import open_log
from node.rpc import renewing
from node.rpc.renewing import Renewable, keep_renewed
from node.rpc.tls import TlsFiles, read_tls
from tests.rpc.authorities import Authority, Identity, client_context, renewable
from tests.rpc.solo import Solo, solo_node


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def server(authority: Authority) -> Identity:
    return authority.sign("server")


@contextlib.asynccontextmanager
async def listening(tls: Renewable) -> AsyncIterator[tuple[Solo, int]]:
    async with solo_node(settled=False) as solo:
        yield solo, await solo.server.start("127.0.0.1", 0, role=Role.OPERATOR, tls=tls)


async def shown_by(port: int, context: ssl.SSLContext) -> int:
    """Return the serial number of the certificate that the listener shows."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(der).serial_number


def serial_of(identity: Identity) -> int:
    return x509.load_pem_x509_certificate(identity.certificate.read_bytes()).serial_number


def put(source: Path, target: Path) -> None:
    """Put a file into the place of another as programs do that renew certificates."""
    aside = target.with_name(target.name + ".new")
    aside.write_bytes(source.read_bytes())
    aside.replace(target)


async def test_a_renewed_certificate_is_shown_and_open_connections_stay(
    authority: Authority, server: Identity
) -> None:
    tls = renewable(server, authority)
    ours = client_context(authority, authority.sign("operator"))
    former, renewed = serial_of(server), authority.sign("renewed")
    async with (
        listening(tls) as (solo, port),
        solo.session.ws_connect(f"https://127.0.0.1:{port}/ws", ssl=ours) as socket_,
    ):
        assert await shown_by(port, ours) == former
        put(renewed.certificate, server.certificate)
        put(renewed.key, server.key)
        tls.look()
        assert await shown_by(port, ours) == former, "it may still be written"
        tls.look()
        assert await shown_by(port, ours) == serial_of(renewed)
        await socket_.send_json({"jsonrpc": "2.0", "id": 1, "method": "khz_mempool"})
        assert (await socket_.receive_json())["id"] == 1


async def test_files_that_cannot_be_used_change_nothing_and_it_is_said(
    authority: Authority, server: Identity
) -> None:
    log = io.StringIO()
    tls = renewable(server, log=open_log(log, now_ms=lambda: 0, level="info"))
    metrics = tls._metrics
    former, renewed = serial_of(server), authority.sign("renewed", until_year=2101)
    until = metrics.value(
        "khazana_tls_expiry_timestamp_seconds", listener="desk", file="certificate"
    )
    ours = client_context(authority)
    async with listening(tls) as (_, port):
        put(renewed.certificate, server.certificate)
        for _ in range(4):
            tls.look()
        assert await shown_by(port, ours) == former
        assert metrics.value("khazana_tls_files_refused", listener="desk") == 1
        refusals = [line for line in log.getvalue().splitlines() if "not taken up" in line]
        assert len(refusals) == 1, "said once, not each second"
        assert "KEY_VALUES_MISMATCH" in refusals[0]
        assert "listener=desk" in refusals[0]
        put(renewed.key, server.key)
        tls.look()
        tls.look()
        assert await shown_by(port, ours) == serial_of(renewed)

    assert metrics.value("khazana_tls_files_refused", listener="desk") == 0
    now = metrics.value("khazana_tls_expiry_timestamp_seconds", listener="desk", file="certificate")
    assert now < until
    assert "certificate='until 2101-01-01'" in log.getvalue()


def test_an_authority_that_is_replaced_while_it_is_read_is_one_and_not_two(
    tmp_path: Path, authority: Authority, server: Identity
) -> None:
    """Else whoever came by the former would be taken for one who came by the new, and stay."""
    other, looks = Authority(tmp_path, "other"), 0
    former = authority.certificate.read_bytes()

    class Replaced(type(tmp_path)):  # type: ignore[misc]  # as the system has it
        def __fspath__(self) -> str:
            nonlocal looks
            looks += 1
            if looks == 2:
                put(other.certificate, authority.certificate)
            return str(self)

    found = read_tls(
        TlsFiles(
            certificate=server.certificate,
            key=server.key,
            client_authority=Replaced(authority.certificate),
        )
    )

    assert found.authority is not None
    told = ssl.PEM_cert_to_DER_cert(found.authority.decode())
    assert found.context.get_ca_certs(binary_form=True) == [told]
    assert found.authority == former


async def test_who_is_revoked_has_to_go_and_the_others_stay(
    authority: Authority, server: Identity
) -> None:
    lost, kept = authority.sign("lost"), authority.sign("kept")
    tls = renewable(server, authority, revocations=authority.revoke())
    async with listening(tls) as (solo, port):
        url = f"https://127.0.0.1:{port}/ws"
        theirs, ours = client_context(authority, lost), client_context(authority, kept)
        async with (
            solo.session.ws_connect(url, ssl=theirs) as revoked,
            solo.session.ws_connect(url, ssl=ours) as other,
        ):
            authority.revoke(lost)
            tls.look()
            tls.look()
            assert (await revoked.receive()).type in (
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.ERROR,
            )
            await other.send_json({"jsonrpc": "2.0", "id": 1, "method": "khz_mempool"})
            assert (await other.receive_json())["id"] == 1
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REVOKED"):
            await asked(port, client_context(authority, lost))
        assert await asked(port, ours) == b"H"
        await counted(solo, "revoked")


@pytest.mark.parametrize("reason", ["revoked", "untrusted", None])
async def test_who_was_shaking_hands_meanwhile_is_judged_by_what_holds_now(
    tmp_path: Path, authority: Authority, server: Identity, reason: str | None
) -> None:
    """Else who keeps beginning handshakes outlives any list: one of them is under way."""
    lost = authority.sign("lost")
    tls = renewable(server, authority, revocations=authority.revoke())
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    shaking = client_context(authority, lost).wrap_bio(incoming, outgoing)
    async with listening(tls) as (solo, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for is_last in (False, True):
            with contextlib.suppress(ssl.SSLWantReadError):
                shaking.do_handshake()
            if is_last:  # what the client sends now ends it
                if reason == "revoked":
                    authority.revoke(lost)
                if reason == "untrusted":
                    other = Authority(tmp_path, "following")
                    put(other.certificate, authority.certificate)
                    put(other.revoke(), authority.certificate.with_suffix(".crl"))
                tls.read()
            writer.write(outgoing.read())
            if not is_last:
                incoming.write(await reader.read(1 << 16))
        if reason is not None:
            await counted(solo, reason)
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(reader.read(), 90)
            assert reader.at_eof()
        else:
            shaking.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            writer.write(outgoing.read())
            answer = b""
            while not answer:
                incoming.write(await reader.read(1 << 16))
                with contextlib.suppress(ssl.SSLWantReadError):
                    answer = shaking.read(4)
            assert answer == b"HTTP"
        writer.close()


async def test_nobody_takes_up_again_what_was_agreed_before_it_was_revoked(
    authority: Authority, server: Identity
) -> None:
    lost = authority.sign("lost")
    tls = renewable(server, authority, revocations=authority.revoke())
    theirs = client_context(authority, lost)
    theirs.maximum_version = ssl.TLSVersion.TLSv1_2  # the session is there with the handshake

    def shake(port: int, session: ssl.SSLSession | None) -> tuple[ssl.SSLSession | None, bool]:
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            theirs.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as link,
        ):
            return link.session, bool(link.session_reused)

    async with listening(tls) as (_, port):
        session, _ = await asyncio.to_thread(shake, port, None)
        assert (await asyncio.to_thread(shake, port, session))[1], "or there is nothing to prevent"
        authority.revoke(lost)
        tls.read()
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REVOKED"):
            await asyncio.to_thread(shake, port, session)


async def test_a_certificate_that_only_openssl_can_read_has_to_go_and_ends_nothing_else(
    authority: Authority, server: Identity
) -> None:
    odd, kept = authority.sign("odd"), authority.sign("kept")
    authority.sign_as_of_version(odd, 5)
    tls = renewable(server, authority, revocations=authority.revoke())
    async with listening(tls) as (solo, port):
        url = f"https://127.0.0.1:{port}/ws"
        theirs, ours = client_context(authority, odd), client_context(authority, kept)
        async with (
            solo.session.ws_connect(url, ssl=theirs) as unread,
            solo.session.ws_connect(url, ssl=ours) as other,
        ):
            tls.read()
            assert (await unread.receive()).type in (
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.ERROR,
            )
            await other.send_json({"jsonrpc": "2.0", "id": 1, "method": "khz_mempool"})
            assert (await other.receive_json())["id"] == 1


async def test_a_list_that_is_too_old_turns_everybody_away(
    authority: Authority, server: Identity
) -> None:
    tls = renewable(server, authority, revocations=authority.revoke(is_over=True))
    async with listening(tls) as (solo, port):
        ours = client_context(authority, authority.sign("operator"))
        with pytest.raises(ssl.SSLError):
            await asked(port, ours)
        await counted(solo, "no-revocations")
        authority.revoke()
        tls.read()
        assert await asked(port, ours) == b"H"


async def test_with_another_authority_everybody_has_to_shake_hands_again(
    tmp_path: Path, authority: Authority, server: Identity
) -> None:
    tls = renewable(server, authority)
    former = client_context(authority, authority.sign("former"))
    async with listening(tls) as (solo, port):
        url = f"https://127.0.0.1:{port}/ws"
        async with solo.session.ws_connect(url, ssl=former) as open_:
            put(Authority(tmp_path, "following").certificate, authority.certificate)
            tls.read()
            assert (await open_.receive()).type in (
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.ERROR,
            )
        with pytest.raises(ssl.SSLError, match="UNKNOWN_CA"):
            await asked(port, former)


async def test_the_files_are_looked_at_while_the_node_runs(
    authority: Authority, server: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewing, "LOOK_AGAIN_S", 0)
    tls = renewable(server)
    former, taken = tls.now, asyncio.Event()
    tls.listeners.append(lambda _former, _now: taken.set())
    async with asyncio.timeout(90), asyncio.TaskGroup() as group:
        looking = group.create_task(keep_renewed([tls]), name="looking")
        renewed = authority.sign("renewed")
        put(renewed.certificate, server.certificate)
        put(renewed.key, server.key)
        await taken.wait()
        looking.cancel()

    assert tls.now.context is not former.context


async def asked(port: int, context: ssl.SSLContext) -> bytes:
    """Return the first byte of an answer over TLS."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    try:
        return await reader.read(1)
    finally:
        writer.close()


async def counted(solo: Solo, reason: str) -> None:
    """Wait until one was turned away for this: the client hears of it first."""
    name = "khazana_rpc_handshakes_refused_total"
    async with asyncio.timeout(90):
        while solo.services.metrics.value(name, reason=reason) != 1:  # noqa: ASYNC110
            await asyncio.sleep(0)
