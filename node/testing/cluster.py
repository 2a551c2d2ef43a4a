"""A whole network in this process: real sockets on free ports, real TLS, real keys and databases.

    async with running_cluster(tmp_path) as cluster:
        payer, payee = cluster.accounts[:2]
        receipt = await cluster.transfer(payer, payee, "12.50")

All nodes run in the calling task's event loop. The keys are development keys. The network has its
rupee, and each of `accounts` a million of it. Nodes can be stopped and started again on what they
left on disk; what runs in the end is stopped, and a node that failed by itself is reported then.
"""

import asyncio
import contextlib
import errno
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal, TypeAlias

from consensus.types import FaultModel
from node.app import Node, NodeParts
from node.blocks import block_id
from node.client import Client, ClientNetwork
from node.client.reads import Receipt
from node.clock import SystemClock
from node.config import load_config
from node.genesis import Genesis, with_installed
from node.keys import Signer
from node.ledger.operations import Operation, Transfer
from node.ledger.protocol import LATEST_VERSION
from node.ledger.tables import ParticipantKind
from node.provision import acts
from node.provision.acts import RUPEE
from node.provision.description import (
    Account,
    Blocks,
    Consensus,
    NetworkDescription,
    Participant,
    Validator,
)
from node.provision.funding import (
    DevelopmentAccount,
    development_accounts,
    founders,
    fund,
    institution_account,
)
from node.provision.homes import CONFIG_FILE
from node.provision.local import LocalNode, create_network
from node.provision.ports import Reservation
from node.provision.processes import LOG_FILE, log_tail
from node.provision.reference import INSTITUTIONS, reference_network
from node.storage import MemoryStore
from node.storage.memory_files import MemoryFiles

VALIDATORS_MAX: Final = 16
OBSERVERS_MAX: Final = 8
"""Of one cluster: all its nodes share one thread."""
WAIT_S: Final = 90.0
"""How long anything is waited for unless the caller says otherwise."""
CALLS_PER_S_MAX: Final = 100_000
"""All callers of a test share one address, so the limit for one address is no limit here."""

_GATHER_POLL_S: Final = 0.005
_PORT_ATTEMPTS: Final = 5

Storage: TypeAlias = Literal["disk", "memory"]
Adjust: TypeAlias = Callable[[str, NodeParts], NodeParts]
Amount: TypeAlias = str | Decimal | int
Place: TypeAlias = DevelopmentAccount | bytes
"""An account: one of the cluster's, or the address of any."""


class NodeDown(Exception):
    """Something was asked of a node that does not run.

    Attributes:
        node: its name.
    """

    def __init__(self, node: str) -> None:
        super().__init__(f"node {node} does not run")
        self.node = node


class WrongLoop(Exception):
    """The cluster was used in another event loop than the one its nodes run in."""

    def __init__(self) -> None:
        super().__init__(
            "the nodes run in another event loop than this test: with pytest-asyncio, give"
            " asyncio_default_fixture_loop_scope the scope of the test's loop"
        )


class ClusterNode:
    """One node of a cluster, up or down, and what it keeps when it is down."""

    def __init__(self, local: LocalNode) -> None:
        self.name = local.name
        self.home = local.home
        self.url = local.url
        """Where it answers clients, also after a restart."""
        self.votes = local.votes
        self._node: Node | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._store = MemoryStore()
        self._files = MemoryFiles()

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._node is not None

    @property
    def node(self) -> Node:
        """The running node with its rooms, for tests that look inside.

        Raises:
            NodeDown: it does not run.
        """
        if self._node is None:
            raise NodeDown(self.name)
        return self._node

    @property
    def height(self) -> int:
        """The height of its last block.

        Raises:
            NodeDown: it does not run.
        """
        return self.node.chain.head.height

    @property
    def state_root(self) -> bytes:
        """The root of its ledger after that block.

        Raises:
            NodeDown: it does not run.
        """
        return self.node.chain.head.state_root

    def log_tail(self, lines: int) -> list[str]:
        """Return the last lines of its log, over all its runs."""
        return log_tail(self.home, lines)


class Cluster:
    """Nodes, up or down, the accounts of their ledger, and somebody who acts for them."""

    def __init__(
        self,
        root: Path,
        *,
        validators: int = 4,
        observers: int = 0,
        fault_model: FaultModel | str = FaultModel.BYZANTINE,
        protocol_version: int = LATEST_VERSION,
        storage: Storage = "disk",
        funded: bool = True,
        blocks: Blocks | None = None,
        consensus: Consensus | None = None,
        adjust: Adjust | None = None,
    ) -> None:
        """Use `running_cluster`, which says what the arguments are."""
        if not 1 <= validators <= VALIDATORS_MAX or not 0 <= observers <= OBSERVERS_MAX:
            raise ValueError(
                f"a cluster has 1 to {VALIDATORS_MAX} validators and up to {OBSERVERS_MAX}"
                f" observers, not {validators} and {observers}"
            )
        if storage not in ("disk", "memory"):
            raise ValueError(f"storage is 'disk' or 'memory', not {storage!r}")
        self._root = root
        self._reserved = contextlib.ExitStack()
        """Its ports, also while a node is stopped."""
        self._validators = validators
        self._observers = observers
        self._fault_model = FaultModel(fault_model)
        self._protocol_version = protocol_version
        self._storage = storage
        self._funded = funded
        self._blocks = blocks
        self._consensus = consensus
        self._adjust = adjust or (lambda _name, parts: parts)
        self._moved = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Client | None = None
        self.genesis: Genesis
        self.nodes: Mapping[str, ClusterNode] = {}
        """All nodes by name, validators first."""
        self.accounts: tuple[DevelopmentAccount, ...] = development_accounts()
        """Ten accounts of persons, each with its signer and, unless `funded` is off, rupees."""
        self.institutions: Mapping[str, DevelopmentAccount] = {
            name: institution_account(name) for name in INSTITUTIONS
        }
        """The accounts that the four offices act through."""

    # Nodes.

    @property
    def validators(self) -> tuple[ClusterNode, ...]:
        """Those that vote."""
        return tuple(node for node in self.nodes.values() if node.votes)

    @property
    def running(self) -> tuple[ClusterNode, ...]:
        """Those that are up."""
        return tuple(node for node in self.nodes.values() if node.running)

    @property
    def height(self) -> int:
        """The greatest height among the nodes that run; 0 if none does."""
        return max((node.height for node in self.running), default=0)

    async def stop_node(self, name: str) -> None:
        """Stop a node in order and wait until it has stopped; nothing happens to one that is down.

        Raises:
            KeyError: there is no such node.
            NodeHalted, StorageError: it had failed by itself.
        """
        self._check_loop()
        node = self.nodes[name]
        task, node._task = node._task, None
        if task is not None:
            node._stopping.set()
            await task

    async def start_node(self, name: str) -> None:
        """Start a node on what it left on disk; return once it listens.

        It may still have to catch up: wait with `wait_height`.

        Raises:
            KeyError: there is no such node.
            RuntimeError: it runs.
            ConfigError, KeysError, ChainDamaged, StorageError, OSError: why it cannot start.
        """
        self._check_loop()
        node = self.nodes[name]
        if node._task is not None:
            raise RuntimeError(f"node {name} was started already, and not stopped since")
        node._stopping = asyncio.Event()
        started = asyncio.Event()
        # A fixture begins and ends in different tasks, so no TaskGroup can hold its nodes. Nothing
        # is lost by that: `stop_node` awaits each of these, and `close` calls it for every node.
        task = asyncio.get_running_loop().create_task(
            self._run(node, started), name=f"cluster-{name}"
        )
        task.add_done_callback(lambda _task: started.set())
        await started.wait()
        if task.done():
            await task
        node._task = task

    async def wait_height(self, height: int, *names: str, timeout_s: float = WAIT_S) -> None:
        """Wait until these nodes, or all that run, have committed this height.

        Raises:
            KeyError: there is no such node.
            NodeDown: one of these nodes, or all, do not run, or stopped while they were waited
                for.
            TimeoutError: says where each of them stands.
        """
        nodes = [self.nodes[name] for name in names] or list(self.running)
        if not nodes:
            raise NodeDown(", ".join(self.nodes))
        await self.until(
            lambda: min(node.height for node in nodes) >= height,
            what=f"height {height}",
            timeout_s=timeout_s,
        )

    async def until(
        self, condition: Callable[[], bool], *, what: str = "this", timeout_s: float = WAIT_S
    ) -> None:
        """Wait until a condition holds, which is judged anew whenever a node commits or stops.

        Raises:
            TimeoutError: says where each node stands; `what` is what was waited for.
        """
        self._check_loop()
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    await self._moved.wait()
        except TimeoutError:
            places = ", ".join(
                f"{node.name} {f'at {node.height}' if node.running else 'down'}"
                for node in self.nodes.values()
            )
            raise TimeoutError(f"{what} did not come in {timeout_s:g} s: {places}") from None

    async def agreed_root(self, *, timeout_s: float = WAIT_S) -> bytes:
        """Wait until all nodes that run have today's greatest height, and compare that block.

        Returns the state root that they agree on. Equal blocks have equal ancestors.

        Raises:
            AssertionError: two nodes differ.
            TimeoutError: one of them does not get there.
        """
        height = self.height
        await self.wait_height(height, timeout_s=timeout_s)
        found: dict[bytes, list[str]] = {}
        root = self.genesis.hash if height == 0 else b""
        for node in self.running:
            block = node.node.chain.block(height)
            root = node.node.chain.head.state_root if block is None else block.header.state_root
            key = root if block is None else block_id(block.header)
            found.setdefault(key, []).append(node.name)
        if len(found) > 1:
            sides = "; ".join(f"{key.hex()} at {', '.join(at)}" for key, at in found.items())
            raise AssertionError(f"at height {height} the nodes differ: {sides}")
        return root

    # Acting on the ledger.

    def client(self, node: str | None = None) -> Client:
        """Return a client to open with `async with`, for one node, or for all, one after the other.

        Raises:
            KeyError: there is no such node.
        """
        self._check_loop()
        urls = [each.url for each in self.nodes.values()]
        return Client(
            urls if node is None else self.nodes[node].url, network=ClientNetwork.of(self.genesis)
        )

    async def submit(self, *operations: Operation, signers: Sequence[Signer]) -> Receipt:
        """Bring operations to their end in one transaction signed by these, through any node.

        Raises:
            Refused: with the outcome; nothing changed.
        """
        client = self._acting()
        builder = await client.transaction()
        return await client.submit(builder.add(*operations).sign(*signers))

    async def transfer(
        self, payer: DevelopmentAccount, payee: Place, amount: Amount, asset: str = RUPEE
    ) -> Receipt:
        """Transfer an amount, in units of the asset.

        Raises:
            Refused: with the outcome; nothing changed.
        """
        minor_units = await self._acting().minor_units(amount, asset)
        return await self.submit(
            Transfer(account=payer.address, to=_address(payee), asset=asset, amount=minor_units),
            signers=[payer.signer],
        )

    async def issue(self, to: Place, amount: Amount, asset: str = RUPEE) -> Receipt:
        """Issue an amount, in units of the asset, signed by whom the powers matrix asks for.

        Cash is its issuer's to issue; anything else takes central bank and ministry together.

        Raises:
            NotFound: there is no such asset.
            Refused: with the outcome; nothing changed.
        """
        client = self._acting()
        minor_units = await client.minor_units(amount, asset)
        definition = (await client.asset(asset)).value
        issuer = self.institutions[definition.issuer]
        approvers = [
            self.institutions[name]
            for name in ("central-bank", "finance-ministry")
            if definition.kind != "cash" and name != issuer.owner
        ]
        return await self.submit(
            acts.issue(
                account=issuer.address,
                approvers=tuple(approver.address for approver in approvers),
                asset=asset,
                amount=minor_units,
                to=_address(to),
            ),
            signers=[each.signer for each in (issuer, *approvers)],
        )

    async def holding(self, account: Place, asset: str = RUPEE) -> Decimal:
        """Return what an account can dispose of, in units of the asset; 0 where it has none."""
        return await self._acting().holding(_address(account), asset)

    # From beginning to end.

    async def open(self) -> None:
        """Make the network, start all its nodes, and give the accounts their funds."""
        assert self._loop is None
        self._loop = asyncio.get_running_loop()
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            self._found()
            try:
                await self._start_all()
            except OSError as error:
                # Between finding a port free and listening on it somebody else may take it.
                if error.errno != errno.EADDRINUSE or attempt == _PORT_ATTEMPTS:
                    raise
                await self._stop_all()
                shutil.rmtree(self._root)
            else:
                break
        await self._gather()
        self._client = await self.client().__aenter__()
        if self._funded:
            await fund(self._client)
            await self.wait_height(self.height)

    async def close(self) -> None:
        """Stop everything.

        Raises:
            ExceptionGroup: nodes that had failed by themselves, with their reasons.
        """
        if self._client is not None:
            await self._client.__aexit__(None, None, None)
            self._client = None
        try:
            await self._stop_all()
        finally:
            self._reserved.close()

    # Private.

    def _found(self) -> None:
        local = create_network(self._root, self._describe(), now_ms=SystemClock().now_ms())
        self.genesis = local.genesis
        self.nodes = {node.name: ClusterNode(node) for node in local.nodes.values()}

    def _describe(self) -> NetworkDescription:
        named = INSTITUTIONS[: self._validators]
        numbered = [f"validator-{n}" for n in range(len(named), self._validators)]
        observers = [f"observer-{n}" for n in range(self._observers)]
        names = [*named, *numbered, *observers]
        self._reserved.close()
        free = self._reserved.enter_context(Reservation()).find(2 * len(names))
        ports = {name: (free[2 * n], free[2 * n + 1]) for n, name in enumerate(names)}
        persons, accounts = founders()
        resting = [name for name in INSTITUTIONS if name not in named]
        description = reference_network(
            "test-cluster",
            ports={name: ports[name] for name in names if name not in numbered},
            validators=named,
            fault_model=self._fault_model,
            protocol_version=self._protocol_version,
            development=True,
            participants=[
                *persons,
                # The powers of the ledger need all four offices, whoever validates.
                *(_institution(name, office=name) for name in resting),
                *(_institution(name, office=None) for name in numbered),
            ],
            accounts=[
                *accounts,
                *(Account(owner=name, development_key=f"{name}/account") for name in resting),
            ],
            blocks=self._blocks,
            consensus=self._consensus,
        )
        more = [
            Validator(
                name=name,
                participant=name,
                dial=f"127.0.0.1:{ports[name][0]}",
                listen=f"127.0.0.1:{ports[name][0]}",
                rpc_listen=f"127.0.0.1:{ports[name][1]}",
                development_key=name,
            )
            for name in numbered
        ]
        return description.model_copy(update={"validators": (*description.validators, *more)})

    async def _run(self, node: ClusterNode, started: asyncio.Event) -> None:
        config = load_config(node.home / CONFIG_FILE)
        rpc = config.rpc.model_copy(
            update={"calls_per_s_max": CALLS_PER_S_MAX, "work_ms_per_s_max": CALLS_PER_S_MAX}
        )
        config = config.model_copy(update={"rpc": rpc})
        try:
            with (node.home / LOG_FILE).open("a", buffering=1) as log:
                parts = NodeParts(log_stream=log)
                if self._storage == "memory":
                    parts = NodeParts(log_stream=log, store=node._store, log_files=node._files)
                genesis = with_installed(self.genesis, config.amendments)
                async with Node(config, genesis, self._adjust(node.name, parts)) as running:
                    running.chain.listeners.append(lambda _committed: self._move())
                    node._node = running
                    started.set()
                    await node._stopping.wait()
        finally:
            node._node = None
            self._move()

    def _move(self) -> None:
        """Let everybody who waits look again."""
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def _start_all(self) -> None:
        for name in self.nodes:
            await self.start_node(name)

    async def _gather(self) -> None:
        """Wait until every validator takes part.

        One that first hears of the network after its first block could sign only once it has heard
        a quorum of the others: a test that stops a node at once would wait for it in vain.
        """
        async with asyncio.timeout(WAIT_S):
            # A seat tells nobody when it opens; here, and only here, it is asked again and again.
            while not all(n.node.replica.is_voting for n in self.validators):  # noqa: ASYNC110
                await asyncio.sleep(_GATHER_POLL_S)

    async def _stop_all(self) -> None:
        found = await asyncio.gather(
            *(self.stop_node(name) for name in self.nodes), return_exceptions=True
        )
        failures = [failure for failure in found if isinstance(failure, Exception)]
        if failures:
            raise ExceptionGroup("nodes that failed by themselves", failures)

    def _acting(self) -> Client:
        self._check_loop()
        assert self._client is not None, "use the cluster as `async with running_cluster(...)`"
        return self._client

    def _check_loop(self) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise WrongLoop


@contextlib.asynccontextmanager
async def running_cluster(
    root: Path,
    *,
    validators: int = 4,
    observers: int = 0,
    fault_model: FaultModel | str = FaultModel.BYZANTINE,
    protocol_version: int = LATEST_VERSION,
    storage: Storage = "disk",
    funded: bool = True,
    blocks: Blocks | None = None,
    consensus: Consensus | None = None,
    adjust: Adjust | None = None,
) -> AsyncIterator[Cluster]:
    """Yield a cluster whose nodes all run, and stop them in the end.

    Args:
        root: an empty folder, or one to make, for keys, logs and databases.
        validators: 1 to 16; the first four are run by the institutions of the reference network.
        observers: up to 8, `observer-0` onwards.
        fault_model: "byzantine" (more than two thirds decide) or "crash" (a majority does).
        storage: "disk" for LevelDB under `root`; "memory", which survives restarts of a node within
            the test, to be faster.
        funded: define the rupee and give each account a million.
        blocks: limits and cadence of blocks; the defaults of a genesis if None.
        consensus: timeouts of agreement; the defaults of a genesis if None.
        protocol_version: whose rules rule from the first block on.
        adjust: is given a node's name and parts whenever it starts, and returns the parts that it
            is to have: another clock, a counting `verify`.

    Raises:
        ValueError: there is no such cluster.
        ExceptionGroup: in the end, nodes that had failed by themselves.
    """
    cluster = Cluster(
        root,
        validators=validators,
        observers=observers,
        fault_model=fault_model,
        protocol_version=protocol_version,
        storage=storage,
        funded=funded,
        blocks=blocks,
        consensus=consensus,
        adjust=adjust,
    )
    try:
        await cluster.open()
        yield cluster
    finally:
        await cluster.close()


def _institution(name: str, *, office: str | None) -> Participant:
    return Participant(id=name, kind=ParticipantKind.INSTITUTION, office=office)


def _address(place: Place) -> bytes:
    return place if isinstance(place, bytes) else place.address
