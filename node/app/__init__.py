"""The composition root: whole nodes, each out of its rooms."""

from node.app.node import (
    CHAIN_FOLDER,
    HALTING,
    LOG_FOLDER,
    Node,
    NodeHalted,
    NodeParts,
    consensus_log_path,
    software,
)

__all__ = [
    "CHAIN_FOLDER",
    "HALTING",
    "LOG_FOLDER",
    "Node",
    "NodeHalted",
    "NodeParts",
    "consensus_log_path",
    "software",
]
