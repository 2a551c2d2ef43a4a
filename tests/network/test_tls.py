"""Handshakes between two contexts through memory: who completes one, and as whom."""

import datetime
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from node.keys.certificates import create_tls_identity
from node.network import CertificateUnusable
from node.network.tls import TlsContexts, TlsIdentity, make_contexts


def make_identity(name: str) -> TlsIdentity:
    key, certificate = create_tls_identity(name)
    return TlsIdentity(certificate=certificate, private_key_pem=key)


A, B, C = make_identity("a"), make_identity("b"), make_identity("c")


def contexts(identity: TlsIdentity, *pinned: TlsIdentity) -> TlsContexts:
    return make_contexts(identity, [other.certificate for other in pinned])


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> tuple[bytes, bytes]:
    """Return the certificates that client and server have seen of each other."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname="peer"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    waiting = list(ends)
    for _ in range(10):
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                pass
    assert not waiting
    seen_by_client, seen_by_server = (end.getpeercert(binary_form=True) for end in ends)
    assert seen_by_client is not None
    assert seen_by_server is not None
    return seen_by_client, seen_by_server


def test_two_that_have_pinned_each_other_see_each_other() -> None:
    seen = shake_hands(contexts(A, B, C).client, contexts(B, A).server)

    assert seen == (B.certificate, A.certificate)


@pytest.mark.adversarial(46)
@pytest.mark.parametrize("name", ["a", "stranger"])
def test_a_stranger_gets_no_handshake_whatever_it_calls_itself(name: str) -> None:
    stranger = make_identity(name)

    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(contexts(stranger, B).client, contexts(B, A, C).server)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(contexts(B, A, C).client, contexts(stranger, B).server)


@pytest.mark.adversarial(46)
def test_nobody_gets_in_when_nobody_is_pinned() -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(contexts(A, B).client, contexts(B).server)


@pytest.mark.adversarial(46)
def test_whoever_is_no_longer_pinned_gets_no_handshake() -> None:
    shake_hands(contexts(C, B).client, contexts(B, A, C).server)

    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(contexts(C, B).client, contexts(B, A).server)


@pytest.mark.adversarial(47)
def test_a_certificate_without_its_key_is_refused() -> None:
    with pytest.raises(CertificateUnusable, match="this node"):
        make_contexts(TlsIdentity(certificate=A.certificate, private_key_pem=B.private_key_pem), ())


@pytest.mark.adversarial(47)
def test_a_certificate_issued_by_a_pinned_key_is_not_the_pinned_one() -> None:
    """A member's key is no authority; should the library think so, its bytes still differ."""
    issuer = serialization.load_pem_private_key(A.private_key_pem, None)
    assert isinstance(issuer, Ed25519PrivateKey)
    key = Ed25519PrivateKey.generate()
    child = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")]))
        .issuer_name(x509.load_der_x509_certificate(A.certificate).subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC))
        .sign(issuer, None)
        .public_bytes(serialization.Encoding.DER)
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    impostor = TlsIdentity(certificate=child, private_key_pem=pem)

    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(contexts(impostor, B).client, contexts(B, A).server)


@pytest.mark.adversarial(47)
def test_nothing_older_than_tls_1_3_is_spoken() -> None:
    old = contexts(A, B).client
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2

    with pytest.raises(ssl.SSLError, match=r"(?i)version|protocol"):
        shake_hands(old, contexts(B, A).server)


@pytest.mark.adversarial(47)
def test_no_session_can_be_resumed() -> None:
    """Resumption would skip the certificate of a member that was removed since."""
    server = contexts(B, A).server

    assert server.num_tickets == 0
    assert server.options & ssl.OP_NO_TICKET


def test_an_unreadable_certificate_is_reported_and_the_others_stay() -> None:
    made = make_contexts(A, [b"junk", B.certificate, b""])

    assert len(made.unusable) == 2
    assert made.unusable[0].startswith("certificate 6a756e6b")
    assert shake_hands(made.client, contexts(B, A).server)


def test_an_encrypted_key_is_refused_and_not_asked_for_on_the_terminal() -> None:
    key = serialization.load_pem_private_key(A.private_key_pem, None)
    assert isinstance(key, Ed25519PrivateKey)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )

    with pytest.raises(CertificateUnusable):
        make_contexts(TlsIdentity(certificate=A.certificate, private_key_pem=encrypted), ())


def test_the_private_key_is_not_shown() -> None:
    assert "PRIVATE" not in repr(A)
