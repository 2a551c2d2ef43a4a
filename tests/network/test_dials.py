"""Dials that come to nothing, and what they say; places and keys that do not fit."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from node.keys.certificates import create_tls_identity
from node.log import silent_log
from node.metrics import Metrics
from node.network import CertificateUnusable, DialFailed
from node.network.tls import TlsIdentity, make_contexts
from node.network.websocket import PATH, WebSocketTransport
from tests.network.sockets import (
    HOST,
    IDENTITIES,
    QUICK,
    RawPeer,
    RealNode,
    make_identity,
    real_member,
)


async def dial_failure(transport: WebSocketTransport, address: str) -> str:
    async with asyncio.TaskGroup() as tasks:
        await transport.start(tasks, lambda link: link.close("unexpected"))
        with pytest.raises(DialFailed) as caught:
            await transport.dial(address)
        await transport.stop()
    return caught.value.reason


def make_dialler() -> WebSocketTransport:
    transport = WebSocketTransport(
        identity=IDENTITIES["b"],
        listen=None,
        frame_size_max=1 << 20,
        log=silent_log(),
        metrics=Metrics(),
        settings=QUICK,
    )
    transport.trust([IDENTITIES["a"].certificate])
    return transport


@contextlib.asynccontextmanager
async def showing(identity: TlsIdentity) -> AsyncIterator[str]:
    """Listen with this certificate; give where."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="hello")

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    contexts = make_contexts(identity, [IDENTITIES["b"].certificate])
    site = web.TCPSite(runner, HOST, 0, ssl_context=contexts.server)
    await site.start()
    yield f"{HOST}:{site.port}"
    await runner.cleanup()


async def test_a_redirect_is_not_followed() -> None:
    visited: list[str] = []

    async def redirect(request: web.BaseRequest) -> web.StreamResponse:
        visited.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    runner = web.ServerRunner(web.Server(redirect, access_log=None))
    await runner.setup()
    contexts = make_contexts(IDENTITIES["a"], [IDENTITIES["b"].certificate])
    site = web.TCPSite(runner, HOST, 0, ssl_context=contexts.server)
    await site.start()

    reason = await dial_failure(make_dialler(), f"{HOST}:{site.port}")

    assert reason == "it answered with a redirect"
    assert visited == [PATH]
    await runner.cleanup()


async def test_what_does_not_speak_websocket_is_no_peer() -> None:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="hello")

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    contexts = make_contexts(IDENTITIES["a"], [IDENTITIES["b"].certificate])
    site = web.TCPSite(runner, HOST, 0, ssl_context=contexts.server)
    await site.start()

    assert "HTTP 200" in await dial_failure(make_dialler(), f"{HOST}:{site.port}")
    await runner.cleanup()


def with_dates(identity: TlsIdentity, until: datetime) -> TlsIdentity:
    """The same key under a certificate that ends."""
    key = load_pem_private_key(identity.private_key_pem, None)
    assert isinstance(key, Ed25519PrivateKey)
    old = x509.load_der_x509_certificate(identity.certificate)
    builder = (
        x509.CertificateBuilder(extensions=list(old.extensions))
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(key.public_key())
        .serial_number(old.serial_number)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(until)
    )
    certificate = builder.sign(key, None).public_bytes(Encoding.DER)
    return TlsIdentity(certificate=certificate, private_key_pem=identity.private_key_pem)


async def test_a_certificate_that_has_ended_is_said_as_that() -> None:
    """Python's error of it is a ValueError too, as is what a bad address ends in."""
    ended = with_dates(IDENTITIES["a"], datetime(2021, 1, 1, tzinfo=UTC))
    dialler = make_dialler()
    dialler.trust([ended.certificate])

    async with showing(ended) as address:
        reason = await dial_failure(dialler, address)

    assert reason == "its certificate is not in force today, or a clock is wrong"


async def test_a_certificate_of_somebody_else_is_said_as_that() -> None:
    async with showing(IDENTITIES["c"]) as address:
        reason = await dial_failure(make_dialler(), address)

    assert reason == "its certificate is not pinned here"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:1", "Connect call failed|refused"),
        ("x" * 70 + ":1", "this is no address"),
        ("peer:port", "this is no address"),
        ("[::1", "this is no address"),
    ],
)
async def test_a_failed_dial_says_what_failed(address: str, reason: str) -> None:
    assert re.search(reason, await dial_failure(make_dialler(), address), re.IGNORECASE)


async def test_a_taken_port_is_reported() -> None:
    async with RealNode("a").running() as a:
        second = RealNode("b", port=a.transport.port)
        with pytest.raises(OSError, match="in use"):
            await second.network.run(second.recorder)


def test_a_key_that_does_not_fit_its_certificate_is_refused_at_once() -> None:
    key, _ = create_tls_identity("x")

    with pytest.raises(CertificateUnusable):
        WebSocketTransport(
            identity=TlsIdentity(certificate=IDENTITIES["a"].certificate, private_key_pem=key),
            listen=None,
            frame_size_max=1 << 20,
            log=silent_log(),
            metrics=Metrics(),
        )


@pytest.mark.adversarial(71)
async def test_a_certificate_that_was_prepared_is_shown_to_whoever_pins_it_already() -> None:
    """A node that was off while its certificate was changed is let in all the same."""
    new = make_identity("b")
    async with RealNode("a").running() as a:
        a.network.set_validators([real_member("b", new)])
        late = RealNode("b", dials={"a": a.transport.port}, settings=QUICK, following=new)
        async with late.running() as b:
            await a.node.meets("b")
            await b.node.meets("a")


@pytest.mark.adversarial(71)
async def test_a_certificate_is_taken_up_and_the_links_are_made_again_with_it() -> None:
    new = make_identity("b")
    async with RealNode("a", settings=QUICK).running() as a:
        inner = RealNode("b", dials={"a": a.transport.port}, settings=QUICK, following=new)
        async with inner.running() as b:
            await a.node.meets("b")
            assert not b.transport.present(IDENTITIES["c"].certificate)
            assert b.transport.present(new.certificate)
            assert not b.transport.present(new.certificate)
            # Whoever dials it meets the new one now.
            raw = await RawPeer.connect(b.transport.port, IDENTITIES["a"], new)
            await raw.close()
            a.network.set_validators([real_member("b", new)])
            await a.node.meets()
            await a.node.meets("b")
