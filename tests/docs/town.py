"""A development network of one validator, in this process, whose dates a session lets pass."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from typing_extensions import override

from node.app import NodeParts
from node.clock import SystemClock
from node.control import STEP_MAX_MS, Timekeeper
from node.control.place import socket_path
from node.ledger.protocol import LATEST_VERSION
from node.provision.description import NetworkDescription
from node.provision.homes import DATA_FOLDER
from node.testing.cluster import Cluster


class SetClock(SystemClock):
    """The machine's clock as if this process had begun at a moment."""

    def __init__(self, moment: datetime) -> None:
        self._behind_ms = super().now_ms() - int(moment.timestamp() * 1000)

    @override
    def now_ms(self) -> int:
        return super().now_ms() - self._behind_ms


class Town(Cluster):
    """A development network of one validator that began at a moment of the past or the future."""

    def __init__(self, root: Path, began: datetime, version: int = LATEST_VERSION) -> None:
        self._began = began
        clock = SetClock(began)

        def adjust(_name: str, parts: NodeParts) -> NodeParts:
            return replace(parts, clock=clock)

        super().__init__(root, validators=1, protocol_version=version, adjust=adjust)

    @override
    def _describe(self) -> NetworkDescription:
        return super()._describe().model_copy(update={"name": "devnet", "time": self._began})

    async def travel(self, moment: datetime) -> None:
        """Let the dates pass up to a moment, a day or what is due at a time."""
        to_ms = int(moment.timestamp() * 1000)
        [node] = self.nodes.values()
        async with Timekeeper(socket_path(node.home / DATA_FOLDER)) as keeper:
            found = await keeper.moment()
            while found.head_ms < to_ms:
                due_ms = max(found.now_ms, to_ms if found.due_ms is None else found.due_ms)
                step_ms = min(min(to_ms, due_ms) - found.now_ms, STEP_MAX_MS)
                await keeper.move(found.travelled_ms + max(0, step_ms))
                found = await keeper.next_block(found.height)
