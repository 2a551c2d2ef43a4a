"""TLS of a listener for clients, and the certificates that it may want of them.

Another matter than `node/network/tls.py`, where both ends know each other's certificate: here an
ordinary server's certificate, and for mutual TLS an authority that has signed the clients'.
"""

import ssl
from pathlib import Path


class ListenerTlsError(Exception):
    """The files of a listener cannot be used; says which and why."""


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
