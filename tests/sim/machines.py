"""One machine: a node that starts, stops, dies, sleeps and comes back over its disk."""

import asyncio
import contextvars
import functools
import random
from collections.abc import Callable, Collection, Coroutine, Mapping, MutableMapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog

from node.app import Node, NodeHalted, NodeParts
from node.chain.errors import ChainDamaged, UpgradeRequired
from node.config import NodeConfig
from node.genesis import Genesis
from node.keys import LocalSigner
from node.keys.certificates import create_tls_identity
from node.ledger.protocol import SUPPORTED
from node.log import Logger
from node.network.tls import TlsIdentity
from node.network.transport import Link
from node.replica.errors import LogMismatch
from node.replica.journal import write_birth
from node.storage import ConsensusLog, StorageThread
from node.storage.errors import StorageError
from node.storage.memory_files import PowerCut
from tests.chain.town import key
from tests.sim.checker import Checker, Violation
from tests.sim.disks import SimDisk
from tests.sim.loop import EPOCH_MS, MACHINE, SimLoop, SimTask
from tests.sim.trace import Trace
from tests.sim.wires import HEARTBEAT_S, SimNet, SimTransport

T = TypeVar("T")

STOP_WITHIN_S: Final = 30.0
"""A node that was told to stop, or died, has no task left after this."""
SNAPSHOT_INTERVAL: Final = 10
"""Heights from one snapshot to the next."""
DAMAGE_STOPS_WITHIN_S: Final = 5.0
"""A node that has read what nobody wrote is down after this."""


def consensus_key(name: str, generation: int) -> LocalSigner:
    """Return the key of a validator; generation 0 is that of the genesis."""
    # A key's name is cut at 32 bytes: what tells two of them apart comes first.
    return key(f"{generation}/{name}") if generation else key(f"{name}/consensus/0")


@functools.lru_cache(maxsize=64)
def identity_of(name: str, generation: int = 0) -> TlsIdentity:
    """Return the certificate of a machine and its key; generation 0 is that of the genesis."""
    seed = f"{name}/{generation}".encode().ljust(32)
    pem, certificate = create_tls_identity(name, seed=seed)
    return TlsIdentity(certificate=certificate, private_key_pem=pem)


class Unreachable(Exception):
    """The machine is down, or went down while it worked on the answer."""


class SimClock:
    """One machine's clock: the true time, an offset, and a rate."""

    def __init__(self, loop: SimLoop) -> None:
        self._loop = loop
        self.offset_ms = 0
        self.drift_ppm = 0

    def now_ms(self) -> int:
        elapsed_us = int(self._loop.time() * 1_000_000)
        drift_us = elapsed_us * self.drift_ppm // 1_000_000
        return EPOCH_MS + (elapsed_us + drift_us) // 1000 + self._loop.leapt_ms + self.offset_ms

    def monotonic(self) -> float:
        return self._loop.time()

    def cpu_s(self) -> float:
        return 0.0


class WatchedSigner:
    """A validator's key, and a checker that sees what it signs."""

    def __init__(self, machine: "Machine", key: LocalSigner, checker: Checker) -> None:
        self._machine = machine
        self._name = machine.name
        self._key = key
        self._checker = checker

    @property
    def public_key(self) -> bytes:
        return self._key.public_key

    def sign(self, message: bytes) -> bytes:
        self._checker.signed(self._name, self._key.public_key, message)
        if self._machine.has_met_damage:
            self._checker.fail("damage", f"{self._name} signed after it had read damage")
        return self._key.sign(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all machines of a simulation share."""

    loop: SimLoop
    tasks: asyncio.TaskGroup
    net: SimNet
    trace: Trace
    checker: Checker
    genesis: Genesis
    verify: Callable[[bytes, bytes, bytes], bool]
    report: Callable[[Violation], None]


class Machine:
    """One place where a node runs."""

    def __init__(
        self,
        around: Surroundings,
        *,
        name: str,
        node_name: str | None = None,
        honest: bool = True,
        seed: object,
        signer: LocalSigner | None,
        identity: TlsIdentity,
        participant: str,
        is_reserve: bool = False,
        peers: dict[str, str],
        observers: tuple[tuple[str, bytes], ...],
        limits: Mapping[str, Mapping[str, int]],
        keep_blocks: int = 0,
        wrap: Callable[[Link], Link] | None = None,
    ) -> None:
        """Make a machine that is down, with an empty disk.

        Args:
            name: of the machine.
            node_name: of the node on it, where two machines run one node's key.
            honest: whether the rules hold for it.
            participant: for whom its validator stands in the set, when it does.
            is_reserve: it observes, and may become a validator.
            limits: sections of its configuration.
            keep_blocks: fewer than the configuration would let an operator ask for; 0: all.
            wrap: puts a liar's hand on its links.
        """
        self.name = name
        self.node_name = node_name or name
        self.honest = honest
        self.address = f"{name}:1"
        self.signer = signer
        self.clock = SimClock(around.loop)
        self.node: Node | None = None
        self.paused = False
        self.expects_failure = False
        """It was made to fail: an end by an error is right."""
        self.expects_damage = False
        """Its disk has rotted: a refusal to go on with it is right."""
        self.has_met_damage = False
        """In this life it has read what nobody wrote."""
        self.failure: BaseException | None = None
        self.trusts: tuple[int, bytes] | None = None
        """Height and id of a block: with it, and an empty disk, it joins by a snapshot."""
        self.dies_at_event: int | None = None
        """It loses its power while it logs so many more events."""
        self.starts = 0
        self._around = around
        self.identity = identity
        self.generation = 0
        """Of the last key that was made for its validator."""
        self.genesis = around.genesis
        """With the amendments that were installed here."""
        self.participant = participant
        self.is_reserve = is_reserve
        self.versions: Collection[int] = SUPPORTED
        """Of the protocol, that its software knows."""
        self._peers = peers
        self._observers = observers
        self._limits = limits
        self.keep_blocks = keep_blocks
        self._wrap = wrap
        self._seed = f"{seed}/{name}"
        self._random = random.Random(f"{self._seed}/machine")
        self.disk = SimDisk(random.Random(f"{self._seed}/disk"), self._lost_power)
        self.disk.damage_met = self._met_damage
        self._context = contextvars.copy_context()
        self._context.run(MACHINE.set, name)
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._transport: SimTransport | None = None
        self._over = True
        """Dead, or never started: nothing it does counts."""
        self._closing = False
        self._calls: dict[asyncio.Task[None], None] = {}

    # What can be done to it.

    @property
    def is_up(self) -> bool:
        """Whether its node runs, asleep or not."""
        return self.node is not None and not self._over and not self._closing

    @property
    def height(self) -> int:
        """The head of its chain; 0 while it is down."""
        return 0 if self.node is None else self.node.chain.head.height

    def bear(self) -> None:
        """Prepare an empty disk as `khazana init` does: with the birth of the log."""
        assert self.signer is not None
        write_birth(
            ConsensusLog(Path(self.name), self.disk.raw_files),
            name=self.node_name,
            public_key=self.signer.public_key,
            network=self._around.genesis.hash,
        )

    def take_over(self, signer: LocalSigner, identity: TlsIdentity) -> None:
        """Put another key in place, with a new log, as an operator does beside a dead node."""
        self.signer, self.identity = signer, identity
        self.disk.wipe_log()
        self._around.checker.lost_log(self.name)
        self.bear()

    async def start(self) -> None:
        """Start the node, once what is left of its former life has ended.

        One that runs, or is on its way up, is left alone.
        """
        if self._task is not None and not (self._over or self._closing or self._task.done()):
            return
        await self._settled()
        if self._task is not None:
            return
        self.starts += 1
        self.failure = None
        self.expects_failure = self.disk.full
        self._over = self._closing = self.has_met_damage = False
        self._stop = asyncio.Event()
        self._around.trace.add(self.name, "start", life=self.starts)
        self._task = self._around.tasks.create_task(
            self._live(), name=self.name, context=self._context
        )

    async def stop(self) -> None:
        """Stop the node in order."""
        if self._task is None:
            return
        self._around.trace.add(self.name, "stop")
        self.wake()
        self._stop.set()
        await self._settled()

    async def wait_ended(self) -> None:
        """Return once the node has ended by itself."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def kill(self) -> None:
        """Take the power, at this very moment."""
        if self._task is not None and not self._over:
            self.disk.cut_power()

    def kill_after(self, steps: int) -> None:
        """Take the power after so many more steps of its code, whatever it is doing then."""
        if self._task is not None and not self._over:
            self._around.loop.count_down(self.name, steps, self.kill)

    def pause(self) -> None:
        """Stop the process without ending it; its peers notice after a while."""
        if self.paused:
            return
        self.paused = True
        self._around.loop.hold(self.name)
        starts = self.starts

        def give_up() -> None:
            if self.paused and self.starts == starts:
                self._around.net.drop_links(self.address, "no heartbeat")

        self._around.loop.call_later(HEARTBEAT_S, give_up)

    def wake(self) -> None:
        """Let a paused process go on."""
        if self.paused:
            self.paused = False
            self._around.loop.release(self.name)

    async def call(self, work: Callable[[Node], Coroutine[Any, Any, T]], within_s: float) -> T:
        """Let the node do something for a client, in its own context.

        Raises:
            Unreachable: it is down, goes down, or does not answer in time.
        """
        node = self.node
        if node is None or not self.is_up:
            raise Unreachable(self.name)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def serve() -> None:
            try:
                result = await work(node)
            except Exception as error:
                broken = isinstance(error, StorageError) and self._may_fail
                if not self._over and not broken:
                    self._report("error", f"{self.name} failed to serve a client: {error!r}")
            else:
                if not answer.done():
                    answer.set_result(result)
            finally:
                if not answer.done():
                    answer.cancel()

        task = self._around.tasks.create_task(serve(), context=self._context)
        self._calls[task] = None
        task.add_done_callback(lambda done: self._calls.pop(done, None))
        try:
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError:
            raise Unreachable(self.name) from None
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            raise Unreachable(self.name) from None
        finally:
            task.cancel()

    # Its life.

    async def _live(self) -> None:
        around, life = self._around, self.disk.plug()
        self._transport = SimTransport(
            around.net,
            self.address,
            self.identity.certificate,
            context=self._context,
            wrap=self._wrap or (lambda link: link),
        )
        parts = NodeParts(
            clock=self.clock,
            random=random.Random(f"{self._seed}/{self.starts}"),
            store=life.store,
            log_files=life.files,
            transport=self._transport,
            identity=self.identity,
            signer=self._watched_signer(),
            observers=self._observers,
            verify=around.verify,
            serves_clients=False,
            versions=self.versions,
            log=self._log(),
        )
        try:
            async with StorageThread() as thread:
                parts = replace(parts, thread=thread)
                async with Node(self._config(), self.genesis, parts) as node:
                    self.node = node
                    self._began(node)
                    await self._stop.wait()
                    self._closing = True
        except BaseException as error:
            self._ended(error)
            if isinstance(error, asyncio.CancelledError) and not self._over:
                raise
        finally:
            self._over = True
            self.node = None
            self.disk.unplug()

    def _began(self, node: Node) -> None:
        if not self.honest:
            return
        checker = self._around.checker
        checker.started(self.name, node)
        node.chain.listeners.append(lambda _: checker.committed(self.name, node))

    def _ended(self, error: BaseException) -> None:
        if self._over or isinstance(error, asyncio.CancelledError):
            return
        if isinstance(error, PowerCut):
            self._lost_power()
            return
        self.failure = error
        self._around.trace.add(self.name, "ended", error=f"{type(error).__name__}: {error}")
        refusals = StorageError | NodeHalted | ChainDamaged | LogMismatch
        if self.versions is SUPPORTED:
            expected = self._may_fail and isinstance(error, refusals)
        else:
            expected = isinstance(error, UpgradeRequired)
        if self.honest and not expected:
            self._report("stopped", f"{self.name}: {type(error).__name__}: {error}")

    def _may_complain(self, event: str) -> bool:
        """Whether an error in its log is right.

        Between an order for another key and the operator, and while the chain is behind that
        order, a node says that the ledger has another key or certificate. Beside one that joined
        by a snapshot or prunes, and cut off from the rest, it says that nobody has what it needs.
        """
        changed = self.generation > 0 and event.startswith("the-ledger-has-another-")
        checker = self._around.checker
        alone = bool(checker.without_past or checker.pruning) and event.startswith(
            "no-connected-peer-keeps-the-block"
        )
        return self._may_fail or changed or alone

    @property
    def _may_fail(self) -> bool:
        return self.expects_failure or self.expects_damage or self.versions is not SUPPORTED

    def _met_damage(self) -> None:
        if self.has_met_damage:
            return
        self.has_met_damage = True
        self._around.trace.add(self.name, "damage-met")
        starts = self.starts

        def look() -> None:
            if self.starts == starts and self.is_up and not self.paused:
                self._report("damage", f"{self.name} has read damage, and goes on")

        self._around.loop.call_later(DAMAGE_STOPS_WITHIN_S, look)

    def _lost_power(self) -> None:
        if self._over:
            return
        self._over = True
        self._around.trace.add(self.name, "dead", head=self.height)
        if self._transport is not None:
            self._transport.vanished = True
        self._around.net.unplug(self.address)
        # What was prepared for this life is not for the next.
        self._around.loop.stop_counting(self.name)
        self.wake()
        for task in list(self._calls):
            task.cancel()
        if self._task is not None:
            # Not from inside the very step that lost it.
            self._around.loop.call_soon(self._task.cancel)

    async def _settled(self) -> None:
        """Return once nothing of the former life runs."""
        task = self._task
        if task is None:
            return
        done, _ = await asyncio.wait([task], timeout=STOP_WITHIN_S)
        if not done:
            left = "; ".join(_where(task) for task in self._left())
            self._report("stopped", f"{self.name} does not end within {STOP_WITHIN_S} s: {left}")
        # Two may have waited, and the one that was first has begun the next life.
        if self._task is task:
            self._task = None

    def _left(self) -> list["asyncio.Task[object]"]:
        """Return the tasks of this machine that have not ended."""
        tasks = [task for task in asyncio.all_tasks() if isinstance(task, SimTask)]
        return sorted((task for task in tasks if task.machine == self.name), key=hash)

    def _report(self, rule: str, detail: str) -> None:
        self._around.report(Violation(rule, detail))

    def _watched_signer(self) -> "LocalSigner | WatchedSigner | None":
        if self.signer is None or not self.honest:
            return self.signer
        return WatchedSigner(self, self.signer, self._around.checker)

    def _config(self) -> NodeConfig:
        trusted: dict[str, int | str] = {}
        if self.trusts is not None:
            height, block = self.trusts
            trusted = {
                "trusted_height": height,
                "trusted_block": block.hex(),
                # Where a day passes in seconds, a network at rest is soon a fortnight old.
                "trust_period_hours": 87_600,
            }
        config = NodeConfig.model_validate(
            {
                "name": self.node_name,
                "tls": {"key": "unused", "certificate": "unused"},
                **self._limits,
                "network": {"peers": self._peers, **self._limits.get("network", {})},
                "sync": {
                    "snapshot_interval": SNAPSHOT_INTERVAL,
                    **trusted,
                    **self._limits.get("sync", {}),
                },
            }
        )
        storage = config.storage.model_copy(update={"keep_blocks": self.keep_blocks})
        return config.model_copy(update={"storage": storage})

    def _log(self) -> Logger:
        around, name = self._around, self.name

        def take(_logger: object, method: str, event: MutableMapping[str, Any]) -> str:
            if not self._over:
                text = str(event.pop("event")).replace(" ", "-")
                event.pop("software", None)
                failed = event.pop("exc_info", None)
                around.trace.add(name, text, **event)
                if self.dies_at_event is not None:
                    self.dies_at_event -= 1
                    if self.dies_at_event < 0:
                        self.dies_at_event = None
                        self.kill()
                if (
                    method in ("error", "exception")
                    and self.honest
                    and not self._may_complain(text)
                ):
                    self._report("error", f"{name} logged an error: {text} {event} {failed}")
            raise structlog.DropEvent

        logger: Logger = structlog.wrap_logger(
            structlog.ReturnLogger(),
            wrapper_class=structlog.make_filtering_bound_logger(20),
            processors=[take],
        ).bind()
        return logger


def _where(task: "asyncio.Task[object]") -> str:
    """Return where a task stands: its name, and the innermost line of each of its coroutines."""
    places = []
    coroutine: object = task.get_coro()
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None:
            places.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
        coroutine = getattr(coroutine, "cr_await", None)
    return f"{task.get_name()} at {' > '.join(places)} ({task.cancelling()} cancellations)"
