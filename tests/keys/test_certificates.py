"""Node certificates: what they say, what is refused, and that TLS accepts the pinned one alone."""

import ssl
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from node.keys import CertificateError, LocalSigner, is_valid_public_key
from node.keys.certificates import (
    CERTIFICATE_SIZE_MAX,
    certificate_public_key,
    check_certificate,
    create_tls_identity,
)

SEED = bytes(range(32))


def foreign_certificate(
    *,
    uris: tuple[str, ...] = ("khz://bank",),
    key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey | None = None,
    signed_by: Ed25519PrivateKey | None = None,
    padding: int = 0,
) -> bytes:
    """A well-made certificate by somebody else's tool."""
    key = key or Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bank")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2035, 1, 1, tzinfo=UTC))
    )
    names = [x509.UniformResourceIdentifier(uri) for uri in uris]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if padding:
        oid = x509.ObjectIdentifier("1.3.6.1.4.1.55555.1")
        extension = x509.UnrecognizedExtension(oid, bytes(padding))
        builder = builder.add_extension(extension, critical=False)
    signer = signed_by or key
    algorithm = None if isinstance(signer, Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(signer, algorithm).public_bytes(Encoding.DER)


def test_certificate_says_its_name_and_key() -> None:
    _, der = create_tls_identity("central-bank", seed=SEED)

    facts = check_certificate(der)

    assert facts.name == "central-bank"
    assert facts.public_key == LocalSigner(SEED).public_key == certificate_public_key(der)
    assert is_valid_public_key(facts.public_key)


def test_certificate_is_a_function_of_name_and_key() -> None:
    assert create_tls_identity("bank", seed=SEED) == create_tls_identity("bank", seed=SEED)
    assert create_tls_identity("bank", seed=SEED) != create_tls_identity("banc", seed=SEED)
    assert create_tls_identity("bank") != create_tls_identity("bank")


def test_certificate_has_no_end() -> None:
    """RFC 5280, 4.1.2.5: the date for certificates without a well-defined expiration."""
    certificate = x509.load_der_x509_certificate(create_tls_identity("bank", seed=SEED)[1])

    assert certificate.not_valid_after_utc == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert certificate.serial_number > 0


@pytest.mark.parametrize("name", ["", "Bank", "bank.example", "b" * 33, "bänk", "bank\n"])
def test_name_that_no_node_can_have_is_not_certified(name: str) -> None:
    with pytest.raises(AssertionError):
        create_tls_identity(name)


def test_no_bit_of_a_certificate_can_be_changed() -> None:
    _, der = create_tls_identity("central-bank", seed=SEED)

    for bit in range(8 * len(der)):
        changed = bytearray(der)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CertificateError):
            check_certificate(bytes(changed))


@pytest.mark.parametrize("size", [0, 1, 100, -1])
def test_cut_certificate_is_refused(size: int) -> None:
    _, der = create_tls_identity("bank", seed=SEED)

    for changed in (der[:size], der + b"\0", b"\0" + der):
        with pytest.raises(CertificateError):
            check_certificate(changed)


def test_certificate_of_another_tool_is_accepted_when_it_says_what_is_needed() -> None:
    assert check_certificate(foreign_certificate()).name == "bank"


@pytest.mark.parametrize(
    ("der", "reason"),
    [
        (foreign_certificate(uris=()), "not a certificate of a node"),
        (foreign_certificate(uris=("khz://a", "khz://b")), "exactly one"),
        (foreign_certificate(uris=("https://bank",)), "exactly one"),
        (foreign_certificate(uris=("khz://Bank",)), "1 to 32"),
        (foreign_certificate(uris=("khz://" + "b" * 33,)), "1 to 32"),
        (foreign_certificate(key=ec.generate_private_key(ec.SECP256R1())), "Ed25519 is needed"),
        (foreign_certificate(signed_by=Ed25519PrivateKey.generate()), "its own key"),
        (foreign_certificate(padding=CERTIFICATE_SIZE_MAX), "at most 2048"),
    ],
)
def test_certificate_that_says_something_else_is_refused(der: bytes, reason: str) -> None:
    with pytest.raises(CertificateError, match=reason):
        check_certificate(der)


def test_certificate_of_a_key_that_cannot_be_registered_is_refused() -> None:
    """The neutral point verifies a signature that anybody can make for it."""
    der = foreign_certificate()
    neutral = bytes([1]) + bytes(31)
    changed = der.replace(certificate_public_key(der), neutral)[:-64] + neutral + bytes(32)

    with pytest.raises(CertificateError, match="small order"):
        check_certificate(changed)


def handshake(client: ssl.SSLContext, server: ssl.SSLContext) -> tuple[ssl.SSLObject, ...]:
    """Let both ends talk until neither has anything to say; raises what either raises."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(4):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    return ends


def context(role: ssl.Purpose, tmp_path: Path, name: str, trusted: bytes) -> ssl.SSLContext:
    key, der = create_tls_identity(name, seed=name.encode().ljust(32))
    chain = tmp_path / f"{name}.pem"
    chain.write_bytes(key + ssl.DER_cert_to_PEM_cert(der).encode())
    result = ssl.create_default_context(role)
    result.minimum_version = ssl.TLSVersion.TLSv1_3
    result.check_hostname = False
    result.verify_mode = ssl.CERT_REQUIRED
    result.load_cert_chain(chain)
    result.load_verify_locations(cadata=trusted)
    return result


@pytest.mark.parametrize("pinned", [True, False])
def test_tls_accepts_the_pinned_certificate_and_no_other(tmp_path: Path, *, pinned: bool) -> None:
    _, client_der = create_tls_identity("client", seed=b"client".ljust(32))
    _, server_der = create_tls_identity("server", seed=b"server".ljust(32))
    # The same name under another key.
    _, stranger_der = create_tls_identity("client", seed=b"stranger".ljust(32))
    client = context(ssl.Purpose.SERVER_AUTH, tmp_path, "client", server_der)
    trusted = client_der if pinned else stranger_der
    server = context(ssl.Purpose.CLIENT_AUTH, tmp_path, "server", trusted)

    if not pinned:
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(client, server)
        return
    client_end, server_end = handshake(client, server)

    assert client_end.version() == "TLSv1.3"
    assert server_end.getpeercert(binary_form=True) == client_der
    assert client_end.getpeercert(binary_form=True) == server_der
