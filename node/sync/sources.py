"""Where the parts of a snapshot come from: which peers serve what, and what each was asked for.

A peer has at most `FETCHES_PER_PEER` requests, all together `fetches_max`, each with a deadline. An
answer is taken once, for what was asked; a peer that sent something bad is not asked for a while.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from node.blocks import block_id
from node.clock import Clock
from node.network import (
    Blocks,
    ChunkMessage,
    GetSnapshots,
    Handovers,
    RecentIdsMessage,
    Snapshots,
    WireMessage,
)
from node.replica.wire import Wire
from node.snapshots import PointRecord
from node.sync.target import Key, Target

FETCHES_PER_PEER: Final = 2
"""One is being read for while the answer to another is on its way."""
STRUCK_S: Final = 10.0
"""How long a peer that sent something bad is not asked."""
OFFERS_S: Final = 5.0
"""After this long without a source, peers are asked again what they serve."""
PATIENCE_S: Final = 10.0
"""How long to wait for somebody to serve a snapshot, or to keep the trusted block."""
RESOLUTION_S: Final = 0.001


@dataclass(slots=True, kw_only=True)
class Source:
    """A connected peer."""

    offers: dict[int, PointRecord] = field(default_factory=dict)
    offered_s: float | None = None
    """When it was last asked what it serves."""
    has_answered: bool = False
    lacks_trusted: bool = False
    requests: dict[Key, tuple[float, Target | None]] = field(default_factory=dict)
    """What it was asked, until when, and for which target."""
    order: int = 0


class Sources:
    """The connected peers of one joining node, by name."""

    def __init__(
        self, *, wire: Wire, clock: Clock, fetches_max: int, fetch_timeout_ms: int
    ) -> None:
        """Begin with no peers.

        Args:
            fetches_max: requests under way, of all peers together.
            fetch_timeout_ms: how long one may take to answer.
        """
        self._wire = wire
        self._clock = clock
        self._fetches_max = fetches_max
        self._fetch_timeout_s = fetch_timeout_ms / 1000
        self._sources: dict[str, Source] = {}
        self._struck: dict[str, float] = {}
        self._asked = 0
        self._since_s: float | None = None
        """When the first peer was there."""

    def __len__(self) -> int:
        return len(self._sources)

    def __contains__(self, peer: str) -> bool:
        return peer in self._sources

    def get(self, peer: str) -> Source | None:
        """Return a peer that is still connected."""
        return self._sources.get(peer)

    def add(self, peer: str) -> None:
        """Take note of a new link."""
        self._sources[peer] = Source()
        if self._since_s is None:
            self._since_s = self._clock.monotonic()

    def remove(self, peer: str) -> None:
        """Forget a link that is gone; others are to be asked for what this peer was asked for."""
        source = self._sources.pop(peer, None)
        if source is not None:
            _release(source)

    def strike(self, peer: str) -> None:
        """Ask somebody else for a while, and for all that this peer was asked for."""
        self._struck[peer] = self._clock.monotonic() + STRUCK_S
        source = self._sources.get(peer)
        if source is not None:
            _release(source)

    # Who serves what.

    def ask_offers(self, now_s: float) -> None:
        """Ask all peers what they serve that were not asked a moment ago."""
        for peer, source in self._sources.items():
            asked_s = source.offered_s
            if asked_s is None or asked_s + OFFERS_S <= now_s + RESOLUTION_S:
                source.offered_s = now_s
                self.send(peer, GetSnapshots(), (Snapshots.__name__, 0, b""), None)

    def offers(self, *, from_height: int) -> dict[tuple[int, bytes], list[PointRecord]]:
        """Return the snapshots that are served from a height on: by height and block, one record
        for each peer that may be asked."""
        offers: dict[tuple[int, bytes], list[PointRecord]] = {}
        for peer, source in self._sources.items():
            if self._is_usable(peer):
                for point in source.offers.values():
                    if point.header.height >= from_height:
                        place = (point.header.height, block_id(point.header))
                        offers.setdefault(place, []).append(point)
        return offers

    def heights(self) -> list[int]:
        """Return the heights of all that is served, in order."""
        return sorted({height for source in self._sources.values() for height in source.offers})

    def gone(self, peer: str, target: Target) -> None:
        """Note that a peer no longer serves the target: it has newer ones."""
        source = self._sources.get(peer)
        if source is not None:
            source.offers.pop(target.height, None)
            source.offered_s = None

    def serving(self, target: Target) -> list[str]:
        """Return the peers that serve the target, the longest unasked first."""
        wanted = block_id(target.point.header)
        peers = [
            peer
            for peer, source in self._sources.items()
            if self._is_usable(peer)
            and target.height in source.offers
            and block_id(source.offers[target.height].header) == wanted
        ]
        return sorted(peers, key=lambda peer: self._sources[peer].order)

    def without_snapshot(self, now_s: float) -> bool:
        """Whether all who are there have had time to say that they serve no snapshot."""
        return self._were_given_time(now_s) and all(
            source.has_answered and not source.offers for source in self._sources.values()
        )

    def without_trusted(self, now_s: float) -> bool:
        """Whether all who are there have had time to say that they lack the trusted block."""
        return self._were_given_time(now_s) and all(
            source.lacks_trusted for source in self._sources.values()
        )

    def _were_given_time(self, now_s: float) -> bool:
        since_s = self._since_s
        return since_s is not None and since_s + PATIENCE_S <= now_s and bool(self._sources)

    def _is_usable(self, peer: str) -> bool:
        return self._struck.get(peer, 0.0) <= self._clock.monotonic() + RESOLUTION_S

    # What they are asked.

    def free(self, peers: list[str]) -> list[str]:
        """Return those that may be asked for one thing more."""
        if sum(1 for _ in self._keys()) >= self._fetches_max:
            return []
        return [peer for peer in peers if len(self._sources[peer].requests) < FETCHES_PER_PEER]

    def usable(self) -> list[str]:
        """Return the peers that may be asked at all."""
        return [peer for peer in self._sources if self._is_usable(peer)]

    def is_asked(self, kind: str) -> bool:
        """Whether an answer of this kind is under way."""
        return any(key[0] == kind for key in self._keys())

    def send(self, peer: str, message: WireMessage, key: Key, target: Target | None) -> bool:
        """Ask a peer; return whether it will hear of it."""
        source = self._sources[peer]
        self._asked += 1
        source.order = self._asked
        source.requests[key] = (self._clock.monotonic() + self._fetch_timeout_s, target)
        if self._wire.send(peer, message):
            return True
        del source.requests[key]
        if target is not None:
            target.unanswered(key)
        return False

    def answered(self, peer: str, message: WireMessage) -> tuple[float, Target | None] | None:
        """Return until when and for which target a peer was asked what this message answers, and
        ask it no longer; None: nobody asked it."""
        source = self._sources.get(peer)
        return None if source is None else source.requests.pop(_key(message), None)

    def late(self, now_s: float) -> dict[str, Key]:
        """Return the peers that have not answered in time, and what first."""
        late: dict[str, Key] = {}
        for peer, source in self._sources.items():
            for key, (deadline_s, _) in source.requests.items():
                if deadline_s <= now_s + RESOLUTION_S:
                    late.setdefault(peer, key)
        return late

    def wait_s(self, now_s: float) -> float:
        """Return after how many seconds something is due, at most."""
        dues = [
            deadline_s
            for source in self._sources.values()
            for deadline_s, _ in source.requests.values()
        ]
        return max(RESOLUTION_S, min([now_s + 1.0, *dues]) - now_s)

    def _keys(self) -> Iterator[Key]:
        return (key for source in self._sources.values() for key in source.requests)


def _release(source: Source) -> None:
    for key, (_, target) in source.requests.items():
        if target is not None:
            target.unanswered(key)
    source.requests.clear()


def _key(message: WireMessage) -> Key:
    """Return what an answer says that it answers."""
    name = type(message).__name__
    match message:
        case ChunkMessage(height=height, path=path):
            return name, height, path
        case Handovers(height=height, above=within) | RecentIdsMessage(height=height, below=within):
            return name, height, within.to_bytes(8)
        case Blocks(from_height=height):
            return name, height, b""
        case _:
            return name, 0, b""
