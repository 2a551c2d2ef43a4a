"""`python -m tests.sim.soak --minutes N`: fresh seeds for so long, and what they amounted to.

Each seed draws its own network: how many validators, whether one lies, which kinds of faults and
how often. A seed that breaks a rule is printed with the command that replays it.
"""

import argparse
import concurrent.futures
import random
import secrets
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from tests.sim.world import Options, Result, simulate

NETWORKS: Final = (1, 2, 3, 4, 4, 4, 4, 4, 5, 7)


def options_of(seed: int) -> Options:
    """Return the run that a seed of the soak stands for."""
    chance = random.Random(f"{seed}/soak")
    validators = chance.choice(NETWORKS)
    doubled = validators >= 4 and chance.random() < 0.15
    return Options(
        seed=seed,
        validators=validators,
        twins=int(doubled),
        liars=0 if doubled else None,
        observers=chance.choice((0, 0, 1)),
        minutes=chance.choice((0.5, 1.0, 2.0, 4.0)),
    )


@dataclass(kw_only=True)
class Totals:
    """All runs together."""

    seeds: int = 0
    virtual_s: float = 0.0
    blocks: int = 0
    starts: int = 0
    final: int = 0
    signatures: int = 0
    with_liars: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    lies: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        """Count one run."""
        self.seeds += 1
        self.virtual_s += result.virtual_s
        self.blocks += result.heights
        self.starts += result.starts
        self.final += result.clients.final
        self.signatures += result.signatures
        self.with_liars += result.liars > 0
        self.faults.update(result.faults)
        self.lies.update(result.lies)
        if result.violation is not None:
            self.broken[result.violation.rule] += 1

    def render(self, elapsed_s: float) -> str:
        """Return the table of all runs."""
        per_hour = self.seeds / elapsed_s * 3600
        lines = [
            f"{self.seeds} seeds in {elapsed_s:.0f} s: {per_hour:.0f} an hour,"
            f" {self.virtual_s / 3600:.1f} virtual hours, {self.with_liars} with liars",
            f"{self.blocks} blocks, {self.final} transactions final, {self.starts} starts of a"
            f" node, {self.signatures} consensus signatures",
            "faults: " + ", ".join(f"{kind} {n}" for kind, n in sorted(self.faults.items())),
            "lies: "
            + (", ".join(f"{kind} {n}" for kind, n in sorted(self.lies.items())) or "none"),
            "broken: " + (", ".join(f"{rule} {n}" for rule, n in self.broken.items()) or "nothing"),
        ]
        return "\n".join(lines)


def _run(seed: int) -> Result:
    return simulate(options_of(seed))


def main() -> int:
    """Run seeds until the time is over; 1 if a rule was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of real time")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--first", type=int, help="first seed; default: drawn")
    parser.add_argument("--stop", action="store_true", help="at the first broken rule")
    arguments = parser.parse_args()
    first = secrets.randbits(40) if arguments.first is None else arguments.first
    print(f"seeds from {first} on")
    totals, began_s = Totals(), time.monotonic()
    ends_s = began_s + arguments.minutes * 60
    next_seed = first
    with concurrent.futures.ProcessPoolExecutor(arguments.processes) as pool:
        running: set[concurrent.futures.Future[Result]] = set()
        while True:
            while len(running) < 2 * arguments.processes and time.monotonic() < ends_s:
                running.add(pool.submit(_run, next_seed))
                next_seed += 1
            if not running:
                break
            done, running = concurrent.futures.wait(
                running, return_when=concurrent.futures.FIRST_COMPLETED
            )
            for future in done:
                result = future.result()
                totals.add(result)
                if result.violation is not None:
                    print(f"{result.violation.rule}: {result.violation.detail[:2000]}")
                    print(f"  {result.options.command}", flush=True)
                    if arguments.stop:
                        ends_s = 0.0
    print(totals.render(time.monotonic() - began_s))
    return 1 if totals.broken else 0


if __name__ == "__main__":
    sys.exit(main())
