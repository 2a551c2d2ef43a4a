"""The replica: what joins consensus, chain and network in one node, and signs for it."""

from node.replica.errors import Divergence, LogMismatch, ReplicaError, SigningRefused
from node.replica.guard import Guard
from node.replica.journal import Journal, write_birth, write_resumption
from node.replica.parts import ReplicaLimits, ReplicaParts
from node.replica.replica import Replica
from node.replica.seat import Seat

__all__ = [
    "Divergence",
    "Guard",
    "Journal",
    "LogMismatch",
    "Replica",
    "ReplicaError",
    "ReplicaLimits",
    "ReplicaParts",
    "Seat",
    "SigningRefused",
    "write_birth",
    "write_resumption",
]
