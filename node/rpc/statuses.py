"""What a status of HTTP means with which a request is refused before a method sees it.

Light to import: `khazana explain` reads it.
"""

from collections.abc import Mapping
from typing import Final

REFUSED: Final[Mapping[int, tuple[str, str]]] = {
    400: (
        "The request is not one that HTTP or this interface has.",
        "The message says what was found. Send one Host header, and a body of the type said.",
    ),
    401: (
        "The API key that was shown opens nothing.",
        "Is it whole, and of this node? Keys end, and are taken back: ask for another.",
    ),
    403: (
        "The caller came by a name or from a page that this node does not serve.",
        "Use an address, or list the name in `rpc.hosts`; no other origin opens a WebSocket.",
    ),
    404: (
        "Nothing is at this path.",
        "`GET /` has the pages; the paths are in node/rpc/README.md.",
    ),
    405: ("The path does not take this verb.", "The header `Allow` names the one that it takes."),
    408: ("The body did not come in time.", "Send the request again, whole, over a better link."),
    413: (
        "The body is larger than is taken.",
        "Split it. `rpc.body_bytes_max` and `rpc.submission_bytes_max` are the bounds.",
    ),
    415: (
        "The body is of another type, or is compressed.",
        "Name the type in Content-Type, and send it as it is.",
    ),
    426: ("This path is for WebSockets.", "Open it by a WebSocket handshake."),
    429: (
        "This caller, or all of them together, ask for more than is served.",
        "Wait as long as `Retry-After` says, then send the same again.",
    ),
    500: (
        "The node made a mistake.",
        "Ask another node. The trace id in the answer finds the reason in the node's log.",
    ),
    503: (
        "The node is not ready, or has as many connections as it takes.",
        "Ask again in a moment, or another node; `/readyz?verbose` says what is lacking.",
    ),
}
"""Statuses that are no answer of a method: what each means, and what to do."""
