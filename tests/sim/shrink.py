"""Making a failing run smaller: a shorter day, fewer faults, fewer liars, and the same rule broken.

Each step leaves something out and keeps what still fails. Faults have numbers and chances of their
own, so leaving out some changes nothing about the others but what they find.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from tests.sim.options import Options, Result
from tests.sim.world import simulate

RUNS_MAX: Final = 200
SHORTEST_MINUTES: Final = 0.02


class Shrinker:
    """Looks for the smallest run that breaks the rule that a given one breaks."""

    def __init__(self, failed: Result, *, runs_max: int, say: Callable[[str], None]) -> None:
        """Begin with a run that failed.

        Args:
            runs_max: simulations that may be tried.
            say: told of every smaller run.
        """
        assert failed.violation is not None
        self.best = failed
        self.runs = 0
        self._rule = failed.violation.rule
        self._runs_max = runs_max
        self._say = say

    def shrink(self) -> Result:
        """Return the smallest failing run that was found, perhaps the given one."""
        while self._pass():
            pass
        return self.best

    # Private.

    def _pass(self) -> bool:
        """Try every way once; return whether one of them helped."""
        before = self.best.options
        while self._try(minutes=round(max(SHORTEST_MINUTES, self.best.options.minutes / 2), 3)):
            pass
        self._try(liars=0, lies=None)
        self._try(twins=0)
        self._try(observers=0)
        self._skip_faults()
        self._try(client_pause_s=2 * (self.best.options.client_pause_s or 1.0))
        return self.best.options != before

    def _skip_faults(self) -> None:
        left = [n for n in range(self.best.faults_drawn) if n not in self.best.options.skip]
        size = len(left)
        while size >= 1:
            for chunk in list(_chunks(left, size)):
                skip = tuple(sorted({*self.best.options.skip, *chunk}))
                if self._try(skip=skip):
                    left = [number for number in left if number not in chunk]
            size //= 2

    def _try(self, **changes: object) -> bool:
        options = replace(self.best.options, **changes)  # type: ignore[arg-type]
        if options == self.best.options or self.runs >= self._runs_max:
            return False
        self.runs += 1
        result = simulate(options)
        if result.violation is None or result.violation.rule != self._rule:
            return False
        self.best = result
        self._say(options.command)
        return True


def shrunk(
    options: Options, *, runs_max: int = RUNS_MAX, say: Callable[[str], None] = lambda _: None
) -> Result:
    """Return the smallest failing run that was found; the run itself if it does not fail."""
    result = simulate(options)
    if result.violation is None:
        return result
    return Shrinker(result, runs_max=runs_max, say=say).shrink()


def _chunks(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]
