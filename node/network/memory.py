"""The in-memory twin of the WebSocket transport: links as queues, driven by the event loop's clock.

Nothing here reads a clock or a source of chance: frames are delivered by `loop.call_at`, so that
under a loop with virtual time a run is a function of its inputs. What the real wire does is kept:
order, back-pressure, a frame limit, certificates checked on both sides before a link exists, a cut
that stalls a link until the heartbeat gives it up.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from node.network.errors import DialFailed, LinkClosed, WireError, WireFault
from node.network.messages import FRAME_SIZE_MAX
from node.network.transport import Accept


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """When a copy of a frame comes out of the wire."""

    delay_s: float
    in_order: bool = True
    """Not before what was sent earlier."""


class MemoryNet:
    """The wires between in-memory transports, and the hands that cut and slow them."""

    def __init__(
        self,
        *,
        heartbeat_s: float = 10.0,
        window_bytes: int = 1 << 18,
        frame_size_max: int = FRAME_SIZE_MAX,
    ) -> None:
        self.heartbeat_s = heartbeat_s
        """A link cut for so long is closed at both ends."""
        self.window_bytes = window_bytes
        """A sender waits while more than this is under way or unread."""
        self.frame_size_max = frame_size_max
        self.delay_s: Callable[[str, str], float] = _no_delay
        """(source, target) -> seconds a frame takes; asked for each frame."""
        self._listening: dict[str, MemoryTransport] = {}
        self._cuts: set[tuple[str, str]] = set()
        self._healed = asyncio.Event()
        self._links: dict[MemoryLink, None] = {}  # a set that keeps its order

    def arrivals(self, source: str, target: str, size: int) -> Sequence[Arrival]:
        """Return when each copy of a frame of this size arrives: one, and in order.

        TLS promises no less. A simulation of worse wires returns none for a frame that is lost, two
        for one that comes twice.
        """
        del size
        return (Arrival(delay_s=self.delay_s(source, target)),)

    def transport(self, address: str, certificate: bytes) -> "MemoryTransport":
        """Return the transport of the node at this address ("host:port")."""
        return MemoryTransport(self, address, certificate)

    def cut(self, source: str, target: str) -> None:
        """Stop what goes from source to target; new links between the two do not come about."""
        self._cuts.add((source, target))
        loop = asyncio.get_running_loop()
        for link in self._between(source, target):
            loop.call_later(self.heartbeat_s, self._expire, link)

    def heal(self, source: str, target: str) -> None:
        """Undo a cut; what was held is delivered in order."""
        self._cuts.discard((source, target))
        self._healed.set()
        self._healed = asyncio.Event()
        for link in self._between(source, target):
            link.flush()

    def isolate(self, address: str, others: Collection[str]) -> None:
        """Cut both directions between one address and each of the others."""
        for other in others:
            self.cut(address, other)
            self.cut(other, address)

    def rejoin(self, address: str, others: Collection[str]) -> None:
        """Undo `isolate`."""
        for other in others:
            self.heal(address, other)
            self.heal(other, address)

    def reset(self, one: str, other: str) -> None:
        """Close the links between two addresses at once, as a router that forgets them does."""
        for link in self._between(one, other):
            link.lose("connection reset")

    def is_cut(self, source: str, target: str) -> bool:
        """Whether frames from source to target are being held."""
        return (source, target) in self._cuts

    @property
    def link_count(self) -> int:
        """Links that have not been closed at both ends."""
        return len(self._links) // 2

    def _between(self, one: str, other: str) -> list["MemoryLink"]:
        ends = {one, other}
        return [link for link in self._links if {link.local, link.address} == ends]

    def _expire(self, link: "MemoryLink") -> None:
        if self.is_cut(link.local, link.address) or self.is_cut(link.address, link.local):
            link.lose("no heartbeat")

    async def _connect(self, source: "MemoryTransport", address: str) -> "MemoryLink":
        while self.is_cut(source.address, address) or self.is_cut(address, source.address):
            await self._healed.wait()
        await asyncio.sleep(self.delay_s(source.address, address))
        target = self._listening.get(address)
        if target is None or target.accept is None or target.tasks is None:
            raise DialFailed(address, "connection refused")
        if target.certificate not in source.trusted:
            raise DialFailed(address, "its certificate is not pinned here")
        if source.certificate not in target.trusted:
            raise DialFailed(address, "it does not know our certificate")
        near = MemoryLink(self, source.address, address, target.certificate)
        far = MemoryLink(self, address, source.address, source.certificate)
        near.other, far.other = far, near
        serving = _serve(target.accept, far)
        try:
            target.tasks.create_task(serving, name=f"inbound-{source.address}")
        except RuntimeError:  # the group is closing: it is about to stop listening
            serving.close()
            raise DialFailed(address, "connection refused") from None
        self._links[near] = self._links[far] = None
        return near


class MemoryTransport:
    """A `Transport` whose wires are a `MemoryNet`."""

    def __init__(self, net: MemoryNet, address: str, certificate: bytes) -> None:
        self.address = address
        self.certificate = certificate
        self.trusted: frozenset[bytes] = frozenset()
        self.tasks: asyncio.TaskGroup | None = None
        self.accept: Accept | None = None
        self._net = net

    async def start(self, tasks: asyncio.TaskGroup, accept: Accept) -> None:
        """Listen at the address."""
        if self.address in self._net._listening:
            raise OSError(f"address {self.address} is taken")
        self.tasks = tasks
        self.accept = accept
        self._net._listening[self.address] = self

    async def stop(self) -> None:
        """Stop listening."""
        if self._net._listening.get(self.address) is self:
            del self._net._listening[self.address]
        self.tasks = self.accept = None

    def trust(self, certificates: Collection[bytes]) -> tuple[str, ...]:
        """Replace the pinned set; every certificate is usable here."""
        self.trusted = frozenset(certificates)
        return ()

    async def dial(self, address: str) -> "MemoryLink":
        """Connect; waits for as long as a cut lasts."""
        return await self._net._connect(self, address)


class MemoryLink:
    """One end of a link."""

    other: "MemoryLink"
    """The other end; set by the net that makes both."""

    def __init__(self, net: MemoryNet, local: str, address: str, certificate: bytes) -> None:
        self.local = local
        self._address = address
        self._certificate = certificate
        self._net = net
        self._inbox: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._unread_bytes = 0  # sent by us and not yet taken by the other end
        self._held: deque[bytes | None] = deque()  # None closes
        self._last_at = 0.0
        self._closed: str | None = None
        self._close_reason = ""

    @property
    def certificate(self) -> bytes:
        """The other end's certificate."""
        return self._certificate

    @property
    def address(self) -> str:
        """The other end's address."""
        return self._address

    async def send(self, frame: bytes) -> None:
        """Put a frame on the wire; wait while the other end has too much unread."""
        if self._closed is not None:
            raise LinkClosed(self._closed)
        for arrival in self._net.arrivals(self.local, self._address, len(frame)):
            self._unread_bytes += len(frame)
            self._put_on_wire(frame, arrival)
        while self._unread_bytes > self._net.window_bytes and self._closed is None:
            self._room.clear()
            await self._room.wait()

    async def receive(self) -> bytes:
        """Return the next frame that has arrived."""
        while not self._inbox:
            if self._closed is not None:
                raise LinkClosed(self._closed)
            self._arrived.clear()
            await self._arrived.wait()
        frame = self._inbox.popleft()
        self.other._taken(len(frame))
        if len(frame) > self._net.frame_size_max:
            raise WireError(WireFault.TOO_LARGE, "unknown", f"{len(frame)} bytes in one frame")
        return frame

    async def close(self, reason: str) -> None:
        """Close this end now, and the other when the news arrives."""
        if self._closed is None:
            self._end(reason)
            self._close_reason = reason
            delay_s = self._net.delay_s(self.local, self._address)
            self._put_on_wire(None, Arrival(delay_s=delay_s))

    def lose(self, reason: str) -> None:
        """Close both ends at once, without a word."""
        self._end(reason)
        self.other._end(reason)

    def flush(self) -> None:
        """Deliver what a cut held, unless the cut remains."""
        while self._held and not self._net.is_cut(self.local, self._address):
            self._deliver(self._held.popleft())

    def _put_on_wire(self, frame: bytes | None, arrival: Arrival) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time() + arrival.delay_s
        if arrival.in_order:
            # Never overtake: a wire keeps order even when its delay shrinks.
            self._last_at = at = max(at, self._last_at)
        loop.call_at(at, self._arrive, frame)

    def _arrive(self, frame: bytes | None) -> None:
        # What was sent before a cut and arrives during it is held too: nothing passes.
        if self._held or self._net.is_cut(self.local, self._address):
            self._held.append(frame)
        else:
            self._deliver(frame)

    def _deliver(self, frame: bytes | None) -> None:
        if frame is None:
            self.other._end(f"closed by the peer: {self._close_reason}")
        elif self.other._closed is None:
            self.other._inbox.append(frame)
            self.other._arrived.set()

    def _taken(self, size: int) -> None:
        self._unread_bytes -= size
        self._room.set()

    def _end(self, reason: str) -> None:
        if self._closed is None:
            self._closed = reason
            self._arrived.set()
            self._room.set()
            self._net._links.pop(self, None)


async def _serve(accept: Accept, link: MemoryLink) -> None:
    await accept(link)


def _no_delay(source: str, target: str) -> float:
    del source, target
    return 0.0
