"""Why nothing is published. None of it stops a node, and all of it is tried again by itself.

StreamFailure                any of them
├── StreamUnusable           the stream is another network's, or is kept in a way by which events
│   │                        would be lost; or a file or library is missing here
│   ├── StreamForeign        the stream, or what it takes, belongs to another chain
│   └── StreamGap            blocks that the stream has not seen are no longer kept by this node
├── StreamRefused            the server refuses a message for another reason
├── StreamFull               the server has no room for more messages
└── StreamUnreachable        the server does not answer
"""


class StreamFailure(Exception):
    """Nothing is published for now; the message says what to do."""


class StreamUnusable(StreamFailure):
    """Somebody has to change something before anything is published."""


class StreamForeign(StreamUnusable):
    """The stream, or the subjects of this node's messages, belong to another chain."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"{found}: give each chain a stream of its own, by stream.name and, where both are at"
            " one account of the server, by stream.prefix"
        )


class StreamGap(StreamUnusable):
    """Blocks that the stream has not seen are no longer kept by this node."""


class StreamRefused(StreamFailure):
    """The server refuses a message."""


class StreamFull(StreamFailure):
    """The server has no room for more messages."""


class StreamUnreachable(StreamFailure):
    """The server does not answer."""
