"""TLS 1.3 with both sides pinned: the trust anchors are the very certificates of the members.

There is no authority and no chain: a self-signed certificate is its own anchor
(X509_V_FLAG_PARTIAL_CHAIN), so that OpenSSL completes a handshake only with a key from the set. The
caller then looks the peer's certificate up among the pinned ones, byte for byte: that lookup is the
identity, and it refuses whatever a pinned key might have signed itself. Host names are not checked,
addresses are not identities.

No session tickets: a resumed session would skip the certificate of a member that was removed since.
"""

import contextlib
import mmap
import os
import ssl
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from node.network.errors import CertificateUnusable


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsIdentity:
    """Our own key and certificate for links to peers; not the consensus key."""

    certificate: bytes
    """DER, as pinned by the others."""
    private_key_pem: bytes = field(repr=False)
    """PKCS #8, unencrypted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsContexts:
    """The two contexts for one pinned set, and what could not be pinned."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    unusable: tuple[str, ...]
    """A sentence for each certificate that OpenSSL cannot read; may be empty."""


def make_contexts(identity: TlsIdentity, pinned: Collection[bytes]) -> TlsContexts:
    """Return contexts that shake hands with exactly the holders of these certificates (DER).

    An unreadable certificate is left out and reported: it must not cut us off from the others.

    Raises:
        CertificateUnusable: our own key or certificate.
    """
    server = _context(ssl.PROTOCOL_TLS_SERVER, identity)
    server.num_tickets = 0
    client = _context(ssl.PROTOCOL_TLS_CLIENT, identity)
    unusable: list[str] = []
    for certificate in pinned:
        try:
            for context in (server, client):
                context.load_verify_locations(cadata=certificate)
        except (ssl.SSLError, ValueError) as error:
            unusable.append(f"certificate {certificate[:16].hex()}...: {error}")
    return TlsContexts(server=server, client=client, unusable=tuple(unusable))


# Private.


def _context(protocol: int, identity: TlsIdentity) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.maximum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION
    try:
        pem = ssl.DER_cert_to_PEM_cert(identity.certificate).encode() + identity.private_key_pem
        with _readable(pem) as path:
            context.load_cert_chain(path, password=_refuse_password)
    except (ssl.SSLError, ValueError) as error:
        raise CertificateUnusable("this node", str(error)) from None
    return context


def _refuse_password() -> str:
    # Without this OpenSSL would prompt on the terminal for an encrypted key.
    raise ValueError("the private key is encrypted")


@contextlib.contextmanager
def _readable(content: bytes) -> Iterator[str]:
    """Lend the content as a path: the ssl module takes keys from files only.

    On Linux the file exists in memory alone; elsewhere it is private and short-lived.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("tls-identity", os.MFD_CLOEXEC)
        try:
            # Written as memory: this runs in the event loop, and no file is touched.
            os.ftruncate(descriptor, len(content))
            with mmap.mmap(descriptor, len(content)) as memory:
                memory[:] = content
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            yield file.name
