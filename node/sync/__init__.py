"""Catching up: blocks with certificates from several peers, or a snapshot; verified in full."""

from node.sync.joining import Joining, JoiningLimits, JoinRefused, needs_snapshot
from node.sync.plan import Range, plan, unserved_height
from node.sync.serving import Serving
from node.sync.sync import UNSERVED_ADVICE, Sync, SyncLimits

__all__ = [
    "UNSERVED_ADVICE",
    "JoinRefused",
    "Joining",
    "JoiningLimits",
    "Range",
    "Serving",
    "Sync",
    "SyncLimits",
    "needs_snapshot",
    "plan",
    "unserved_height",
]
