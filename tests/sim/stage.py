"""A scripted run: what it has in its hands, and how it waits."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from tests.sim.checker import Checker, Violation
from tests.sim.clients import Clients
from tests.sim.machines import Machine
from tests.sim.trace import Trace
from tests.sim.wires import SimNet


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
