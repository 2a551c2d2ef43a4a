"""What goes wrong, when, and for how long: drawn from the seed, until faults end.

Each kind is a coroutine that does its harm, waits, and undoes what does not undo itself. At most
`faults_max` honest validators are impaired at one time by what takes a validator out of agreement
for good or for long (`wipe`, `old-disk`, `clock-jump`, `miscompute`): liars count against the same
number, since the network promises nothing beyond it.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

from tests.sim.checker import Checker
from tests.sim.loop import SimLoop
from tests.sim.machines import Machine
from tests.sim.trace import Trace
from tests.sim.wires import SimNet

KINDS: Final = (
    "cut",
    "cut-one-way",
    "partition",
    "isolate",
    "reset",
    "slow-link",
    "spikes",
    "crash",
    "crash-in-write",
    "crash-at-event",
    "crash-at-step",
    "crash-all",
    "restart",
    "pause",
    "pause-long",
    "disk-full",
    "slow-disk",
    "skew",
    "drift",
    "clock-jump",
    "wipe",
    "old-disk",
)
"""Every kind of fault, by the name that `--faults` takes."""

OF_WIRES: Final = frozenset(KINDS[: KINDS.index("crash")])
"""Those between two machines."""


class Faults:
    """The harm done in one simulation."""

    def __init__(
        self,
        machines: Sequence[Machine],
        *,
        net: SimNet,
        checker: Checker,
        trace: Trace,
        kinds: Sequence[str],
        pause_s: float,
        impaired_max: int,
        loop: SimLoop,
        seed: object,
    ) -> None:
        """Begin with nothing broken.

        Args:
            kinds: some of `KINDS`.
            pause_s: between two faults, on average.
            impaired_max: honest validators impaired for long at one time.
        """
        self._machines = machines
        self._honest = [m for m in machines if m.honest]
        self._net = net
        self._checker = checker
        self._trace = trace
        self._loop = loop
        # A machine alone has no wires.
        self._kinds = tuple(kind for kind in kinds if len(machines) > 1 or kind not in OF_WIRES)
        self._pause_s = pause_s
        self._impaired_max = impaired_max
        self._impaired: set[str] = set()
        self._busy: set[str] = set()
        """Machines that one fault has in its hands: no other stops or starts them."""
        self._random = random.Random(f"{seed}/faults")
        self.slow_disks: dict[str, float] = {}
        """Seconds that a write of this machine may take."""
        self.counts: Counter[str] = Counter()
        self._harm: dict[str, Callable[[], Awaitable[None]]] = {
            "cut": self._cut,
            "cut-one-way": self._cut_one_way,
            "partition": self._partition,
            "isolate": self._isolate,
            "reset": self._reset,
            "slow-link": self._slow_link,
            "spikes": self._spikes,
            "crash": self._crash,
            "crash-in-write": self._crash_in_write,
            "crash-at-event": self._crash_at_event,
            "crash-at-step": self._crash_at_step,
            "crash-all": self._crash_all,
            "restart": self._restart,
            "pause": self._pause,
            "pause-long": self._pause_long,
            "disk-full": self._disk_full,
            "slow-disk": self._slow_disk,
            "skew": self._skew,
            "drift": self._drift,
            "clock-jump": self._clock_jump,
            "wipe": self._wipe,
            "old-disk": self._old_disk,
        }

    async def run(self, until_s: float) -> None:
        """Do harm until this time; return at once then, with whatever is broken still broken."""
        if not self._kinds:
            await asyncio.sleep(max(0.0, until_s - asyncio.get_running_loop().time()))
            return
        try:
            async with asyncio.timeout_at(until_s), asyncio.TaskGroup() as tasks:
                while True:
                    await asyncio.sleep(self._random.expovariate(1 / self._pause_s))
                    kind = self._random.choice(self._kinds)
                    tasks.create_task(self._do(kind), name=f"fault-{kind}")
        except TimeoutError:
            return

    async def end(self) -> None:
        """Undo everything: wires whole, clocks right, disks with room, every machine up."""
        self._trace.add("sim", "faults-end")
        self._net.mend()
        self._net.weather.calm()
        self.slow_disks.clear()
        self._loop.stop_counting()
        for machine in self._machines:
            machine.clock.offset_ms = machine.clock.drift_ppm = 0
            machine.disk.full = False
            machine.disk.disarm()
            machine.dies_at_event = None
            machine.wake()
        for machine in self._machines:
            if machine.expects_failure:
                machine.kill()  # It may be about to stop for a disk that was full a moment ago.
            if not machine.is_up:
                await machine.start()

    # Private.

    async def _do(self, kind: str) -> None:
        self.counts[kind] += 1
        await self._harm[kind]()

    def _note(self, kind: str, **details: object) -> None:
        self._trace.add("sim", kind, **details)

    def _some_s(self, longest_s: float) -> float:
        return float(self._random.random() ** 2 * longest_s)

    def _pick(self, *, up: bool) -> Machine | None:
        found = [
            m for m in self._honest if m.is_up is up and not m.paused and m.name not in self._busy
        ]
        return self._random.choice(found) if found else None

    @contextlib.contextmanager
    def _in_hand(self, *machines: Machine) -> Iterator[None]:
        names = {machine.name for machine in machines}
        self._busy |= names
        try:
            yield
        finally:
            self._busy -= names

    def _pair(self) -> tuple[str, str]:
        one, other = self._random.sample(list(self._machines), 2)
        return one.address, other.address

    # Wires.

    async def _cut(self) -> None:
        one, other = self._pair()
        self._note("cut", one=one, other=other)
        self._net.cut(one, other)
        self._net.cut(other, one)
        await asyncio.sleep(self._some_s(30))
        self._note("heal", one=one, other=other)
        self._net.heal(one, other)
        self._net.heal(other, one)

    async def _cut_one_way(self) -> None:
        source, target = self._pair()
        self._note("cut-one-way", source=source, target=target)
        self._net.cut(source, target)
        await asyncio.sleep(self._some_s(30))
        self._note("heal", source=source, target=target)
        self._net.heal(source, target)

    async def _partition(self) -> None:
        side = [m.address for m in self._machines if self._random.random() < 0.5]
        rest = [m.address for m in self._machines if m.address not in side]
        self._note("partition", side=",".join(side) or "nobody")
        for one in side:
            self._net.isolate(one, rest)
        await asyncio.sleep(self._some_s(30))
        self._note("heal-partition")
        for one in side:
            self._net.rejoin(one, rest)

    async def _isolate(self) -> None:
        machine = self._random.choice(list(self._machines))
        others = [m.address for m in self._machines if m is not machine]
        self._note("isolate", victim=machine.address)
        self._net.isolate(machine.address, others)
        await asyncio.sleep(self._some_s(60))
        self._note("rejoin", victim=machine.address)
        self._net.rejoin(machine.address, others)

    async def _reset(self) -> None:
        one, other = self._pair()
        self._note("reset", one=one, other=other)
        self._net.reset(one, other)

    async def _slow_link(self) -> None:
        source, target = self._pair()
        extra_s = self._some_s(3)
        self._note("slow-link", source=source, target=target, extra_s=extra_s)
        self._net.weather.slow(source, target, extra_s)
        await asyncio.sleep(self._some_s(30))
        self._net.weather.slow(source, target, 0.0)

    async def _spikes(self) -> None:
        weather = self._net.weather
        weather.spike_rate = self._random.choice((10.0, 100.0, 300.0))
        weather.spike_s = self._random.choice((0.2, 0.5, 2.0))
        self._note("spikes", rate=weather.spike_rate, longest_s=weather.spike_s)
        await asyncio.sleep(self._some_s(60))
        weather.spike_rate = 0.0

    # Processes.

    async def _crash(self) -> None:
        machine = self._pick(up=True)
        if machine is not None:
            with self._in_hand(machine):
                machine.kill()
                await self._back(machine, self._some_s(20))

    async def _crash_in_write(self) -> None:
        await self._crash_within(lambda machine: machine.disk.arm())

    async def _crash_at_event(self) -> None:
        def arm(machine: Machine) -> None:
            machine.dies_at_event = self._random.randrange(8)

        await self._crash_within(arm)

    async def _crash_at_step(self) -> None:
        await self._crash_within(lambda machine: machine.kill_after(self._random.randrange(2_000)))

    async def _crash_within(self, arm: Callable[[Machine], None]) -> None:
        """Prepare a death at some moment soon, and start the machine again after it."""
        machine = self._pick(up=True)
        if machine is not None:
            with self._in_hand(machine):
                starts = machine.starts
                arm(machine)
                for _ in range(1 + int(self._some_s(20))):
                    await asyncio.sleep(1)
                    if not machine.is_up:
                        break
                if machine.starts == starts:
                    machine.kill()
                await self._back(machine, self._some_s(3))

    async def _crash_all(self) -> None:
        machines = [m for m in self._honest if m.name not in self._busy]
        with self._in_hand(*machines):
            self._note("crash-all", machines=len(machines))
            for machine in machines:
                machine.kill()
            await asyncio.sleep(self._some_s(10))
            for machine in machines:
                await self._back(machine, self._some_s(1))

    async def _restart(self) -> None:
        machine = self._pick(up=True)
        if machine is not None:
            with self._in_hand(machine):
                await machine.stop()
                await self._back(machine, self._some_s(10))

    async def _back(self, machine: Machine, after_s: float) -> None:
        await asyncio.sleep(after_s)
        if not machine.is_up:
            await machine.start()

    async def _pause(self) -> None:
        await self._pause_for(self._some_s(5))

    async def _pause_long(self) -> None:
        await self._pause_for(10 + self._some_s(170))

    async def _pause_for(self, length_s: float) -> None:
        machine = self._pick(up=True)
        if machine is not None:
            with self._in_hand(machine):
                self._note("pause", machine=machine.name, length_s=length_s)
                machine.pause()
                await asyncio.sleep(length_s)
                self._note("wake", machine=machine.name)
                machine.wake()

    # Disks.

    async def _disk_full(self) -> None:
        machine = self._pick(up=True)
        if machine is not None:
            with self._in_hand(machine):
                self._note("disk-full", machine=machine.name)
                machine.expects_failure = machine.disk.full = True
                await asyncio.sleep(1 + self._some_s(20))
                machine.disk.full = False
                await self._back(machine, 1)

    async def _slow_disk(self) -> None:
        machine = self._random.choice(self._honest)
        longest_s = self._random.choice((0.02, 0.2, 1.0))
        self._note("slow-disk", machine=machine.name, longest_s=longest_s)
        self.slow_disks[machine.name] = longest_s
        await asyncio.sleep(self._some_s(60))
        self.slow_disks.pop(machine.name, None)

    # Clocks.

    async def _skew(self) -> None:
        machine = self._random.choice(self._honest)
        if machine.name not in self._impaired:
            machine.clock.offset_ms = self._random.randrange(-1_000, 1_001)
            self._note("skew", machine=machine.name, ms=machine.clock.offset_ms)

    async def _drift(self) -> None:
        machine = self._random.choice(self._honest)
        machine.clock.drift_ppm = self._random.randrange(-500, 501)
        self._note("drift", machine=machine.name, ppm=machine.clock.drift_ppm)

    async def _clock_jump(self) -> None:
        machine = self._impair()
        if machine is not None:
            jump_ms = self._random.choice((-86_400_000, -10_000, 10_000, 86_400_000))
            self._note("clock-jump", machine=machine.name, ms=jump_ms)
            machine.clock.offset_ms = jump_ms
            await asyncio.sleep(self._some_s(60))
            self._note("clock-right", machine=machine.name)
            machine.clock.offset_ms = 0
            self._impaired.discard(machine.name)

    # Disks that forget.

    async def _wipe(self) -> None:
        machine = self._impair()
        if machine is not None:
            with self._in_hand(machine):
                machine.kill()
                await asyncio.sleep(1 + self._some_s(20))
                born = self._random.random() < 0.5
                self._note("wipe", machine=machine.name, born=born)
                machine.disk.wipe()
                self._checker.lost(machine.name)
                if born and machine.signer is not None:
                    machine.bear()
                await machine.start()
            await self._rejoined(machine)

    async def _old_disk(self) -> None:
        machine = self._impair()
        if machine is not None:
            with self._in_hand(machine):
                old = machine.disk.copy_of_values()
                await asyncio.sleep(5 + self._some_s(20))
                machine.kill()
                await asyncio.sleep(1 + self._some_s(10))
                self._note("old-disk", machine=machine.name)
                machine.disk.put_back(old)
                self._checker.lost(machine.name)
                await machine.start()
            await self._rejoined(machine)

    def _impair(self) -> Machine | None:
        """Choose a machine that may be impaired for long, if there may be one more."""
        machine = self._pick(up=True)
        if machine is None:
            return None
        # A validator that came late and has signed nothing yet waits for blocks of the others, just
        # as one does that was wiped.
        waiting = {
            m.name
            for m in self._honest
            if m.signer is not None and m.name not in self._checker.remember
        }
        if len((waiting | self._impaired) - {machine.name}) >= self._impaired_max:
            return None
        if machine.name in self._impaired:
            return None
        self._impaired.add(machine.name)
        return machine

    async def _rejoined(self, machine: Machine) -> None:
        """Wait until a machine that has forgotten takes part again."""
        while True:
            await asyncio.sleep(1)
            node = machine.node
            if node is None or machine.paused:
                continue
            caught_up = node.chain.head.height >= self._checker.height - 1
            if caught_up and (machine.signer is None or node.replica.is_voting):
                break
        self._note("rejoined", machine=machine.name)
        self._impaired.discard(machine.name)
