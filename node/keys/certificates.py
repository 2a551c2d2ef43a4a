"""The certificates of nodes: self-signed, Ed25519, without an end, trusted only by being pinned.

No authority signs them. A node's certificate stands, byte for byte, in the validator set or in a
list of observers, and the handshake accepts exactly that one; so there is nothing to expire, revoke
or look up, and a name in it grants nothing. The date is RFC 5280's 99991231235959Z (section
4.1.2.5), "no well-defined expiration date".

A certificate is a function of the name and the key: no clock and no chance goes into it.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, SignatureAlgorithmOID

from node.keys.ed25519 import SEED_SIZE, PublicKey, is_valid_public_key
from node.keys.errors import CertificateError

CERTIFICATE_SIZE_MAX: Final = 2048  # bytes of DER; ours have about 450
NAME_PATTERN: Final = re.compile(r"[a-z0-9-]{1,32}")

_URI_PREFIX: Final = "khz://"
_PEM_BEGIN: Final = b"-----BEGIN "
_REVOCATIONS_BEGIN: Final = b"-----BEGIN X509 CRL-----"
_REVOCATIONS: Final = re.compile(
    _REVOCATIONS_BEGIN + rb".*?-----END X509 CRL-----", re.DOTALL
)  # RFC 7468, section 6
_NOT_BEFORE: Final = datetime(2020, 1, 1, tzinfo=UTC)  # before any node; no check looks at it
_NOT_AFTER: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

# Everything the library was seen to raise for altered certificates; the last is for serial numbers
# that it deplores, where warnings are errors.
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    Warning,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """What a certificate says, once it has been checked."""

    name: str
    """The node's name, from the one subject alternative name khz://<name>."""

    public_key: PublicKey
    """The TLS key: never the key that signs votes."""

    not_before: datetime
    not_after: datetime
    """Ours have no end; another's may. UTC."""


def create_tls_identity(name: str, *, seed: bytes | None = None) -> tuple[bytes, bytes]:
    """Make a node's TLS key and certificate.

    Args:
        name: 1 to 32 of a-z, 0-9 and hyphen.
        seed: 32 bytes for a development key; by default the key is new.

    Returns:
        The private key, PKCS#8 in PEM without encryption, for a file of mode 0600; and the
        certificate in DER.
    """
    assert NAME_PATTERN.fullmatch(name)
    key = Ed25519PrivateKey.from_private_bytes(seed or secrets.token_bytes(SEED_SIZE))
    public_key = key.public_key()
    raw = public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    identifier = x509.SubjectKeyIdentifier.from_public_key(public_key)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public_key)
        # Unique for the key, and positive: RFC 5280 allows 20 bytes.
        .serial_number(int.from_bytes(hashlib.sha256(raw).digest()[:19]) | 1)
        .not_valid_before(_NOT_BEFORE)
        .not_valid_after(_NOT_AFTER)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(_URI_PREFIX + name)]),
            critical=False,
        )
        .add_extension(identifier, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .sign(key, algorithm=None)
    )
    private_key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private_key_pem, certificate.public_bytes(Encoding.DER)


def check_certificate(der: bytes) -> CertificateFacts:
    """Return what a node's certificate says.

    Raises:
        CertificateError: not one that `create_tls_identity` could have made: too large, not DER,
            another algorithm, not signed by its own key, no name or several.
    """
    if len(der) > CERTIFICATE_SIZE_MAX:
        raise CertificateError(
            f"certificate of {len(der)} bytes where at most {CERTIFICATE_SIZE_MAX} are allowed"
        )
    try:
        certificate = x509.load_der_x509_certificate(der)
        public_key = certificate.public_key()
        names = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value.get_values_for_type(x509.UniformResourceIdentifier)
    except _UNREADABLE as error:
        raise CertificateError(f"not a certificate of a node: {error}") from None
    if not isinstance(public_key, Ed25519PublicKey):
        raise CertificateError(f"key of type {type(public_key).__name__} where Ed25519 is needed")
    return _facts(certificate, public_key, names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One certificate of a listener's chain, as a certificate of any server says it."""

    subject: str
    not_before: datetime
    not_after: datetime
    signed_by_next: bool
    """Whether the next one of the file has signed it; True of the last."""


def read_chain(pem: bytes) -> tuple[Link, ...]:
    """Return what the certificates of a PEM file say, in their order.

    Raises:
        CertificateError: there is none, or one that cannot be read.
    """
    try:
        chain = x509.load_pem_x509_certificates(pem)
        return tuple(
            Link(
                subject=each.subject.rfc4514_string(),
                not_before=each.not_valid_before_utc,
                not_after=each.not_valid_after_utc,
                signed_by_next=place + 1 == len(chain) or _has_signed(chain[place + 1], each),
            )
            for place, each in enumerate(chain)
        )
    except _UNREADABLE as error:
        raise CertificateError(f"no certificates that can be read: {error}") from None


class Revocations:
    """The lists of revoked certificates of a PEM file, each signed by an authority we trust."""

    def __init__(self, lists: tuple[x509.CertificateRevocationList, ...]) -> None:
        self._lists = lists

    @property
    def not_after(self) -> datetime | None:
        """When the first of them is no longer good, and its authority's clients are turned away.

        UTC; None: never, which only a list that names no time for the next can be.
        """
        ends = (each.next_update_utc for each in self._lists)
        return min((end for end in ends if end is not None), default=None)

    def revokes(self, der: bytes) -> bool:
        """Say whether this certificate (DER) is on the list of whoever issued it.

        One that cannot be read counts as if it were: OpenSSL, which let it in, reads more.
        """
        try:
            certificate = x509.load_der_x509_certificate(der)
            issuer, serial_number = certificate.issuer, certificate.serial_number
        except _UNREADABLE:
            return True
        return any(
            each.issuer == issuer
            and each.get_revoked_certificate_by_serial_number(serial_number) is not None
            for each in self._lists
        )


def read_revocations(pem: bytes, authorities: bytes) -> Revocations:
    """Return the lists of revoked certificates of a PEM file.

    Args:
        pem: one list or more.
        authorities: PEM; the certificates one of which has to have signed each list.

    Raises:
        CertificateError: there is no list, one that cannot be read, or one that none of these has
            signed; or something else, such as a certificate, which OpenSSL would trust.
    """
    blocks = _REVOCATIONS.findall(pem)
    if not blocks or len(blocks) != pem.count(_REVOCATIONS_BEGIN):
        raise CertificateError("no list of revoked certificates, or not a whole one")
    if pem.count(_PEM_BEGIN) != len(blocks):
        raise CertificateError(
            "something else beside the lists of revoked certificates: a certificate in there would"
            " be trusted. Keep to the lists"
        )
    try:
        lists = tuple(x509.load_pem_x509_crl(block) for block in blocks)
        issuers = x509.load_pem_x509_certificates(authorities)
        for each in lists:
            if not any(_has_signed_list(issuer, each) for issuer in issuers):
                raise CertificateError(
                    f"the list of {each.issuer.rfc4514_string()} is not signed by an authority of"
                    " the clients"
                )
    except _UNREADABLE as error:
        raise CertificateError(
            f"no list of revoked certificates that can be read: {error}"
        ) from None
    return Revocations(lists)


def _has_signed_list(issuer: x509.Certificate, listed: x509.CertificateRevocationList) -> bool:
    # A key that signs nothing is a TypeError there.
    key = cast(CertificateIssuerPublicKeyTypes, issuer.public_key())
    return issuer.subject == listed.issuer and listed.is_signature_valid(key)


def _has_signed(issuer: x509.Certificate, subject: x509.Certificate) -> bool:
    try:
        subject.verify_directly_issued_by(issuer)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True


def certificate_public_key(der: bytes) -> PublicKey:
    """Return the 32 bytes of the certificate's key.

    Raises:
        CertificateError: as `check_certificate`.
    """
    return check_certificate(der).public_key


def _facts(
    certificate: x509.Certificate, key: Ed25519PublicKey, uris: list[str]
) -> CertificateFacts:
    # The algorithm is named twice, and only the inner one is signed.
    if certificate.signature_algorithm_oid != SignatureAlgorithmOID.ED25519:
        raise CertificateError("signed by another algorithm than Ed25519")
    try:
        key.verify(certificate.signature, certificate.tbs_certificate_bytes)
    except InvalidSignature:
        raise CertificateError("not signed by its own key") from None
    if len(uris) != 1 or not uris[0].startswith(_URI_PREFIX):
        raise CertificateError(f"names {uris} where exactly one {_URI_PREFIX}<name> is needed")
    name = uris[0].removeprefix(_URI_PREFIX)
    if NAME_PATTERN.fullmatch(name) is None:
        raise CertificateError(f"name {name!r} where 1 to 32 of a-z, 0-9 and - are needed")
    public_key = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    if not is_valid_public_key(public_key):
        raise CertificateError("a key of small order, under which anything verifies")
    return CertificateFacts(
        name=name,
        public_key=public_key,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )
