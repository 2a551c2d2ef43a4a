"""What goes wrong, and when: drawn from the seed, until faults end.

The kinds are in `harm`. At most `impaired_max` honest validators are impaired at one time by what
takes a validator out of agreement for good or for long (a lost, rotten or old disk, a clock that
has jumped): liars count against the same number, since the network promises nothing beyond it.

Every fault has a number, its place among those drawn, and a chance of its own. So a run can leave
some out (`--skip`) and do the others as before: that is how a failing run is made smaller.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Collection, Sequence

from node.ledger.protocol import SUPPORTED
from tests.sim.harm import HARMS, OF_WIRES, Fault, Site
from tests.sim.loop import SimLoop


class Faults:
    """The harm done in one simulation."""

    def __init__(
        self,
        site: Site,
        *,
        kinds: Sequence[str],
        pause_s: float,
        skipped: Collection[int],
        loop: SimLoop,
        seed: object,
    ) -> None:
        """Begin with nothing broken.

        Args:
            kinds: some of `harm.KINDS`.
            pause_s: between two faults, on average.
            skipped: numbers of faults that do not happen.
        """
        self.site = site
        self._loop = loop
        # A machine alone has no wires.
        alone = len(site.machines) == 1
        self._kinds = tuple(kind for kind in kinds if not alone or kind not in OF_WIRES)
        self._pause_s = pause_s
        self._skipped = frozenset(skipped)
        self._seed = seed
        self._random = random.Random(f"{seed}/faults")
        self._befallen: list[Fault] = []
        self.drawn = 0
        """Faults so far, those left out among them."""

    @property
    def counts(self) -> Counter[str]:
        """How often each kind has found somebody to befall."""
        return Counter(fault.kind for fault in self._befallen if fault.happened)

    async def run(self, until_s: float) -> None:
        """Do harm until this time; return at once then, with whatever is broken still broken."""
        if not self._kinds:
            await asyncio.sleep(max(0.0, until_s - asyncio.get_running_loop().time()))
            return
        try:
            async with asyncio.timeout_at(until_s), asyncio.TaskGroup() as tasks:
                while True:
                    await asyncio.sleep(self._random.expovariate(1 / self._pause_s))
                    kind, number = self._random.choice(self._kinds), self.drawn
                    self.drawn += 1
                    if number in self._skipped:
                        continue
                    chance = random.Random(f"{self._seed}/fault/{number}")
                    fault = Fault(self.site, kind, chance)
                    self._befallen.append(fault)
                    tasks.create_task(_do(fault), name=f"fault-{number}-{kind}")
        except TimeoutError:
            return

    async def end(self) -> None:
        """Undo everything: wires whole, clocks right, disks sound, every machine up."""
        site = self.site
        site.trace.add("sim", "faults-end")
        site.net.mend()
        site.net.weather.calm()
        site.slow_disks.clear()
        self._loop.stop_counting()
        for machine in site.machines:
            machine.clock.offset_ms = machine.clock.drift_ppm = 0
            machine.disk.full = False
            machine.disk.disarm()
            machine.dies_at_event = None
            machine.wake()
        for machine in site.machines:
            if machine.versions is not SUPPORTED:
                machine.kill()
                machine.versions = SUPPORTED
            if machine.expects_failure or machine.expects_damage:
                # It may be about to stop for a disk that was full, or sound, a moment ago.
                machine.kill()
            if machine.expects_damage:
                await machine.wait_ended()
                machine.disk.wipe()
                site.checker.lost(machine.name)
                machine.expects_damage = False
            if not machine.is_up:
                await machine.start()


async def _do(fault: Fault) -> None:
    await HARMS[fault.kind](fault)
