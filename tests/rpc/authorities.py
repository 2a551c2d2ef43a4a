"""Certificates for tests: an authority, and what it signs."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from node.log import Logger, silent_log
from node.metrics import Metrics
from node.rpc.renewing import Renewable
from node.rpc.tls import TlsFiles

_SINCE: Final = datetime(2025, 1, 1, tzinfo=UTC)
_OVER: Final = datetime(2025, 2, 1, tzinfo=UTC)
_UNTIL: Final = datetime(2125, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path


class Authority:
    """One that signs certificates for the loopback address."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        own = self._signed(self._name, self._key.public_key(), is_authority=True)
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def sign(self, name: str, *, is_over: bool = False, until_year: int | None = None) -> Identity:
        """Return a new identity that this authority vouches for, or did."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        until = _UNTIL if until_year is None else datetime(until_year, 1, 1, tzinfo=UTC)
        signed = self._signed(subject, key.public_key(), until=_OVER if is_over else until)
        identity = Identity(
            certificate=self._folder / f"{name}.pem", key=self._folder / f"{name}.key"
        )
        identity.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        identity.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return identity

    def sign_as_of_version(self, identity: Identity, version: int) -> None:
        """Sign an identity anew, as of a version of X.509 that there is not."""
        signed = x509.load_pem_x509_certificate(identity.certificate.read_bytes())
        third = bytes.fromhex("a003020102")  # RFC 5280, section 4.1: [0] INTEGER 2
        told = signed.tbs_certificate_bytes
        assert third in told
        told = told.replace(third, third[:-1] + bytes([version - 1]), 1)
        signature = b"\0" + self._key.sign(told, ec.ECDSA(hashes.SHA256()))
        by_ecdsa = bytes.fromhex("300a06082a8648ce3d040302")
        der = _der(0x30, told + by_ecdsa + _der(0x03, signature))
        identity.certificate.write_text(ssl.DER_cert_to_PEM_cert(der))

    def revoke(self, *revoked: Identity, is_over: bool = False) -> Path:
        """Return a file with the list of the certificates that are no longer good."""
        listed = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name)
            .last_update(_SINCE)
            .next_update(_OVER if is_over else _UNTIL)
        )
        for each in revoked:
            certificate = x509.load_pem_x509_certificate(each.certificate.read_bytes())
            listed = listed.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(certificate.serial_number)
                .revocation_date(_SINCE)
                .build()
            )
        path = self.certificate.with_suffix(".crl")
        path.write_bytes(
            listed.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        return path

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        *,
        is_authority: bool = False,
        until: datetime = _UNTIL,
    ) -> x509.Certificate:
        loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(_SINCE)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _der(tag: int, value: bytes) -> bytes:
    size = len(value)
    return bytes([tag, size] if size < 0x80 else [tag, 0x82, *size.to_bytes(2, "big")]) + value


def renewable(
    server: Identity,
    authority: Authority | None = None,
    *,
    revocations: Path | None = None,
    metrics: Metrics | None = None,
    log: Logger | None = None,
) -> Renewable:
    """Return what a listener `desk` shakes hands by.

    Args:
        authority: of its clients, if they have to show a certificate.
    """
    files = TlsFiles(
        certificate=server.certificate,
        key=server.key,
        client_authority=None if authority is None else authority.certificate,
        client_revocations=revocations,
    )
    return Renewable("desk", files, metrics=metrics or Metrics(), log=log or silent_log())


def client_context(authority: Authority, identity: Identity | None = None) -> ssl.SSLContext:
    """Return what a client shakes hands by: whom it trusts, and what it shows."""
    context = ssl.create_default_context(cafile=authority.certificate)
    if identity is not None:
        context.load_cert_chain(identity.certificate, identity.key)
    return context
