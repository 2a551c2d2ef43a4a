"""Brings what peers say to the room that it concerns."""

from node.intake import Intake
from node.network import (
    Blocks,
    ChunkMessage,
    GetBlocks,
    GetChunk,
    GetHandovers,
    GetRecentIds,
    GetSnapshots,
    Handovers,
    RecentIdsMessage,
    Snapshots,
    Status,
    Transactions,
    WireMessage,
)
from node.replica.replica import Replica
from node.sync import Serving, Sync


class Router:
    """The handler of a node's links."""

    def __init__(self, replica: Replica, sync: Sync, serving: Serving, intake: Intake) -> None:
        self._replica = replica
        self._sync = sync
        self._serving = serving
        self._intake = intake

    def connected(self, peer: str) -> None:
        self._sync.connected(peer)
        self._replica.connected(peer)
        self._intake.connected(peer)

    def disconnected(self, peer: str) -> None:
        self._sync.disconnected(peer)
        self._replica.disconnected(peer)

    async def received(self, peer: str, message: WireMessage) -> None:
        match message:
            case Transactions(raws=raws):
                self._intake.push(peer, raws)
            case Status():
                await self._sync.received(peer, message)
                self._replica.claims_changed()
            case GetBlocks() | Blocks():
                await self._sync.received(peer, message)
            case GetSnapshots() | GetHandovers() | GetChunk() | GetRecentIds():
                await self._serving.received(peer, message)
            case Snapshots() | Handovers() | ChunkMessage() | RecentIdsMessage():
                pass  # Only a node that has no chain yet asks for them: a late answer.
            case _:
                await self._replica.received(peer, message)
