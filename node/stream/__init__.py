"""The stream of NATS JetStream that a node publishes its events to. See README.md."""

from node.stream.errors import (
    StreamFailure,
    StreamForeign,
    StreamFull,
    StreamGap,
    StreamRefused,
    StreamUnreachable,
    StreamUnusable,
)
from node.stream.opening import is_wanted, link_of

__all__ = [
    "StreamFailure",
    "StreamForeign",
    "StreamFull",
    "StreamGap",
    "StreamRefused",
    "StreamUnreachable",
    "StreamUnusable",
    "is_wanted",
    "link_of",
]
