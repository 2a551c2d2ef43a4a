"""What can go wrong between peers, as types.

    NetworkError
    +-- WireError             a frame that is not a message we accept: the peer's fault
    +-- LinkClosed            the link is gone; nothing more can be sent or received on it
    +-- DialFailed            no link came about: name, route, port, TLS or handshake
    +-- CertificateUnusable   a pinned certificate that cannot be loaded: the operator's fault

Every one carries its data as attributes; the sentence is built from them.
"""

from enum import StrEnum


class NetworkError(Exception):
    """Base of this room's errors."""


class WireFault(StrEnum):
    """Why a frame was refused. The values are metric labels."""

    EMPTY = "empty"
    NOT_WEBSOCKET = "not-websocket"
    NOT_BINARY = "not-binary"
    UNKNOWN_KIND = "unknown-kind"
    TOO_LARGE = "too-large"
    NOT_CANONICAL = "not-canonical"
    OUT_OF_BOUNDS = "out-of-bounds"


class WireError(NetworkError):
    """A frame that is no message of the protocol.

    Attributes:
        fault: the class of fault.
        kind: the kind of message the frame claims to be, or "unknown".
        detail: what was found.
    """

    def __init__(self, fault: WireFault, kind: str, detail: str) -> None:
        super().__init__(f"{kind} frame refused ({fault}): {detail}")
        self.fault = fault
        self.kind = kind
        self.detail = detail


class LinkClosed(NetworkError):
    """The link is gone.

    Attributes:
        reason: who closed it and why, as far as this side knows.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"link closed: {reason}")
        self.reason = reason


class DialFailed(NetworkError):
    """No link came about.

    Attributes:
        address: what was dialled, as "host:port".
        reason: what happened instead.
    """

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"cannot reach {address}: {reason}")
        self.address = address
        self.reason = reason


class CertificateUnusable(NetworkError):
    """A pinned certificate or our own key that TLS cannot use.

    Attributes:
        owner: whose certificate.
        reason: what the TLS library says.
    """

    def __init__(self, owner: str, reason: str) -> None:
        super().__init__(f"the TLS certificate of {owner} is unusable: {reason}")
        self.owner = owner
        self.reason = reason
