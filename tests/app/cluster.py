"""Whole nodes in one process and in virtual time: memory for disks and wires, one clock for all.

A test is a coroutine run by `tests.network.virtual_time.run_virtual`; an hour costs what happens in
it. Each node is a task of its own, so that it can be killed and started again over the same disk.
"""

import asyncio
import copy
import random
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from consensus.types import FaultModel
from node.app import Node, NodeParts
from node.blocks import block_id
from node.codec import encode
from node.config import NodeConfig
from node.genesis import Amendment, Genesis
from node.keys import Signer
from node.keys.development import development_signer
from node.keys.ed25519 import verify
from node.ledger.acts.registry.set_account_policy import SetAccountPolicy
from node.ledger.operations import Operation
from node.ledger.policies import AccountPolicy, account_address, single_signer
from node.ledger.protocol import LATEST_VERSION, SUPPORTED
from node.ledger.tables import ParticipantKind
from node.ledger.transactions import (
    SignedTransaction,
    TransactionBody,
    decode_signed,
    network_of,
    transaction_id,
)
from node.log import Logger, silent_log
from node.mempool import AdmittedTransaction
from node.network.memory import MemoryNet
from node.network.tls import TlsIdentity
from node.provision.description import (
    Account,
    Blocks,
    Consensus,
    Participant,
    Transactions,
)
from node.provision.founding import FoundedNetwork, found_network
from node.provision.reference import INSTITUTIONS, reference_network
from node.replica.journal import write_birth
from node.storage import ConsensusLog, MemoryStore
from node.storage.memory_files import MemoryFiles, PowerCut

VALIDATORS = tuple(sorted(INSTITUTIONS))
OBSERVER = "exchange"
EPOCH_MS = 1_700_000_000_000


class LoopClock:
    """The virtual loop's time as wall clock, wrong by a number of milliseconds if asked to be."""

    def __init__(self, offset_ms: int = 0) -> None:
        self.offset_ms = offset_ms

    def now_ms(self) -> int:
        return EPOCH_MS + int(asyncio.get_running_loop().time() * 1000) + self.offset_ms

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def cpu_s(self) -> float:
        return 0.0


@dataclass(kw_only=True)
class Disk:
    """What a node leaves behind when it stops."""

    store: MemoryStore = field(default_factory=MemoryStore)
    files: MemoryFiles = field(default_factory=MemoryFiles)

    def copy(self) -> "Disk":
        """Return what a backup would hold."""
        store = MemoryStore()
        store.write(list(self.store.scan(b"", b"\xff")), sync=True)
        return Disk(store=store, files=copy.deepcopy(self.files))

    def cut_power(self, chance: random.Random) -> None:
        """Lose what was not synced, or a part of it, as a power cut does."""
        self.files = self.files.restarted(chance.randrange)


@dataclass(kw_only=True)
class Machine:
    """One node, up or down, and its disk."""

    name: str
    disk: Disk
    clock: LoopClock
    node: Node | None = None
    verified: int = 0
    """Signatures verified in all, of transactions and of consensus."""
    failure: BaseException | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    @property
    def up(self) -> Node:
        """The running node."""
        assert self.node is not None, f"{self.name} is down"
        return self.node

    @property
    def height(self) -> int:
        return self.up.chain.head.height


class Cluster:
    """Machines on one in-memory network."""

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        *,
        observers: Sequence[str] = (),
        validators: Sequence[str] = VALIDATORS,
        fault_model: FaultModel = FaultModel.BYZANTINE,
        blocks: Blocks | None = None,
        consensus: Consensus | None = None,
        log: Callable[[str], Logger] | None = None,
        seed: int = 0,
        window_ms: int = 600_000,
        protocol_version: int = LATEST_VERSION,
    ) -> None:
        names = [*validators, *observers]
        self.founded: FoundedNetwork = found_network(
            reference_network(
                "testnet",
                accounts=[
                    Account(owner=office, development_key=f"{office}/account")
                    for office in INSTITUTIONS
                    if office not in validators
                ],
                ports={name: (1000 + 2 * i, 1001 + 2 * i) for i, name in enumerate(names)},
                validators=validators,
                fault_model=fault_model,
                development=True,
                # The ledger's powers need all four offices, whoever validates.
                participants=[
                    *(
                        Participant(id=office, kind=ParticipantKind.INSTITUTION, office=office)
                        for office in INSTITUTIONS
                        if office not in validators
                    ),
                    *(Participant(id=name, kind=ParticipantKind.COMPANY) for name in observers),
                ],
                blocks=blocks,
                consensus=consensus,
                protocol_version=protocol_version,
            ).model_copy(update={"transactions": Transactions(window_ms=window_ms)}),
            folder=Path(),
            now_ms=EPOCH_MS - 1000,
            make_keys=True,
        )
        self.net = MemoryNet()
        self.pool_max: int | None = None
        """Transactions in a pool; the default if None. Set it before starting."""
        self.keep_blocks: dict[str, int] = {}
        """How many blocks a machine keeps; all if it is not here. Set it before starting."""
        self.snapshot_interval = 1_000
        """Heights from one snapshot to the next. Set it before starting."""
        self.trusted: dict[str, tuple[int, bytes]] = {}
        """Height and id of the block that a machine trusts, to join by a snapshot."""
        self.trust_period_hours = 336
        self.signers = set(validators)
        """Whose machines have their consensus key. Add one before starting it."""
        self.following: dict[str, Signer] = {}
        """Consensus keys prepared to follow a machine's own. Add one before starting it."""
        self.keys: dict[str, Signer] = {}
        """Consensus keys of machines that do not have the one they were founded with."""
        self.amendments: dict[str, tuple[Amendment, ...]] = {}
        """What a machine's operator has installed. Set it before starting."""
        self.versions: dict[str, Collection[int]] = {}
        """What a machine's software knows where it is an older release. Set it before starting."""
        self.tasks = tasks
        self.machines = {name: Machine(name=name, disk=Disk(), clock=LoopClock()) for name in names}
        self._validators = tuple(validators)
        self._observers = tuple(observers)
        self._log = log or (lambda _name: silent_log())
        self._seed = seed
        self._salt = 0

    @property
    def genesis(self) -> Genesis:
        return self.founded.genesis

    def __getitem__(self, name: str) -> Machine:
        return self.machines[name]

    @property
    def running(self) -> list[Machine]:
        return [machine for machine in self.machines.values() if machine.node is not None]

    def signer(self, name: str) -> Signer:
        """Return the consensus key of a machine."""
        return self.keys.get(name) or development_signer(f"{name}/consensus")

    def address(self, name: str) -> str:
        return f"{name}:1"

    def bear(self, *names: str) -> None:
        """Write the birth entry, as `khazana init` does for a new key."""
        for name in names or self._validators:
            key = self.founded.keys[name].public_key
            assert key is not None
            write_birth(
                ConsensusLog(Path(name), self[name].disk.files),
                name=name,
                public_key=key,
                network=self.genesis.hash,
            )

    async def start(self, *names: str) -> None:
        """Start these machines, or all, and return once each listens."""
        for name in names or self.machines:
            machine = self[name]
            assert machine.node is None
            started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            machine._stop = asyncio.Event()
            machine.failure = None
            machine._task = self.tasks.create_task(self._run(machine, started), name=name)
            await started

    async def stop(self, *names: str) -> None:
        """Stop these machines, or all."""
        for name in names or tuple(self.machines):
            machine = self[name]
            if machine._task is not None:
                machine._stop.set()
                await machine._task
                machine._task = None

    def transaction(self, *, signer: str = "central-bank", valid_ms: int = 60_000) -> bytes:
        """Return a transaction never seen before that the ledger accepts and that changes state."""
        key = development_signer(f"{signer}/account")
        policy = AccountPolicy(
            signers=((key.public_key, 1 + self._salt % 255),), thresholds=(1, 1, 1)
        )
        operation = SetAccountPolicy(account=self.account(signer), policy=policy)
        return self.signed(operation, signer, valid_ms=valid_ms)

    def account(self, office: str) -> bytes:
        """Return the address of an office's account."""
        key = development_signer(f"{office}/account")
        return account_address(office, single_signer(key.public_key), bytes(8))

    def signed(self, operation: Operation, *signers: str, valid_ms: int = 60_000) -> bytes:
        """Return a transaction of this operation, signed by these offices."""
        self._salt += 1
        keys = [development_signer(f"{office}/account") for office in signers]
        keys.sort(key=lambda key: key.public_key)
        body = TransactionBody(
            version=1,
            network=network_of(self.genesis.hash),
            valid_until_ms=LoopClock().now_ms() + valid_ms,
            salt=self._salt.to_bytes(8, "big"),
            signers=tuple(key.public_key for key in keys),
            operations=(operation,),
            memo="",
        )
        encoded = encode(body)
        identifier = transaction_id(self.genesis.hash, encoded)
        signatures = tuple(key.sign(identifier) for key in keys)
        return encode(SignedTransaction(body=encoded, signatures=signatures))

    def id_of(self, raw: bytes) -> bytes:
        return transaction_id(self.genesis.hash, decode_signed(raw)[0].body)

    async def until(self, condition: Callable[[], bool], *, within_s: float = 60.0) -> None:
        """Let virtual time pass until the condition holds."""
        async with asyncio.timeout(within_s):
            # A step of virtual time costs nothing, and a condition of many nodes has no event.
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def until_height(self, height: int, *names: str, within_s: float = 60.0) -> None:
        """Let virtual time pass until these machines, or all running ones, have this block."""
        machines = [self[name] for name in names] or self.running
        await self.until(
            lambda: all(m.node is not None and m.height >= height for m in machines),
            within_s=within_s,
        )

    async def until_meshed(self) -> None:
        """Let virtual time pass until every running validator is linked to every other."""
        await self.until(
            lambda: all(len(m.up.network.peers()) >= len(self.running) - 1 for m in self.running)
        )

    async def meet(self) -> None:
        """Start all machines, and let time pass until each is linked to every other."""
        await self.start()
        await self.until_meshed()

    async def submit(self, name: str, *raws: bytes) -> None:
        """Hand transactions in at one node; all are taken."""
        results = await self[name].up.intake.submit(raws)
        assert all(isinstance(result, AdmittedTransaction) for result in results), results

    async def settle(self, name: str, *raws: bytes, within_s: float = 60.0) -> float:
        """Hand transactions in at one node; return after how many seconds all are final there."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        await self.submit(name, *raws)
        for raw in raws:
            assert await self[name].up.intake.wait(self.id_of(raw), within_s)
        return loop.time() - start

    def check_agreement(self) -> None:
        """Assert that no two machines hold different blocks or states at one height.

        A machine that prunes holds none of what it has pruned.
        """
        for height in range(1, max(machine.height for machine in self.running) + 1):
            blocks = [
                m.up.chain.block(height)
                for m in self.running
                if m.height >= height and not m.up.chain.history.is_pruned(height)
            ]
            headers = {None if block is None else block_id(block.header) for block in blocks}
            assert len(headers) == 1, f"height {height} differs"
            assert None not in headers

    async def _run(self, machine: Machine, started: asyncio.Future[None]) -> None:
        try:
            genesis = self.genesis.amended(self.amendments.get(machine.name, ()))
            async with Node(self._config(machine.name), genesis, self._parts(machine)) as node:
                machine.node = node
                started.set_result(None)
                await machine._stop.wait()
        except (Exception, PowerCut) as error:
            machine.failure = error
            if not started.done():
                started.set_exception(error)
        finally:
            machine.node = None

    def _config(self, name: str) -> NodeConfig:
        mempool = {} if self.pool_max is None else {"transactions_max": self.pool_max}
        config = NodeConfig.model_validate(
            {
                "mempool": mempool,
                "name": name,
                "tls": {"key": "unused", "certificate": "unused"},
                "network": {
                    "peers": {
                        other: self.address(other) for other in self._validators if other != name
                    },
                },
            }
        )
        # Fewer than an operator may ask for, so that a test needs no thousand blocks.
        keep_blocks = self.keep_blocks.get(name, 0)
        storage = config.storage.model_copy(update={"keep_blocks": keep_blocks})
        height, trusted = self.trusted.get(name, (None, None))
        sync = config.sync.model_copy(
            update={
                "snapshot_interval": self.snapshot_interval,
                "trusted_height": height,
                "trusted_block": None if trusted is None else trusted.hex(),
                "trust_period_hours": self.trust_period_hours,
            }
        )
        return config.model_copy(update={"storage": storage, "sync": sync})

    def _parts(self, machine: Machine) -> NodeParts:
        name, keys = machine.name, self.founded.keys[machine.name]
        assert keys.tls_key_pem is not None

        def counting(key: bytes, message: bytes, signature: bytes) -> bool:
            machine.verified += 1
            return verify(key, message, signature)

        return NodeParts(
            clock=machine.clock,
            random=random.Random(f"{self._seed}/{name}"),
            store=machine.disk.store,
            log_files=machine.disk.files,
            transport=self.net.transport(self.address(name), keys.tls_certificate),
            identity=TlsIdentity(
                certificate=keys.tls_certificate, private_key_pem=keys.tls_key_pem
            ),
            signer=self.signer(name) if name in self.signers else None,
            following=self.following.get(name),
            observers=tuple(
                (other, self.founded.keys[other].tls_certificate) for other in self._observers
            ),
            verify=counting,
            versions=self.versions.get(name, SUPPORTED),
            serves_clients=False,
            log=self._log(name),
        )


@asynccontextmanager
async def cluster(
    *,
    observers: Sequence[str] = (),
    validators: Sequence[str] = VALIDATORS,
    fault_model: FaultModel = FaultModel.BYZANTINE,
    blocks: Blocks | None = None,
    consensus: Consensus | None = None,
    log: Callable[[str], Logger] | None = None,
    window_ms: int = 600_000,
    protocol_version: int = LATEST_VERSION,
) -> AsyncIterator[Cluster]:
    """Yield a cluster whose machines are all down; stop what is up in the end."""
    async with asyncio.TaskGroup() as tasks:
        result = Cluster(
            tasks,
            observers=observers,
            validators=validators,
            fault_model=fault_model,
            blocks=blocks,
            consensus=consensus,
            log=log,
            window_ms=window_ms,
            protocol_version=protocol_version,
        )
        try:
            yield result
        finally:
            await result.stop()
