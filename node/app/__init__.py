"""The composition root: whole nodes, each out of its rooms."""

from node.app.folders import CHAIN_FOLDER, LOG_FOLDER, consensus_log_path
from node.app.node import HALTING, Node, NodeHalted
from node.app.parts import NodeParts
from node.app.release import software

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
