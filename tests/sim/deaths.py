"""`python -m tests.sim.deaths`: a validator dies at every operation of its disk, in turn.

Each day of `lives` is run once to count: every batch of the database, every append, truncation,
sync and rename of the consensus log, by one validator, while the day is about it. Then it is run
for each of them again, and the power goes: before it, after it, in the midst of a rename. Where
something is not synced at that moment, the day is run once for each thing that can become of it:
lost, kept, half of it there, blank sectors. Each time the validator is started again, and the day
goes on to its end: every checker judges, and the network has to be lively.

A death is named by day, validator, moment and fate, as `snapshot:1:17:cut`; with `--death` it is
replayed, one line an event.
"""

import argparse
import concurrent.futures
import itertools
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.sim.disks import Fate
from tests.sim.lives import DAYS, Death, Point, spent
from tests.sim.soak import ignore_interrupts

VALIDATORS: Final = 4
SEED: Final = 42
"""Of a network whose blocks follow each other fast, and hold many transactions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One death to be tried."""

    day: str
    seed: int
    victim: int
    death: Death

    @property
    def name(self) -> str:
        """What `--death` takes."""
        return f"{self.day}:{self.victim}:{self.death.point}:{self.death.fate}"

    @property
    def command(self) -> str:
        """What replays it."""
        return f"python -m tests.sim.deaths --seed {self.seed} --death {self.name}"


def counted(day: str, *, seed: int, victim: int) -> list[Point]:
    """Return the moments of a day on which nobody dies.

    Raises:
        AssertionError: that day breaks a rule by itself.
    """
    result, watch = spent(DAYS[day], seed=seed, victim=victim, death=None, show=None)
    assert result.violation is None, f"{day}, validator {victim}: {result.violation}"
    return watch.points


def cases_of(
    day: str, points: Sequence[Point], *, seed: int, victim: int, every: int = 1
) -> Iterator[Case]:
    """Yield the deaths of a day, or each so many of them."""
    deaths = [Death(number, fate) for number, point in enumerate(points) for fate in point.fates]
    for death in deaths[(every - 1) // 2 :: every]:
        yield Case(day=day, seed=seed, victim=victim, death=death)


def broken(case: Case) -> str | None:
    """Let a validator die; return the rule that was broken, None: none was."""
    result, watch = spent(
        DAYS[case.day], seed=case.seed, victim=case.victim, death=case.death, show=None
    )
    if result.violation is None and not watch.died:
        return "it did not die: the day was another one"
    return None if result.violation is None else str(result.violation)


def _tried(case: Case) -> tuple[Case, str | None]:
    return case, broken(case)


def campaign(arguments: argparse.Namespace) -> int:
    """Try all deaths that were asked for; return how many broke a rule."""
    tried, broke, began_s = Counter[str](), Counter[str](), time.monotonic()
    with concurrent.futures.ProcessPoolExecutor(
        arguments.processes, initializer=ignore_interrupts
    ) as pool:
        try:
            for day in arguments.days:
                operations: Counter[str] = Counter()
                for seed, victim in itertools.product(arguments.seeds, arguments.validators):
                    points = counted(day, seed=seed, victim=victim)
                    operations.update(f"{point.what}, {point.moment}" for point in points)
                    cases = cases_of(day, points, seed=seed, victim=victim, every=arguments.every)
                    for case, rule in pool.map(_tried, cases):
                        tried[day] += 1
                        if rule is not None:
                            broke[day] += 1
                            print(f"{case.name}: {rule[:2000]}\n  {case.command}", flush=True)
                print(f"{day} ({DAYS[day].about}): {tried[day]} deaths, {broke[day]} broke a rule")
                for what, count in sorted(operations.items()):
                    print(f"  {what}: {count}", flush=True)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            print("ended before all were tried")
    elapsed_s = time.monotonic() - began_s
    print(f"{tried.total()} deaths in {elapsed_s:.0f} s, {broke.total()} broke a rule")
    return broke.total()


def _replayed(name: str, seed: int) -> int:
    try:
        day, victim, point, fate = name.split(":")
        death = Death(int(point), Fate(fate))
        if day not in DAYS or int(victim) not in range(VALIDATORS):
            raise ValueError
    except ValueError:
        raise SystemExit(
            f"no such death: {name}; one is named by day, validator (0 to {VALIDATORS - 1}), moment"
            " and fate, as snapshot:1:17:cut"
        ) from None
    result, watch = spent(DAYS[day], seed=seed, victim=int(victim), death=death, show=print)
    last = watch.points[-1]
    print(f"died {last.moment}: {last.what}" if watch.died else "did not die")
    print(result.violation or "no rule was broken")
    return 0 if watch.died and result.violation is None else 1


def main() -> int:
    """Do what the command line asks for; 1 if a rule was broken."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.sim.deaths",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--days", help=f"comma-separated: {', '.join(DAYS)}; default: all")
    parser.add_argument("--seeds", default=str(SEED), help=f"comma-separated; default: {SEED}")
    parser.add_argument(
        "--validators", default="0,1,2,3", help="which die, comma-separated; default: each of four"
    )
    parser.add_argument("--every", type=int, default=1, help="only each so many of the deaths")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="default: one for each core"
    )
    parser.add_argument("--death", help="replay this one, as it was printed")
    parser.add_argument("--seed", type=int, default=SEED, help="of the death to replay")
    arguments = parser.parse_args()
    if arguments.death is not None:
        return _replayed(arguments.death, arguments.seed)
    arguments.days = tuple(DAYS) if arguments.days is None else arguments.days.split(",")
    unknown = sorted(set(arguments.days) - set(DAYS))
    if unknown:
        raise SystemExit(f"no such day: {', '.join(unknown)}; there are {', '.join(DAYS)}")
    arguments.seeds = [int(seed) for seed in arguments.seeds.split(",")]
    # Whoever ends it wants to know what was tried, and its processes gone.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments.validators = [int(number) for number in arguments.validators.split(",")]
    return 1 if campaign(arguments) else 0


if __name__ == "__main__":
    sys.exit(main())
