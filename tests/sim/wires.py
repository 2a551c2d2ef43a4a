"""The wires of a simulation: the in-memory net under a weather, and machines that can vanish.

Some of the weather is worse than TLS allows: frames that are lost, come twice, or overtake each
other on a link that lives on. The node must bear it all the same, for it is what remains when a
link breaks and comes back, without the break that would tell it.
"""

import asyncio
import contextvars
import random
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, Final, cast

from typing_extensions import override

from node.network.errors import DialFailed
from node.network.memory import Arrival, MemoryNet, MemoryTransport
from node.network.transport import Accept, Link

HEARTBEAT_S: Final = 10.0
"""What the real transport takes to notice a peer that says nothing."""
LATE_S: Final = 0.5
"""A frame that loses its place comes at most so much later."""


class Weather:
    """What becomes of frames: how long they take, and whether they arrive at all.

    Rates are of a thousand frames.
    """

    def __init__(self, chance: random.Random) -> None:
        self._random = chance
        self._slow: dict[tuple[str, str], float] = {}
        self._paces: dict[tuple[str, str], float] = {}
        self._free_at_s: dict[tuple[str, str], float] = {}
        self.base_s = 0.002
        self.spread_s = 0.02
        self.spike_rate = 0.0
        """Frames that take up to `spike_s`, as if sent again by the kernel."""
        self.spike_s = 0.0
        self.loss_rate = 0.0
        self.double_rate = 0.0
        self.overtaken_rate = 0.0
        """Frames that later ones overtake."""

    def slow(self, source: str, target: str, extra_s: float) -> None:
        """Add so much to every frame of this direction; 0 undoes it."""
        self._slow[source, target] = extra_s

    def narrow(self, source: str, target: str, bytes_per_s: float | None) -> None:
        """Let no more than this through in this direction; None undoes it."""
        if bytes_per_s is None:
            self._paces.pop((source, target), None)
        else:
            self._paces[source, target] = bytes_per_s

    def calm(self) -> None:
        """Undo what is out of the ordinary."""
        self._slow.clear()
        self._paces.clear()
        self.spike_rate = self.loss_rate = self.double_rate = self.overtaken_rate = 0.0

    def delay_s(self, source: str, target: str) -> float:
        """Return how long the next frame takes."""
        delay_s = self.base_s + self._random.random() * self.spread_s
        if self.spike_rate and self._hits(self.spike_rate):
            delay_s += self._random.random() * self.spike_s
        return delay_s + self._slow.get((source, target), 0.0)

    def arrivals(self, source: str, target: str, size: int, now_s: float) -> Sequence[Arrival]:
        """Return when each copy of a frame arrives."""
        delay_s = self.delay_s(source, target)
        if (source, target) in self._paces:
            free_at_s = max(now_s, self._free_at_s.get((source, target), 0.0))
            free_at_s += size / self._paces[source, target]
            self._free_at_s[source, target] = free_at_s
            delay_s += free_at_s - now_s
        if self.loss_rate and self._hits(self.loss_rate):
            return ()
        if self.overtaken_rate and self._hits(self.overtaken_rate):
            return (Arrival(delay_s=delay_s + self._random.random() * LATE_S, in_order=False),)
        if self.double_rate and self._hits(self.double_rate):
            later_s = delay_s + self._random.random() * LATE_S
            return Arrival(delay_s=delay_s), Arrival(delay_s=later_s, in_order=False)
        return (Arrival(delay_s=delay_s),)

    def _hits(self, rate: float) -> bool:
        return self._random.random() * 1000 < rate


class SimNet(MemoryNet):
    """The wires between the machines of one simulation."""

    def __init__(self, weather: Weather) -> None:
        super().__init__(heartbeat_s=HEARTBEAT_S)
        self.weather = weather
        self.delay_s = weather.delay_s
        self._torn: set[tuple[str, str]] = set()

    @override
    def arrivals(self, source: str, target: str, size: int) -> Sequence[Arrival]:
        loop = asyncio.get_running_loop()
        if (source, target) in self._torn:
            # The transport hands over whole frames only, so the receiver sees a link that ended.
            self._torn.discard((source, target))
            loop.call_later(self.delay_s(source, target), self.reset, source, target)
            return ()
        return self.weather.arrivals(source, target, size, loop.time())

    def tear(self, source: str, target: str) -> None:
        """Let the link break in the middle of the next frame of this direction."""
        self._torn.add((source, target))

    def unplug(self, address: str) -> None:
        """Let a machine vanish: its links end without a word, and nobody listens any more."""
        self.drop_links(address, "connection reset")
        self._listening.pop(address, None)

    def drop_links(self, address: str, reason: str) -> None:
        """End every link of a machine without a word."""
        for link in [link for link in self._links if address in (link.local, link.address)]:
            link.lose(reason)

    def mend(self) -> None:
        """Undo every cut."""
        self._torn.clear()
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
