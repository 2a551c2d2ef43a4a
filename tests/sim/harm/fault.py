"""One fault: what it may touch, its own chance, and the verbs that all kinds share."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from node.codec import replace as with_fields
from tests.chain.town import validator_record
from tests.sim.checker import Checker
from tests.sim.clients import Clients
from tests.sim.machines import Machine, consensus_key
from tests.sim.trace import Trace
from tests.sim.wires import SimNet


@dataclass(slots=True, kw_only=True)
class Site:
    """Where the faults of a run happen, and what they know of each other."""

    machines: Sequence[Machine]
    net: SimNet
    clients: Clients
    checker: Checker
    trace: Trace
    impaired_max: int
    """Honest validators that may be impaired for long at one time."""
    forgotten_max: int
    """Validators without a memory at one time that leave witnesses enough."""
    impaired: set[str] = field(default_factory=set)
    observing_later: set[str] = field(default_factory=set)
    """Observers that have lost what they had."""
    busy: set[str] = field(default_factory=set)
    """Machines that one fault has in its hands: no other stops or starts them."""
    slow_disks: dict[str, float] = field(default_factory=dict)
    """Seconds that a write of this machine may take."""
    away: list[Machine] = field(default_factory=list)
    """Validators that were ordered out of the set, and not back yet."""
    without_past: str | None = None
    """The one machine that may have joined by a snapshot, and so has no first blocks."""
    new_certificates: int = 0
    """How many validators have another certificate than that of the genesis."""

    @property
    def honest(self) -> list[Machine]:
        """Those for which the rules hold."""
        return [machine for machine in self.machines if machine.honest]

    def knows(self, machine: Machine) -> bool:
        """Whether this validator is a witness; one that is down, if it has signed before."""
        if machine.node is None or not machine.is_up:
            return machine.name in self.checker.remember
        return machine.node.replica.is_witness

    def key_of(self, name: str) -> bytes | None:
        """Return the key under which this validator rules; None: it is none."""
        return self.checker.key_of(name)

    def has_room(self, *but: str) -> bool:
        """Whether one more may be impaired for long, not counting these."""
        # One that came late and has signed nothing yet is no witness for others, as one that was
        # wiped: so many must remain.
        forgotten = {
            m.name for m in self.honest if self.key_of(m.name) is not None and not self.knows(m)
        }
        if len((forgotten | self.impaired).difference(but)) >= self.forgotten_max:
            return False
        return len(self.impaired.difference(but)) < self.impaired_max

    @contextlib.contextmanager
    def in_hand(self, *machines: Machine) -> Iterator[None]:
        """Keep other faults from stopping and starting these."""
        names = {machine.name for machine in machines}
        self.busy |= names
        try:
            yield
        finally:
            self.busy -= names

    async def bring_in(self, machine: Machine, chance: random.Random) -> None:
        """Order a machine into the set of validators, under a key that nobody has seen."""
        machine.generation += 1
        record = with_fields(
            validator_record(machine.name),
            public_key=consensus_key(machine.name, machine.generation).public_key,
            participant=machine.participant,
            tls_certificate=machine.identity.certificate,
        )
        await self.clients.insist(
            lambda: self.clients.load.addition(record),
            client="operator",
            chance=chance,
            until=lambda: self.key_of(machine.name) is not None,
        )


class Fault:
    """One fault of a run. Its chance is its own: leaving out another one changes nothing here."""

    def __init__(self, site: Site, kind: str, chance: random.Random) -> None:
        self.site = site
        self.kind = kind
        self.random = chance
        self.net = site.net
        self.happened = False
        """It found somebody to befall."""

    def in_hand(self, *machines: Machine) -> contextlib.AbstractContextManager[None]:
        """Keep other faults from stopping and starting these."""
        return self.site.in_hand(*machines)

    def note(self, event: str = "", **details: object) -> None:
        """Say what happens; the kind, unless another event is named."""
        self.happened = True
        self.site.trace.add("sim", event or self.kind, **details)

    def some_s(self, longest_s: float) -> float:
        """Return a while, more often short than long."""
        return float(self.random.random() ** 2 * longest_s)

    async def last(self, longest_s: float) -> None:
        """Let the harm last for a while."""
        await asyncio.sleep(self.some_s(longest_s))

    def pair(self) -> tuple[str, str]:
        """Return the addresses of two machines."""
        one, other = self.random.sample(list(self.site.machines), 2)
        return one.address, other.address

    def any_honest(self) -> Machine:
        """Return an honest machine in whatever state."""
        return self.random.choice(self.site.honest)

    def pick(self) -> Machine | None:
        """Return an honest machine that runs and is in nobody's hands."""
        machine = self._idle()
        self.happened = machine is not None
        return machine

    async def back(self, machine: Machine, after_s: float) -> None:
        """Start a machine again after a while, if it is down."""
        await asyncio.sleep(after_s)
        if not machine.is_up:
            await machine.start()

    def impair(self) -> Machine | None:
        """Choose a machine that may be impaired for long, if there may be one more."""
        site, machine = self.site, self._idle()
        if machine is None or machine.name in site.impaired:
            return None
        if site.key_of(machine.name) is None:
            # Nobody waits for an observer.
            if machine.name in site.observing_later:
                return None
            site.observing_later.add(machine.name)
            self.happened = True
            return machine
        if not site.has_room(machine.name):
            return None
        site.impaired.add(machine.name)
        self.happened = True
        return machine

    def _idle(self) -> Machine | None:
        site = self.site
        found = [m for m in site.honest if m.is_up and not m.paused and m.name not in site.busy]
        return self.random.choice(found) if found else None

    async def rejoined(self, machine: Machine) -> None:
        """Wait until a machine that has forgotten takes part again."""
        while True:
            await asyncio.sleep(1)
            node = machine.node
            if node is None or machine.paused:
                continue
            caught_up = node.chain.head.height >= self.site.checker.height - 1
            rules = self.site.key_of(machine.name) is not None
            if caught_up and (not rules or node.replica.is_witness):
                break
        self.note("rejoined", machine=machine.name)
        self.site.impaired.discard(machine.name)
        self.site.observing_later.discard(machine.name)


Harm: TypeAlias = Callable[[Fault], Awaitable[None]]
"""Does its harm, waits, and undoes what does not undo itself."""
