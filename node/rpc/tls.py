"""TLS of a listener for clients, and the certificates that it may want of them.

Another matter than `node/network/tls.py`, where both ends know each other's certificate: here an
ordinary server's certificate, and for mutual TLS an authority that has signed the clients'.
"""

import ssl
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from typing_extensions import override

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

_VERIFY_REASONS: Final = {9: "not-yet-valid", 10: "expired", 23: "revoked"}
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
    """The files of a listener cannot be used; says which and why."""


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


def listener_context(
    certificate: Path, key: Path, client_authority: Path | None = None
) -> ssl.SSLContext:
    """Return what a listener shakes hands by: TLS 1.2 or 1.3.

    Args:
        certificate: PEM, with what lies between it and an authority that clients know.
        key: PEM, not encrypted.
        client_authority: PEM; who comes without a certificate signed by it is turned away in the
            handshake.

    Raises:
        ListenerTlsError: a file cannot be read, or is no such thing, or the two do not match.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = _TellingObject
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(certificate, key, password=_refuse_password)
    except (OSError, ValueError) as error:  # An SSLError is an OSError.
        raise ListenerTlsError(f"{certificate} with {key}: {_reason(error)}") from None
    if client_authority is not None:
        try:
            context.load_verify_locations(client_authority)
        except (OSError, ValueError) as error:
            raise ListenerTlsError(f"{client_authority}: {_reason(error)}") from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"not usable for TLS: {error.reason or error}"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _refuse_password() -> str:
    # Without this OpenSSL would prompt on the terminal for an encrypted key.
    raise ValueError("the private key is encrypted")
