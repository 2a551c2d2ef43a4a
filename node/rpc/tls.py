"""TLS of a listener for clients, and the certificates that it may want of them.

Another matter than `node/network/tls.py`, where both ends know each other's certificate: here an
ordinary server's certificate, and for mutual TLS an authority that has signed the clients'.
"""

import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from typing_extensions import override

from node.keys import CertificateError
from node.keys.certificates import Revocations, read_chain, read_revocations

_TOLD: Final = frozenset(
    {
        "CERTIFICATE_VERIFY_FAILED",
        "PEER_DID_NOT_RETURN_A_CERTIFICATE",
        "UNSUPPORTED_PROTOCOL",
        "NO_SHARED_CIPHER",
    }
)
"""OpenSSL's reasons that only somebody who speaks TLS can give, and read an answer to."""


@dataclass(slots=True)
class Handshake:
    """What came of one handshake."""

    refused: ssl.SSLError | None = None
    """Why, where the other side was told: what asyncio raises then is only how that left."""


SHAKING: Final[ContextVar[Handshake | None]] = ContextVar("shaking", default=None)
"""The handshake that a connection is in; asyncio reads it in the context that began TLS."""

_VERIFY_REASONS: Final = {
    3: "no-revocations",  # none of whoever signed it
    9: "not-yet-valid",
    10: "expired",
    11: "no-revocations",
    12: "no-revocations",  # the list is too old to say anything
    23: "revoked",
}
"""By OpenSSL's codes X509_V_ERR_*; any other certificate is untrusted."""
_REASONS: Final = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "no-certificate",
    "UNSUPPORTED_PROTOCOL": "no-common-version",
    "NO_SHARED_CIPHER": "no-common-version",
}


def refusal_of(error: OSError) -> str:
    """Return why a handshake failed, as a label of a metric: one of a dozen words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY_REASONS.get(error.verify_code, "untrusted")
    if isinstance(error, ssl.SSLError):
        return _REASONS.get(error.reason or "", "not-tls")
    # asyncio's own, when the time for the handshake is over.
    return "slow" if isinstance(error, ConnectionAbortedError | TimeoutError) else "lost"


class ListenerTlsError(Exception):
    """The files of a listener cannot be used; says which and why.

    Attributes:
        setting: that names the file.
    """

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting: Final = setting


class _TellingObject(ssl.SSLObject):
    """Lets the other side hear why the handshake failed.

    OpenSSL has the alert ready ("certificate expired", "certificate required"), and asyncio throws
    it away with the connection: whoever came with an old certificate saw a node that hung up. What
    wants to read first is written first, so the failure is said at the next call: when the other
    side has sent more or has gone, or when the time for the handshake is over.
    """

    _refused: ssl.SSLError | None = None

    @override
    def do_handshake(self) -> None:
        if self._refused is not None:
            raise self._refused
        try:
            super().do_handshake()
        except ssl.SSLError as error:
            if error.reason not in _TOLD:
                raise
            self._refused = error
            handshake = SHAKING.get()
            if handshake is not None:
                handshake.refused = error
            raise ssl.SSLWantReadError from error


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """What a listener shakes hands by, in files, all PEM."""

    certificate: Path
    """With what lies between it and an authority that clients know."""
    key: Path
    """Not encrypted."""
    client_authority: Path | None = None
    """Who comes without a certificate signed by it is turned away in the handshake."""
    client_revocations: Path | None = None
    """Lists of certificates that the authority has revoked, which are turned away too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerTls:
    """What is made of them."""

    context: ssl.SSLContext
    """TLS 1.2 or 1.3."""
    not_after: Mapping[str, datetime]
    """Until when each file that has an end is good, by the setting that names it; UTC."""
    authority: bytes | None
    """What the file of the clients' authority held."""
    revocations: Revocations | None

    def is_welcome(self, certificate: bytes) -> bool:
        """Say whether a client's certificate (DER) that was good is not revoked."""
        return self.revocations is None or not self.revocations.revokes(certificate)


def read_tls(files: TlsFiles) -> ListenerTls:
    """Return what a listener with these files shakes hands by.

    Raises:
        ListenerTlsError: a file cannot be read, or is no such thing, the certificate and the key do
            not match, or a list of the revoked is not of this authority.
    """
    context = _own(files)
    own = _read("certificate", files.certificate)
    ends = {"certificate": _end_of("certificate", files.certificate, own)}
    authority = None
    revocations = None
    if files.client_authority is not None:
        # Read once: who came by the former of two is not to be taken for one who came by the new.
        authority = _read("client_authority", files.client_authority)
        ends["client_authority"] = _end_of("client_authority", files.client_authority, authority)
        _trust(context, files.client_authority, authority)
        if files.client_revocations is not None:
            revocations = _revoke(context, files.client_revocations, authority)
            if revocations.not_after is not None:
                ends["client_revocations"] = revocations.not_after
    return ListenerTls(
        context=context, not_after=ends, authority=authority, revocations=revocations
    )


def _own(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = _TellingObject
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(files.certificate, files.key, password=_refuse_password)
    except (OSError, ValueError) as error:  # An SSLError is an OSError.
        reason = f"{files.certificate} with {files.key}: {_reason(error)}"
        raise ListenerTlsError("certificate", reason) from None
    return context


def _trust(context: ssl.SSLContext, path: Path, authority: bytes) -> None:
    try:
        # What stands between certificates may be of any letters, and PEM has none of those.
        context.load_verify_locations(cadata=authority.decode("ascii", "ignore"))
    except (OSError, ValueError) as error:
        raise ListenerTlsError("client_authority", f"{path}: {_reason(error)}") from None
    context.verify_mode = ssl.CERT_REQUIRED


def _revoke(context: ssl.SSLContext, path: Path, authority: bytes) -> Revocations:
    # OpenSSL would take a file without a list, or with another authority's, and then turn away
    # everybody, or nobody.
    setting = "client_revocations"
    try:
        found = read_revocations(_read(setting, path), authority)
        context.load_verify_locations(path)
    except CertificateError as error:
        raise ListenerTlsError(setting, f"{path}: {error}") from None
    except (OSError, ValueError) as error:
        raise ListenerTlsError(setting, f"{path}: {_reason(error)}") from None
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return found


def _end_of(setting: str, path: Path, content: bytes) -> datetime:
    """Return when the first certificate of a file ends."""
    try:
        return min(link.not_after for link in read_chain(content))
    except CertificateError as error:
        raise ListenerTlsError(setting, f"{path}: {error}") from None


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ListenerTlsError(setting, f"{path}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"not usable for TLS: {error.reason or error}"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _refuse_password() -> str:
    # Without this OpenSSL would prompt on the terminal for an encrypted key.
    raise ValueError("the private key is encrypted")
