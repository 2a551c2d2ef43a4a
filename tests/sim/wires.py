"""The wires of a simulation: the in-memory net under a weather, and machines that can vanish."""

import asyncio
import contextvars
import random
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Final, cast

from node.network.errors import DialFailed
from node.network.memory import MemoryNet, MemoryTransport
from node.network.transport import Accept, Link

HEARTBEAT_S: Final = 10.0
"""What the real transport takes to notice a peer that says nothing."""


class Weather:
    """How long frames take: a base and a spread for each direction, and now and then a spike."""

    def __init__(self, chance: random.Random) -> None:
        self._random = chance
        self._slow: dict[tuple[str, str], float] = {}
        self.base_s = 0.002
        self.spread_s = 0.02
        self.spike_rate = 0.0
        """How many frames of a thousand take up to `spike_s`, as if sent again by the kernel."""
        self.spike_s = 0.0

    def slow(self, source: str, target: str, extra_s: float) -> None:
        """Add so much to every frame of this direction; 0 undoes it."""
        self._slow[source, target] = extra_s

    def calm(self) -> None:
        """Undo what is out of the ordinary."""
        self._slow.clear()
        self.spike_rate = 0.0

    def delay_s(self, source: str, target: str) -> float:
        """Return how long the next frame takes."""
        delay_s = self.base_s + self._random.random() * self.spread_s
        if self.spike_rate and self._random.random() * 1000 < self.spike_rate:
            delay_s += self._random.random() * self.spike_s
        return delay_s + self._slow.get((source, target), 0.0)


class SimNet(MemoryNet):
    """The wires between the machines of one simulation."""

    def __init__(self, weather: Weather) -> None:
        super().__init__(heartbeat_s=HEARTBEAT_S)
        self.weather = weather
        self.delay_s = weather.delay_s

    def unplug(self, address: str) -> None:
        """Let a machine vanish: its links end without a word, and nobody listens any more."""
        for link in [link for link in self._links if address in (link.local, link.address)]:
            link.lose("connection reset")
        self._listening.pop(address, None)

    def mend(self) -> None:
        """Undo every cut."""
        for source, target in sorted(self._cuts):
            self.heal(source, target)


class _InContext:
    """The part of a task group that a transport uses, with the machine's own context."""

    def __init__(self, tasks: asyncio.TaskGroup, context: contextvars.Context) -> None:
        self._tasks = tasks
        self._context = context

    def create_task(self, work: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        # What the group itself does when the task ends belongs to this machine too.
        return self._context.run(lambda: self._tasks.create_task(work, name=name))


class SimTransport:
    """A `Transport` of one life of a machine."""

    def __init__(
        self,
        net: SimNet,
        address: str,
        certificate: bytes,
        *,
        context: contextvars.Context,
        wrap: Callable[[Link], Link] = lambda link: link,
    ) -> None:
        """Make a transport that does not listen yet.

        Args:
            context: what inbound links are served in; else it would be that of whoever dialled.
            wrap: puts a liar's hand on each link.
        """
        self._inner = MemoryTransport(net, address, certificate)
        self._context = context
        self._wrap = wrap
        self.vanished = False

    async def start(self, tasks: asyncio.TaskGroup, accept: Accept) -> None:
        async def serve(link: Link) -> None:
            await accept(self._wrap(link))

        inside = cast("asyncio.TaskGroup", _InContext(tasks, self._context))
        await self._inner.start(inside, serve)

    async def stop(self) -> None:
        await self._inner.stop()

    def trust(self, certificates: Collection[bytes]) -> tuple[str, ...]:
        return self._inner.trust(certificates)

    async def dial(self, address: str) -> Link:
        if self.vanished:
            raise DialFailed(address, "this machine has no power")
        return self._wrap(await self._inner.dial(address))
