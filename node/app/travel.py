"""Travel in time: how a node of a development network is set ahead by its operator.

Whoever sets the nodes of a network ahead does so in step, each by the same, and lets them make a
block at each step (`node.provision.travelling`): block times keep their bounds, because all clocks
agree when the block is made. How far a node is ahead is kept in its home, written before the clock
moves, so a restart goes on from there.

A node of any other network has no `Travel`: its time is that of its machine.
"""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from node.chain import Chain, Committed
from node.clock import TravellingClock
from node.config import ConfigError, Fault
from node.control import LATEST_MS, STEP_MAX_MS, Moment
from node.ledger.tables import DUE, RECORDS_DUE

FILE: Final = "clock.json"
FILE_SIZE_MAX: Final = 1_024
BLOCK_TIMEOUT_S: Final = 10.0
"""How long one request waits for a block; who asked may ask again."""


class Travel:
    """The travelling clock of one node, and the blocks that its chain makes meanwhile."""

    def __init__(
        self, clock: TravellingClock, chain: Chain, *, folder: Path, beat: Callable[[], None]
    ) -> None:
        """Store what is given.

        Args:
            folder: in which the file lies.
            beat: lets the next block be due.
        """
        self._clock = clock
        self._chain = chain
        self._folder = folder
        self._beat = beat
        self._moving = asyncio.Lock()
        self._committed = asyncio.Event()
        chain.listeners.append(self._note)

    def moment(self) -> Moment:
        """Return what time it is here, and on the chain."""
        head = self._chain.head
        due = [key for queue in (DUE, RECORDS_DUE) for key, _ in self._chain.scan(queue, b"", 1)]
        return Moment(
            now_ms=self._clock.now_ms(),
            travelled_ms=self._clock.travelled_ms,
            height=head.height,
            head_ms=head.time_ms,
            due_ms=int.from_bytes(min(due)[:8], "big") if due else None,
        )

    async def move(self, travelled_ms: int) -> str | None:
        """Be this far ahead of the machine; a sentence: why not."""
        async with self._moving:
            step_ms = travelled_ms - self._clock.travelled_ms
            if step_ms < 0:
                return f"this node is {-step_ms} ms further ahead, and no clock goes back"
            if step_ms > STEP_MAX_MS:
                return (
                    f"a step of {step_ms} ms; at most {STEP_MAX_MS}, a day, so that no day is left"
                    " out"
                )
            if self._clock.now_ms() + step_ms > LATEST_MS:
                return "no network travels beyond 2200-01-01"
            if step_ms:
                await asyncio.to_thread(store_travelled, self._folder, travelled_ms)
                self._clock.travel(travelled_ms)
        return None

    async def next_block(self, above: int) -> None:
        """Let a block be made and wait for it, within bounds; not if the chain is above."""
        if self._chain.head.height > above:
            return
        self._beat()
        try:
            async with asyncio.timeout(BLOCK_TIMEOUT_S):
                while self._chain.head.height <= above:
                    self._committed.clear()
                    await self._committed.wait()
        except TimeoutError:
            pass  # the answer says how high the chain is

    def _note(self, committed: Committed) -> None:  # noqa: ARG002
        self._committed.set()


def load_travelled(folder: Path) -> int:
    """Return how far ahead a node with this folder is; 0 where it has never travelled.

    Raises:
        ConfigError: the file there does not say it.
    """
    path = folder / FILE
    return read_travelled(path) if path.exists() else 0


def read_travelled(path: Path) -> int:
    """Return how far ahead this file says that its node is.

    Raises:
        ConfigError: it does not say it.
    """
    try:
        with path.open("rb") as file:
            text = file.read(FILE_SIZE_MAX + 1)
        travelled = json.loads(text)["travelled_ms"] if len(text) <= FILE_SIZE_MAX else None
        if type(travelled) is int and 0 <= travelled <= LATEST_MS:
            return travelled
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    fault = Fault(
        file=str(path),
        line=None,
        key="travelled_ms",
        message=f"found nothing that says how far this node has travelled: 0 to {LATEST_MS} was"
        " expected. Copy the file of another node of the network",
    )
    raise ConfigError((fault,))


def store_travelled(folder: Path, travelled_ms: int) -> None:
    """Write how far ahead a node with this folder is, whole or not at all.

    Raises:
        OSError: the disk's reasons.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f"{FILE}.draft"
    with draft.open("w") as file:
        file.write(json.dumps({"travelled_ms": travelled_ms}) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / FILE)
