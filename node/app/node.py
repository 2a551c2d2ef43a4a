"""The composition root: one node out of its rooms, started in order, stopped in reverse.

`async with Node(config, genesis) as node:` runs a whole node in the calling task's loop, any number
of them beside each other: nothing is global. A task that fails stops its node: the body of the
`async with` is cancelled, and the failure comes out of it as itself.

What a simulation replaces is given in `NodeParts`: the disk, the wires, the clock, chance. With all
of them replaced, and without the interface for clients, nothing here reads the real time, makes a
thread, or opens a socket.
"""

import asyncio
import contextlib
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final, Self, TextIO

from consensus import errors as consensus_errors
from consensus.engine import Engine
from node.admission import Admission
from node.app.clients import listen_all, load_keyring, rpc_limits
from node.app.loading import (
    load_certificate,
    load_following_identity,
    load_following_signer,
    load_identity,
    load_signer,
)
from node.app.outlook import outlook_of
from node.app.router import Router
from node.app.travel import Travel, load_travelled
from node.app.upgrades import UpgradeNotices
from node.chain import Chain, ChainDamaged, Committed
from node.clock import Clock, SystemClock, TravellingClock
from node.config import NodeConfig
from node.control import ControlServer, Made
from node.control.place import socket_path
from node.explorer import Desk, Explorer
from node.genesis import Genesis
from node.index import IndexUnusable, database_of, is_wanted
from node.intake import Intake
from node.keys import Signer, verify
from node.ledger.errors import InvariantViolation
from node.ledger.protocol import SUPPORTED
from node.ledger.tables import ValidatorRecord
from node.log import Logger, open_log
from node.mempool import Mempool
from node.metrics import Metrics
from node.network import (
    LaneLimits,
    Network,
    NetworkSettings,
    Observer,
    WireLimits,
)
from node.network.tls import TlsIdentity
from node.network.transport import Transport
from node.network.websocket import WebSocketTransport
from node.replica.claims import Claims
from node.replica.errors import Divergence
from node.replica.guard import Guard
from node.replica.journal import Journal
from node.replica.replica import Replica, ReplicaLimits
from node.replica.seat import Seat
from node.rpc.server import RpcServer
from node.rpc.services import RpcServices
from node.rpc.waiting import WaitingServer
from node.signatures import AUTO_FROM_PROCESSORS, Helper, processors
from node.snapshots import Installation, Pins, SnapshotError, TrustedPoint
from node.snapshots.trust import HOUR_MS
from node.storage import (
    ConsensusLog,
    FileSystem,
    KeyValueStore,
    StorageError,
    StorageThread,
    WatchedStore,
    open_consensus_log,
    open_leveldb,
)
from node.stream import StreamUnusable, link_of
from node.stream import is_wanted as is_published
from node.sync import Joining, Serving, Sync, SyncLimits, needs_snapshot
from node.upkeep import BackupError, back_up_running

if TYPE_CHECKING:
    from node.index.follower import Follower
    from node.stream.publisher import Publisher

CHAIN_FOLDER: Final = "chain"
LOG_FOLDER: Final = "consensus"

HALTING: Final = (
    Divergence,
    InvariantViolation,
    consensus_errors.InvariantViolation,
)
"""What a node stops itself for, because going on would not be safe."""


class NodeHalted(Exception):
    """The node stopped itself, because its state and the network's cannot both be right.

    Attributes:
        reason: what was found and what was expected, with both roots where roots differ.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name} has stopped itself, with nothing of this written: {reason}. Compare the"
            " state root with other nodes'; if theirs agree with each other, run `khazana repair"
            " --to-height N` with a height below this one, and start again: the state is computed"
            " anew from the blocks, and the rest comes from the peers"
        )
        self.name = name
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeParts:
    """What stands between a node and the world. None: the real thing, as configured."""

    clock: Clock = field(default_factory=SystemClock)
    random: Random | None = None
    """Source of jitter; a simulation seeds it."""
    store: KeyValueStore | None = None
    """A database that the caller owns."""
    log_files: FileSystem | None = None
    """The files of the consensus log, owned by the caller."""
    thread: StorageThread | None = None
    """Where a given store and given files are written; None: on the caller's own thread."""
    transport: Transport | None = None
    identity: TlsIdentity | None = None
    signer: Signer | None = None
    following: Signer | None = None
    """The key that is to follow a given signer."""
    observers: Sequence[tuple[str, bytes]] = ()
    """Name and certificate (DER) of observers besides the configured ones."""
    verify: Callable[[bytes, bytes, bytes], bool] = verify
    versions: Collection[int] = SUPPORTED
    """Those of the protocol that this software knows; fewer make it an older release."""
    serves_clients: bool = True
    desk: Desk | None = None
    """Acts on a development network when its pages are asked to."""
    log: Logger | None = None
    log_stream: TextIO = sys.stderr


class Node:
    """One node. Its rooms are attributes, there from entry to exit."""

    chain: Chain
    mempool: Mempool
    admission: Admission
    network: Network
    snapshots: Pins
    replica: Replica
    sync: Sync
    intake: Intake
    index: "Follower | None"
    metrics: Metrics
    log: Logger
    rpc: RpcServer | None
    stream: "Publisher | None"

    def __init__(
        self, config: NodeConfig, genesis: Genesis, parts: NodeParts | None = None
    ) -> None:
        """Store what is given; everything begins on entry."""
        self.config = config
        self.genesis = genesis
        self._parts = parts or NodeParts()
        self._stack = contextlib.AsyncExitStack()
        self._transport: Transport | None = None
        self._helper: Helper | None = None
        self._presents_following = False

    @property
    def name(self) -> str:
        """The node's name in its configuration."""
        return self.config.name

    @property
    def network_port(self) -> int:
        """The port that peers are listened for on."""
        assert isinstance(self._transport, WebSocketTransport)
        return self._transport.port

    @property
    def rpc_port(self) -> int:
        """The port that clients are listened for on."""
        assert self.rpc is not None
        return self.rpc.port

    async def __aenter__(self) -> Self:
        """Start all rooms; return once the node listens.

        Raises:
            ConfigError: a key or certificate is not fit for this network.
            KeysError: a key file cannot be used.
            ChainDamaged, StorageError: the disk's reasons; nothing was signed.
            LogMismatch: the consensus log is another validator's.
            JoinRefused: no snapshot can be joined by, as it is configured.
            OSError: an address cannot be listened on.
            UpgradeRequired: the next block is of a version of the protocol not known here.
        """
        try:
            await self._start()
        except BaseException as error:
            await self._close(error)
            raise
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Stop in reverse order of starting; the last block under way is written whole.

        Raises:
            AmendmentError: the chain has come to an amendment that it cannot go on by.
            NodeHalted: the node stopped itself.
            StorageError: the disk failed.
            UpgradeRequired: the network went on by rules that this software does not know.
        """
        await self._close(error)

    # Private.

    async def _close(self, error: BaseException | None) -> None:
        try:
            await self._stack.__aexit__(
                None if error is None else type(error),
                error,
                None if error is None else error.__traceback__,
            )
        except BaseExceptionGroup as group:
            cause = _first(group)
            self.log.error("node stopped", error=str(cause), kind=type(cause).__name__)
            if isinstance(cause, HALTING):
                raise NodeHalted(self.name, str(cause)) from cause
            raise cause from None

    async def _start(self) -> None:
        self._parts = self._with_travelling_clock()
        config, genesis, parts = self.config, self.genesis, self._parts
        clock, stack = parts.clock, self._stack
        self.metrics = Metrics(clock.cpu_s)
        self.log = parts.log or open_log(
            parts.log_stream,
            now_ms=clock.now_ms,
            level=config.log.level,
            form=config.log.format,
            node=config.name,
        )
        identity = parts.identity or load_identity(config)
        signer = parts.signer or load_signer(config, genesis)
        thread = await self._open_thread()
        failures: asyncio.Queue[StorageError] = asyncio.Queue()
        store = WatchedStore(self._open_store(), _told_to(failures))
        store_thread = thread if parts.store is None else parts.thread
        if thread is not None:
            stack.push_async_callback(thread.drain)
        await self._join_by_snapshot(store, store_thread, identity)
        self.chain = Chain.open(
            store,
            genesis,
            thread=store_thread,
            records_bytes_max=config.storage.records_cache_bytes,
            keep_blocks=config.storage.keep_blocks,
            verify=parts.verify,
            versions=parts.versions,
            stages=self.metrics.stages,
        )
        following = parts.following if parts.signer else load_following_signer(config, genesis)
        seat = self._open_seat(signer, following, thread)
        if thread is not None:
            # Before the database and the log are closed: a write under way would use freed memory.
            stack.push_async_callback(thread.drain)
        self.mempool = Mempool(
            clock,
            count_max=config.mempool.transactions_max,
            size_bytes_max=config.mempool.bytes_max,
        )
        self._helper = self._make_helper()
        self.admission = Admission(
            self.chain, self.mempool, clock, verify=parts.verify, signatures=self._helper
        )
        self.network = self._make_network(
            identity,
            height=lambda: self.chain.head.height,
            earliest=lambda: self.chain.history.earliest,
        )
        self._present_certificate()
        self.network.set_validators(self.chain.validator_records)
        self.chain.listeners.append(self._follow_validators)
        self.snapshots = Pins(
            self.chain,
            store,
            interval=config.sync.snapshot_interval,
            thread=store_thread,
            metrics=self.metrics,
            log=self.log,
        )
        stack.callback(self.snapshots.close)
        self._make_rooms(seat)
        self.index = self._make_index(store)
        self._offer_readings(thread)
        self._warn(seat, identity)
        notices = UpgradeNotices(chain=self.chain, metrics=self.metrics, log=self.log)
        notices.look()
        self.chain.listeners.append(notices.look)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        stages = self.metrics.stages
        running = [
            tasks.create_task(stages.proposal.of(self.replica.run), name=f"{self.name}-replica")
        ]
        running.append(tasks.create_task(self.sync.run(), name=f"{self.name}-sync"))
        running.append(
            tasks.create_task(stages.admission.of(self.intake.run), name=f"{self.name}-intake")
        )
        running.append(tasks.create_task(_fail_with(failures), name=f"{self.name}-disk"))
        stack.callback(self._stop_tasks, running)
        serving = Serving(self.snapshots, self.network, thread=store_thread, metrics=self.metrics)
        handler = Router(self.replica, self.sync, serving, self.intake)
        tasks.create_task(self.network.run(handler), name=f"{self.name}-network")
        if self.index is not None:
            running.append(tasks.create_task(self.index.run(), name=f"{self.name}-index"))
        if self._helper is not None:
            running.append(tasks.create_task(self._helper.run(), name=f"{self.name}-signatures"))
        await self.network.wait_started()
        self.rpc = await self._serve_clients()
        self.stream = self._make_stream()
        if self.stream is not None:
            running.append(
                tasks.create_task(stages.serve.of(self.stream.run), name=f"{self.name}-stream")
            )
        await self._serve_operator(store, thread)
        head = self.chain.head
        self.log.info(
            "node started",
            software=software(),
            network=genesis.name,
            genesis=genesis.hash,
            height=head.height,
            state_root=head.state_root,
            votes=signer is not None,
        )

    def _with_travelling_clock(self) -> NodeParts:
        """Return the parts with a clock that can be set ahead, where the network lets it."""
        parts = self._parts
        if not (self.genesis.development and self._has_operator):
            return parts
        travelled_ms = load_travelled(self.config.data_dir)
        return replace(parts, clock=TravellingClock(parts.clock, travelled_ms=travelled_ms))

    @property
    def _has_operator(self) -> bool:
        """Whether there is a home, and so somebody who can reach the control socket in it."""
        return self._parts.serves_clients and self._parts.store is None

    async def _open_thread(self) -> StorageThread | None:
        parts = self._parts
        if parts.store is not None and parts.log_files is not None:
            return None
        return await self._stack.enter_async_context(StorageThread(self.metrics.stages.store))

    def _open_store(self) -> KeyValueStore:
        if self._parts.store is not None:
            return self._parts.store
        store = open_leveldb(self.config.data_dir / CHAIN_FOLDER, create=True, node=True)
        self._stack.callback(store.close)
        return store

    def _open_seat(
        self, signer: Signer | None, following: Signer | None, thread: StorageThread | None
    ) -> Seat | None:
        if signer is None:
            return None
        files = self._parts.log_files
        path = consensus_log_path(self.config.data_dir)
        log = open_consensus_log(path) if files is None else ConsensusLog(path, files)
        guard = Guard(signer, self.genesis.domain, following=following)
        journal = Journal(
            log,
            guard,
            domain=self.genesis.domain,
            thread=thread if files is None else self._parts.thread,
            metrics=self.metrics,
            monotonic=self._parts.clock.monotonic,
        )
        self._stack.callback(journal.close)
        seat = Seat(
            name=self.name,
            network=self.genesis.hash,
            guard=guard,
            journal=journal,
            log=self.log.bind(part="seat"),
        )
        seat.open(self.chain.head.height)
        return seat

    async def _join_by_snapshot(
        self, store: KeyValueStore, thread: StorageThread | None, identity: TlsIdentity
    ) -> None:
        """Take over a snapshot into an empty database, if the operator has named a trusted point.

        Raises:
            JoinRefused: what is configured does not do.
        """
        trusted = _trusted_point(self.config)
        if not needs_snapshot(store, trusted, self.log):
            return
        assert trusted is not None
        network = self._make_network(identity, height=lambda: 0, earliest=lambda: 1)
        network.set_validators(known_validators(self.genesis))
        joining = Joining(
            installation=Installation(store, self.genesis),
            genesis=self.genesis,
            trusted=trusted,
            wire=network,
            thread=thread,
            verify=self._parts.verify,
            clock=self._parts.clock,
            log=self.log,
        )
        try:
            async with self._telling_of(joining), asyncio.TaskGroup() as tasks:
                tasks.create_task(network.run(joining), name=f"{self.name}-network")
                try:
                    has_joined = await joining.run()
                finally:
                    network.stop()
        except BaseExceptionGroup as group:
            raise _first(group) from None
        if not has_joined:
            self.log.warning("no peer serves a snapshot yet: copying blocks from the genesis")

    @contextlib.asynccontextmanager
    async def _telling_of(self, joining: Joining) -> AsyncIterator[None]:
        """Answer clients and whoever watches over the node while there is no chain yet."""
        if not self._parts.serves_clients:
            yield
            return

        def progress() -> Mapping[str, int | None]:
            return asdict(joining.progress)

        rpc = self.config.rpc
        server = WaitingServer(
            progress,
            metrics=self.metrics,
            log=self.log,
            limits=rpc_limits(rpc),
            hosts=rpc.hosts,
        )
        try:
            await listen_all(server, rpc)
            yield
        finally:
            await server.stop()

    def _make_network(
        self, identity: TlsIdentity, *, height: Callable[[], int], earliest: Callable[[], int]
    ) -> Network:
        config, parts, blocks = self.config.network, self._parts, self.genesis.blocks
        limits = WireLimits(
            block_size_max=blocks.size_bytes_max, block_transactions_max=blocks.transactions_max
        )
        settings = _network_settings(self.config)
        self._transport = parts.transport or WebSocketTransport(
            identity=identity,
            following=None if parts.identity else load_following_identity(self.config),
            listen=config.listen,
            frame_size_max=limits.frame_size_max,
            log=self.log,
            metrics=self.metrics,
            settings=settings,
        )
        return Network(
            name=self.name,
            genesis_hash=self.genesis.hash,
            transport=self._transport,
            addresses={name: str(place) for name, place in config.peers.items()},
            observers=[
                Observer(name=name, tls_certificate=certificate)
                for name, certificate in (
                    *((name, load_certificate(path)) for name, path in config.observers.items()),
                    *parts.observers,
                )
            ],
            height=height,
            earliest=earliest,
            log=self.log,
            metrics=self.metrics,
            software=software(),
            settings=settings,
            limits=limits,
            random=parts.random,
        )

    def _make_rooms(self, seat: Seat | None) -> None:
        config, parts = self.config, self._parts
        claims = Claims(
            peers=self.network.standings,
            head=lambda: self.chain.head.height,
            monotonic=parts.clock.monotonic,
        )
        self.replica = Replica(
            chain=self.chain,
            mempool=self.mempool,
            admission=self.admission,
            engine=Engine(
                None if seat is None else seat.name, self.genesis.hash, self.genesis.params
            ),
            wire=self.network,
            seat=seat,
            claims=claims.of_validators,
            verify=parts.verify,
            clock=parts.clock,
            metrics=self.metrics,
            log=self.log,
            limits=ReplicaLimits(**config.replica.model_dump()),
        )
        claims.listeners.append(self.replica.claims_changed)
        self.sync = Sync(
            chain=self.chain,
            wire=self.network,
            claims=claims,
            commit=self.replica.commit_synced,
            look_ahead=self.replica.look_ahead,
            follows_votes=lambda: self.replica.is_voting,
            verify=parts.verify,
            clock=parts.clock,
            metrics=self.metrics,
            log=self.log,
            limits=SyncLimits(
                fetches_max=config.sync.fetches_max,
                range_blocks_max=config.sync.range_blocks_max,
                buffer_bytes_max=config.sync.buffer_bytes_max,
                fetch_timeout_ms=config.sync.fetch_timeout_ms,
            ),
        )
        self.intake = Intake(
            chain=self.chain,
            mempool=self.mempool,
            admission=self.admission,
            gossip=self.network,
            wake=self.replica.wake,
            gives_way_to=lambda: self.replica.is_busy,
            clock=parts.clock,
            metrics=self.metrics,
            signatures=self._helper,
            claims=claims.of_validators,
            waiters_max=config.rpc.waiters_max,
        )

    def _make_index(self, store: KeyValueStore) -> "Follower | None":
        """Return what follows the chain into the index, if this node has one."""
        if not self._parts.serves_clients or not is_wanted(self.config):
            return None
        # Imported here: a validator without an index needs no SQL.
        from node.index.follower import Follower

        try:
            database = database_of(self.config)
        except IndexUnusable as error:
            self.log.error("no index", error=str(error))
            return None
        index = Follower(
            database,
            store,
            self.genesis,
            head=lambda: self.chain.head.height,
            metrics=self.metrics,
            log=self.log,
        )
        self.chain.listeners.append(index.note)
        self._stack.push_async_callback(index.close)
        return index

    def _make_stream(self) -> "Publisher | None":
        """Return what publishes what is committed, if this node is to."""
        if self.rpc is None or not is_published(self.config):
            return None
        try:
            link = link_of(self.config, self.genesis)
        except StreamUnusable as error:
            self.log.error("no stream", error=str(error))
            return None
        # Imported here: a node that publishes nothing needs no NATS.
        from node.stream.publisher import Publisher

        history = self.chain.history

        def block_id(height: int) -> bytes | None:
            certificate = history.certificate(height)
            return None if certificate is None else certificate.block_id

        stream = Publisher(
            link,
            self.rpc.feed,
            block_id=block_id,
            earliest=lambda: history.earliest,
            tells_gaps=self.config.stream.gaps,
            metrics=self.metrics,
            log=self.log,
        )
        self._stack.push_async_callback(stream.close)
        return stream

    def _offer_readings(self, thread: StorageThread | None) -> None:
        """Tell the metrics where to look when somebody asks."""
        readings = self.metrics.readings
        readings.signed_last = lambda: self.replica.totals.signed_last
        readings.queues |= {
            "consensus": lambda: self.replica.queue_length,
            "clients": lambda: self.intake.waiting[0],
            "pushes": lambda: self.intake.waiting[1],
            "sending": lambda: sum(sum(view.waiting) for view in self.network.status()),
        }
        if thread is not None:
            readings.queues["storage"] = lambda: thread.pending
        if self._parts.store is None:
            readings.disk = lambda: _disk(self.config.data_dir)

    def _make_helper(self) -> Helper | None:
        """Return what verifies signatures in a process of its own, if there is to be one."""
        # A simulation has no processes, and may have another rule.
        if self._parts.store is not None or self._parts.verify is not verify:
            return None
        match self.config.verification.process:
            case "off":
                return None
            case "auto" if processors() < AUTO_FROM_PROCESSORS:
                return None
        return Helper(log=self.log, stage=self.metrics.stages.admission)

    async def _serve_clients(self) -> RpcServer | None:
        if not self._parts.serves_clients:
            return None
        rpc = self.config.rpc
        server = RpcServer(
            RpcServices(
                node_name=self.name,
                chain=self.chain,
                mempool=self.mempool,
                intake=self.intake,
                peers=self.network,
                genesis=self.genesis,
                clock=self._parts.clock,
                metrics=self.metrics,
                log=self.log,
                consensus=self.replica,
                why_silent=lambda: self.replica.why_silent,
                missing=lambda: self.sync.missing,
                snapshots=self.snapshots.points,
                software=software(),
                index=self.index,
            ),
            limits=rpc_limits(rpc),
            hosts=rpc.hosts,
            origins=rpc.origins,
            keyring=load_keyring(rpc, clock=self._parts.clock, log=self.log),
            pages=partial(Explorer, desk=self._parts.desk) if rpc.pages else None,
        )
        self._stack.push_async_callback(server.stop)
        await listen_all(server, rpc)
        return server

    async def _serve_operator(self, store: KeyValueStore, thread: StorageThread | None) -> None:
        """Open the control socket in the home, where there is a home."""
        if not self._has_operator or thread is None:
            return

        async def back_up(to: Path, blocks: bool, progress: Callable[[int], None]) -> Made | str:
            try:
                written = await back_up_running(
                    self.chain,
                    store,
                    thread,
                    self._parts.clock,
                    to,
                    blocks=blocks,
                    software=software(),
                    progress=progress,
                )
            except (BackupError, ChainDamaged, SnapshotError, StorageError) as error:
                return str(error)
            return Made(
                height=written.about.height,
                block_id=written.about.block_id.hex(),
                state_root=written.about.state_root.hex(),
                size_bytes=written.size_bytes,
                blocks=written.blocks,
            )

        clock = self._parts.clock
        travel = None
        if isinstance(clock, TravellingClock):
            travel = Travel(clock, self.chain, folder=self.config.data_dir, beat=self.replica.beat)
        server = ControlServer(
            socket_path(self.config.data_dir),
            back_up=back_up,
            outlook=lambda: outlook_of(
                name=self.name,
                software=software(),
                chain=self.chain,
                network=self.network,
                replica=self.replica,
                checks=() if self.rpc is None else self.rpc.health.checks(),
            ),
            travel=travel,
            log=self.log,
        )
        try:
            await server.start()
        except OSError as error:
            # A file system without sockets is no reason not to vote.
            self.log.warning("no control socket: a backup needs the node stopped", error=str(error))
        self._stack.push_async_callback(server.stop)

    def _follow_validators(self, committed: Committed) -> None:
        if committed.validators_changed:
            self._present_certificate()
            self.network.set_validators(self.chain.validator_records)

    def _present_certificate(self) -> None:
        """Show peers the certificate that the ledger has, where it is the one prepared."""
        transport = self._transport
        for record in self.chain.validator_records:
            if (
                record.name == self.name
                and isinstance(transport, WebSocketTransport)
                and transport.present(record.tls_certificate)
            ):
                self._presents_following = True
                self.log.info("certificate taken up")

    def _stop_tasks(self, running: Sequence[asyncio.Task[None]]) -> None:
        """Let go in reverse: nothing new is fetched, decided, or sent."""
        for task in reversed(running):
            task.cancel()
        self.network.stop()

    def _warn(self, seat: Seat | None, identity: TlsIdentity) -> None:
        """Say at the start what would otherwise look like a silent peer."""
        ours = [record for record in self.chain.validator_records if record.name == self.name]
        for record in ours:
            if seat is None:
                self.log.warning("the ledger has this name as a validator; this node only observes")
            elif record.public_key not in seat.guard.public_keys:
                self.log.error(
                    "the ledger has another key under this name: nothing is signed",
                    ledger=record.public_key,
                    configured=seat.guard.public_key,
                )
            if record.tls_certificate != identity.certificate and not self._presents_following:
                self.log.error(
                    "the ledger has another certificate under this name: peers refuse it"
                )
        if seat is not None and not ours:
            self.log.info("not a validator at present: this node observes until it is one")


def software() -> str:
    """Return the name and version that peers and clients are told."""
    try:
        return f"khazana {version('khazana')}"
    except PackageNotFoundError:
        return "khazana"


def known_validators(genesis: Genesis) -> tuple[ValidatorRecord, ...]:
    """Return those whom a node without a chain can know: the founders, and whom amendments name."""
    named = {each.name: each for each in genesis.ledger.validators}
    for amendment in genesis.amendments:
        named |= {each.name: each for each in amendment.validators}
    return tuple(named[name] for name in sorted(named))


def _trusted_point(config: NodeConfig) -> TrustedPoint | None:
    sync = config.sync
    if sync.trusted_height is None or sync.trusted_block is None:
        return None
    return TrustedPoint(
        height=sync.trusted_height,
        block_id=bytes.fromhex(sync.trusted_block),
        period_ms=sync.trust_period_hours * HOUR_MS,
    )


def consensus_log_path(data_dir: Path) -> Path:
    """Return the folder of a validator's consensus log."""
    return data_dir / LOG_FOLDER


def _network_settings(config: NodeConfig) -> NetworkSettings:
    network, defaults = config.network, NetworkSettings()
    lanes = [
        LaneLimits(count_max=lane.count_max, size_max=network.lane_bytes_max)
        for lane in (defaults.consensus_lane, defaults.sync_lane, defaults.transactions_lane)
    ]
    return NetworkSettings(
        consensus_lane=lanes[0],
        sync_lane=lanes[1],
        transactions_lane=lanes[2],
        frames_per_s=float(network.frames_per_s_max),
        bytes_per_s=float(network.bytes_per_s_max),
        handshakes_max=network.handshakes_max,
    )


def _disk(folder: Path) -> tuple[int, int] | None:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None  # The node itself says what is wrong with it.
    return usage.free, usage.total


def _told_to(failures: asyncio.Queue[StorageError]) -> Callable[[StorageError], None]:
    """Return what puts a failure into this queue, from whichever thread met it."""
    loop = asyncio.get_running_loop()

    def failed(failure: StorageError) -> None:
        # The second may follow from the first, or from closing.
        if failures.empty() and not loop.is_closed():
            loop.call_soon_threadsafe(failures.put_nowait, failure)

    return failed


async def _fail_with(failures: asyncio.Queue[StorageError]) -> None:
    """Wait for a failure of the disk, and let the node end with it, whoever met it."""
    raise await failures.get()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the failure that stopped the node; the others followed from it."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
