"""Joining: takes over a snapshot from several peers into an empty store, before there is a chain.

Theory of operation. Peers are asked which snapshots they serve; the one that most of them have is
taken. Its header counts once the changes of validators from the genesis lead to those who signed
it, and once that way leads through the block that the operator trusts. From then on every part is
known before it comes: a chunk of the state by the digest above it, the ids of a block by its
header. So a part that was not expected is never written, whoever sent it; whoever did is held to
account, and another is asked. What is written stays good for a newer snapshot where it is the same,
and after a restart: only what differs is asked for again.

The store has no head until all is there; then one batch makes a chain of it.

Limits: `FETCHES_PER_PEER` requests of one peer, `fetches_max` together, each with a deadline; an
answer that nobody waits for is dropped unread. Verifying and writing run in the storage thread.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar

from node.blocks import Header, block_id, decode_block
from node.blocks.certificates import Verify
from node.chain.opening import is_empty
from node.clock import Clock
from node.codec import CodecError
from node.genesis import Genesis
from node.ledger.commitment import Subtree
from node.log import Logger
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
    WireMessage,
)
from node.replica.wire import Wire
from node.snapshots import (
    Assembly,
    BadPart,
    Installation,
    Leaves,
    PointRecord,
    RecentIds,
    Trail,
    TrailIncomplete,
    TrustedPoint,
    TrustFault,
    TrustRefused,
    check_trust,
    decode_block_ids,
    decode_chunk,
    decode_handover,
    decode_point,
)
from node.snapshots.assembly import Verdict, judge
from node.snapshots.installation import is_begun
from node.storage import KeyValueStore, StorageThread

FETCHES_PER_PEER: Final = 2
"""One is being read for while the answer to another is on its way."""
STRUCK_S: Final = 10.0
"""How long a peer that sent something bad is not asked."""
OFFERS_S: Final = 5.0
"""After this long without a source, peers are asked again what they serve."""
PATIENCE_S: Final = 10.0
"""How long to wait for somebody to serve a snapshot, or to keep the trusted block."""
PROGRESS_S: Final = 5.0
RESOLUTION_S: Final = 0.001

ResultT = TypeVar("ResultT")
Key: TypeAlias = tuple[str, int, bytes]
"""What was asked: the answer's kind, the height it names, and the path or height within."""


class JoinRefused(Exception):
    """This node cannot join by a snapshot as it is configured; the sentence says what to do."""


def needs_snapshot(store: KeyValueStore, trusted: TrustedPoint | None, log: Logger) -> bool:
    """Return whether the node has to join by a snapshot before there is a chain.

    Raises:
        JoinRefused: it has begun to, and the trusted point is gone from the configuration.
    """
    begun = is_begun(store)
    if not begun and not is_empty(store):
        return False
    if trusted is not None:
        return True
    if begun:
        raise JoinRefused(
            "a snapshot was being taken over in this data directory: put sync.trusted_height and"
            " sync.trusted_block back into the configuration, or move the directory aside"
        )
    log.info(
        "no snapshot is taken without a block to trust: copying blocks from the genesis. To join"
        " by a snapshot, put what `khazana status --trust` prints on a node that you trust into"
        " the configuration"
    )
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class JoiningLimits:
    """How hard this node takes over a snapshot."""

    fetches_max: int = 8
    fetch_timeout_ms: int = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far it is, for people."""

    height: int | None
    """Of the snapshot being taken over; None: none is found yet."""
    records: int
    chunks: int
    ids: int


@dataclass(slots=True, kw_only=True, eq=False)
class _Target:
    """The snapshot that is being taken over."""

    point: PointRecord
    assembly: Assembly
    is_decided: bool = False
    """The trail leads to those who signed it."""
    recent: RecentIds | None = None
    """None until the trusted point carries it."""
    ids_asked: bool = False

    @property
    def height(self) -> int:
        return self.point.header.height


@dataclass(slots=True, kw_only=True)
class _Source:
    """A connected peer."""

    offers: dict[int, PointRecord] = field(default_factory=dict)
    offered_s: float | None = None
    """When it was last asked what it serves."""
    has_answered: bool = False
    lacks_trusted: bool = False
    requests: dict[Key, tuple[float, _Target | None]] = field(default_factory=dict)
    """What it was asked, until when, and for which target."""
    order: int = 0


class Joining:
    """The taking over of a snapshot, of one node. A handler of its links until it ends."""

    def __init__(
        self,
        *,
        installation: Installation,
        genesis: Genesis,
        trusted: TrustedPoint,
        wire: Wire,
        thread: StorageThread | None,
        verify: Verify,
        clock: Clock,
        log: Logger,
        limits: JoiningLimits | None = None,
    ) -> None:
        """Store what is given; nothing happens before `run`."""
        self._installation = installation
        self._genesis = genesis
        self._trusted = trusted
        self._wire = wire
        self._thread = thread
        self._verify = verify
        self._clock = clock
        self._log = log.bind(part="joining")
        self._limits = limits or JoiningLimits()
        self._sources: dict[str, _Source] = {}
        self._struck: dict[str, float] = {}
        self._answers: deque[tuple[str, WireMessage, _Target | None]] = deque()
        self._trail = Trail(genesis, verify)
        self._trail_by: str | None = None
        """Who told the last of the trail."""
        self._trusted_header: Header | None = None
        self._target: _Target | None = None
        self._is_begun = installation.is_begun
        self._asked = 0
        self._records = self._chunks = self._ids = 0
        self._since_s: float | None = None
        """When the first peer was there."""
        self._told_s = 0.0
        self._changed = asyncio.Event()

    @property
    def progress(self) -> Progress:
        """How far it is."""
        target = self._target
        return Progress(
            height=None if target is None else target.height,
            records=self._records,
            chunks=self._chunks,
            ids=self._ids,
        )

    # The door: called by the network, on the same event loop.

    def connected(self, peer: str) -> None:
        """Take note of a new link."""
        self._sources[peer] = _Source()
        if self._since_s is None:
            self._since_s = self._clock.monotonic()
        self._changed.set()

    def disconnected(self, peer: str) -> None:
        """Ask others for what this peer was asked for."""
        source = self._sources.pop(peer, None)
        if source is not None:
            for key, (_, target) in source.requests.items():
                self._unanswered(key, target)
        self._changed.set()

    async def received(self, peer: str, message: WireMessage) -> None:
        """Take a peer's message; one that answers no request is dropped."""
        source = self._sources.get(peer)
        request = None if source is None else source.requests.pop(_key(message), None)
        if request is not None:
            # Bounded by the requests, each of which is answered once.
            self._answers.append((peer, message, request[1]))
            self._changed.set()

    # The loop.

    async def run(self) -> bool:
        """Take over a snapshot; return whether the store is a chain now.

        False: nobody serves any snapshot, and nothing was written.

        Raises:
            JoinRefused: the operator's trusted point does not do.
            StorageError: the disk's reasons.
        """
        while True:
            self._changed.clear()
            while self._answers:
                await self._take(*self._answers.popleft())
            target = self._target
            if target is not None and await self._is_finished(target):
                return True
            wait_s = await self._ask()
            if wait_s is None:
                return False
            self._tell()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()

    async def _is_finished(self, target: _Target) -> bool:
        recent = target.recent
        if recent is None or not (recent.is_complete and target.assembly.is_complete):
            return False
        installation, trail, crown = self._installation, self._trail, target.assembly.crown
        try:
            await self._run(lambda: installation.finish(target.point, trail, crown))
        except TrailIncomplete as error:
            self._log.warning("the trail of validators leaves something out", reason=str(error))
            self._doubt_trail(str(error))
            return False
        except BadPart as error:
            # What a quorum has signed contradicts the state that it has signed: nobody's lie.
            raise JoinRefused(
                f"the snapshot of height {target.height}, which a quorum has signed, contradicts"
                f" itself: {error}. Compare the state roots of several nodes before anything else"
            ) from None
        self._log.info(
            "joined by a snapshot",
            height=target.height,
            records=self._records,
            chunks=self._chunks,
            ids=self._ids,
        )
        return True

    # Taking answers.

    async def _take(self, peer: str, message: WireMessage, target: _Target | None) -> None:
        try:
            match message:
                case Snapshots(points=points):
                    self._take_offers(peer, points)
                case Blocks(items=items):
                    self._take_trusted(peer, [item.block for item in items])
                case Handovers(items=items, more=more) if target is self._target:
                    await self._take_handovers(peer, items, more=more)
                case ChunkMessage() if target is self._target:
                    assert target is not None
                    await self._take_chunk(peer, message, target)
                case RecentIdsMessage(items=items) if target is self._target:
                    assert target is not None
                    await self._take_ids(peer, items, target)
                case _:
                    pass  # For a snapshot that is no longer the one.
        except BadPart as error:
            self._blame(peer, str(error))

    def _take_offers(self, peer: str, points: tuple[bytes, ...]) -> None:
        source = self._sources.get(peer)
        if source is not None:
            decoded = [decode_point(data) for data in points]
            source.has_answered = True
            source.offers = {point.header.height: point for point in decoded}

    def _take_trusted(self, peer: str, blocks: list[bytes]) -> None:
        source = self._sources.get(peer)
        if source is not None:
            # Whatever came instead, it is not asked again.
            source.lacks_trusted = True
        if not blocks:
            return
        try:
            header = decode_block(blocks[0]).header
        except CodecError as error:
            raise BadPart("trusted block", str(error)) from None
        if header.height != self._trusted.height or block_id(header) != self._trusted.block_id:
            raise BadPart(
                "trusted block",
                f"block {header.height} {block_id(header).hex()}, the operator trusts"
                f" {self._trusted.block_id.hex()} at {self._trusted.height}",
            )
        self._trusted_header = header

    async def _take_handovers(
        self, peer: str, items: tuple[bytes, ...] | None, *, more: bool
    ) -> None:
        target = self._target
        assert target is not None
        if items is None:
            self._is_gone(peer, target)
            return
        if more and not items:
            raise BadPart("handovers", "an empty page, with more to come")
        trail = self._trail

        def extend() -> None:
            for item in items:
                trail.extend(decode_handover(item))
            if not more:
                trail.check_point(target.point)

        self._trail_by = peer
        try:
            await self._run(extend)
        except BadPart:
            self._target = None
            raise
        target.is_decided = not more

    async def _take_chunk(self, peer: str, answer: ChunkMessage, target: _Target) -> None:
        data, path = answer.chunk, answer.path
        if data is None:
            target.assembly.give_back(path)
            self._is_gone(peer, target)
            return
        slot = target.assembly.slot(path)
        try:
            verdict, count = await self._run(lambda: self._install(path, slot, data))
            target.assembly.settle(path, verdict)
        except BadPart:
            target.assembly.give_back(path)
            raise
        self._chunks += 1
        self._records += count

    def _install(self, path: bytes, slot: bytes, data: bytes) -> tuple[Verdict, int]:
        """Verify a chunk and write it; return what it was, and how many records."""
        chunk = decode_chunk(data)
        verdict = judge(path, slot, chunk)
        if isinstance(verdict, Subtree):
            assert isinstance(chunk, Leaves)
            self._installation.place(path, verdict, zip(chunk.keys, chunk.values, strict=True))
            return verdict, len(chunk.keys)
        return verdict, 0

    async def _take_ids(self, peer: str, items: tuple[bytes, ...] | None, target: _Target) -> None:
        target.ids_asked = False
        recent = target.recent
        assert recent is not None
        if items is None:
            self._is_gone(peer, target)
            return

        def note() -> int:
            ids = recent.accept(tuple(decode_block_ids(item) for item in items))
            assert recent.walked is not None
            self._installation.note_ids(ids, recent.walked)
            return len(ids)

        self._ids += await self._run(note)

    # Asking.

    async def _ask(self) -> float | None:
        """Send what is to be asked; return the seconds to wait, None: nobody serves a snapshot."""
        now_s = self._clock.monotonic()
        for peer, source in list(self._sources.items()):
            for key, (deadline_s, _) in list(source.requests.items()):
                if deadline_s <= now_s + RESOLUTION_S and key in source.requests:
                    self._blame(peer, f"no answer: {key[0]} of {key[1]}")
        self._choose(now_s)
        target = self._target
        if target is None:
            if self._nobody_serves(now_s):
                return None
        elif not target.is_decided:
            self._ask_handovers(target)
        elif target.recent is None:
            await self._ask_trust(target, now_s)
        if target is not None and target.recent is not None:
            await self._ask_parts(target, target.recent)
        return self._wait_s(now_s)

    def _choose(self, now_s: float) -> None:
        """See to it that there is a target with sources."""
        target = self._target
        if target is not None and self._serving(target):
            return
        for peer, source in self._sources.items():
            asked_s = source.offered_s
            if asked_s is None or asked_s + OFFERS_S <= now_s + RESOLUTION_S:
                source.offered_s = now_s
                self._send(peer, GetSnapshots(), (Snapshots.__name__, 0, b""), None)
        offers: dict[tuple[int, bytes], list[PointRecord]] = {}
        for peer, source in self._sources.items():
            if self._is_usable(peer):
                for point in source.offers.values():
                    if point.header.height >= self._trusted.height:
                        place = (point.header.height, block_id(point.header))
                        offers.setdefault(place, []).append(point)
        if not offers:
            return
        # What most peers have comes fastest; of several, the newest is there longest.
        best = max(offers, key=lambda place: (len(offers[place]), place))
        point = offers[best][0]
        if target is not None and block_id(target.point.header) == best[1]:
            return
        self._log.info("snapshot chosen", height=best[0], sources=len(offers[best]))
        if self._trail.height >= best[0]:
            self._trail = Trail(self._genesis, self._verify)
        self._target = _Target(point=point, assembly=Assembly(point.header.state_root))

    def _serving(self, target: _Target) -> list[str]:
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

    def _is_usable(self, peer: str) -> bool:
        return self._struck.get(peer, 0.0) <= self._clock.monotonic() + RESOLUTION_S

    def _free(self, peers: list[str]) -> list[str]:
        """Return those that may be asked for one thing more."""
        if self._under_way >= self._limits.fetches_max:
            return []
        return [peer for peer in peers if len(self._sources[peer].requests) < FETCHES_PER_PEER]

    @property
    def _under_way(self) -> int:
        return sum(len(source.requests) for source in self._sources.values())

    def _nobody_serves(self, now_s: float) -> bool:
        """Whether all who are there have had time to say that they serve no snapshot."""
        if self._is_begun or self._since_s is None or self._since_s + PATIENCE_S > now_s:
            return False
        return bool(self._sources) and all(
            source.has_answered and not source.offers for source in self._sources.values()
        )

    def _ask_handovers(self, target: _Target) -> None:
        if any(
            key[0] == Handovers.__name__
            for source in self._sources.values()
            for key in source.requests
        ):
            return
        for peer in self._free(self._serving(target))[:1]:
            above = self._trail.height
            key = (Handovers.__name__, target.height, above.to_bytes(8))
            self._send(peer, GetHandovers(height=target.height, above=above), key, target)

    async def _ask_trust(self, target: _Target, now_s: float) -> None:
        """Hold the way to the snapshot against the operator's trusted block."""
        header = self._trusted_header or self._known_header(target)
        if header is None:
            self._ask_trusted_block(now_s)
            return
        try:
            check_trust(self._trusted, header, self._trail, target.point, self._clock.now_ms())
        except TrustRefused as refused:
            if refused.fault is TrustFault.TOO_OLD:
                raise JoinRefused(str(refused)) from None
            self._log.warning("snapshot refused", height=target.height, reason=str(refused))
            self._doubt_trail(str(refused))
            return
        await self._run(self._installation.begin)
        self._is_begun = True
        target.recent = RecentIds(
            target.point,
            genesis=self._genesis,
            window_ms=self._genesis.transactions.window_ms,
            walked=self._installation.walked(),
        )

    def _known_header(self, target: _Target) -> Header | None:
        """Return the trusted block's header if it has come already."""
        headers = [target.point.header, *(each.header for each in self._trail.handovers)]
        return next((each for each in headers if block_id(each) == self._trusted.block_id), None)

    def _ask_trusted_block(self, now_s: float) -> None:
        key = (Blocks.__name__, self._trusted.height, b"")
        if any(key in source.requests for source in self._sources.values()):
            return
        for peer in self._free([p for p in self._sources if self._is_usable(p)]):
            if not self._sources[peer].lacks_trusted:
                self._send(peer, GetBlocks(from_height=self._trusted.height, count=1), key, None)
                return
        waited = self._since_s is not None and self._since_s + PATIENCE_S <= now_s
        if waited and self._sources and all(s.lacks_trusted for s in self._sources.values()):
            raise JoinRefused(
                f"no peer has block {self._trusted.height} as sync.trusted_block names it, or keeps"
                " it any more: take a new point with `khazana status --trust` from a node that you"
                " trust"
            )

    async def _ask_parts(self, target: _Target, recent: RecentIds) -> None:
        serving = self._serving(target)
        if not recent.is_complete and not target.ids_asked:
            for peer in self._free(serving)[:1]:
                key = (RecentIdsMessage.__name__, target.height, recent.below.to_bytes(8))
                target.ids_asked = True
                message = GetRecentIds(height=target.height, below=recent.below)
                self._send(peer, message, key, target)
        while free := self._free(self._serving(target)):
            place = target.assembly.take()
            if place is None:
                return
            path, slot = place
            if await self._run(lambda: self._is_there(path, slot)):  # noqa: B023 - run at once.
                target.assembly.skip(path)
                continue
            key = (ChunkMessage.__name__, target.height, path)
            if free[0] not in self._sources:
                target.assembly.give_back(path)
            elif not self._send(free[0], GetChunk(height=target.height, path=path), key, target):
                # Its lane is full or it is about to be gone: no use in asking it again at once.
                return

    def _is_there(self, path: bytes, slot: bytes) -> bool:
        """Whether nothing need be asked; what belongs to no record is cleared at once."""
        installation = self._installation
        if installation.has(path, slot):
            return True
        if slot:
            return False
        installation.place(path, Subtree(slot=b"", nodes={}, keys={}), ())
        return True

    def _send(self, peer: str, message: WireMessage, key: Key, target: _Target | None) -> bool:
        """Ask a peer; return whether it will hear of it."""
        source = self._sources[peer]
        self._asked += 1
        source.order = self._asked
        deadline_s = self._clock.monotonic() + self._limits.fetch_timeout_ms / 1000
        source.requests[key] = (deadline_s, target)
        if self._wire.send(peer, message):
            return True
        del source.requests[key]
        self._unanswered(key, target)
        return False

    def _unanswered(self, key: Key, target: _Target | None) -> None:
        if target is None:
            return
        if key[0] == ChunkMessage.__name__:
            target.assembly.give_back(key[2])
        elif key[0] == RecentIdsMessage.__name__:
            target.ids_asked = False

    def _is_gone(self, peer: str, target: _Target) -> None:
        """Note that a peer no longer serves the target: it has newer ones."""
        source = self._sources.get(peer)
        if source is not None:
            source.offers.pop(target.height, None)
            source.offered_s = None

    def _doubt_trail(self, reason: str) -> None:
        """Begin the trail anew, from somebody else."""
        self._trail = Trail(self._genesis, self._verify)
        self._target = None
        if self._trail_by is not None:
            self._blame(self._trail_by, reason)

    def _blame(self, peer: str, reason: str) -> None:
        """Ask somebody else."""
        self._struck[peer] = self._clock.monotonic() + STRUCK_S
        source = self._sources.get(peer)
        if source is not None:
            for key, (_, target) in source.requests.items():
                self._unanswered(key, target)
            source.requests.clear()
        self._log.info("snapshot source struck", peer=peer, reason=reason)
        self._wire.punish(peer, reason)
        self._changed.set()

    def _wait_s(self, now_s: float) -> float:
        """Return after how many seconds something is due, at most."""
        dues = [
            deadline_s
            for source in self._sources.values()
            for deadline_s, _ in source.requests.values()
        ]
        return max(RESOLUTION_S, min([now_s + 1.0, *dues]) - now_s)

    def _tell(self) -> None:
        now_s = self._clock.monotonic()
        if self._told_s + PROGRESS_S > now_s:
            return
        self._told_s = now_s
        progress = self.progress
        if progress.height is None:
            offered = sorted({h for source in self._sources.values() for h in source.offers})
            if offered and offered[-1] < self._trusted.height:
                self._log.warning(
                    "every snapshot offered is below the trusted height: a newer one is waited for;"
                    " if the height is mistyped, take what `khazana status --trust` prints",
                    offered=offered,
                    trusted_height=self._trusted.height,
                )
                return
            self._log.info(
                "looking for a snapshot",
                peers=len(self._sources),
                offered=offered,
                trusted_height=self._trusted.height,
            )
            return
        self._log.info(
            "taking over a snapshot",
            height=progress.height,
            records=progress.records,
            chunks=progress.chunks,
            ids=progress.ids,
        )

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        return work() if self._thread is None else await self._thread.run(work)


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
