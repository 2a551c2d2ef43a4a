"""Snapshots: the state of one height, served and taken over in parts that prove themselves.

A snapshot is no set of files. `source` reads it from a pinned view of the database; `assembly` says
which parts are needed and what each must be; `installation` writes them into an empty store and
makes a chain of them. See README.md.
"""

from node.snapshots.assembly import Assembly
from node.snapshots.errors import (
    BadPart,
    InstallationError,
    SnapshotError,
    SnapshotGone,
    TrailIncomplete,
    TrustFault,
    TrustRefused,
)
from node.snapshots.installation import Installation
from node.snapshots.parts import (
    BlockIds,
    Chunk,
    Leaves,
    PointRecord,
    Split,
    decode_block_ids,
    decode_chunk,
    decode_handover,
    decode_point,
)
from node.snapshots.pins import Pins
from node.snapshots.recent import RecentIds
from node.snapshots.source import Snapshot
from node.snapshots.trail import Trail
from node.snapshots.trust import TrustedPoint, check_trust

__all__ = [
    "Assembly",
    "BadPart",
    "BlockIds",
    "Chunk",
    "Installation",
    "InstallationError",
    "Leaves",
    "Pins",
    "PointRecord",
    "RecentIds",
    "Snapshot",
    "SnapshotError",
    "SnapshotGone",
    "Split",
    "Trail",
    "TrailIncomplete",
    "TrustFault",
    "TrustRefused",
    "TrustedPoint",
    "check_trust",
    "decode_block_ids",
    "decode_chunk",
    "decode_handover",
    "decode_point",
]
