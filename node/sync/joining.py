"""Joining: takes over a snapshot from several peers into an empty store, before there is a chain.

Theory of operation. Peers are asked which snapshots they serve; the one that most of them have is
taken. Its header counts once the changes of validators from the genesis lead to those who signed
it, and once that way leads through the block that the operator trusts. From then on every part is
known before it comes: a chunk of the state by the digest above it, the ids of a block by its
header. So a part that was not expected is never written, whoever sent it; whoever did is held to
account, and another is asked. What is written stays good for a newer snapshot where it is the same,
and after a restart: only what differs is asked for again.

The store has no head until all is there; then one batch makes a chain of it.

Limits: requests are bounded and have a deadline each (`sources`); an answer that nobody waits for
is dropped unread. Verifying and writing run in the storage thread.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

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
from node.sync.sources import Sources
from node.sync.target import Target

PROGRESS_S: Final = 5.0

ResultT = TypeVar("ResultT")


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
        limits = limits or JoiningLimits()
        self._sources = Sources(
            wire=wire,
            clock=clock,
            fetches_max=limits.fetches_max,
            fetch_timeout_ms=limits.fetch_timeout_ms,
        )
        self._answers: deque[tuple[str, WireMessage, Target | None]] = deque()
        self._trail = Trail(genesis, verify)
        self._trail_by: str | None = None
        """Who told the last of the trail."""
        self._trusted_header: Header | None = None
        self._target: Target | None = None
        self._is_begun = installation.is_begun
        self._records = self._chunks = self._ids = 0
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
        self._sources.add(peer)
        self._changed.set()

    def disconnected(self, peer: str) -> None:
        """Ask others for what this peer was asked for."""
        self._sources.remove(peer)
        self._changed.set()

    async def received(self, peer: str, message: WireMessage) -> None:
        """Take a peer's message; one that answers no request is dropped."""
        request = self._sources.answered(peer, message)
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

    async def _is_finished(self, target: Target) -> bool:
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

    async def _take(self, peer: str, message: WireMessage, target: Target | None) -> None:
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
            self._sources.gone(peer, target)
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

    async def _take_chunk(self, peer: str, answer: ChunkMessage, target: Target) -> None:
        data, path = answer.chunk, answer.path
        if data is None:
            target.assembly.give_back(path)
            self._sources.gone(peer, target)
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

    async def _take_ids(self, peer: str, items: tuple[bytes, ...] | None, target: Target) -> None:
        target.ids_asked = False
        recent = target.recent
        assert recent is not None
        if items is None:
            self._sources.gone(peer, target)
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
        for peer, (kind, height, _) in self._sources.late(now_s).items():
            self._blame(peer, f"no answer: {kind} of {height}")
        self._choose(now_s)
        target = self._target
        if target is None:
            if not self._is_begun and self._sources.without_snapshot(now_s):
                return None
        elif not target.is_decided:
            self._ask_handovers(target)
        elif target.recent is None:
            await self._ask_trust(target, now_s)
        if target is not None and target.recent is not None:
            await self._ask_parts(target, target.recent)
        return self._sources.wait_s(now_s)

    def _choose(self, now_s: float) -> None:
        """See to it that there is a target with sources."""
        target = self._target
        if target is not None and self._sources.serving(target):
            return
        self._sources.ask_offers(now_s)
        offers = self._sources.offers(from_height=self._trusted.height)
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
        self._target = Target(point=point, assembly=Assembly(point.header.state_root))

    def _ask_handovers(self, target: Target) -> None:
        sources = self._sources
        if sources.is_asked(Handovers.__name__):
            return
        for peer in sources.free(sources.serving(target))[:1]:
            above = self._trail.height
            key = (Handovers.__name__, target.height, above.to_bytes(8))
            sources.send(peer, GetHandovers(height=target.height, above=above), key, target)

    async def _ask_trust(self, target: Target, now_s: float) -> None:
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

    def _known_header(self, target: Target) -> Header | None:
        """Return the trusted block's header if it has come already."""
        headers = [target.point.header, *(each.header for each in self._trail.handovers)]
        return next((each for each in headers if block_id(each) == self._trusted.block_id), None)

    def _ask_trusted_block(self, now_s: float) -> None:
        sources, height = self._sources, self._trusted.height
        if sources.is_asked(Blocks.__name__):
            return
        for peer in sources.free(sources.usable()):
            source = sources.get(peer)
            if source is not None and not source.lacks_trusted:
                key = (Blocks.__name__, height, b"")
                sources.send(peer, GetBlocks(from_height=height, count=1), key, None)
                return
        if sources.without_trusted(now_s):
            raise JoinRefused(
                f"no peer has block {self._trusted.height} as sync.trusted_block names it, or keeps"
                " it any more: take a new point with `khazana status --trust` from a node that you"
                " trust"
            )

    async def _ask_parts(self, target: Target, recent: RecentIds) -> None:
        sources = self._sources
        if not recent.is_complete and not target.ids_asked:
            for peer in sources.free(sources.serving(target))[:1]:
                key = (RecentIdsMessage.__name__, target.height, recent.below.to_bytes(8))
                target.ids_asked = True
                message = GetRecentIds(height=target.height, below=recent.below)
                sources.send(peer, message, key, target)
        while free := sources.free(sources.serving(target)):
            place = target.assembly.take()
            if place is None:
                return
            path, slot = place
            if await self._run(lambda: self._is_there(path, slot)):  # noqa: B023 - run at once.
                target.assembly.skip(path)
                continue
            key = (ChunkMessage.__name__, target.height, path)
            if free[0] not in sources:
                target.assembly.give_back(path)
            elif not sources.send(free[0], GetChunk(height=target.height, path=path), key, target):
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

    def _doubt_trail(self, reason: str) -> None:
        """Begin the trail anew, from somebody else."""
        self._trail = Trail(self._genesis, self._verify)
        self._target = None
        if self._trail_by is not None:
            self._blame(self._trail_by, reason)

    def _blame(self, peer: str, reason: str) -> None:
        """Ask somebody else."""
        self._sources.strike(peer)
        self._log.info("snapshot source struck", peer=peer, reason=reason)
        self._wire.punish(peer, reason)
        self._changed.set()

    def _tell(self) -> None:
        now_s = self._clock.monotonic()
        if self._told_s + PROGRESS_S > now_s:
            return
        self._told_s = now_s
        progress = self.progress
        if progress.height is None:
            offered = self._sources.heights()
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
