"""What this room raises.

::

    SnapshotError
    ├── BadPart             a part from outside is not what it must be: ask another peer
    │   └── TrailIncomplete   the trail leaves out changes of validators that the state knows
    ├── SnapshotGone        the snapshot was let go for a newer one
    ├── TrustRefused        the trusted point does not carry the snapshot
    └── InstallationError   the store cannot take a snapshot, or not of this network
"""

from enum import StrEnum


class SnapshotError(Exception):
    """Base of everything this room raises on purpose."""


class BadPart(SnapshotError):
    """A part of a snapshot that is forged, damaged, or of another snapshot. Nothing was written.

    Attributes:
        part: which one.
        detail: what was found and what was expected.
    """

    def __init__(self, part: str, detail: str) -> None:
        super().__init__(f"{part}: {detail}")
        self.part = part
        self.detail = detail


class TrailIncomplete(BadPart):
    """Every handover holds, and some were left out."""


class SnapshotGone(SnapshotError):
    """Only the newest snapshots are kept. Ask which there are."""

    def __init__(self, height: int) -> None:
        super().__init__(f"the snapshot of height {height} is not kept any more")
        self.height = height


class TrustFault(StrEnum):
    """Why a trusted point does not carry a snapshot."""

    TOO_OLD = "too-old"
    """The operator's: the point is older than the trust period."""
    ABOVE = "above"
    """The snapshot is below the point: wait for a newer one."""
    ANOTHER_BLOCK = "another-block"
    """The header is not the trusted one."""
    NOT_ON_THE_WAY = "not-on-the-way"
    """The trail leads by other validators than the trusted header names."""


class TrustRefused(SnapshotError):
    """The snapshot is not one that the operator's trusted point vouches for.

    Attributes:
        fault: which check it fails.
    """

    def __init__(self, fault: TrustFault, sentence: str) -> None:
        super().__init__(sentence)
        self.fault = fault


class InstallationError(SnapshotError):
    """The store is not empty, or what is begun in it is of another network."""
