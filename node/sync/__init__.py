"""Catching up: blocks with certificates from several peers, each verified in full."""

from node.sync.plan import Range, plan
from node.sync.sync import Sync, SyncLimits

__all__ = ["Range", "Sync", "SyncLimits", "plan"]
