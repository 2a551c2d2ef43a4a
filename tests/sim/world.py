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
import gc
import random
import traceback
from collections.abc import Callable, Iterator
from typing import Any, Final

from consensus.quorum import faults_survived
from node.keys import verify
from node.ledger import servicing
from node.ledger.tables import VALIDATORS, name_key
from node.ledger.units import MS_PER_DAY
from node.replica.join import witnesses_min
from node.storage.memory_files import PowerCut
from tests.chain.town import BANK
from tests.sim.checker import Checker, Violation
from tests.sim.clients import Clients, Counts
from tests.sim.ending import compare
from tests.sim.faults import Faults
from tests.sim.founding import CLOCK_AHEAD_MAX_MS, PRUNED_WINDOW_MS, WINDOW_MS, draw_limits, found
from tests.sim.harm import KINDS, Site
from tests.sim.harm.validators import ORDER_VALID_MS
from tests.sim.liars import Conspiracy
from tests.sim.loop import MACHINE, Order, SimLoop
from tests.sim.machines import Machine, Surroundings, consensus_key, identity_of
from tests.sim.options import Options, Result
from tests.sim.stage import Play, Stage
from tests.sim.trace import Trace
from tests.sim.wires import SimNet, Weather

LIVELY_WITHIN_S: Final = 150.0
"""After faults have ended; the longest round takes some 10 s here, the longest ban 30 s."""
FOUNDED_WITHIN_S: Final = 60.0
"""So long do liars wait for the honest to have begun."""
STUCK_AFTER_STEPS: Final = 20_000_000
SKEW_MAX_MS: Final = 1_100
"""Of an honest clock that has not jumped: skew, and drift of 500 ppm over some minutes."""


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
        self._genesis = found(
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
        last = checker.decided[checker.height]
        compare(self._honest, decided=last.state_root, genesis=self._genesis)
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
            # A removal that was given up is over when a block is later than it, which may be long
            # after its time: a proposal that holds it waits as long as nothing is decided.
            over_ms = self.loop.true_ms() + ORDER_VALID_MS
            await self._until(lambda: self._is_later(over_ms))
        for machine in self._faults.site.away:
            await self._faults.site.bring_in(machine, random.Random(f"{self.options.seed}/back"))

    def _is_later(self, time_ms: int) -> bool:
        """Say whether the last block is later than this."""
        last = self._checker.decided.get(self._checker.height)
        return last is not None and last.time_ms > time_ms

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
                limits=self._draw_limits(place),
                keep_blocks=options.keep_blocks if name in prune else 0,
                wrap=self._conspiracy.wrap(name) if name in liars else None,
            )
            if votes:
                machine.bear()
            machine.clock.offset_ms = self._chance.randrange(-500, 501)
            self._machines.append(machine)
        self._clients = self._make_clients()
        self._faults = self._make_faults(net, self._clients)

    def _draw_limits(self, place: str) -> dict[str, dict[str, int]]:
        limits = draw_limits(self._chance)
        if limits:
            shown = {f"{s}.{key}": n for s, values in limits.items() for key, n in values.items()}
            self.trace.add(place, "limits", **shown)
        return limits

    def _make_clients(self) -> Clients:
        options = self.options
        return Clients(
            self._honest,
            genesis=self._genesis,
            checker=self._checker,
            trace=self.trace,
            loop=self.loop,
            seed=options.seed,
            pause_s=self._client_pause_s,
            auctions=options.auctions,
            days=options.day_s > 0,
            bad=options.bad,
        )

    def _make_faults(self, net: SimNet, clients: Clients) -> Faults:
        """Return the faults to come; their disks make every thread of a machine as slow as they."""
        options, loop = self.options, self.loop
        site = Site(
            machines=self._machines,
            net=net,
            clients=clients,
            checker=self._checker,
            trace=self.trace,
            impaired_max=self._impaired_max,
            forgotten_max=options.validators
            - witnesses_min(self._genesis.fault_model, options.validators),
        )
        slow, threads = site.slow_disks, random.Random(f"{options.seed}/threads")

        def thread_delay_s() -> float:
            longest_s = slow.get(MACHINE.get(), 0.003)
            return 0.0002 + threads.random() * longest_s

        loop.thread_delay_s = thread_delay_s
        return Faults(
            site,
            kinds=self._kinds,
            pause_s=self._fault_pause_s,
            skipped=options.skip,
            loop=loop,
            seed=options.seed,
        )


def _position(machine: Machine) -> str:
    node = machine.node
    if node is None:
        return "down"
    engine = node.replica._engine
    if engine.height == 0:
        return f"at {node.chain.head.height}, deciding nothing"
    return f"at {node.chain.head.height}, deciding {engine.height}/{engine.round}"
