"""One simulation: whole nodes, their wires and disks, clients, faults, and what is checked at last.

A run has three parts. While `minutes` last, faults happen and clients transfer. Then faults end:
wires are whole, clocks right, machines up; liars go on lying. From that moment on the network has
`LIVELY_WITHIN_S` to decide three more blocks at every honest node, to bring every validator back to
voting, to resolve whatever clients had under way, and to make one fresh unit through each node
final. At last everybody stops in order, and the disks are compared and checked whole.

Everything follows from `Options` and the code: no real clock, no thread, no socket.
"""

import asyncio
import contextlib
import functools
import gc
import random
import traceback
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from consensus.quorum import faults_survived
from consensus.types import FaultModel
from node.codec import CodecError, replace
from node.genesis import Genesis, GenesisParticipant, genesis_of
from node.index.projection import Projector, Rows
from node.index.source import Moment, moment
from node.keys import verify
from node.ledger import commitment, servicing
from node.ledger.errors import InvariantViolation
from node.ledger.invariants import check_state, decode_state
from node.ledger.tables import VALIDATORS, ParticipantKind, name_key
from node.ledger.units import MS_PER_DAY
from node.replica.join import witnesses_min
from node.storage import layout
from node.storage.memory_files import PowerCut
from node.storage.nodes import StoredNodes
from node.storage.store import MemoryStore
from tests.chain.town import BANK, make_record, validator_record
from tests.sim.checker import Checker, Violation
from tests.sim.clients import Clients, Counts
from tests.sim.faults import Faults
from tests.sim.harm import KINDS, Site
from tests.sim.harm.validators import ORDER_VALID_MS
from tests.sim.liars import Conspiracy
from tests.sim.loop import EPOCH_MS, MACHINE, Order, SimLoop
from tests.sim.machines import Machine, Surroundings, consensus_key, identity_of
from tests.sim.trace import Trace
from tests.sim.wires import SimNet, Weather

LIVELY_WITHIN_S: Final = 150.0
"""After faults have ended; the longest round takes some 10 s here, the longest ban 30 s."""
FOUNDED_WITHIN_S: Final = 60.0
"""So long do liars wait for the honest to have begun."""
STUCK_AFTER_STEPS: Final = 20_000_000
CLOCK_AHEAD_MAX_MS: Final = 3_000
WINDOW_MS: Final = 120_000
"""How long a transaction can be valid."""
PRUNED_WINDOW_MS: Final = 6_000
"""The same where some prune: a block stays for two windows, and days are short."""
SKEW_MAX_MS: Final = 1_100
"""Of an honest clock that has not jumped: skew, and drift of 500 ppm over some minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run depends on, besides the code."""

    seed: int = 0
    validators: int = 4
    observers: int = 0
    minutes: float = 2.0
    faults: tuple[str, ...] | None = None
    """Some of `KINDS`; None lets the seed choose."""
    liars: int | None = None
    """Validators that lie; None lets the seed choose, within what the network survives."""
    twins: int = 0
    """Validators whose key runs on two machines at once, besides the liars."""
    lies: tuple[str, ...] | None = None
    """Some of `LIES`; None lets the seed choose."""
    steady: bool = False
    """Liars tell the same half the same story at every height."""
    order: Order | None = None
    fault_pause_s: float | None = None
    """Between two faults, on average; None lets the seed choose."""
    skip: tuple[int, ...] = ()
    """Numbers of faults that are drawn and do not happen."""
    client_pause_s: float | None = None
    keep_blocks: int = 0
    """So many blocks keep those that prune, half of the machines; 0: nobody prunes."""
    version: int = 1
    """Of the protocol, from the first block on. The clients schedule the next ones."""
    auctions: bool = False
    """Clients want little else than auctions, so that many go from beginning to end."""
    bad: bool = False
    """Much of what clients want of auctions, and of securities where days pass, is bad."""
    day_s: float = 0.0
    """Virtual seconds until all clocks leap a day ahead, again and again; 0: never."""
    paid_per_block: int = 0
    """Holders of securities, so that a payment takes several blocks; 0: as many as ever."""

    @property
    def command(self) -> str:
        """What replays this run."""
        parts = [f"python -m tests.sim --seed {self.seed} --validators {self.validators}"]
        parts.append(f"--observers {self.observers} --minutes {self.minutes:g}")
        if self.faults is not None:
            parts.append(f"--faults {','.join(self.faults) or 'none'}")
        if self.liars is not None:
            parts.append(f"--liars {self.liars}")
        if self.twins:
            parts.append(f"--twins {self.twins}")
        if self.lies is not None:
            parts.append(f"--lies {','.join(self.lies)}")
        if self.steady:
            parts.append("--steady")
        if self.order is not None:
            parts.append(f"--order {self.order}")
        if self.fault_pause_s is not None:
            parts.append(f"--fault-pause {self.fault_pause_s:g}")
        if self.client_pause_s is not None:
            parts.append(f"--client-pause {self.client_pause_s:g}")
        if self.keep_blocks:
            parts.append(f"--keep-blocks {self.keep_blocks}")
        if self.auctions:
            parts.append("--auctions")
        if self.bad:
            parts.append("--bad")
        if self.day_s:
            parts.append(f"--day {self.day_s:g}")
        if self.paid_per_block:
            parts.append(f"--paid-per-block {self.paid_per_block}")
        if self.version != 1:
            parts.append(f"--version {self.version}")
        if self.skip:
            parts.append(f"--skip {','.join(map(str, self.skip))}")
        return " ".join(parts)


@dataclass(kw_only=True)
class Result:
    """What came of a run."""

    options: Options
    violation: Violation | None
    digest: str
    lines: list[str]
    virtual_s: float
    heights: int
    faults: dict[str, int]
    liars: int
    faults_drawn: int
    """Those left out among them."""
    clients: Counts
    acknowledged: int
    signatures: int
    steps: int
    starts: int = 0
    lies: dict[str, int] = field(default_factory=dict)
    operations: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    """Of transactions in blocks."""
    events: dict[str, int] = field(default_factory=dict)
    """Of transactions and of what came due, by name."""
    auctions: dict[str, int] = field(default_factory=dict)
    """That have delivered something, by form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a scripted run has in its hands instead of random faults."""

    machines: list[Machine]
    net: SimNet
    checker: Checker
    clients: Clients
    trace: Trace
    chance: random.Random

    @property
    def height(self) -> int:
        """The highest height that an honest node has committed."""
        return self.checker.height

    async def until_height(self, height: int, *machines: Machine, within_s: float) -> float:
        """Wait until these machines, or any, have this block; return how long that took.

        Raises:
            Violation: they have not, in this time.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while self.height < height or any(machine.height < height for machine in machines):
            if loop.time() - began_s > within_s:
                raise Violation("liveness", f"no block {height} within {within_s:g} s")
            await asyncio.sleep(0.01)
        return loop.time() - began_s

    async def until(
        self, condition: Callable[[], bool], *, within_s: float, step_s: float = 0.0003
    ) -> None:
        """Wait until this is so.

        Args:
            step_s: it is noticed within so long; the least is a fraction of any delay of the wires.

        Raises:
            Violation: it is not, in this time.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while not condition():
            if loop.time() - began_s > within_s:
                raise Violation("liveness", f"what was waited for has not come in {within_s:g} s")
            await asyncio.sleep(step_s)


Play: TypeAlias = Callable[[Stage], Awaitable[None]]


class _Stop(Exception):
    """Ends the simulation's task group."""


def simulate(
    options: Options, show: Callable[[str], None] | None = None, play: Play | None = None
) -> Result:
    """Run one simulation to its end, or to its first violation.

    Args:
        show: is given each line of the trace.
        play: what happens until faults end, instead of random faults.
    """
    chance = random.Random(f"{options.seed}/options")
    # Everything is drawn, whether it is used or not: an option changes only what it names.
    drawn_order: Order = "any" if chance.random() < 0.2 else "lanes"
    loop = SimLoop(options.seed, order=options.order or drawn_order)
    world = _World(options, loop, chance, show, play)
    loop.set_exception_handler(world.unhandled)
    # What is lost in a circle is found once, at the end: at a moment that no allocation decides.
    collects = gc.isenabled()
    gc.disable()
    try:
        with _paying(options.paid_per_block):
            loop.run_until_complete(world.run())
    except Exception as error:
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, Violation):
            world.report(error)
        # A fault of the simulation itself, or of the code it called.
        text = "".join(traceback.format_exception(error))
        world.violation = world.violation or Violation("simulation", text)
    finally:
        loop.close()
        gc.collect()
        if collects:
            gc.enable()
    return world.result()


@contextlib.contextmanager
def _paying(holders: int) -> Iterator[None]:
    """Bound how many holders a block pays, one of them of payments that begin; 0: as ever."""
    usual = servicing.HOLDERS_PER_BLOCK_MAX, servicing.HOLDERS_AT_FIRST_MAX
    bounds = (holders, 1) if holders else usual
    servicing.HOLDERS_PER_BLOCK_MAX, servicing.HOLDERS_AT_FIRST_MAX = bounds  # type: ignore[misc]
    try:
        yield
    finally:
        servicing.HOLDERS_PER_BLOCK_MAX, servicing.HOLDERS_AT_FIRST_MAX = usual  # type: ignore[misc]


class _World:
    def __init__(
        self,
        options: Options,
        loop: SimLoop,
        chance: random.Random,
        show: Callable[[str], None] | None,
        play: Play | None,
    ) -> None:
        self.options = options
        self._play = play
        self.loop = loop
        self.trace = Trace(loop.time, show)
        self.violation: Violation | None = None
        self._failed = asyncio.Event()
        self._chance = chance
        self._genesis = _genesis(
            options.validators,
            transactions_max=chance.choice((5_000, 5_000, 3)),
            gather_ms=chance.choice((50, 50, 0, 500)),
            heartbeat_ms=chance.choice((5_000, 5_000, 500, 20_000)),
            window_ms=PRUNED_WINDOW_MS if options.keep_blocks else WINDOW_MS,
            version=options.version,
        )
        self._machines: list[Machine] = []
        self._faults: Faults | None = None
        self._clients: Clients | None = None
        model = self._genesis.fault_model
        survived = faults_survived(model, options.validators)
        drawn = chance.choice((0, 0, 1))
        self.liars = min(drawn, survived) if options.liars is None else options.liars
        drawn_kinds = tuple(kind for kind in KINDS if chance.random() < 0.5)
        self._kinds = drawn_kinds if options.faults is None else options.faults
        self._impaired_max = max(0, survived - self.liars - options.twins)
        drawn_pause_s = chance.choice((1.0, 3.0, 8.0))
        self._fault_pause_s = options.fault_pause_s or drawn_pause_s
        drawn_client_s = chance.choice((0.3, 1.0, 3.0))
        self._client_pause_s = options.client_pause_s or drawn_client_s
        self._verified: dict[tuple[bytes, bytes, bytes], bool] = {}
        self._checker = Checker(
            self._genesis,
            verify=self._verify,
            true_ms=loop.true_ms,
            ahead_max_ms=CLOCK_AHEAD_MAX_MS + SKEW_MAX_MS,
            report=self.report,
        )
        self._checker.pruning = options.keep_blocks > 0
        self._conspiracy = Conspiracy(
            self._genesis,
            seed=options.seed,
            trace=self.trace,
            loop=loop,
            lies=options.lies,
            steady=options.steady,
            node_of=lambda name: next(m.node for m in self._machines if m.name == name),
        )

    # What others tell.

    def report(self, violation: Violation) -> None:
        if self.violation is None:
            self.violation = violation
            self.trace.add("sim", "VIOLATION", rule=violation.rule, detail=violation.detail)
            self._failed.set()

    def unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        del loop
        error = context.get("exception")
        if self.violation is None and not isinstance(error, PowerCut):
            self.report(Violation("unhandled", f"{context.get('message')}: {error!r}"))

    def result(self) -> Result:
        faults, clients = self._faults, self._clients
        return Result(
            options=self.options,
            violation=self.violation,
            digest=self.trace.digest,
            lines=list(self.trace.lines),
            virtual_s=self.loop.time(),
            heights=self._checker.height,
            faults={} if faults is None else dict(sorted(faults.counts.items())),
            liars=self.liars,
            faults_drawn=0 if faults is None else faults.drawn,
            clients=Counts() if clients is None else clients.counts,
            acknowledged=self._checker.acknowledged,
            signatures=self._checker.signatures,
            steps=self.loop.steps,
            starts=sum(machine.starts for machine in self._machines),
            lies=dict(sorted(self._conspiracy.counts.items())),
            operations=dict(sorted(self._checker.operations.items())),
            outcomes=dict(sorted(self._checker.outcomes.items())),
            events=dict(sorted(self._checker.model.happened.items())),
            auctions=dict(sorted(self._checker.model.auctions.items())),
        )

    # The run.

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                self._make_machines(tasks)
                main = tasks.create_task(self._main(), name="main")
                watch = tasks.create_task(self._failed.wait(), name="watch")
                await asyncio.wait([main, watch], return_when=asyncio.FIRST_COMPLETED)
                if self.violation is not None:
                    for machine in self._machines:
                        machine.kill()
                    raise _Stop
                watch.cancel()
        except* _Stop:
            pass

    async def _main(self) -> None:
        options, checker = self.options, self._checker
        assert self._faults is not None
        assert self._clients is not None
        self.trace.add(
            "sim",
            "begin",
            faults=",".join(self._kinds) or "none",
            liars=self.liars,
            fault_pause_s=self._fault_pause_s,
            client_pause_s=self._client_pause_s,
        )
        async with asyncio.TaskGroup() as tasks:
            for machine in self._machines:
                tasks.create_task(self._start_late(machine))
            clients = tasks.create_task(self._clients.run(), name="clients")
            operator = tasks.create_task(self._operate(), name="operator")
            days = None
            if options.day_s:
                days = tasks.create_task(self._let_days_pass(), name="days")
            if self._play is None:
                await self._faults.run(options.minutes * 60)
            else:
                await self._play(self._stage())
            if days is not None:
                days.cancel()
            await self._faults.end()
            calm_s, height = self.loop.time(), checker.height
            await self._live_again(clients, height)
            self.trace.add("sim", "lively", after_s=self.loop.time() - calm_s)
            operator.cancel()
        for machine in self._machines:
            await machine.stop()
        self._compare()
        self.trace.add("sim", "end", height=checker.height, steps=self.loop.steps)

    def _stage(self) -> Stage:
        assert self._clients is not None
        return Stage(
            machines=self._machines,
            net=self._net,
            checker=self._checker,
            clients=self._clients,
            trace=self.trace,
            chance=random.Random(f"{self.options.seed}/stage"),
        )

    async def _start_late(self, machine: Machine) -> None:
        await asyncio.sleep(self._chance.random() * 2)
        if not machine.honest:
            # A network that has gone on without one of its founders waits for it as for a faulty
            # one, for two blocks: on top of a liar that is more than it survives.
            founders = {m.name for m in self._honest if self._checker.key_of(m.name) is not None}
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FOUNDED_WITHIN_S):
                    await self._until(lambda: founders <= self._checker.remember)
        # One that has lived already is in the hands of whoever has taken its power since.
        if machine.starts == 0:
            await machine.start()

    async def _live_again(self, clients: "asyncio.Task[None]", height: int) -> None:
        """Hold the network to its promise, now that nothing is broken any more."""
        assert self._clients is not None
        waits_for = "removed validators to be back, and three more blocks at each node"
        try:
            async with asyncio.timeout(LIVELY_WITHIN_S):
                await self._bring_back()
                await self._until(lambda: all(m.height >= height + 3 for m in self._honest))
                waits_for = "every validator to vote again"
                await self._until(lambda: all(self._votes(m) for m in self._honest))
                waits_for = "clients to know what became of their transactions"
                self._clients.end()
                await clients
                waits_for = "a fresh unit of cash through each node"
                for number, machine in enumerate(self._honest):
                    await self._fresh_unit(machine, number)
                waits_for = "all heads to be the same"
                await self._until(lambda: len({m.height for m in self._honest}) == 1)
        except TimeoutError:
            where = ", ".join(f"{m.name} {_position(m)}" for m in self._honest)
            raise Violation(
                "liveness", f"waited {LIVELY_WITHIN_S:.0f} s for {waits_for}: {where}"
            ) from None

    async def _bring_back(self) -> None:
        """Let validators that were ordered out of the set return."""
        assert self._faults is not None
        if self._faults.site.away:
            await asyncio.sleep(ORDER_VALID_MS / 1000 + 1)
        for machine in self._faults.site.away:
            await self._faults.site.bring_in(machine, random.Random(f"{self.options.seed}/back"))

    async def _operate(self) -> None:
        """Give each machine the key under which its validator rules, as its operator would."""
        assert self._faults is not None
        while True:
            await asyncio.sleep(1)
            for machine in self._honest:
                ruling = self._checker.key_of(machine.name)
                held = machine.signer
                if ruling is None or (held is not None and held.public_key == ruling):
                    continue
                if machine.name not in self._faults.site.busy:
                    with self._faults.site.in_hand(machine):
                        await self._give_key(machine, ruling)

    async def _let_days_pass(self) -> None:
        """Let every clock leap a day ahead now and then, as if all of them had slept."""
        while True:
            await asyncio.sleep(self.options.day_s)
            self.loop.leapt_ms += MS_PER_DAY
            self.trace.add("sim", "day")

    async def _give_key(self, machine: Machine, ruling: bytes) -> None:
        name = machine.name
        generation = next(
            number
            for number in range(machine.generation + 1)
            if consensus_key(name, number).public_key == ruling
        )
        record = self._checker.model.rows(VALIDATORS)[name_key(name)]
        identity = machine.identity
        if identity.certificate != record.tls_certificate:
            identity = identity_of(name, generation)
        self.trace.add(name, "key", generation=generation)
        machine.kill()
        await machine.wait_ended()
        machine.take_over(consensus_key(name, generation), identity)
        await machine.start()

    def _votes(self, machine: Machine) -> bool:
        if machine.node is None:
            return False
        return self._checker.key_of(machine.name) is None or machine.node.replica.is_voting

    async def _fresh_unit(self, machine: Machine, number: int) -> None:
        assert self._clients is not None
        began_s, chance = self.loop.time(), random.Random(f"{self.options.seed}/last/{number}")
        await self._clients.insist(
            self._clients.load.one_unit, client=f"last-{number}", chance=chance, only=machine
        )
        self.trace.add("sim", "fresh-unit", via=machine.name, s=self.loop.time() - began_s)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if self.loop.steps > STUCK_AFTER_STEPS:
                raise Violation("simulation", f"more than {STUCK_AFTER_STEPS} steps")
            await asyncio.sleep(0.05)

    @property
    def _honest(self) -> list[Machine]:
        return [machine for machine in self._machines if machine.honest]

    # The end.

    def _compare(self) -> None:
        """Compare what is on the disks, and check it whole."""
        states: dict[str, list[tuple[bytes, bytes]]] = {}
        for machine in self._honest:
            values = machine.disk.raw_values
            state = _state_of(values)
            states[machine.name] = state
            root = commitment.state_root(StoredNodes(values))
            anew = commitment.update(StoredNodes(MemoryStore()), dict(state)).root
            decided = self._checker.decided[self._checker.height].state_root
            if not root == anew == decided:
                raise Violation(
                    "end",
                    f"{machine.name}: the stored root is {root.hex()}, of its records"
                    f" {anew.hex()}, decided {decided.hex()}",
                )
        first, *others = states.items()
        for name, state in others:
            if state != first[1]:
                raise Violation("end", f"the states of {first[0]} and {name} differ")
        try:
            check_state(decode_state(first[1]))
        except (InvariantViolation, CodecError, KeyError) as error:
            raise Violation("end", f"the ledger at {first[0]}: {error}") from error
        for machine in self._honest:
            with moment(machine.disk.raw_values, self._genesis) as now:
                if now.earliest == 1 and not machine.disk.is_rotten:
                    _check_told(machine.name, now, self._genesis)
                    break

    # The beginning.

    def _verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Verify once in the whole simulation: the answer is the same everywhere."""
        question = (public_key, message, signature)
        answer = self._verified.get(question)
        if answer is None:
            if len(self._verified) > 50_000:
                self._verified.clear()
            answer = self._verified[question] = verify(public_key, message, signature)
        return answer

    def _make_machines(self, tasks: asyncio.TaskGroup) -> None:
        options, loop = self.options, self.loop
        net = self._net = SimNet(Weather(random.Random(f"{options.seed}/weather")))
        around = Surroundings(
            loop=loop,
            tasks=tasks,
            net=net,
            trace=self.trace,
            checker=self._checker,
            genesis=self._genesis,
            verify=self._verify,
            report=self.report,
        )
        validators = [record.name for record in self._genesis.ledger.validators]
        observers = [f"observer-{number}" for number in range(options.observers)]
        faulty = self._chance.sample(validators, self.liars + options.twins)
        liars, doubled = faulty[: self.liars], faulty[self.liars :]
        identities = {name: identity_of(name) for name in (*validators, *observers)}
        certificates = {identities[name].certificate: name for name in identities}
        self._conspiracy.plot(liars, validators, certificates)
        prune = random.Random(f"{options.seed}/pruning").sample(validators, len(validators) // 2)
        places = [(name, name) for name in (*validators, *observers)]
        places += [(f"{name}-again", name) for name in doubled]
        for place, name in places:
            votes = name in validators
            limits = _limits(self._chance)
            if limits:
                shown = {
                    f"{s}.{key}": n for s, values in limits.items() for key, n in values.items()
                }
                self.trace.add(place, "limits", **shown)
            machine = Machine(
                around,
                name=place,
                node_name=name,
                honest=name not in faulty,
                seed=options.seed,
                signer=consensus_key(name, 0) if votes else None,
                identity=identities[name],
                participant=name if votes else BANK,
                is_reserve=name == "observer-0",
                peers={
                    other: f"{other}:1" for other in (*validators, *observers[:1]) if other != name
                },
                observers=tuple(
                    (other, identities[other].certificate) for other in observers if other != name
                ),
                limits=limits,
                keep_blocks=options.keep_blocks if name in prune else 0,
                wrap=self._conspiracy.wrap(name) if name in liars else None,
            )
            if votes:
                machine.bear()
            machine.clock.offset_ms = self._chance.randrange(-500, 501)
            self._machines.append(machine)
        self._clients = Clients(
            self._honest,
            genesis=self._genesis,
            checker=self._checker,
            trace=self.trace,
            loop=loop,
            seed=options.seed,
            pause_s=self._client_pause_s,
            auctions=options.auctions,
            days=options.day_s > 0,
            bad=options.bad,
        )
        site = Site(
            machines=self._machines,
            net=net,
            clients=self._clients,
            checker=self._checker,
            trace=self.trace,
            impaired_max=self._impaired_max,
            forgotten_max=options.validators
            - witnesses_min(self._genesis.fault_model, options.validators),
        )
        self._faults = Faults(
            site,
            kinds=self._kinds,
            pause_s=self._fault_pause_s,
            skipped=options.skip,
            loop=loop,
            seed=options.seed,
        )
        slow, threads = site.slow_disks, random.Random(f"{options.seed}/threads")

        def thread_delay_s() -> float:
            longest_s = slow.get(MACHINE.get(), 0.003)
            return 0.0002 + threads.random() * longest_s

        loop.thread_delay_s = thread_delay_s


def _limits(chance: random.Random) -> dict[str, dict[str, int]]:
    """Draw the limits of a node: most have the defaults, some a bound that is met all the time."""
    limits: dict[str, dict[str, int]] = {}
    for section, name, tight in (
        ("mempool", "transactions_max", (4, 40)),
        ("storage", "records_cache_bytes", (1_024,)),
        ("sync", "fetches_max", (1, 2)),
        ("sync", "range_blocks_max", (1, 3)),
        ("sync", "buffer_bytes_max", (1_024,)),
        ("sync", "fetch_timeout_ms", (500,)),
        ("replica", "queue_max", (1, 10)),
        ("replica", "resend_ms", (100, 3_000)),
        ("replica", "fetch_timeout_ms", (50, 2_000)),
        ("replica", "patience_ms", (0, 300)),
        ("network", "lane_bytes_max", (4_096,)),
        ("network", "frames_per_s_max", (200,)),
    ):
        if chance.random() < 0.15:
            limits.setdefault(section, {})[name] = chance.choice(tight)
    return limits


def _position(machine: Machine) -> str:
    node = machine.node
    if node is None:
        return "down"
    engine = node.replica._engine
    if engine.height == 0:
        return f"at {node.chain.head.height}, deciding nothing"
    return f"at {node.chain.head.height}, deciding {engine.height}/{engine.round}"


def _check_told(name: str, now: Moment, genesis: Genesis) -> None:
    """Check that the events of all blocks tell what everybody holds: what an index is made of."""
    rows, projector = Rows(first=1), Projector(genesis.hash)
    for height in range(1, now.head + 1):
        projector.add(rows, now.given(height))
    told = {key: total for key, total in rows.moves.items() if total}
    if told != dict(now.holdings()):
        raise Violation("end", f"{name}: the events of its blocks do not tell what it holds")


def _state_of(values: MemoryStore) -> list[tuple[bytes, bytes]]:
    start = layout.state_key(b"")
    stop = start[:-1] + bytes([start[-1] + 1])
    return [(full[len(start) :], value) for full, value in values.scan(start, stop)]


@functools.lru_cache(maxsize=64)
def _genesis(
    validators: int,
    *,
    transactions_max: int,
    gather_ms: int,
    heartbeat_ms: int,
    window_ms: int,
    version: int,
) -> Genesis:
    """Return the genesis of this many validators: the four institutions, then banks."""
    record = make_record(
        min(validators, 4),
        fault_model=FaultModel.BYZANTINE,
        window_ms=window_ms,
        protocol_version=version,
    )
    banks = [f"bank-{number}" for number in range(5, validators + 1)]
    changed = replace(
        record,
        time_ms=EPOCH_MS - 1_000,
        validators=(*record.validators, *(validator_record(name) for name in banks)),
        participants=(
            *record.participants,
            *(
                GenesisParticipant(
                    id=name,
                    kind=ParticipantKind.BANK,
                    jurisdiction="PK",
                    lei=None,
                    file_commitment=bytes(32),
                    office=None,
                )
                for name in banks
            ),
        ),
        consensus=replace(
            record.consensus,
            timeout_propose_ms=600,
            timeout_prevote_ms=300,
            timeout_precommit_ms=300,
            timeout_growth_ms=200,
            timeout_max_ms=4_000,
        ),
        blocks=replace(
            record.blocks,
            transactions_max=transactions_max,
            gather_ms=gather_ms,
            heartbeat_ms=heartbeat_ms,
            clock_ahead_max_ms=CLOCK_AHEAD_MAX_MS,
        ),
    )
    return genesis_of(changed)
