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
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from consensus import errors as consensus_errors
from consensus.engine import Engine
from node.admission import Admission
from node.app.beginning import join_by_snapshot
from node.app.clients import listen_all, load_keyring, rpc_limits
from node.app.failures import fail_with, first_of, told_to
from node.app.folders import CHAIN_FOLDER, consensus_log_path
from node.app.followers import follower_warnings, make_index, make_stream
from node.app.ground import Ground
from node.app.links import make_network, make_transport
from node.app.loading import load_following_signer, load_identity, load_signer
from node.app.operator import serve_operator
from node.app.outlook import outlook_of
from node.app.parts import NodeParts
from node.app.release import software
from node.app.router import Router
from node.app.travel import load_travelled
from node.app.upgrades import UpgradeNotices
from node.chain import Chain, ChainDamaged, Committed
from node.clock import TravellingClock
from node.config import NodeConfig
from node.explorer import Explorer
from node.genesis import Genesis
from node.intake import Intake
from node.keys import Signer, verify
from node.keys.certificates import check_certificate
from node.ledger.errors import InvariantViolation
from node.log import Logger, open_log
from node.mempool import Mempool
from node.metrics import Metrics
from node.network import Introduction, Network
from node.network.tls import TlsIdentity
from node.network.transport import Transport
from node.network.websocket import WebSocketTransport
from node.replica.claims import Claims
from node.replica.errors import Divergence
from node.replica.guard import Guard
from node.replica.journal import Journal
from node.replica.parts import ReplicaLimits, ReplicaParts
from node.replica.replica import Replica
from node.replica.seat import Seat
from node.rpc.renewing import Renewable, keep_renewed
from node.rpc.server import RpcServer
from node.rpc.services import RpcServices
from node.signatures import AUTO_FROM_PROCESSORS, Helper, processors
from node.snapshots import Pins
from node.storage import (
    ConsensusLog,
    KeyValueStore,
    StorageError,
    StorageThread,
    WatchedStore,
    open_consensus_log,
    open_leveldb,
)
from node.sync import Serving, Sync, SyncLimits

if TYPE_CHECKING:
    from node.index.follower import Follower
    from node.stream.publisher import Publisher

HALTING: Final = (
    Divergence,
    InvariantViolation,
    consensus_errors.InvariantViolation,
)
"""What a node stops itself for, because going on would not be safe."""
PEERS: Final = "(peers)"
"""Stands for the listener for peers in metrics, where a listener for clients has its name."""


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
        self._renewables: list[Renewable] = []

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

    def read_certificates(self) -> None:
        """Read what listeners for clients shake hands by from its files again."""
        for each in self._renewables:
            each.read()

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
            ChainDamaged: what was being pruned is not as it was written.
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
            cause = first_of(group)
            self.log.error("node stopped", error=str(cause), kind=type(cause).__name__)
            if isinstance(cause, HALTING):
                raise NodeHalted(self.name, str(cause)) from cause
            raise cause from None

    async def _close_chain(self, _: object, error: BaseException | None, __: object) -> None:
        """Wait for what is written behind the last block; the first failure is the node's."""
        try:
            await self.chain.close()
        except (ChainDamaged, StorageError) as failure:
            if error is None:
                raise
            self.log.error("nothing more is written", error=str(failure))

    async def _start(self) -> None:
        self._parts = self._with_travelling_clock()
        config, genesis, parts = self.config, self.genesis, self._parts
        stack = self._stack
        self._open_telling()
        identity = parts.identity or load_identity(config)
        signer = parts.signer or load_signer(config, genesis)
        thread = await self._open_thread()
        failures: asyncio.Queue[StorageError] = asyncio.Queue()
        store = WatchedStore(self._open_store(), told_to(failures))
        store_thread = thread if parts.store is None else parts.thread
        if thread is not None:
            stack.push_async_callback(thread.drain)
        await self._open_chain(store, identity, store_thread)
        following = parts.following if parts.signer else load_following_signer(config, genesis)
        seat = self._open_seat(signer, following, thread)
        if thread is not None:
            # Before the database and the log are closed, to which threads may write still.
            stack.push_async_callback(thread.drain)
            stack.push_async_exit(self._close_chain)
        self._make_door()
        self.network = self._make_network(
            identity,
            height=lambda: self.chain.head.height,
            earliest=lambda: self.chain.history.earliest,
        )
        self._tell_until(identity.certificate)
        self._present_certificate()
        self.network.set_validators(self.chain.validator_records)
        self.chain.listeners.append(self._follow_validators)
        self._pin_snapshots(store, store_thread)
        self._make_rooms(seat)
        self.index = self._make_index(store)
        self._offer_readings(thread)
        self._warn(seat, identity)
        notices = UpgradeNotices(chain=self.chain, metrics=self.metrics, log=self.log)
        notices.look()
        self.chain.listeners.append(notices.look)
        await self._run_rooms(failures, store_thread)
        await self._serve_operator(store, thread)
        self._say_started(votes=signer is not None)

    def _open_telling(self) -> None:
        """Open what tells of all the rest: the metrics and the log."""
        config, parts = self.config, self._parts
        self.metrics = Metrics(parts.clock.cpu_s)
        self.log = parts.log or open_log(
            parts.log_stream,
            now_ms=parts.clock.now_ms,
            level=config.log.level,
            form=config.log.format,
            node=config.name,
        )

    def _ground(self) -> Ground:
        return Ground(
            config=self.config,
            genesis=self.genesis,
            parts=self._parts,
            metrics=self.metrics,
            log=self.log,
        )

    async def _open_chain(
        self, store: WatchedStore, identity: TlsIdentity, thread: StorageThread | None
    ) -> None:
        """Open the chain in this store, which a snapshot of others may fill first."""
        config, genesis, parts = self.config, self.genesis, self._parts
        await join_by_snapshot(
            store,
            lambda: self._make_network(identity, height=lambda: 0, earliest=lambda: 1),
            self._ground(),
            thread=thread,
            renewables=self._renewables,
        )
        self.chain = Chain.open(
            store,
            genesis,
            thread=thread,
            records_bytes_max=config.storage.records_cache_bytes,
            keep_blocks=config.storage.keep_blocks,
            verify=parts.verify,
            versions=parts.versions,
            stages=self.metrics.stages,
        )

    def _make_door(self) -> None:
        """Make where transactions wait, and what lets them in."""
        limits, parts = self.config.mempool, self._parts
        self.mempool = Mempool(
            parts.clock,
            count_max=limits.transactions_max,
            size_bytes_max=limits.bytes_max,
        )
        self._helper = self._make_helper()
        self.admission = Admission(
            self.chain,
            self.mempool,
            parts.clock,
            verify=parts.verify,
            signatures=self._helper,
            stage=self.metrics.stages.verification,
        )

    def _pin_snapshots(self, store: WatchedStore, thread: StorageThread | None) -> None:
        self.snapshots = Pins(
            self.chain,
            store,
            interval=self.config.sync.snapshot_interval,
            thread=thread,
            metrics=self.metrics,
            log=self.log,
        )
        self._stack.callback(self.snapshots.close)

    def _say_started(self, *, votes: bool) -> None:
        head = self.chain.head
        self.log.info(
            "node started",
            software=software(),
            network=self.genesis.name,
            genesis=self.genesis.hash,
            height=head.height,
            state_root=head.state_root,
            votes=votes,
        )

    async def _run_rooms(
        self, failures: asyncio.Queue[StorageError], thread: StorageThread | None
    ) -> None:
        """Set every room to work, peers before clients; a failure of one ends all."""
        stages = self.metrics.stages
        tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        running: list[asyncio.Task[None]] = []

        def run(room: str, work: Coroutine[Any, Any, None]) -> None:
            running.append(tasks.create_task(work, name=f"{self.name}-{room}"))

        run("replica", stages.proposal.of(self.replica.run))
        run("sync", self.sync.run())
        run("intake", stages.admission.of(self.intake.run))
        run("disk", fail_with(failures))
        self._stack.callback(self._stop_tasks, running)
        serving = Serving(self.snapshots, self.network, thread=thread, metrics=self.metrics)
        handler = Router(self.replica, self.sync, serving, self.intake)
        tasks.create_task(self.network.run(handler), name=f"{self.name}-network")
        if self.index is not None:
            run("index", self.index.run())
        if self._helper is not None:
            run("signatures", self._helper.run())
        await self.network.wait_started()
        self.stream = None
        self.rpc = await self._serve_clients()
        if self._renewables:
            run("certificates", keep_renewed(self._renewables))
        self.stream = self._make_stream()
        if self.stream is not None:
            run("stream", stages.serve.of(self.stream.run))

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

    def _make_network(
        self, identity: TlsIdentity, *, height: Callable[[], int], earliest: Callable[[], int]
    ) -> Network:
        ground = self._ground()
        self._transport = make_transport(identity, ground)
        introduction = Introduction(
            name=self.name,
            genesis_hash=self.genesis.hash,
            height=height,
            earliest=earliest,
            software=software(),
        )
        return make_network(self._transport, introduction, ground)

    def _make_rooms(self, seat: Seat | None) -> None:
        config, parts = self.config, self._parts
        claims = Claims(
            peers=self.network.standings,
            head=lambda: self.chain.head.height,
            monotonic=parts.clock.monotonic,
        )
        self.replica = Replica(
            ReplicaParts(
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
        if not self._parts.serves_clients:
            return None
        index = make_index(
            store, config=self.config, chain=self.chain, metrics=self.metrics, log=self.log
        )
        if index is not None:
            self._stack.push_async_callback(index.close)
        return index

    def _make_stream(self) -> "Publisher | None":
        if self.rpc is None:
            return None
        stream = make_stream(
            self.rpc.feed, config=self.config, chain=self.chain, metrics=self.metrics, log=self.log
        )
        if stream is not None:
            self._stack.push_async_callback(stream.close)
        return stream

    def _offer_readings(self, thread: StorageThread | None) -> None:
        """Tell the metrics where to look when somebody asks."""
        readings = self.metrics.readings
        totals = self.replica.totals
        readings.signed_last = lambda: totals.signed_before | totals.signed_last
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
            self.metrics.watch_process()

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
        return Helper(log=self.log, stage=self.metrics.stages.verification)

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
                warnings=lambda: tuple(
                    follower_warnings(
                        self.config,
                        index=self.index,
                        stream=self.stream,
                        head=self.chain.head.height,
                    )
                ),
            ),
            limits=rpc_limits(rpc),
            hosts=rpc.hosts,
            origins=rpc.origins,
            keyring=load_keyring(rpc, clock=self._parts.clock, log=self.log),
            pages=partial(Explorer, desk=self._parts.desk) if rpc.pages else None,
        )
        self._stack.push_async_callback(server.stop)
        self._renewables += await listen_all(server, rpc, metrics=self.metrics, log=self.log)
        return server

    async def _serve_operator(self, store: KeyValueStore, thread: StorageThread | None) -> None:
        """Open the control socket in the home, where there is a home."""
        if not self._has_operator or thread is None:
            return
        server = await serve_operator(
            self.chain,
            store,
            thread,
            folder=self.config.data_dir,
            clock=self._parts.clock,
            beat=self.replica.beat,
            outlook=lambda: outlook_of(
                name=self.name,
                software=software(),
                chain=self.chain,
                network=self.network,
                replica=self.replica,
                checks=() if self.rpc is None else self.rpc.health.checks(),
            ),
            log=self.log,
        )
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
                self._tell_until(record.tls_certificate)
                self.log.info("certificate taken up")

    def _tell_until(self, certificate: bytes) -> None:
        """Tell the metrics until when peers take this certificate."""
        if isinstance(self._transport, WebSocketTransport):
            until = check_certificate(certificate).not_after
            labels = {"listener": PEERS, "file": "certificate"}
            self.metrics.tls_not_after.labels(**labels).set(until.timestamp())

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


def _disk(folder: Path) -> tuple[int, int] | None:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None  # The node itself says what is wrong with it.
    return usage.free, usage.total
