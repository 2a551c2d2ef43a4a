"""Sync: asks peers for the blocks that this node lacks, verifies them, hands them to the replica.

Theory of operation. Peers tell their height (`Status`). While somebody claims more than the head,
ranges of blocks are asked of several peers at once, kept in a bounded buffer, and taken from it in
ascending order. A block counts for nothing until its certificate has been verified in full against
the set that rules its height, which is known once the block before it is committed; then the
replica applies it, compares every root, and commits. Nothing is believed for being told twice.
While it does so, and waits for the disk, the signatures of the transactions that come next are
verified.

A peer that does not deliver what it claims, or delivers what is not a block of this chain, is held
to account and its claim struck; the same heights are asked of another (adversarial 49, 50). A block
that consensus committed meanwhile is simply dropped (51).

Peers also tell from which height on they keep blocks, and are not asked below it. When all who are
ahead have pruned what this node needs next, it says so, once, and what helps: nobody can serve it.

A validator that is one block behind gives consensus a moment before it asks: the votes are most
likely on their way. An observer asks at once, and so lives one round trip behind the validators.

Limits: one request a peer, `fetches_max` together; `buffer_bytes_max` of blocks in memory; a wait
of `fetch_timeout_ms` for an answer.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from consensus.certificates import QuorumCertificate
from consensus.errors import InvalidValue
from node.blocks import (
    Block,
    CertificateError,
    Header,
    block_id,
    decode_block,
    decode_certificate,
    verify_certificate,
)
from node.chain import BlockFault, Chain, InvalidBlock
from node.clock import Clock
from node.codec import CodecError
from node.genesis import missing_sentence
from node.log import Logger
from node.metrics import Metrics
from node.network import (
    BLOCKS_SIZE_TARGET,
    BlockItem,
    Blocks,
    GetBlocks,
    Status,
    WireMessage,
)
from node.replica.claims import Claims
from node.replica.events import Certified
from node.replica.gate import BadMessage, Verify
from node.replica.wire import Wire
from node.sync.plan import Range, plan, unserved_height

FOLLOW_S: Final = 0.25
"""How long a validator that is one block behind waits for consensus to bring it there."""
RESOLUTION_S: Final = 0.001
"""Less is now: a timer for the rest of a rounding error would fire at the same reading again."""

UNSERVED_ADVICE: Final = (
    "connect to a peer that keeps all blocks ([storage] keep_blocks = 0), restore a backup with"
    " `khazana restore`, or join by a snapshot"
)

RUN_BLOCKS_MAX: Final = 32
RUN_BYTES_MAX: Final = 256 << 10
"""A run ends here: some 1,300 transfers, which hold up the replica for a tenth of a second."""

CommitSynced: TypeAlias = Callable[[Sequence[Certified]], asyncio.Future[int]]
"""`Replica.commit_synced`."""
LookAhead: TypeAlias = Callable[[Sequence[Block]], Awaitable[None]]
"""`Replica.look_ahead`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncLimits:
    """How hard this node catches up; see `node.config.sections.SyncConfig`."""

    fetches_max: int = 4
    range_blocks_max: int = 32
    buffer_bytes_max: int = 64 << 20
    fetch_timeout_ms: int = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    range: Range
    deadline_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fetched:
    peer: str
    item: BlockItem
    certified: Certified | None = None
    """Once its certificate was verified."""
    ruling: bytes | None = None
    """Hash of the set against which it was."""

    @property
    def size_bytes(self) -> int:
        return len(self.item.block) + len(self.item.certificate)


class _Unfit(Exception):
    """What a peer sent as a block is none of this chain."""


class _Unamended(_Unfit):
    """It stands on something else than the block before, and others than those who rule sign it."""

    def __init__(self, height: int, parent: bytes) -> None:
        super().__init__(missing_sentence(height, parent))
        self.height = height
        self.parent = parent


class Sync:
    """The fetching and serving of blocks, of one node."""

    def __init__(
        self,
        *,
        chain: Chain,
        wire: Wire,
        claims: Claims,
        commit: CommitSynced,
        look_ahead: LookAhead,
        follows_votes: Callable[[], bool],
        verify: Verify,
        clock: Clock,
        metrics: Metrics,
        log: Logger,
        limits: SyncLimits | None = None,
    ) -> None:
        """Store what is given; nothing happens before `run`.

        Args:
            follows_votes: whether this node takes part in consensus at the next height, so that it
                need not fetch what it is about to decide.
            verify: the one rule for signatures, `node.keys.verify`.
        """
        self._chain = chain
        self._wire = wire
        self._claims = claims
        self._commit = commit
        self._look_ahead = look_ahead
        self._follows_votes = follows_votes
        self._verify = verify
        self._clock = clock
        self._metrics = metrics
        self._verified = metrics.signatures_verified.labels(of="certificate")
        self._log = log.bind(part="sync")
        self._limits = limits or SyncLimits()
        self._requests: dict[str, _Request] = {}
        self._buffer: dict[int, _Fetched] = {}
        self._buffer_bytes = 0
        self._handed_to = 0
        """The height up to which blocks are being committed; 0 while none are."""
        self._order: dict[str, int] = {}  # when each peer was last asked: the longest ago is next
        self._asked = 0
        self._changed = asyncio.Event()
        self._behind: tuple[int, float] | None = None
        """The head that was seen to be behind, and since when."""
        self._unserved: int | None = None
        """The height that was reported as kept by nobody."""
        self._unamended: _Unamended | None = None
        """The last block that was refused for want of an amendment, as it seems."""

    @property
    def target(self) -> int:
        """The highest height that is worth asking for; the head's when there is none above."""
        return max([self._chain.head.height, *self._claims.of_all().values()])

    @property
    def missing(self) -> str | None:
        """Which amendment of the validator set the next block seems to need; None: none is known.

        It is what peers say, and proves nothing: see `missing_sentence`.
        """
        seen = self._unamended
        return None if seen is None or seen.height <= self._chain.head.height else str(seen)

    @property
    def unserved(self) -> int | None:
        """The next height, if peers are ahead and all of them have pruned it; None: all is well."""
        return unserved_height(
            self._chain.head.height, self._claims.of_all(), self._claims.earliest()
        )

    # The door: called by the network, on the same event loop.

    def connected(self, peer: str) -> None:
        """Take note of a new link: its Hello told a height."""
        del peer
        self._changed.set()

    def disconnected(self, peer: str) -> None:
        """Ask others for what this peer was asked for."""
        self._requests.pop(peer, None)
        self._order.pop(peer, None)
        self._changed.set()

    async def received(self, peer: str, message: WireMessage) -> None:
        """Take a peer's message."""
        match message:
            case Status():
                self._changed.set()
            case GetBlocks():
                self._serve(peer, message)
            case Blocks():
                self._take(peer, message)
            case _:
                raise AssertionError("the router sends other kinds elsewhere")

    # The loop.

    async def run(self) -> None:
        """Catch up whenever somebody is ahead, until cancelled.

        Raises:
            Whatever `commit` raises but `InvalidBlock` and `BadMessage`.
        """
        while True:
            self._changed.clear()
            # Asked first, so that the next blocks are under way while these are applied.
            wait_s = self._ask()
            if await self._advance():
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()

    async def _advance(self) -> bool:
        """Commit the next blocks if they are in the buffer; return whether the next one was."""
        head = self._chain.head.height
        for height in [height for height in self._buffer if height <= head]:
            self._drop(height)
        if head + 1 not in self._buffer:
            return False
        peers: dict[int, str] = {}
        try:
            run = self._verified_run(head + 1, peers)
            await self._commit_looking_ahead(run)
        except _Unamended as error:
            # Whoever went through the amendment serves what he has, and is held to nothing for it.
            peer = peers[error.height]
            self._strike(peer, str(error))
            before, self._unamended = self._unamended, error
            if before is None or before.height != error.height:
                # Once a height: whoever lies of it names another each time.
                self._log.warning(
                    "a peer goes on by an amendment that this node was not given",
                    height=error.height,
                    amendment=error.parent,
                    peer=peer,
                    advice=str(error),
                )
        except (_Unfit, InvalidBlock, BadMessage) as error:
            height = max(self._chain.head.height, head) + 1
            self._blame(peers[height], f"block {height}: {error}")
        for height, peer in peers.items():
            if height <= self._chain.head.height:
                self._claims.served(peer)
        return True

    async def _commit_looking_ahead(self, run: Sequence[Certified]) -> None:
        """Commit a run. Most of that is waiting for the disk, and most of the work of the next one
        are its signatures: they are verified meanwhile."""
        self._handed_to = run[-1].block.header.height
        following: list[Block] = []
        committing = self._commit(run)
        committing.add_done_callback(lambda _: self._changed.set())
        try:
            while not committing.done():
                self._changed.clear()
                self._ask()
                if self._handed_to + 1 in self._buffer:
                    following = self._following(self._handed_to + 1)
                    if following:
                        await self._look_ahead(following)
                    break
                await self._changed.wait()
            await committing
        finally:
            self._handed_to = 0
            committing.cancel()  # Where it is done, that is nothing.
        if not following:
            await self._look_ahead(())  # Nothing is remembered of what is committed.

    def _verified_run(self, height: int, peers: dict[int, str]) -> list[Certified]:
        """Take the blocks from this height on out of the buffer, as far as they are certified.

        The set that rules the first is known; that it rules the next one too, a certified header
        says. Where the set changes, where a block is unfit, or at the limits, the run ends.

        Args:
            peers: is told who sent each block, also an unfit first one.

        Raises:
            _Unfit: the first of them is no block of this chain.
        """
        run: list[Certified] = []
        size_bytes = 0
        while (fetched := self._buffer.get(height)) is not None:
            if run and (len(run) == RUN_BLOCKS_MAX or size_bytes >= RUN_BYTES_MAX):
                break
            peers.setdefault(height, fetched.peer)
            try:
                certified = self._certified(height)
            except _Unfit:
                if run:
                    # It will be the first of the next run, and blamed there.
                    del peers[height]
                    break
                self._drop(height)
                raise
            self._drop(height)
            run.append(certified)
            size_bytes += fetched.size_bytes
            height += 1
            if certified.block.header.next_validators_hash != self._chain.validators_hash or (
                self._chain.genesis.amendment_at(height) is not None
            ):
                break
        return run

    def _following(self, height: int) -> list[Block]:
        """Return the blocks in the buffer from this height on, as many as a run may hold, as far as
        they are certified by the set that rules now. Of another, that may rule by then, and of what
        no validators stand behind, nothing is verified ahead: a peer can send any amount of it."""
        blocks: list[Block] = []
        size_bytes = 0
        while len(blocks) < RUN_BLOCKS_MAX and size_bytes < RUN_BYTES_MAX:
            fetched = self._buffer.get(height)
            if fetched is None:
                break
            try:
                blocks.append(self._certified(height).block)
            except _Unfit:
                break
            size_bytes += fetched.size_bytes
            height += 1
        return blocks

    def _certified(self, height: int) -> Certified:
        """Return the block of this height in the buffer. Its certificate is verified once against
        the same set.

        Raises:
            _Unfit: it is no block of this chain.
        """
        fetched, ruling = self._buffer[height], self._chain.validators_hash
        if fetched.certified is not None and fetched.ruling == ruling:
            return fetched.certified
        certified = Certified(*self._verified_block(fetched.item, height))
        self._buffer[height] = replace(fetched, certified=certified, ruling=ruling)
        return certified

    def _verified_block(self, item: BlockItem, height: int) -> tuple[Block, QuorumCertificate]:
        try:
            block = decode_block(item.block)
            certificate = decode_certificate(item.certificate)
        except (CodecError, InvalidValue) as error:
            raise _Unfit(str(error)) from None
        if block.header.height != height:
            raise _Unfit(f"it is of height {block.header.height}")
        found, counted = len(block.transactions), block.header.transaction_count
        if found != counted:
            # Said before any of their signatures is looked at.
            raise _Unfit(
                f"{BlockFault.WRONG_TRANSACTIONS}: it holds {found} transactions, and its header"
                f" counts {counted}"
            )
        self._check_amended(block.header)
        self._verified.inc(len(certificate.signatures))
        try:
            verify_certificate(
                certificate,
                self._chain.validators,
                self._chain.genesis.fault_model,
                self._chain.genesis.domain(height),
                self._verify,
                height=height,
                block_id=block_id(block.header),
            )
        except (InvalidValue, CertificateError) as error:
            raise _Unfit(str(error)) from None
        return block, certificate

    def _check_amended(self, header: Header) -> None:
        """Refuse by itself the block after an amendment that this node does not have.

        Raises:
            _Unamended: it looks like that.
        """
        head, genesis = self._chain.head, self._chain.genesis
        if (
            header.height == head.height + 1
            and genesis.amendment_at(header.height) is None
            and header.validators_hash != self._chain.validators_hash
            and header.parent != head.block_id
        ):
            raise _Unamended(header.height, header.parent)

    # Asking.

    def _ask(self) -> float | None:
        """Send the requests that are due; return after how many seconds to look again."""
        now_s = self._clock.monotonic()
        for peer, request in list(self._requests.items()):
            if request.deadline_s <= now_s + RESOLUTION_S:
                del self._requests[peer]
                self._blame(peer, f"no answer for blocks from {request.range.from_height}")
        head = max(self._chain.head.height, self._handed_to)
        claims = self._claims.of_all()
        target = max(claims.values(), default=0)
        self._metrics.sync_target.set(max(target, head))
        if target <= head:
            self._behind = None
            return self._next_deadline_s(now_s)
        earliest = self._claims.earliest()
        if self._is_unserved(head, claims, earliest):
            return self._next_deadline_s(now_s)
        if self._behind is None or self._behind[0] != head:
            self._behind = (head, now_s)
        patience_s = self._behind[1] + FOLLOW_S - now_s
        if target == head + 1 and patience_s > RESOLUTION_S and self._follows_votes():
            return patience_s
        for peer, wanted in self._planned(head, claims, earliest).items():
            timeout_s = self._limits.fetch_timeout_ms / 1000
            self._asked += 1
            self._order[peer] = self._asked
            if self._wire.send(
                peer, GetBlocks(from_height=wanted.from_height, count=wanted.length)
            ):
                self._requests[peer] = _Request(range=wanted, deadline_s=now_s + timeout_s)
        return self._next_deadline_s(now_s)

    def _is_unserved(
        self, head: int, claims: Mapping[str, int], earliest: Mapping[str, int]
    ) -> bool:
        unserved = unserved_height(head, claims, earliest)
        if unserved is not None and unserved != self._unserved:
            self._log.error(
                "no connected peer keeps the block that this node needs next",
                height=unserved,
                earliest=min(earliest.values()),
                advice=UNSERVED_ADVICE,
            )
        self._unserved = unserved
        return unserved is not None

    def _planned(
        self, head: int, claims: Mapping[str, int], earliest: Mapping[str, int]
    ) -> dict[str, Range]:
        limits = self._limits
        room = limits.fetches_max - len(self._requests)
        # A full buffer still asks for the one block that would empty it.
        full = self._buffer_bytes >= limits.buffer_bytes_max
        free = sorted(
            (peer for peer in claims if peer not in self._requests),
            key=lambda peer: self._order.get(peer, 0),
        )
        wanted = plan(
            head=head,
            claims=claims,
            earliest=earliest,
            free=free,
            have=self._buffer,
            asked=[request.range for request in self._requests.values()],
            length_max=1 if full else limits.range_blocks_max,
            window=1 if full else limits.range_blocks_max * limits.fetches_max,
        )
        return dict(list(wanted.items())[:room])

    def _next_deadline_s(self, now_s: float) -> float | None:
        deadlines = [request.deadline_s for request in self._requests.values()]
        return max(0.0, min(deadlines) - now_s) if deadlines else None

    def _blame(self, peer: str, reason: str) -> None:
        """Ask somebody else, forget what else came from this peer, and hold it to account."""
        self._strike(peer, reason)
        self._wire.punish(peer, reason)

    def _strike(self, peer: str, reason: str) -> None:
        """Ask somebody else, and forget what else came from this peer."""
        self._claims.strike(peer)
        self._requests.pop(peer, None)
        for height in [h for h, fetched in self._buffer.items() if fetched.peer == peer]:
            self._drop(height)
        self._log.info("sync peer struck", peer=peer, reason=reason)
        self._changed.set()

    def _take(self, peer: str, answer: Blocks) -> None:
        request = self._requests.pop(peer, None)
        self._changed.set()
        if request is None:
            # Late: its time was over, and it was told so.
            return
        earliest = self._claims.earliest().get(peer, 0)
        if not answer.items and earliest > request.range.from_height:
            # Pruned since it was asked, as its `Status` has told meanwhile.
            return
        if answer.from_height != request.range.from_height or not (
            1 <= len(answer.items) <= request.range.length
        ):
            self._blame(
                peer,
                f"{len(answer.items)} blocks from {answer.from_height}, asked for"
                f" {request.range.length} from {request.range.from_height}",
            )
            return
        head = self._chain.head.height
        for height, item in enumerate(answer.items, start=answer.from_height):
            if height > head and height not in self._buffer:
                fetched = _Fetched(peer=peer, item=item)
                self._buffer[height] = fetched
                self._buffer_bytes += fetched.size_bytes

    def _drop(self, height: int) -> None:
        fetched = self._buffer.pop(height)
        self._buffer_bytes -= fetched.size_bytes

    # Serving.

    def _serve(self, peer: str, request: GetBlocks) -> None:
        """Send blocks from the store: one if it is there, then more up to the target size."""
        history = self._chain.history
        if history.is_pruned(request.from_height):
            head = self._chain.head
            status = Status(height=head.height, block_id=head.block_id, earliest=history.earliest)
            self._wire.send(peer, status)
        items: list[BlockItem] = []
        size = 0
        for height in range(request.from_height, request.from_height + request.count):
            block = history.block_bytes(height) if height >= 1 else None
            certificate = history.certificate_bytes(height) if height >= 1 else None
            if block is None or certificate is None:
                break
            size += len(block) + len(certificate)
            if items and size > BLOCKS_SIZE_TARGET:
                break
            items.append(BlockItem(block=block, certificate=certificate))
        self._wire.send(peer, Blocks(from_height=request.from_height, items=tuple(items)))
