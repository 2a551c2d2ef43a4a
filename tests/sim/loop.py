"""The event loop of a simulation: virtual time, a seeded order, and one lane for each machine.

Theory of operation. Time stands still while callbacks run, and jumps to the next timer when none is
ready. What is ready belongs to a lane: the machine in whose context it was scheduled (`MACHINE`).
Within a lane the order is that of scheduling, as asyncio promises to every program; between lanes
it is drawn from the seed, because machines share no clock. `order="any"` shuffles within a lane
too, which is more than asyncio promises: nothing of ours may depend on that promise.

A machine that is held (`hold`) is a process that got SIGSTOP: what is ready in its lane waits, also
its timers, until `release`. Wires go on: their deliveries run in a lane of their own, in the order
of their timers and before everything else of that moment.

Determinism. No selector, no thread, no real clock. Tasks hash by their number, because task groups
keep them in sets, and the order of a set follows the hash. Timers of one moment run in the order in
which they were set.

It leans on private parts of asyncio (`_run_once`, `_ready`, `Handle._run`, `Handle._context`), the
same from Python 3.11 to 3.13; `test_loop.py` holds what it needs of them.
"""

import asyncio
import collections
import contextvars
import heapq
import random
from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar

from typing_extensions import override

from node.network.memory import MemoryLink, MemoryNet

T = TypeVar("T")

Order = Literal["lanes", "any"]

MACHINE: Final[contextvars.ContextVar[str]] = contextvars.ContextVar("MACHINE", default="")
"""Whose code runs; empty for the simulation itself."""

EPOCH_MS: Final = 1_700_000_000_000
"""True wall-clock time when a simulation begins."""
WIRES: Final = "~wires"
"""The lane of deliveries: it is never held, and runs first."""


class SimDeadlock(Exception):
    """Nothing is ready and nothing is scheduled: every task waits for another, for ever."""


class SimTask(asyncio.Task[T]):
    """A task that hashes by its number."""

    def __init__(self, coro: Any, **options: Any) -> None:
        loop = options["loop"]
        assert isinstance(loop, SimLoop)
        loop.tasks_made += 1
        self._number = loop.tasks_made
        context = options.get("context")
        self.machine: str = MACHINE.get() if context is None else context.get(MACHINE, "")
        super().__init__(coro, **options)

    @override
    def __hash__(self) -> int:
        return self._number

    @override
    def __eq__(self, other: object) -> bool:
        return self is other


class SimLoop(asyncio.BaseEventLoop):
    """Runs one simulation; a pure function of its seed and of what runs in it."""

    def __init__(self, seed: object, *, order: Order = "lanes") -> None:
        """Begin at time 0.

        Args:
            seed: of the order between lanes, and of how long a thread takes.
            order: "lanes" keeps the order within a machine; "any" does not.
        """
        super().__init__()
        self._now_s = 0.0
        # Must exceed the step of a float at any time reached: a year has 3.2e7 s, step 3.7e-9.
        self._clock_resolution = 1e-6
        self._random = random.Random(f"{seed}/loop")
        self._order = order
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timers_set = 0
        self._cancelled = 0
        self._ready: collections.deque[asyncio.Handle]  # set by asyncio
        self._held: dict[str, list[asyncio.Handle]] = {}
        self._countdowns: dict[str, tuple[int, Callable[[], None]]] = {}
        self._busy_until: dict[int, float] = {}
        self._executors: list[object] = []
        self.thread_delay_s: Callable[[], float] = lambda: 0.0005
        """How long a call in a thread takes; asked in the context of the caller."""
        self.leapt_ms = 0
        """By how much the true time is ahead of the virtual one: days that passed at once."""
        self.tasks_made = 0
        self.steps = 0
        """Callbacks run."""
        self.set_task_factory(lambda loop, coro, **options: SimTask(coro, loop=loop, **options))

    def true_ms(self) -> int:
        """Return the true wall-clock time."""
        return EPOCH_MS + int(self.time() * 1000) + self.leapt_ms

    # Machines.

    def hold(self, machine: str) -> None:
        """Stop this machine's code until it is released."""
        self._held.setdefault(machine, [])

    def release(self, machine: str) -> None:
        """Let a held machine go on where it stood."""
        self._ready.extend(self._held.pop(machine, ()))

    def count_down(self, machine: str, steps: int, then: Callable[[], None]) -> None:
        """Do something before the machine's next step after so many more."""
        self._countdowns[machine] = (steps, then)

    def stop_counting(self, machine: str | None = None) -> None:
        """Forget the `count_down` of a machine, or of all."""
        if machine is None:
            self._countdowns.clear()
        else:
            self._countdowns.pop(machine, None)

    # What asyncio asks of a loop.

    @override
    def time(self) -> float:
        return self._now_s

    @override
    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers_set += 1
        heapq.heappush(self._timers, (when, self._timers_set, handle))
        handle._scheduled = True  # type: ignore[attr-defined]
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        if handle._scheduled:  # type: ignore[attr-defined]
            self._cancelled += 1

    @override
    def call_soon_threadsafe(  # type: ignore[override]
        self,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    @override
    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run the call on this thread, a while later, calls of one executor in order."""
        future: asyncio.Future[T] = self.create_future()

        def work() -> None:
            try:
                result = func(*args)
            except BaseException as error:
                if not future.cancelled():
                    future.set_exception(error)
            else:
                if not future.cancelled():
                    future.set_result(result)

        if executor not in self._executors:
            self._executors.append(executor)
        thread = self._executors.index(executor)
        at = max(self._busy_until.get(thread, 0.0), self._now_s + self.thread_delay_s())
        self._busy_until[thread] = at
        self.call_at(at, work)
        return future

    @override
    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """There is none."""

    def _run_once(self) -> None:
        self._sweep_timers()
        timers = self._timers
        if not self._ready and not self._stopping:  # type: ignore[attr-defined]
            if not timers:
                raise SimDeadlock(f"at {self._now_s:.3f} s nothing is left to happen")
            self._now_s = max(self._now_s, timers[0][0])
        due: list[asyncio.Handle] = []
        while timers and timers[0][0] <= self._now_s:
            timer = heapq.heappop(timers)[2]
            timer._scheduled = False  # type: ignore[attr-defined]
            due.append(timer)
        due += self._ready
        self._ready.clear()
        for handle in self._arrange(due):
            if not handle._cancelled:
                self.steps += 1
                if self._countdowns:
                    self._count(lane_of(handle))
                handle._run()
        del due

    def _arrange(self, ready: list[asyncio.Handle]) -> list[asyncio.Handle]:
        if len(ready) == 1 and not self._held:
            return ready  # By far the most frequent case.
        lanes: dict[str, list[asyncio.Handle]] = {}
        for handle in ready:
            lanes.setdefault(lane_of(handle), []).append(handle)
        arranged = lanes.pop(WIRES, [])
        for machine in [machine for machine in lanes if machine in self._held]:
            self._held[machine] += lanes.pop(machine)
        if self._order == "any":
            rest = [handle for handles in lanes.values() for handle in handles]
            self._random.shuffle(rest)
            return arranged + rest
        queues = [handles[::-1] for handles in lanes.values()]
        while len(queues) > 1:
            place = self._random.randrange(len(queues))
            arranged.append(queues[place].pop())
            if not queues[place]:
                del queues[place]
        for queue in queues:
            arranged += queue[::-1]
        return arranged

    def _count(self, machine: str) -> None:
        found = self._countdowns.get(machine)
        if found is not None:
            steps, then = found
            if steps > 0:
                self._countdowns[machine] = (steps - 1, then)
            else:
                del self._countdowns[machine]
                then()

    def _sweep_timers(self) -> None:
        if not self._cancelled:
            return
        timers = self._timers
        if self._cancelled > 200 and self._cancelled > len(timers) // 2:
            self._timers = [entry for entry in timers if not entry[2].cancelled()]
            heapq.heapify(self._timers)
            self._cancelled = 0
            timers = self._timers
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
            self._cancelled -= 1

    def _process_events(self, event_list: object) -> None:
        """There is no selector."""

    def _write_to_self(self) -> None:
        """Nobody sleeps in a selector."""


def lane_of(handle: asyncio.Handle) -> str:
    """Return the machine whose code this is, or `WIRES`."""
    callback = handle._callback  # type: ignore[attr-defined]
    if isinstance(getattr(callback, "__self__", None), MemoryLink | MemoryNet):
        return WIRES
    context = handle._context  # type: ignore[attr-defined]
    return str(context.get(MACHINE, "")) if context is not None else ""
