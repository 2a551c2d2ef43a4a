"""What all rooms of a node stand on, there before the first of them is made."""

from dataclasses import dataclass

from node.app.parts import NodeParts
from node.config import NodeConfig
from node.genesis import Genesis
from node.log import Logger
from node.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """How a node is configured, on which network, among which parts; and what tells of it."""

    config: NodeConfig
    genesis: Genesis
    parts: NodeParts
    metrics: Metrics
    log: Logger
