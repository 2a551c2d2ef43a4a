"""Where a node's processor time goes: one account for each stage of the work, kept cheaply.

The event loop does one thing at a time, so one stack of stages says what it is at: `with stage:`
charges the time until its end to the stage, but for what further stages within it take. A stage is
entered for a batch, a block, a frame or a request, never for a transaction: entering and leaving
cost under two microseconds together, some 0.6 a transfer under load (2026-11-25).

A stage must not stay entered over an `await`, during which the loop does other things:
`Stage.of` runs a coroutine so that each of its turns is charged, and what it waits for is not.
Other threads have no part in the stack: `Stage.elsewhere` counts what one of them does.

What no stage counts is the loop itself, TLS, and the parsing of frames and requests before ours.
"""

import types
from collections.abc import Callable, Coroutine, Generator, Iterator
from typing import Any, ParamSpec, TypeVar

ResultT = TypeVar("ResultT")
ParamsT = ParamSpec("ParamsT")


class Stage:
    """One account; a context manager for code without an `await`."""

    __slots__ = ("_elsewhere_s", "_own_s", "_stages", "name")

    def __init__(self, name: str, stages: "Stages") -> None:
        self.name = name
        self._stages = stages
        self._own_s = 0.0
        self._elsewhere_s = 0.0

    @property
    def loop_seconds(self) -> float:
        """Processor time charged since the start, on the loop alone."""
        return self._own_s

    @property
    def seconds(self) -> float:
        """Processor time charged since the start, on the loop and on the other thread."""
        return self._own_s + self._elsewhere_s

    def __enter__(self) -> None:
        self._stages.enter(self)

    def __exit__(self, *_: object) -> None:
        self._stages.leave()

    async def of(
        self,
        work: Callable[ParamsT, Coroutine[Any, Any, ResultT]],
        *args: ParamsT.args,
        **kwargs: ParamsT.kwargs,
    ) -> ResultT:
        """Return what this coroutine function returns, its turns of the loop charged here."""
        return await _in_turns(self, work(*args, **kwargs))

    def elsewhere(self, work: Callable[[], ResultT]) -> ResultT:
        """Return what the work returns, charged here. For one thread a stage, which is not the
        loop's."""
        began_s = self._stages.cpu_s()
        try:
            return work()
        finally:
            self._elsewhere_s += self._stages.cpu_s() - began_s

    def charge(self, seconds: float) -> None:
        """Add what the loop has spent on it. For `Stages`."""
        self._own_s += seconds


class Shared:
    """A stage whose turns are told as well: how much of it is for one of many.

    Not to be entered twice at a time. What further stages within take is neither charged nor told.
    """

    __slots__ = ("_before_s", "_stage", "_tell")

    def __init__(self, stage: Stage, tell: Callable[[float], None]) -> None:
        """Share a stage.

        Args:
            tell: called after each turn with the seconds that it took.
        """
        self._stage = stage
        self._tell = tell
        self._before_s = 0.0

    def __enter__(self) -> None:
        self._stage.__enter__()
        self._before_s = self._stage.loop_seconds

    def __exit__(self, *_: object) -> None:
        self._stage.__exit__()
        self._tell(self._stage.loop_seconds - self._before_s)

    async def of(
        self,
        work: Callable[ParamsT, Coroutine[Any, Any, ResultT]],
        *args: ParamsT.args,
        **kwargs: ParamsT.kwargs,
    ) -> ResultT:
        """Return what this coroutine function returns, each of its turns charged and told."""
        return await _in_turns(self, work(*args, **kwargs))


def _no_time() -> float:
    return 0.0


class Stages:
    """The accounts of one node."""

    def __init__(self, cpu_s: Callable[[], float] = _no_time) -> None:
        """Charge by this clock: processor time of the calling thread, in seconds."""
        self.cpu_s = cpu_s
        self._since_s = 0.0
        self._entered: list[Stage] = []
        self.verification = Stage("verification", self)
        """Signatures of transactions, here and in the process that helps."""
        self.admission = Stage("admission", self)
        """Transactions decoded, tried out and pooled."""
        self.gossip = Stage("gossip", self)
        """Frames to and from peers, transactions as well as votes."""
        self.proposal = Stage("proposal", self)
        """Consensus: blocks put together, proposals and votes judged, signed and logged."""
        self.apply = Stage("apply", self)
        """The ledger's rules, and what a block's header is made of."""
        self.commitment = Stage("commitment", self)
        """The hashes of the state tree."""
        self.store = Stage("store", self)
        """Blocks, state and the consensus log written, and the caches after it."""
        self.serve = Stage("serve", self)
        """Clients' requests and subscriptions."""

    def __iter__(self) -> Iterator[Stage]:
        yield from (self.verification, self.admission, self.gossip, self.proposal)
        yield from (self.apply, self.commitment, self.store, self.serve)

    def enter(self, stage: Stage) -> None:
        """Charge to this stage from now on."""
        now_s = self.cpu_s()
        if self._entered:
            self._entered[-1].charge(now_s - self._since_s)
        self._entered.append(stage)
        self._since_s = now_s

    def leave(self) -> None:
        """Charge to the stage before again."""
        now_s = self.cpu_s()
        self._entered.pop().charge(now_s - self._since_s)
        self._since_s = now_s


@types.coroutine
def _in_turns(
    stage: Stage | Shared, coroutine: Coroutine[Any, Any, ResultT]
) -> Generator[Any, Any, ResultT]:
    """Do what `await coroutine` does, with the stage entered while the coroutine runs."""
    resume: Callable[[Any], Any] = coroutine.send
    given: Any = None
    while True:
        try:
            with stage:
                awaited = resume(given)
        except StopIteration as ended:
            result: ResultT = ended.value
            return result
        try:
            given = yield awaited
            resume = coroutine.send
        except GeneratorExit:
            coroutine.close()
            raise
        except BaseException as error:
            # Nothing is caught: what was thrown in goes on into the coroutine, as with `await`.
            resume, given = coroutine.throw, error
