"""`python -m tests.sim.soak --minutes N`: fresh seeds for so long, and what they amounted to.

Each seed draws its own network: how many validators, whether one lies, which kinds of faults and
how often. A seed that breaks a rule is printed with the command that replays it.
"""

import argparse
import concurrent.futures
import os
import random
import secrets
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from node.ledger.auctions import Form
from node.ledger.protocol import LATEST_VERSION
from tests.sim.desk import never_met
from tests.sim.options import Options, Result
from tests.sim.world import simulate

T = TypeVar("T")

VALIDATORS: Final = {1: 4, 2: 8, 3: 12, 4: 66, 5: 7, 7: 3}
"""How many of a hundred seeds run a network of so many."""
MINUTES: Final = {0.1: 380, 0.25: 370, 0.5: 190, 1.0: 45, 2.0: 12, 5.0: 3}
"""How many of a thousand seeds have so long a day, in virtual minutes until faults end.

Most defects show within seconds of what causes them, and a short day costs little, so that there
are many; a few are long, for what takes minutes to come about.
"""
LARGE: Final = 4
LARGE_MINUTES_MAX: Final = 0.5
"""Of more validators than that: messages grow with the square of their number."""
KEEP_BLOCKS: Final = (0, 0, 0, 0, 0, 0, 1, 5)
"""In a quarter of the days half of the machines keep no more blocks than that."""
DAY_S: Final = (0.0, 0.0, 2.0, 6.0)
"""From one day to the next, where days pass: payments come due and are late."""
PAID_PER_BLOCK: Final = (0, 2, 5, 12)
"""Holders, so that payments take several blocks, with all that may come between them."""
AUCTIONS: Final = 0.1
"""Of the seeds that begin with auctions: in so many clients want little else."""
CAMPAIGN: Final = 500
"""Seeds after which an auction of every form has settled; if not, the load has lost its way."""
LONG_CAMPAIGN: Final = 5_000
"""Seeds after which all bad input of the debt desk was met, and every step of a payment."""
CALM: Final = 0.05
"""Of the seeds: a day without faults in which auctions, with bad input, go to their end."""
FAULTS_A_DAY: Final = (3, 8, 20)
FAULT_PAUSE_MAX_S: Final = 8.0


def options_of(seed: int) -> Options:
    """Return the run that a seed of the soak stands for."""
    chance = random.Random(f"{seed}/soak")
    apart = random.Random(f"{seed}/soak/pruning")
    validators = _weighed(chance, VALIDATORS)
    doubled = validators >= 4 and chance.random() < 0.15
    minutes = _weighed(chance, MINUTES)
    if validators > LARGE:
        minutes = min(minutes, LARGE_MINUTES_MAX)
    pause_s = min(FAULT_PAUSE_MAX_S, minutes * 60 / chance.choice(FAULTS_A_DAY))
    version = random.Random(f"{seed}/soak/version").choice((1, LATEST_VERSION))
    busy = random.Random(f"{seed}/soak/auctions").random() < AUCTIONS
    drawn = Options(
        seed=seed,
        validators=validators,
        twins=int(doubled),
        liars=0 if doubled else None,
        observers=chance.choice((0, 0, 0, 1)),
        minutes=minutes,
        fault_pause_s=pause_s,
        keep_blocks=apart.choice(KEEP_BLOCKS),
        version=version,
        auctions=busy and version == LATEST_VERSION,
        bad=random.Random(f"{seed}/soak/bad").random() < 0.5,
        day_s=random.Random(f"{seed}/soak/days").choice(DAY_S),
        paid_per_block=random.Random(f"{seed}/soak/paid").choice(PAID_PER_BLOCK),
    )
    if random.Random(f"{seed}/soak/calm").random() >= CALM:
        return drawn
    return replace(
        drawn,
        validators=1,
        twins=0,
        liars=0,
        observers=0,
        minutes=1.0,
        faults=(),
        keep_blocks=0,
        version=LATEST_VERSION,
        auctions=True,
        bad=True,
        day_s=0.0,
        client_pause_s=0.4,
    )


def _weighed(chance: random.Random, weights: Mapping[T, int]) -> T:
    return chance.choices(list(weights), list(weights.values()))[0]


@dataclass(kw_only=True)
class Totals:
    """All runs together."""

    seeds: int = 0
    virtual_s: float = 0.0
    blocks: int = 0
    starts: int = 0
    sent: int = 0
    final: int = 0
    signatures: int = 0
    with_liars: int = 0
    costs_s: list[float] = field(default_factory=list)
    """Processor time of each run."""
    faults: Counter[str] = field(default_factory=Counter)
    lies: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    """Of transactions in blocks, and of refusals at a node's door."""
    events: Counter[str] = field(default_factory=Counter)
    auctions: Counter[str] = field(default_factory=Counter)
    """That have delivered something, by form."""
    reads: int = 0
    broken: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result, cost_s: float) -> None:
        """Count one run."""
        self.seeds += 1
        self.costs_s.append(cost_s)
        self.virtual_s += result.virtual_s
        self.blocks += result.heights
        self.starts += result.starts
        self.sent += result.clients.sent
        self.final += result.clients.final
        self.signatures += result.signatures
        self.with_liars += result.liars > 0
        self.faults.update(result.faults)
        self.lies.update(result.lies)
        self.operations.update(result.operations)
        self.auctions.update(result.auctions)
        self.outcomes.update(result.outcomes)
        self.outcomes.update(result.clients.refusals)
        self.events.update(result.events)
        self.reads += result.clients.read
        if result.violation is not None:
            self.broken[result.violation.rule] += 1

    @property
    def never_settled(self) -> list[str]:
        """Forms of auctions that a whole campaign never brought to an end."""
        forms = [form.name.lower() for form in Form]
        return [] if self.seeds < CAMPAIGN else [f for f in forms if not self.auctions[f]]

    @property
    def never_met(self) -> list[str]:
        """What a long campaign never met of the debt desk."""
        met = {*self.outcomes, *self.events}
        return [] if self.seeds < LONG_CAMPAIGN else never_met(met)

    def render(self, elapsed_s: float) -> str:
        """Return the table of all runs."""
        if not self.seeds:
            return "no seed was run to its end"
        per_hour = self.seeds / elapsed_s * 3600
        costs = sorted(self.costs_s)
        lines = [
            f"{self.seeds} seeds in {elapsed_s:.0f} s: {per_hour:.0f} an hour,"
            f" {self.virtual_s / 3600:.1f} virtual hours, {self.with_liars} with liars",
            f"{self.blocks} blocks, {self.sent} transactions sent, {self.final} final,"
            f" {self.starts} starts of a node, {self.signatures} consensus signatures",
            f"processor time of a seed: {statistics.fmean(costs):.2f} s on average, half below"
            f" {statistics.median(costs):.2f} s, nine of ten below"
            f" {costs[len(costs) * 9 // 10]:.2f} s, the longest {costs[-1]:.1f} s",
            f"faults: {_listed(self.faults)}",
            f"lies: {_listed(self.lies)}",
            f"operations applied: {_listed(self.operations)}; {self.reads} reads",
            f"outcomes: {_listed(self.outcomes)}",
            f"events: {_listed(self.events)}",
            f"auctions settled: {_listed(self.auctions)}",
            f"broken: {_listed(self.broken) if self.broken else 'nothing'}",
        ]
        return "\n".join(lines)


def _listed(counts: Counter[str]) -> str:
    listed = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return f"{counts.total()} ({listed})" if listed else "none"


def _run(seed: int) -> tuple[Result, float]:
    began_s = time.process_time()
    result = simulate(options_of(seed))
    cost_s = time.process_time() - began_s
    # The lines can be had again; sending thousands of them between processes costs.
    return replace(result, lines=[]), cost_s


def ignore_interrupts() -> None:
    """Let a run end: whoever started them all stops them, and wants the totals."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def main() -> int:
    """Run seeds until the time is over; 1 if a rule was broken, or the load has lost its way."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of real time")
    parser.add_argument("--seeds", type=int, help="stop after so many, if time is left")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="default: one for each core"
    )
    parser.add_argument("--first", type=int, help="first seed; default: drawn")
    parser.add_argument("--stop", action="store_true", help="at the first broken rule")
    arguments = parser.parse_args()
    first = secrets.randbits(40) if arguments.first is None else arguments.first
    print(f"seeds from {first} on", flush=True)
    totals, began_s = Totals(), time.monotonic()
    ends_s = began_s + arguments.minutes * 60

    def end_now(*_: object) -> None:
        nonlocal ends_s
        ends_s = 0.0

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end_now)
    last = None if arguments.seeds is None else first + arguments.seeds
    next_seed = first
    with concurrent.futures.ProcessPoolExecutor(
        arguments.processes, initializer=ignore_interrupts
    ) as pool:
        running: set[concurrent.futures.Future[tuple[Result, float]]] = set()
        while True:
            while len(running) < 2 * arguments.processes and time.monotonic() < ends_s:
                if next_seed == last:
                    break
                running.add(pool.submit(_run, next_seed))
                next_seed += 1
            if not running:
                break
            done, running = concurrent.futures.wait(
                running, return_when=concurrent.futures.FIRST_COMPLETED
            )
            for future in done:
                result, cost_s = future.result()
                totals.add(result, cost_s)
                if result.violation is not None:
                    print(f"{result.violation.rule}: {result.violation.detail[:2000]}")
                    print(f"  {result.options.command}", flush=True)
                    if arguments.stop:
                        ends_s = 0.0
    print(totals.render(time.monotonic() - began_s))
    if totals.never_settled:
        print(
            f"in {totals.seeds} seeds no auction has settled by {', '.join(totals.never_settled)}"
        )
    if totals.never_met:
        print(f"in {totals.seeds} seeds never met: {', '.join(totals.never_met)}")
    return 1 if totals.broken or totals.never_settled or totals.never_met else 0


if __name__ == "__main__":
    sys.exit(main())
