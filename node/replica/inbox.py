"""The one queue into the replica: peers wait when it is full, the node's own events never do.

Own events (timers, a waking pool, a block from sync) come first. They need no bound: each source
has at most a handful outstanding, by construction. Messages of peers are bounded in number; whoever
puts one waits for room, which slows that peer's link and no other.
"""

import asyncio
from collections import deque
from typing import Generic, TypeVar

EventT = TypeVar("EventT")


class Inbox(Generic[EventT]):
    """Events for one reader."""

    def __init__(self, size_max: int) -> None:
        self._size_max = size_max
        self._own: deque[EventT] = deque()
        self._peers: deque[EventT] = deque()
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def __len__(self) -> int:
        return len(self._own) + len(self._peers)

    def push(self, event: EventT) -> None:
        """Add an event of this node's own."""
        self._own.append(event)
        self._filled.set()

    async def put(self, event: EventT) -> None:
        """Add an event that a peer caused, once there is room."""
        while len(self._peers) >= self._size_max:
            self._room.clear()
            await self._room.wait()
        self._peers.append(event)
        self._filled.set()

    async def get(self) -> EventT:
        """Return the next event; own ones first."""
        while not self._own and not self._peers:
            self._filled.clear()
            await self._filled.wait()
        if self._own:
            return self._own.popleft()
        event = self._peers.popleft()
        self._room.set()
        return event
