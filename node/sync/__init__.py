"""Catching up: blocks with certificates from several peers, each verified in full."""

from node.sync.plan import Range, plan, unserved_height
from node.sync.sync import UNSERVED_ADVICE, Sync, SyncLimits

__all__ = ["UNSERVED_ADVICE", "Range", "Sync", "SyncLimits", "plan", "unserved_height"]
