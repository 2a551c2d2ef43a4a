"""The seam between peers and wires: two small interfaces, one real and one in-memory form.

`websocket` is the real form (aiohttp over TLS), `memory` the twin that a simulation drives. A link
is ordered and whole: frames arrive in the order sent, each once, or the link closes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol, TypeAlias


class Link(Protocol):
    """One authenticated connection; `send` and `receive` are each called by one task at a time."""

    @property
    def certificate(self) -> bytes:
        """The peer's certificate (DER), whose key it has proven to hold on this connection."""
        ...

    @property
    def address(self) -> str:
        """The remote "host:port", for the operator's eyes only."""
        ...

    async def send(self, frame: bytes) -> None:
        """Hand over one frame; return once the wire has room again for the next.

        Raises:
            LinkClosed: the link is gone.
        """
        ...

    async def receive(self) -> bytes:
        """Return the next frame.

        Raises:
            LinkClosed: the link is gone.
            WireError: the peer sent what cannot be a frame; the link is of no more use.
        """
        ...

    async def close(self, reason: str) -> None:
        """Tell the peer why, if it listens, and free everything; at most the close timeout.

        May be called at any time, by any task and repeatedly; ends a `receive` in progress.
        """
        ...


Accept: TypeAlias = Callable[[Link], Awaitable[None]]
"""Serves an inbound link until it ends; closes it."""


class Transport(Protocol):
    """Where links come from."""

    async def start(self, tasks: asyncio.TaskGroup, accept: Accept) -> None:
        """Listen (if it listens at all) and serve each inbound link in a task of its own.

        Raises:
            OSError: the port is taken or not ours to take.
        """
        ...

    async def stop(self) -> None:
        """Free what `start` took. All links have been closed before."""
        ...

    def trust(self, certificates: Collection[bytes]) -> tuple[str, ...]:
        """From now on complete handshakes with the holders of exactly these certificates (DER).

        Links that exist stay. Returns a sentence for each certificate that cannot be used.
        """
        ...

    async def dial(self, address: str) -> Link:
        """Connect to "host:port"; names are resolved each time. The caller sets the time limit.

        Raises:
            DialFailed: no link came about.
        """
        ...
