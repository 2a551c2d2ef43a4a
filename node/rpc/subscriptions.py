"""A subscription: what is asked for, where in the stream it stands, and how it is told.

What is sent on it is a notification `khz_subscription` whose `params` have a `type`:

- `items`: what was committed, in order, each item with its own cursor;
- `heartbeat`: nothing for this filter up to this cursor; sent when nothing else was for a while;
- `lagged`: the socket took nothing for too long. It is closed with 1013 and the cursor to resume
  from. Nothing was skipped before it.
"""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

import msgspec

from node.rpc.stream import Cursor, Portion, StreamFilter, Topic

FILTER_MAX: Final = 1_000
"""Accounts or assets in one filter."""

_FilterTerm: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=90)]
_FilterTerms: TypeAlias = Annotated[
    list[_FilterTerm], msgspec.Meta(min_length=1, max_length=FILTER_MAX)
]


class SubscribeParams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to be told of, and from where on."""

    topics: Annotated[
        list[Topic],
        msgspec.Meta(
            min_length=1,
            max_length=len(Topic),
            description="`blocks`: one item a block. `receipts`: one compact item a block with"
            " every id and outcome. `transactions`: one item a transaction. `events`: one item an"
            " event.",
        ),
    ]
    accounts: Annotated[
        _FilterTerms | None,
        msgspec.Meta(description="Only transactions and events that name one of these addresses."),
    ] = None
    assets: Annotated[
        _FilterTerms | None,
        msgspec.Meta(
            description="Only transactions and events that name one of these asset codes."
        ),
    ] = None
    from_: Annotated[
        str,
        msgspec.Meta(
            max_length=32,
            description='The cursor of the last item seen, such as "120-3"; "0-0" for everything;'
            ' "now" for what comes next.',
        ),
    ] = msgspec.field(name="from", default="now")


class Subscribed(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription and the cursor after which it begins."""

    subscription: str
    cursor: str


class UnsubscribeParams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which subscription of this connection."""

    subscription: Annotated[
        str, msgspec.Meta(max_length=16, description="as `khz_subscribe` named it")
    ]


class Unsubscribed(msgspec.Struct, frozen=True, kw_only=True):
    """The cursor of the last item that was sent."""

    cursor: str


@dataclass(slots=True)
class Subscription:
    """A position in the stream, moved by one task only."""

    id: str
    wanted: StreamFilter
    seen: Cursor
    """The last item that was sent, or passed over as not wanted."""
    height: int
    """Of the next item to look at, with its index."""
    index: int
    told_at: float = 0.0
    """Seconds of the loop's clock at the last message of any kind."""
    task: asyncio.Task[None] | None = None

    def pass_over(self, end: Cursor) -> None:
        """Have seen all up to this end of a block."""
        self.seen = end
        self.height, self.index = end.height + 1, 0

    def items(self, portion: Portion) -> bytes:
        """Return the notification of a portion of a block."""
        return (
            b'{"jsonrpc":"2.0","method":"khz_subscription","params":{"subscription":"%b",'
            b'"type":"items",%b}}' % (self.id.encode(), portion.told)
        )

    def notice(self, kind: str, name: str, cursor: Cursor) -> bytes:
        """Return a notification of this type that says a cursor, and no items.

        Args:
            name: of the member that is the cursor.
        """
        return (
            b'{"jsonrpc":"2.0","method":"khz_subscription","params":{"subscription":"%b",'
            b'"type":"%b","%b":"%b"}}'
            % (self.id.encode(), kind.encode(), name.encode(), str(cursor).encode())
        )
